//! Records to FlatBuffers and back.

#![allow(clippy::unwrap_used)] // A test that fails panics.

use serde_json::Value;
use std::path::Path;
use std::process::Command;
use tapir_collector::batch::{Encoder, Format};
use tapir_collector::flat::{BatchEncoder, BatchReader, DecodeError, decode_batch};
use tapir_collector::json::write_session_json;
use tapir_collector::session::Session;
use tapir_collector::testing::{Dice, Entry};
use tapir_collector::text::TextLimits;
use tapir_parsers::field::Field;
use tapir_parsers::host::{HostFacts, Process};
use tapir_parsers::record::RecordView;
use tapir_parsers::testing::noise;

fn session(entry: &[u8]) -> Session<'_> {
    Session::new(&RecordView::new(entry).unwrap(), TextLimits::default())
}

fn encode(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut encoder = BatchEncoder::new();
    for entry in entries {
        encoder.push(&session(entry));
    }
    encoder.finish(<[u8]>::to_vec).unwrap_or_default()
}

fn json(entries: &[Vec<u8>]) -> String {
    let mut out = Vec::new();
    for entry in entries {
        write_session_json(&session(entry), &mut out);
    }
    String::from_utf8(out).unwrap()
}

fn synthetic(seeds: std::ops::Range<u64>) -> Vec<Vec<u8>> {
    seeds.map(|seed| Entry::synthetic(seed).bytes()).collect()
}

#[test]
fn a_record_is_the_same_after_the_journey() {
    let mut encoder = BatchEncoder::new();
    let mut stream = Vec::new();
    let mut want = String::new();
    for batch in 0..16 {
        let entries = synthetic(batch * 25..batch * 25 + 25);
        for entry in &entries {
            encoder.push(&session(entry));
        }
        assert_eq!(encoder.records(), 25);
        encoder.finish(|bytes| stream.extend_from_slice(bytes));
        assert_eq!(encoder.finish(|_| panic!("an empty batch")), None);
        want += &json(&entries);
    }
    let mut reader = BatchReader::new(stream.as_slice());
    let mut got = Vec::new();
    while reader
        .next_batch(|session| write_session_json(session, &mut got))
        .unwrap()
    {}
    assert_eq!(String::from_utf8(got).unwrap(), want);
}

#[test]
fn longer_texts_stay_when_the_limits_allow_them() {
    let entry = Entry::default().text(Field::Resource, &[b'x'; 9000]).bytes();
    let limits = TextLimits {
        resource: 10_000,
        other: 1024,
    };
    let mut encoder = BatchEncoder::new();
    encoder.push(&Session::new(&RecordView::new(&entry).unwrap(), limits));
    encoder
        .finish(|bytes| {
            decode_batch(bytes, |session| {
                assert_eq!(session.text(Field::Resource).len(), 9000);
            })
        })
        .unwrap()
        .unwrap();
}

#[test]
fn whatever_size_is_set_batches_can_be_read() {
    let entry = Entry::default().text(Field::Resource, &[0xFF; 60_000]).bytes();
    let limits = TextLimits {
        resource: usize::MAX,
        other: usize::MAX,
    };
    let mut encoder = Encoder::new(Format::FlatBuffers, usize::MAX);
    while !encoder.push(&Session::new(&RecordView::new(&entry).unwrap(), limits)) {}
    let batch = encoder.take().unwrap();
    let mut records = 0;
    decode_batch(&batch.bytes, |_| records += 1).unwrap();
    assert_eq!(records, batch.records);
}

#[test]
fn names_that_records_share_stand_in_a_batch_once() {
    let entry = Entry::default()
        .attr(b"a_rather_long_name_of_an_attribute", b"1")
        .bytes();
    let batch = encode(&vec![entry; 100]);
    let name = b"a_rather_long_name_of_an_attribute";
    let count = batch.windows(name.len()).filter(|window| window == name).count();
    assert_eq!(count, 1);
}

#[test]
fn names_that_are_alike_stay_apart() {
    // Encoders know names by their ends and lengths, processes by the last bits of their ids.
    let entries: Vec<Vec<u8>> = (0..400)
        .map(|n| {
            let name = format!("the same ends {:02} of a name", n % 7);
            let process = Process {
                pid: 1 + 256 * (n % 3),
                comm: ["redis-server", "redis-client", ""][n as usize % 3],
                executable: &name,
                ..Process::default()
            };
            let host = HostFacts {
                process: Some(process),
                client_process: Some(Process {
                    pod: &name,
                    ..process
                }),
                ..HostFacts::default()
            };
            Entry::default()
                .text(Field::Domain, name.as_bytes())
                .attr(name.as_bytes(), b"value")
                .host(&host)
                .bytes()
        })
        .collect();
    let mut got = Vec::new();
    decode_batch(&encode(&entries), |session| write_session_json(session, &mut got)).unwrap();
    assert_eq!(String::from_utf8(got).unwrap(), json(&entries));
}

#[test]
fn others_read_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let batch = dir.path().join("batch.bin");
    let entries = synthetic(0..200);
    std::fs::write(&batch, encode(&entries)).unwrap();
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/session.fbs");
    let flatc = Command::new("flatc")
        .args(["--json", "--strict-json", "--raw-binary", "--size-prefixed", "-o"])
        .args([dir.path(), &schema, Path::new("--"), &batch])
        .output();
    let Ok(output) = flatc else {
        println!("skipped: flatc is not installed (apt-get install flatbuffers-compiler)");
        return;
    };
    assert!(output.status.success(), "{output:?}");
    let read = std::fs::read(dir.path().join("batch.json")).unwrap();
    let read: Value = serde_json::from_slice(&read).unwrap();
    let read = read["records"].as_array().unwrap();
    assert_eq!(read.len(), entries.len());
    let mut compared = 0;
    for (read, line) in read.iter().zip(json(&entries).lines()) {
        let want: Value = serde_json::from_str(line).unwrap();
        for (key, want) in want.as_object().unwrap() {
            // Enums and addresses are written otherwise there, and what is 0 is left out.
            let is_otherwise = ["kind", "ended", "source", "status", "l4", "joined"].contains(&key.as_str());
            let is_plain = want.is_string() || want.is_number();
            if let Some(read) = read
                .get(key)
                .filter(|read| is_plain && !is_otherwise && !read.is_array())
            {
                assert_eq!(read, want, "{key}");
                compared += 1;
            }
        }
    }
    assert!(compared > 10 * entries.len(), "{compared}");
}

#[test]
fn an_input_cut_anywhere_ends_with_a_named_error() {
    let batch = encode(&synthetic(0..3));
    for len in 1..batch.len() {
        let mut reader = BatchReader::new(&batch[..len]);
        let error = reader.next_batch(|_| panic!("half a batch")).unwrap_err();
        assert!(matches!(error, DecodeError::CutShort), "{len}: {error}");
    }
    assert!(!BatchReader::new(&batch[..0]).next_batch(|_| {}).unwrap());
}

#[test]
fn bytes_that_are_no_records_are_refused() {
    let mut reader = BatchReader::new(&b"{\"schema\":1,\"kind\":\"matched\"}\n"[..]);
    assert!(matches!(reader.next_batch(|_| {}), Err(DecodeError::NotRecords)));
    for seed in 0..100 {
        let mut bytes = noise(seed, 300);
        bytes[..4].copy_from_slice(&296u32.to_le_bytes());
        assert!(decode_batch(&bytes, |_| {}).is_err());
        // With the identifier in place only the verifier stands between noise and the reader.
        bytes[8..12].copy_from_slice(b"TAPR");
        assert!(decode_batch(&bytes, |_| {}).is_err());
    }
}

#[test]
fn a_batch_with_any_byte_wrong_is_refused_or_read() {
    let batch = encode(&synthetic(100..103));
    let mut dice = Dice::new(1);
    let mut out = Vec::new();
    for _ in 0..400 {
        let mut broken = batch.clone();
        for _ in 0..=dice.below(3) {
            let at = dice.below(broken.len());
            broken[at] = dice.number() as u8;
        }
        out.clear();
        let _ = decode_batch(&broken, |session| write_session_json(session, &mut out));
        assert!(out.len() < 1 << 20);
    }
}

#[test]
fn the_generated_code_is_what_the_schema_gives() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/generate");
    let output = Command::new(script).arg("--check").output().unwrap();
    // The script says why when it skips.
    print!("{}", String::from_utf8_lossy(&output.stderr));
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn batches_of_before_there_were_sequence_numbers_can_be_read() {
    // Of parsers/tests/captures/http1.pcap.
    let old = include_bytes!("batches/without-seq.fb");
    let mut reader = BatchReader::new(&old[..]);
    let mut requests = Vec::new();
    while reader
        .next_batch(|session| {
            assert_eq!((session.request_seq, session.response_seq), (None, None));
            assert_eq!((session.host, session.joined), (Default::default(), None));
            requests.push(String::from_utf8_lossy(session.text(Field::Resource)).into_owned());
        })
        .unwrap()
    {}
    assert_eq!(requests.len(), 8);
    assert_eq!(requests[0], "/api/users/17?full=1");
}

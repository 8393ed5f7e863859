//! The worked examples of the interface, and records that are none.

use super::*;
use arrayvec::ArrayVec;
use tapir_parsers::field::Status;
use tapir_parsers::testing::corpus::keep_seed;

const TO_SERVER: Direction = Direction::ToServer;
const TO_CLIENT: Direction = Direction::ToClient;

/// Reads a batch of one record.
fn one(batch: &[u8], direction: Direction) -> (Info<'_>, Dialect) {
    keep_seed("records", "batch", &[&[direction as u8], batch].concat());
    assert!(is_valid(batch, direction));
    let mut records = split(batch);
    let record = records.next().unwrap();
    assert_eq!(records.next(), None);
    read(record, direction).unwrap()
}

fn attrs<'a, const N: usize>(pairs: [(&'a str, &'a str); N]) -> ArrayVec<(&'a [u8], &'a [u8]), 64> {
    pairs
        .into_iter()
        .map(|(key, value)| (key.as_bytes(), value.as_bytes()))
        .collect()
}

#[test]
fn a_dns_query_in_protobuf() {
    let batch = hex(
        "0034504218b4246a008002008a02009202009a0200521f0a00120554797065411a0022107777772e6578616d70\
                     6c652e636f6d2e2a00",
    );
    assert_eq!(batch.len(), 54);
    let wanted = Info {
        request_id: Some(4660),
        req_type: b"TypeA",
        resource: b"www.example.com.",
        ..Info::default()
    };
    assert_eq!(one(&batch, TO_SERVER), (wanted, Dialect::Protobuf));
}

#[test]
fn a_dns_answer_in_protobuf() {
    let batch =
        hex("002c504218b4246a008002008a02009202009a02005a1708001a00220d39332e3138342e3231362e33342a003200");
    let wanted = Info {
        request_id: Some(4660),
        status: Some(Status::Ok),
        result: b"93.184.216.34",
        ..Info::default()
    };
    assert_eq!(one(&batch, TO_CLIENT), (wanted, Dialect::Protobuf));
}

#[test]
fn attributes_and_a_name_in_protobuf() {
    let batch = hex(
        "004550426a046e525043fa010e0a0c6a736f6e5f7061796c6f6164fa01110a0763616c6c5f696412065f494e424f\
                     588002008a02009202009a0200520a0a0012001a0022002a00",
    );
    let wanted = Info {
        protocol: b"nRPC",
        attrs: attrs([("json_payload", ""), ("call_id", "_INBOX")]),
        ..Info::default()
    };
    assert_eq!(one(&batch, TO_SERVER), (wanted, Dialect::Protobuf));
}

#[test]
fn a_rewritten_response_in_protobuf() {
    // The interface gives its beginning, and the lengths of all of it; what the result says further is ours.
    let result = "{\"status_code\":500,\"message\":\"boom!!\"}";
    assert_eq!(result.len(), 0x26);
    let head = hex(
        "00645042 6a00 fa01180a10637573746f6d5f657863657074696f6e1204626f6f6d 800200 8a0200 920200 9a0200 \
                     5a37080310f4031a04626f6f6d2226",
    );
    let batch = [&head, result.as_bytes(), &hex("2a00 3200")].concat();
    assert_eq!(batch.len(), 102);
    let wanted = Info {
        status: Some(Status::ServerError),
        code: Some(500),
        exception: b"boom",
        result: result.as_bytes(),
        attrs: attrs([("custom_exception", "boom")]),
        ..Info::default()
    };
    assert_eq!(one(&batch, TO_CLIENT), (wanted, Dialect::Protobuf));
}

#[test]
fn a_minimal_record_in_protobuf() {
    let batch = hex("000a 5042 182a 6a04 44656d6f");
    let wanted = Info {
        request_id: Some(42),
        protocol: b"Demo",
        ..Info::default()
    };
    assert_eq!(one(&batch, TO_SERVER), (wanted.clone(), Dialect::Protobuf));
    assert_eq!(one(&batch, TO_CLIENT).0, wanted);
}

#[test]
fn a_response_without_a_status_is_refused() {
    for (record, is) in [
        ("5042 5a02 0800", true),
        ("5042 5a02 0805", true),
        ("5042 5a02 0801", false),
        ("5042 5a02 0806", false),
        ("5042 5a00", false),
        ("5042 5a04 1a02 6162", false),
    ] {
        assert_eq!(read(&hex(record), TO_CLIENT).is_some(), is, "{record}");
    }
}

#[test]
fn what_protobuf_allows_is_read() {
    // Unknown fields of every kind, presence of is_end, a type of business beyond a byte, traces.
    let record = hex(
        "5042 a801 00 b001 01 b801 00 8002 8302 f806 07 f907 0000000000000000 fd07 00000000 \
                      fa07 01 00 6216 0a03\"abc\" 1201\"s\" 1a01\"p\" 2201\"x\" 2a01\"c\" 3203\"def\"",
    );
    let (info, _) = read(&record, TO_SERVER).unwrap();
    assert_eq!(
        (info.is_end, info.is_async, info.is_reversed),
        (Some(false), Some(true), Some(false))
    );
    assert_eq!(info.biz_type, 3);
    assert_eq!(info.trace_ids[..], [&b"def"[..], b"abc"]);
    assert_eq!(
        [
            info.span_id,
            info.parent_span_id,
            info.x_request_id,
            info.client_ip
        ],
        [b"s", b"p", b"x", b"c"]
    );
}

#[test]
fn broken_protobuf_is_refused() {
    for record in [
        "5042 18",
        "5042 6a05 44656d6f",
        "5042 6a02 fffe",
        "5042 00 00",
        "5042 0b 0c",
        "5042 18 ffffffffffffffffffff01",
        "5042 1a 00",
    ] {
        assert_eq!(read(&hex(record), TO_SERVER), None, "{record}");
    }
}

#[test]
fn the_sample_of_2024() {
    let batch = hex(
        "0037 00000000 00000000 00 0000 0000 0000 0000 0000 00 00 01 000c 6a736f6e5f7061796c6f6164 \
                     0010 7b224d657373616765223a6e756c6c7d 00",
    );
    let wanted = Info {
        attrs: attrs([("json_payload", "{\"Message\":null}")]),
        ..Info::default()
    };
    assert_eq!(one(&batch, TO_SERVER), (wanted, Dialect::Legacy4));
}

#[test]
fn the_samples_of_2023() {
    let request = hex(
        "007f 00000000 00000000 00 0010\"rewrite req type\" 0010\"rewrite endpoint\" \
                       000e\"rewrite domain\" 0010\"rewrite resource\" 00 01 0003\"aaa\" 0003\"bbb\" 0003\"ccc\" \
                       01 0001\"q\"0001\"1\" 0001\"b\"0001\"2\" 0001\"c\"0004\"test\" 0005\"empty\"0000",
    );
    let wanted = Info {
        req_type: b"rewrite req type",
        endpoint: b"rewrite endpoint",
        domain: b"rewrite domain",
        resource: b"rewrite resource",
        trace_ids: [&b"aaa"[..]].into_iter().collect(),
        span_id: b"bbb",
        parent_span_id: b"ccc",
        attrs: attrs([("q", "1"), ("b", "2"), ("c", "test"), ("empty", "")]),
        ..Info::default()
    };
    assert_eq!(one(&request, TO_SERVER), (wanted, Dialect::Legacy1));
    let response = hex("0052 00000000 00000000 00 03 01 00000257 000e\"rewrite result\" \
                        0011\"rewrite exception\" 00 00 01 0007\"user_id\"0003\"123\" 0008\"username\"0003\"kkk\"");
    let wanted = Info {
        status: Some(Status::ServerError),
        code: Some(599),
        result: b"rewrite result",
        exception: b"rewrite exception",
        attrs: attrs([("user_id", "123"), ("username", "kkk")]),
        ..Info::default()
    };
    assert_eq!(one(&response, TO_CLIENT), (wanted, Dialect::Legacy1));
    let parsed = hex(
        "0055 800003e7 8000270f 01 0000029a 0004\"type\" 0008\"endpoint\" 0006\"domain\" \
                      0008\"resource\" 81 01 0005\"11111\" 0005\"22222\" 0005\"33333\" 01 0002\"k1\"0000 \
                      0002\"k2\"0002\"v2\"",
    );
    let (info, dialect) = one(&parsed, TO_SERVER);
    assert_eq!(dialect, Dialect::Legacy1);
    assert_eq!((info.req_len, info.resp_len), (Some(999), Some(9999)));
    assert_eq!((info.request_id, info.is_end), (Some(666), Some(true)));
    assert_eq!(info.attrs, attrs([("k1", ""), ("k2", "v2")]));
}

#[test]
fn broken_legacy_records_are_refused() {
    let good = hex("00000000 00000000 00 0000 0000 0000 0000 0000 00 00 00 00");
    assert_eq!(
        read(&good, TO_SERVER).map(|(_, dialect)| dialect),
        Some(Dialect::Legacy4)
    );
    for len in 0..9 {
        assert_eq!(read(&good[..len], TO_SERVER), None);
    }
    // The marks of what is there must be 0 or 1.
    for at in [8, 20, 21] {
        let mut bad = good.clone();
        bad[at] = 2;
        assert_eq!(read(&bad, TO_SERVER), None, "{at}");
    }
    let status = |number| {
        let mut record = hex("00000000 00000000 00 00 00 0000 0000 0000 00 00 00 00");
        record[9] = number;
        read(&record, TO_CLIENT).map(|(info, _)| info.status)
    };
    assert_eq!(status(4), Some(Some(Status::ClientError)));
    assert_eq!((status(1), status(6)), (None, None));
}

#[test]
fn a_batch_is_whole_or_nothing() {
    let record = hex("000a 5042 182a 6a04 44656d6f");
    let two = [record.clone(), record.clone()].concat();
    assert!(is_valid(&two, TO_SERVER));
    assert_eq!(split(&two).count(), 2);
    assert!(!is_valid(&[], TO_SERVER));
    for len in 1..two.len() {
        assert_eq!(is_valid(&two[..len], TO_SERVER), len == record.len(), "{len}");
    }
    assert!(!is_valid(&record.repeat(BATCH_RECORDS_MAX + 1), TO_SERVER));
}

#[test]
fn no_bytes_make_the_reader_fail() {
    for seed in 0..20_000 {
        let len = (seed % 97) as usize;
        let mut bytes = tapir_parsers::testing::noise(seed, len);
        if seed % 2 == 0 {
            bytes.splice(0..0, *PROTOBUF_MARK);
        }
        for direction in Direction::BOTH {
            let _ = read(&bytes, direction);
            let _ = is_valid(&bytes, direction);
        }
    }
}

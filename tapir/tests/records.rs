//! Records from a capture through each format and back.
#![allow(clippy::unwrap_used)] // A test that fails panics.

use std::io::Write;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A capture of one ping (RFC 792) between two hosts: request, and reply 5 ms later.
fn capture(folder: &Path) -> PathBuf {
    // Header of a capture file: magic for µs, version 2.4, snap length, Ethernet.
    let mut file = Vec::from(0xa1b2_c3d4_u32.to_le_bytes());
    file.extend([2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0]);
    for (is_reply, us) in [(false, 1000_u32), (true, 6000)] {
        let (from, to) = if is_reply { (2, 1) } else { (1, 2) };
        let mut frame = vec![2, 0, 0, 0, 0, to, 2, 0, 0, 0, 0, from, 8, 0];
        // IPv4: 36 bytes, TTL 64, ICMP, no checksum.
        frame.extend([
            0x45, 0, 0, 36, 0, 0, 0, 0, 64, 1, 0, 0, 192, 0, 2, from, 192, 0, 2, to,
        ]);
        // Echo: type, code, checksum, identifier, sequence number, data.
        frame.extend([
            if is_reply { 0 } else { 8 },
            0,
            0,
            0,
            0x12,
            0x34,
            0,
            7,
            1,
            2,
            3,
            4,
            5,
            6,
            7,
            8,
        ]);
        let len = frame.len() as u32;
        for number in [1_700_000_000, us, len, len] {
            file.extend(number.to_le_bytes());
        }
        file.extend(frame);
    }
    let path = folder.join("ping.pcap");
    std::fs::write(&path, file).unwrap();
    path
}

/// Exit code, stdout and stderr.
fn tapir(arguments: &[&str]) -> (i32, Vec<u8>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_tapir"))
        .args(arguments)
        .output()
        .unwrap();
    (
        output.status.code().unwrap(),
        output.stdout,
        String::from_utf8(output.stderr).unwrap(),
    )
}

/// One line of JSON, and the same record as a batch in a file.
fn recorded(folder: &Path) -> (Vec<u8>, PathBuf) {
    let capture = capture(folder);
    let capture = capture.to_str().unwrap();
    let (code, json, stderr) = tapir(&["decode", capture]);
    assert_eq!(code, 0, "{stderr}");
    let file = folder.join("ping.fb");
    let written = tapir(&[
        "decode",
        capture,
        "--format",
        "flatbuffers",
        "--output",
        file.to_str().unwrap(),
    ]);
    assert_eq!((written.0, written.1.as_slice()), (0, &b""[..]), "{}", written.2);
    (json, file)
}

#[test]
fn flatbuffers_say_what_json_says() {
    let folder = tempfile::tempdir().unwrap();
    let (json, file) = recorded(folder.path());
    let record: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(
        (&record["proto"], &record["kind"]),
        (&"ping".into(), &"matched".into())
    );
    assert_eq!(record["rrt_ns"], 5_000_000);
    let file = file.to_str().unwrap();
    let read = |format| tapir(&["read", file, "--format", format]);
    assert_eq!(read("json"), (0, json, String::new()));
    assert_eq!(
        read("flatbuffers"),
        (0, std::fs::read(file).unwrap(), String::new())
    );
    assert_eq!(read("none"), (0, Vec::new(), "1 records\n".to_owned()));
    let table = String::from_utf8(read("table").1).unwrap();
    assert!(
        table.lines().count() == 2 && table.contains("192.0.2.1"),
        "{table}"
    );
}

#[test]
fn records_come_by_socket() {
    let folder = tempfile::tempdir().unwrap();
    let (json, file) = recorded(folder.path());
    let batches = std::fs::read(file).unwrap();
    let socket = folder.path().join("socket");
    let listener = UnixListener::bind(&socket).unwrap();
    let sender = std::thread::spawn(move || listener.accept().unwrap().0.write_all(&batches).unwrap());
    assert_eq!(
        tapir(&["read", &format!("unix:{}", socket.display())]),
        (0, json, String::new())
    );
    sender.join().unwrap();
}

#[test]
fn what_is_whole_of_a_broken_file_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let (json, file) = recorded(folder.path());
    let mut batches = std::fs::read(&file).unwrap();
    batches.extend_from_within(..batches.len() / 2);
    std::fs::write(&file, batches).unwrap();
    let (code, stdout, stderr) = tapir(&["read", file.to_str().unwrap()]);
    assert_eq!((code, stdout), (1, json));
    assert_eq!(stderr.lines().count(), 1);
    assert!(stderr.contains("ends within a batch"), "{stderr}");
}

#[test]
fn other_files_are_refused() {
    let (code, stdout, stderr) = tapir(&["read", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")]);
    assert!(
        code == 1 && stdout.is_empty() && stderr.contains("not session records"),
        "{stderr}"
    );
}

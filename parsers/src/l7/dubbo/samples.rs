//! Messages to test and to measure with.

use crate::l7::hessian2::encoder::{map, string};

pub(super) const REQUEST: u8 = 0xC0;
pub(super) const ONE_WAY: u8 = 0x80;
pub(super) const RESPONSE: u8 = 0;
pub(super) const EVENT: u8 = 0x20;
pub(super) const HESSIAN2: u8 = 2;
pub(super) const OK: u8 = 20;

pub(super) const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// A message with its header.
pub(super) fn message(flags: u8, status: u8, id: u64, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0xDA, 0xBB, flags, status];
    bytes.extend(id.to_be_bytes());
    bytes.extend((body.len() as u32).to_be_bytes());
    bytes.extend(body);
    bytes
}

/// The body of a call of `org.example.Users.find` in Hessian 2.0.
pub(super) fn call_body(types: &str, arguments: &[u8], attachments: &[u8]) -> Vec<u8> {
    let head = ["2.0.2", "org.example.Users", "1.2.0", "find", types]
        .map(string)
        .concat();
    [&head, arguments, attachments].concat()
}

/// A call with one string and the attachments that a traced consumer sends.
pub(super) fn call(id: u64) -> Vec<u8> {
    let attachments = map(&[
        ("path", "org.example.Users"),
        ("interface", "org.example.Users"),
        ("version", "1.2.0"),
        ("traceparent", TRACE),
        ("timeout", "1000"),
        ("X-Request-Id", "r-17"),
    ]);
    let body = call_body("Ljava/lang/String;", &string("anna"), &attachments);
    message(REQUEST | HESSIAN2, 0, id, &body)
}

/// An answer with one string.
pub(super) fn answer(id: u64) -> Vec<u8> {
    let body = [&b"\x94"[..], &string("Anna"), &map(&[("dubbo", "2.0.2")])].concat();
    message(RESPONSE | HESSIAN2, OK, id, &body)
}

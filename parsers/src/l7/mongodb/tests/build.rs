//! Messages as clients and servers write them.

use crate::field::Field;
use crate::testing::{Script, Told, noise};

/// A document of these elements.
pub(in crate::l7::mongodb) fn document(elements: &[Vec<u8>]) -> Vec<u8> {
    let body = elements.concat();
    [&(body.len() as u32 + 5).to_le_bytes()[..], &body, &[0]].concat()
}

fn element(kind: u8, name: &str, value: &[u8]) -> Vec<u8> {
    [&[kind], name.as_bytes(), &[0], value].concat()
}

pub(in crate::l7::mongodb) fn text(name: &str, value: &str) -> Vec<u8> {
    let len = (value.len() as u32 + 1).to_le_bytes();
    element(0x02, name, &[&len[..], value.as_bytes(), &[0]].concat())
}

pub(in crate::l7::mongodb) fn int(name: &str, value: i32) -> Vec<u8> {
    element(0x10, name, &value.to_le_bytes())
}

pub(in crate::l7::mongodb) fn long(name: &str, value: i64) -> Vec<u8> {
    element(0x12, name, &value.to_le_bytes())
}

pub(in crate::l7::mongodb) fn double(name: &str, value: f64) -> Vec<u8> {
    element(0x01, name, &value.to_le_bytes())
}

pub(in crate::l7::mongodb) fn truth(name: &str, value: bool) -> Vec<u8> {
    element(0x08, name, &[u8::from(value)])
}

pub(in crate::l7::mongodb) fn null(name: &str) -> Vec<u8> {
    element(0x0A, name, &[])
}

pub(in crate::l7::mongodb) fn inner(name: &str, elements: &[Vec<u8>]) -> Vec<u8> {
    element(0x03, name, &document(elements))
}

/// An array of documents.
pub(in crate::l7::mongodb) fn array(name: &str, documents: &[Vec<u8>]) -> Vec<u8> {
    let elements: Vec<_> = documents
        .iter()
        .enumerate()
        .map(|(i, document)| element(0x03, &i.to_string(), document))
        .collect();
    element(0x04, name, &document(&elements))
}

pub(in crate::l7::mongodb) fn binary(name: &str, value: &[u8]) -> Vec<u8> {
    let len = (value.len() as u32).to_le_bytes();
    element(0x05, name, &[&len[..], &[0], value].concat())
}

pub(in crate::l7::mongodb) fn ok() -> Vec<u8> {
    double("ok", 1.0)
}

/// A header and what stands behind it.
pub(in crate::l7::mongodb) fn message(id: u32, response_to: u32, op: u32, body: &[u8]) -> Vec<u8> {
    let len = body.len() as u32 + 16;
    let header: Vec<u8> = [len, id, response_to, op]
        .into_iter()
        .flat_map(u32::to_le_bytes)
        .collect();
    [header, body.to_vec()].concat()
}

/// OP_MSG with flags and sections.
pub(in crate::l7::mongodb) fn flagged(id: u32, response_to: u32, flags: u32, sections: &[u8]) -> Vec<u8> {
    message(
        id,
        response_to,
        2013,
        &[&flags.to_le_bytes()[..], sections].concat(),
    )
}

/// A section of one document.
pub(in crate::l7::mongodb) fn body(elements: &[Vec<u8>]) -> Vec<u8> {
    [vec![0], document(elements)].concat()
}

/// A section of many.
pub(in crate::l7::mongodb) fn sequence(name: &str, documents: &[Vec<u8>]) -> Vec<u8> {
    let documents = documents.concat();
    let len = (4 + name.len() + 1 + documents.len()) as u32;
    [&[1], &len.to_le_bytes()[..], name.as_bytes(), &[0], &documents].concat()
}

/// A command in the database `shop`.
pub(in crate::l7::mongodb) fn ask(id: u32, elements: &[Vec<u8>]) -> Vec<u8> {
    let elements = [elements, &[text("$db", "shop")]].concat();
    flagged(id, 0, 0, &body(&elements))
}

/// Its answer, of the server's number `1000 + id`.
pub(in crate::l7::mongodb) fn tell(id: u32, elements: &[Vec<u8>]) -> Vec<u8> {
    flagged(1000 + id, id, 0, &body(elements))
}

/// OP_QUERY.
pub(in crate::l7::mongodb) fn query(id: u32, flags: u32, namespace: &str, elements: &[Vec<u8>]) -> Vec<u8> {
    let head = [
        &flags.to_le_bytes()[..],
        namespace.as_bytes(),
        &[0],
        &[0; 4],
        &[0xFF; 4],
    ]
    .concat();
    message(id, 0, 2004, &[head, document(elements)].concat())
}

/// OP_REPLY.
pub(in crate::l7::mongodb) fn reply(
    response_to: u32,
    flags: u32,
    cursor: u64,
    documents: &[Vec<u8>],
) -> Vec<u8> {
    answer(1000 + response_to, response_to, flags, cursor, documents)
}

/// OP_REPLY of a number of its own.
pub(in crate::l7::mongodb) fn answer(
    id: u32,
    response_to: u32,
    flags: u32,
    cursor: u64,
    documents: &[Vec<u8>],
) -> Vec<u8> {
    let count = documents.len() as u32;
    let head = [
        &flags.to_le_bytes()[..],
        &cursor.to_le_bytes(),
        &[0; 4],
        &count.to_le_bytes(),
    ]
    .concat();
    message(id, response_to, 1, &[head, documents.concat()].concat())
}

/// A document of a collection, of about `len` bytes.
pub(in crate::l7::mongodb) fn stored(number: i32, len: usize) -> Vec<u8> {
    document(&[
        int("_id", number),
        binary("data", &noise(number as u64, len)),
        int("ok", 0),
        int("code", 7),
    ])
}

/// How a message is packed.
#[derive(Clone, Copy, Debug)]
pub(in crate::l7::mongodb) enum Method {
    Noop,
    Snappy,
    Zlib,
    Zstd,
}

/// The same message in an OP_COMPRESSED.
pub(in crate::l7::mongodb) fn packed(method: Method, message: &[u8]) -> Vec<u8> {
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};
    let (head, body) = message.split_at(16);
    let data = match method {
        Method::Noop => body.to_vec(),
        Method::Snappy => snap::raw::Encoder::new().compress_vec(body).unwrap(),
        Method::Zlib => {
            use flate2::{Compress, Compression, FlushCompress};
            let mut to = Vec::with_capacity(body.len() + 100);
            Compress::new(Compression::default(), true)
                .compress_vec(body, &mut to, FlushCompress::Finish)
                .unwrap();
            to
        }
        Method::Zstd => compress_to_vec(body, CompressionLevel::Fastest),
    };
    let number = |at: usize| u32::from_le_bytes(head[at..at + 4].try_into().unwrap());
    let inner = [
        &head[12..16],
        &(body.len() as u32).to_le_bytes(),
        &[method as u8],
        &data,
    ]
    .concat();
    super::build::message(number(4), number(8), 2012, &inner)
}

pub(in crate::l7::mongodb) fn session() -> Script {
    Script::tcp(27017)
}

/// Kind, type, domain, endpoint, status, rows.
pub(in crate::l7::mongodb) type Brief<'a> = (&'a str, &'a str, &'a str, &'a str, &'a str, Option<u64>);

pub(in crate::l7::mongodb) fn brief(told: &[Told]) -> Vec<Brief<'_>> {
    told.iter()
        .map(|t| {
            let text = |field| t.text(field);
            let (kind, endpoint) = (text(Field::ReqType), text(Field::Endpoint));
            (t.kind, kind, text(Field::Domain), endpoint, t.status, t.rows)
        })
        .collect()
}

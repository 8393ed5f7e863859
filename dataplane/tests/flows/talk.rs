//! What clients and servers say, such that every record tells which request and response it was made of.

use tapir_dataplane::pipeline::PipelineOptions;
use tapir_dataplane::testing::{Connection, Frame, Replayed, Way, replay};
use tapir_parsers::field::Field;
use tapir_parsers::testing::Told;

/// Bytes of the head of [`http_response`].
const RESPONSE_HEAD: u64 = "HTTP/1.1 200 OK\r\nContent-Length: 00000\r\n\r\n".len() as u64;

/// The request `id`.
pub(crate) fn http_request(id: u64) -> Vec<u8> {
    format!("GET /item/{id} HTTP/1.1\r\nHost: shop.example\r\n\r\n").into_bytes()
}

/// A request with a body that ends where its length says.
pub(crate) fn http_post(id: u64, body: usize) -> Vec<u8> {
    let head = format!("POST /item/{id} HTTP/1.1\r\nHost: shop.example\r\nContent-Length: {body}\r\n\r\n");
    [head.into_bytes(), vec![b'x'; body]].concat()
}

/// The response to `id`: the length of its body tells which it is.
pub(crate) fn http_response(id: u64) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {id:05}\r\n\r\n");
    [head.into_bytes(), vec![b'y'; id as usize]].concat()
}

/// The redis command `id`.
pub(crate) fn redis_request(id: u64) -> Vec<u8> {
    let key = format!("key:{id}");
    format!("*2\r\n$3\r\nGET\r\n${}\r\n{key}\r\n", key.len()).into_bytes()
}

/// The reply to `id`: its length tells which it is.
pub(crate) fn redis_response(id: u64) -> Vec<u8> {
    let value = vec![b'v'; id as usize];
    [format!("${id:05}\r\n").into_bytes(), value, b"\r\n".to_vec()].concat()
}

/// Which request and which response a record was made of, as far as it has them.
pub(crate) fn ids(told: &Told) -> (Option<u64>, Option<u64>) {
    let resource = told.text(Field::Resource);
    let request = match told.proto {
        "http1" => resource.strip_prefix("/item/"),
        "redis" => resource.strip_prefix("GET key:"),
        _ => None,
    };
    let overhead = if told.proto == "http1" { RESPONSE_HEAD } else { 10 };
    let response = told.resp_len.and_then(|len| len.checked_sub(overhead));
    (request.and_then(|id| id.parse().ok()), response)
}

/// Kind, request, response, of each record.
pub(crate) fn outline(replayed: &Replayed) -> Vec<(&'static str, Option<u64>, Option<u64>)> {
    let line = |told: &Told| (told.kind, ids(told).0, ids(told).1);
    replayed.told.iter().map(line).collect()
}

/// The usual options, and a table that takes less time to set up.
pub(crate) fn options() -> PipelineOptions {
    PipelineOptions {
        flows_max: 1024,
        ..PipelineOptions::default()
    }
}

/// Replays with one worker and the usual options.
pub(crate) fn run(frames: &[Frame]) -> Replayed {
    replay(frames, 1, &options())
}

/// The requests `ids` one after the other, each answered before the next.
pub(crate) fn keep_alive(connection: &mut Connection, ids: impl IntoIterator<Item = u64>) {
    for id in ids {
        connection.client(http_request(id)).server(http_response(id));
    }
}

/// A whole connection with [`keep_alive`] in it.
pub(crate) fn http_connection(ids: impl IntoIterator<Item = u64>) -> Connection {
    let mut connection = Connection::ports(40_000, 80);
    connection.handshake();
    keep_alive(&mut connection, ids);
    connection.close();
    connection
}

/// Sends the requests all at once and then the responses, each in a segment of its own.
pub(crate) fn pipeline(
    connection: &mut Connection,
    ids: &[u64],
    request: fn(u64) -> Vec<u8>,
    response: fn(u64) -> Vec<u8>,
) {
    for id in ids {
        connection.client(request(*id));
    }
    for id in ids {
        connection.server(response(*id));
    }
    connection.ack(Way::Client);
}

/// The records without their times, in an order that does not depend on time.
pub(crate) fn untimed(replayed: &Replayed) -> Vec<Told> {
    let mut told = replayed.told.clone();
    told.iter_mut().for_each(|told| told.times = (0, 0, None));
    told.sort();
    told
}

/// Random numbers that a seed repeats (SplitMix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to `bound` - 1.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// True once in so many times.
    pub(crate) fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }
}

//! Sequence numbers of records are those of the segments that carried their first bytes.

use crate::talk::{
    http_post, http_request, http_response, ids, keep_alive, pipeline, redis_request, redis_response, run,
};
use tapir_dataplane::testing::{Connection, Frame, Replayed, Segment, Way};
use tapir_parsers::testing::Told;

/// Where what one end sent stands: each byte with the sequence number that its segment gave it.
fn sent(segments: &[Segment], way: Way) -> Vec<(u32, u8)> {
    let ends = match way {
        Way::Client => segments[0].ends,
        Way::Server => segments[0].ends.reversed(),
    };
    let own = segments.iter().filter(|segment| segment.ends == ends);
    own.flat_map(|segment| {
        let first = segment
            .seq
            .wrapping_add(u32::from(segment.flags & Segment::SYN != 0));
        let numbers = (0..).map(move |at: u32| first.wrapping_add(at));
        numbers.zip(segment.payload.iter().copied())
    })
    .collect()
}

/// The sequence number at which `message` was sent: it was sent once.
fn number_of(sent: &[(u32, u8)], message: &[u8]) -> u32 {
    let mut windows = sent.windows(message.len());
    let is_it = |window: &&[(u32, u8)]| window.iter().map(|(_, byte)| byte).eq(message);
    windows.find(is_it).unwrap()[0].0
}

/// Checks every record; how many requests and responses were checked.
fn check(connection: &Connection, told: &[Told]) -> usize {
    let (client, server) = (
        sent(&connection.segments, Way::Client),
        sent(&connection.segments, Way::Server),
    );
    let mut checked = 0;
    for told in told {
        let (request, response) = ids(told);
        let (req_seq, resp_seq) = told.seqs;
        assert_eq!(told.req_len.is_some(), req_seq.is_some(), "{told:?}");
        assert_eq!(told.resp_len.is_some(), resp_seq.is_some(), "{told:?}");
        if let Some(id) = request {
            let message = match told.proto {
                "redis" => redis_request(id),
                _ if told.text(tapir_parsers::field::Field::ReqType) == "POST" => {
                    http_post(id, 0)[..12].to_vec()
                }
                _ => http_request(id),
            };
            assert_eq!(req_seq, Some(number_of(&client, &message)), "{told:?}");
            checked += 1;
        }
        if let Some(id) = response.filter(|_| !told.truncated) {
            let message = match told.proto {
                "redis" => redis_response(id),
                _ => http_response(id),
            };
            assert_eq!(resp_seq, Some(number_of(&server, &message)), "{told:?}");
            checked += 1;
        }
    }
    checked
}

/// Connections of different kinds, their numbers from `isn` on, cut into segments of at most `bytes`.
fn connections(isn: [u32; 2], bytes: usize) -> Vec<Connection> {
    let new = |port| {
        let mut connection = Connection::ports(40_000, port)
            .with_isn(isn[0], isn[1])
            .with_segment_bytes(bytes);
        connection.handshake();
        connection
    };
    let mut http = new(80);
    keep_alive(&mut http, 1..=3);
    pipeline(&mut http, &[4, 5, 6], http_request, http_response);
    http.client(http_post(170, 300)).server(http_response(170));
    let mut redis = new(6379);
    pipeline(&mut redis, &[1, 2, 3, 4, 5], redis_request, redis_response);
    pipeline(&mut redis, &[6], redis_request, redis_response);
    vec![http.close().clone(), redis.close().clone()]
}

fn replay(segments: impl Iterator<Item = Segment>) -> Replayed {
    let frames: Vec<Frame> = segments.map(|segment| segment.frame()).collect();
    run(&frames)
}

#[test]
fn they_are_exact_however_the_stream_is_cut_and_wherever_the_numbers_wrap() {
    for before_wrap in [0, 1, 2, 40, 97, 250, 611, 1 << 30] {
        let isn = [u32::MAX - before_wrap, u32::MAX - before_wrap / 2];
        for bytes in [1, 7, 100, 1448] {
            let [http, redis] = &connections(isn, bytes)[..] else {
                panic!()
            };
            assert_eq!(check(http, &run(&http.frames()).told), 14);
            assert_eq!(check(redis, &run(&redis.frames()).told), 12);
        }
    }
}

#[test]
fn they_are_exact_when_any_segment_is_lost() {
    for connection in connections([u32::MAX - 200, 1], 60) {
        let segments = &connection.segments;
        for lost in 0..segments.len() {
            let rest = segments.iter().enumerate().filter(|(at, _)| *at != lost);
            let replayed = replay(rest.map(|(_, segment)| segment.clone()));
            assert!(check(&connection, &replayed.told) > 5, "without segment {lost}");
        }
    }
}

#[test]
fn they_are_exact_from_wherever_a_connection_is_joined() {
    for connection in connections([7, u32::MAX - 100], 1448) {
        let segments = &connection.segments;
        let mut checked = 0;
        for first in 1..segments.len() {
            let replayed = replay(segments[first..].iter().cloned());
            checked += check(&connection, &replayed.told);
        }
        assert!(checked > 4 * segments.len());
    }
}

#[test]
fn they_are_exact_where_the_syn_brought_data() {
    let mut connection = Connection::ports(40_000, 80).with_isn(u32::MAX - 10, u32::MAX - 20);
    connection.send(Way::Client, Segment::SYN, &http_request(1));
    connection.send(Way::Server, Segment::SYN | Segment::ACK, &[]);
    connection.ack(Way::Client).server(http_response(1));
    keep_alive(&mut connection, 2..=3);
    connection.close();
    assert_eq!(check(&connection, &run(&connection.frames()).told), 6);
}

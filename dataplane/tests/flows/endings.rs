//! How connections end, and what looks like an end and is none.

use crate::talk::{http_connection, http_request, http_response, keep_alive, options, outline, run, untimed};
use tapir_dataplane::testing::{Connection, Frame, STEP_NS, Segment, Way, replay};

const FIN: u8 = Segment::FIN;
const ACK: u8 = Segment::ACK;
const RST: u8 = Segment::RST;

fn matched(id: u64) -> (&'static str, Option<u64>, Option<u64>) {
    ("matched", Some(id), Some(id))
}

fn frames(segments: &[Segment]) -> Vec<Frame> {
    segments.iter().map(Segment::frame).collect()
}

/// A response that lasts until the server closes.
const UNTIL_CLOSE: &[u8] = b"HTTP/1.1 200 OK\r\nServer: old\r\n\r\n0123456789";

fn until_close() -> Connection {
    let mut connection = Connection::ports(40_000, 80);
    connection.handshake();
    connection.client(http_request(1));
    connection.server(&UNTIL_CLOSE[..20]);
    connection.server(&UNTIL_CLOSE[20..30]);
    connection
}

#[test]
fn a_fin_may_carry_data() {
    let mut connection = until_close();
    connection.send(Way::Server, FIN | ACK, &UNTIL_CLOSE[30..]);
    connection.send(Way::Client, FIN | ACK, &[]);
    let replayed = run(&connection.frames());
    assert_eq!(replayed.told.len(), 1);
    let told = &replayed.told[0];
    assert_eq!(
        (told.kind, told.ended, told.truncated),
        ("matched", "response", false)
    );
    assert_eq!(told.resp_len, Some(UNTIL_CLOSE.len() as u64));
    assert_eq!(replayed.counters.flows_closed, 1);
}

#[test]
fn a_fin_waits_for_the_data_before_it() {
    let mut connection = until_close();
    connection.server(&UNTIL_CLOSE[30..]);
    connection.send(Way::Server, FIN | ACK, &[]);
    connection.send(Way::Client, FIN | ACK, &[]);
    let whole = untimed(&run(&connection.frames()));
    let first = connection
        .segments
        .iter()
        .position(|s| !s.payload.is_empty())
        .unwrap()
        + 1;
    let mut order = vec![0_usize, 1, 2, 3];
    // All orders of three pieces and the FIN behind them.
    for round in 0..24 {
        let mut mixed = connection.segments.clone();
        for (place, number) in order.iter().enumerate() {
            mixed[first + place] = connection.segments[first + number].clone();
        }
        let replayed = run(&frames(&mixed));
        assert_eq!(untimed(&replayed), whole, "{order:?}");
        assert_eq!(replayed.counters.flows_closed, 1, "{order:?}");
        next_permutation(&mut order);
        assert_eq!(order == [0, 1, 2, 3], round == 23);
    }
}

fn next_permutation(order: &mut [usize]) {
    let Some(at) = (1..order.len()).rev().find(|i| order[i - 1] < order[*i]) else {
        order.reverse();
        return;
    };
    let swap = (at..order.len())
        .rev()
        .find(|i| order[*i] > order[at - 1])
        .unwrap();
    order.swap(at - 1, swap);
    order[at..].reverse();
}

#[test]
fn a_fin_that_comes_with_data_sent_again_counts() {
    let mut connection = until_close();
    connection.server(&UNTIL_CLOSE[30..]);
    // The FIN is only seen on a segment whose bytes were all seen before.
    let mut again = connection.segments.last().unwrap().clone();
    again.flags |= FIN;
    connection.segments.push(again.at(connection.now_ns()));
    connection.send(Way::Client, FIN | ACK, &[]);
    let replayed = run(&connection.frames());
    assert_eq!(replayed.counters.flows_closed, 1);
    assert_eq!(
        (replayed.told[0].kind, replayed.told[0].truncated),
        ("matched", false)
    );
}

#[test]
fn a_fin_from_before_is_no_end() {
    let connection = http_connection(1..=3);
    let whole = run(&connection.frames());
    // Segments 3.. are requests and responses; a FIN that stands before bytes that were seen is not theirs.
    for at in 5..8 {
        let mut segments = connection.segments.clone();
        let mut stray = segments[at - 2].clone();
        stray.payload.clear();
        stray.flags |= FIN;
        segments.insert(at, stray);
        let replayed = run(&frames(&segments));
        assert_eq!(replayed.told, whole.told, "at {at}");
        assert_eq!(replayed.counters.flows_closed, 1);
    }
}

#[test]
fn a_fin_from_before_does_not_end_a_response_that_lasts_until_it() {
    let mut connection = until_close();
    let mut stray = connection.segments[4].clone();
    stray.payload.clear();
    stray.flags |= FIN;
    connection.segments.push(stray.at(connection.now_ns()));
    connection.server(&UNTIL_CLOSE[30..]);
    connection.send(Way::Server, FIN | ACK, &[]);
    connection.send(Way::Client, FIN | ACK, &[]);
    let replayed = run(&connection.frames());
    assert_eq!(replayed.told[0].resp_len, Some(UNTIL_CLOSE.len() as u64));
    assert_eq!(replayed.told[0].kind, "matched");
}

#[test]
fn a_half_closed_connection_is_read_on() {
    let mut connection = Connection::ports(40_000, 80);
    connection.handshake();
    connection.client(http_request(1)).client(http_request(2));
    connection.send(Way::Client, FIN | ACK, &[]);
    connection.server(http_response(1)).server(http_response(2));
    connection.send(Way::Server, FIN | ACK, &[]);
    let replayed = run(&connection.frames());
    assert_eq!(outline(&replayed), [matched(1), matched(2)]);
    assert_eq!(replayed.counters.flows_closed, 1);
}

#[test]
fn fins_sent_again_end_the_connection_once() {
    let connection = http_connection(1..=2);
    let mut segments = connection.segments.clone();
    let count = segments.len();
    let fins = [segments[count - 3].clone(), segments[count - 2].clone()];
    let now = connection.now_ns();
    for (n, fin) in fins.iter().cycle().take(6).enumerate() {
        segments.push(fin.clone().at(now + n as u64 * STEP_NS));
    }
    let replayed = run(&frames(&segments));
    assert_eq!(outline(&replayed), [matched(1), matched(2)]);
    let counters = &replayed.counters;
    assert_eq!(
        (
            counters.flows_created,
            counters.flows_closed,
            counters.flows_expired
        ),
        (1, 1, 0)
    );
}

#[test]
fn a_reset_ends_what_waits() {
    let mut connection = Connection::ports(40_000, 80);
    connection.handshake();
    keep_alive(&mut connection, [1]);
    connection.client(http_request(2)).reset(Way::Server);
    // What still comes is of no interest.
    connection.server(http_response(2)).client(http_request(3));
    let replayed = run(&connection.frames());
    assert_eq!(outline(&replayed), [matched(1), ("no_response", Some(2), None)]);
    assert_eq!(replayed.told[1].ended, "rst");
    assert_eq!(
        (replayed.counters.flows_closed, replayed.counters.flows_created),
        (1, 1)
    );
}

#[test]
fn a_reset_far_off_is_not_believed() {
    let connection = http_connection(1..=3);
    let whole = run(&connection.frames());
    for distance in [0x4000_0001_u32, 0x8000_0000, 0xB000_0000] {
        let mut segments = connection.segments.clone();
        let mut rst = segments[6].clone();
        rst.flags = RST;
        rst.seq = rst.end().wrapping_add(distance);
        rst.payload.clear();
        segments.insert(7, rst);
        let replayed = run(&frames(&segments));
        assert_eq!(replayed.told, whole.told, "{distance:x}");
        let counters = &replayed.counters;
        assert_eq!(counters.tcp_rst_ignored + counters.tcp_stale, 1);
    }
}

#[test]
fn what_is_held_is_told_before_a_reset() {
    // The second of three segments is lost; what came behind it is not lost with the connection.
    let mut connection = Connection::ports(40_000, 80);
    connection.handshake();
    keep_alive(&mut connection, [1]);
    connection
        .client(http_request(2))
        .client(http_request(3))
        .client(http_request(4));
    connection.reset(Way::Server);
    connection.segments.remove(6);
    let replayed = run(&connection.frames());
    let expected = [
        matched(1),
        ("no_response", Some(2), None),
        ("no_response", Some(4), None),
    ];
    assert_eq!(outline(&replayed), expected);
    assert!(replayed.told[1..].iter().all(|t| t.ended == "rst"));
    assert_eq!(replayed.counters.flows_closed, 1);
    assert_eq!(replayed.counters.tcp_gap_bytes, http_request(3).len() as u64);
}

#[test]
fn keep_alives_change_nothing() {
    let connection = http_connection(1..=3);
    let whole = run(&connection.frames());
    for way in [0, 1] {
        for len in [0, 1] {
            for at in 3..connection.segments.len() - 3 {
                let mut segments = connection.segments.clone();
                // From an end that has nothing to send: one byte before its next, seen long ago or none.
                let own = segments[..at]
                    .iter()
                    .rfind(|s| s.ends == connection.segments[way].ends);
                let Some(own) = own.cloned() else { continue };
                let syn = u32::from(own.has(Segment::SYN));
                let probe = Segment {
                    seq: own.end().wrapping_add(syn).wrapping_sub(1),
                    flags: ACK,
                    payload: vec![0; len],
                    ..own
                };
                let probe = probe.at(segments[at - 1].time_ns);
                segments.insert(at, probe.clone());
                segments.insert(at, probe);
                let replayed = run(&frames(&segments));
                assert_eq!(replayed.told, whole.told, "{len} bytes from {way} at {at}");
            }
        }
    }
}

#[test]
fn closed_windows_are_counted_once_each() {
    let mut connection = http_connection(1..=4);
    let windows = [(4, 0), (6, 0), (8, 512), (10, 0)];
    for (number, window) in windows {
        connection.segments[number].window = window;
    }
    let replayed = run(&connection.frames());
    assert_eq!(replayed.counters.tcp_zero_windows, 2);
    assert_eq!(replayed.told.len(), 4);
    // Zero-window probes carry one byte that is sent again later.
    let mut stuck = Connection::ports(40_000, 80);
    stuck.handshake();
    let request = http_request(1);
    stuck.client(&request[..10]);
    for _ in 0..3 {
        let mut probe = stuck.segments.last().unwrap().clone();
        probe.seq = stuck.segments[3].end();
        probe.payload = request[10..11].to_vec();
        stuck.segments.push(probe.at(stuck.now_ns()));
    }
    stuck.client(&request[10..]).server(http_response(1)).close();
    let replayed = replay(&stuck.frames(), 1, &options());
    assert_eq!(outline(&replayed), [matched(1)]);
}

/// Frames of `connection` without those whose places are listed.
fn without(connection: &Connection, lost: &[usize]) -> Vec<Frame> {
    let kept = |(place, _): &(usize, &Segment)| !lost.contains(place);
    let segments = connection.segments.iter().enumerate().filter(kept);
    segments.map(|(_, segment)| segment.frame()).collect()
}

#[test]
fn a_capture_that_ends_within_request_and_response_keeps_them_together() {
    let (request, response) = (http_request(5), http_response(5));
    let mut connection = Connection::ports(40_000, 80);
    connection.client(&request[..40]).client(&request[40..]);
    connection.server(&response[..44]);
    let replayed = run(&without(&connection, &[1]));
    assert_eq!(replayed.told.len(), 1, "{:#?}", replayed.told);
    let told = &replayed.told[0];
    assert_eq!(
        (told.kind, told.ended, told.code, told.truncated),
        ("matched", "shutdown", Some(200), true)
    );
    assert_eq!((told.req_len, told.resp_len), (Some(40), Some(44)));
}

#[test]
fn what_a_capture_ends_in_is_paired_only_where_it_belongs_together() {
    let (request, response) = (http_request(2), http_response(2));
    let mut connection = Connection::ports(40_000, 80);
    connection.handshake().client(http_request(1));
    connection.client(&request[..40]).client(&request[40..]);
    connection.server(http_response(1)).server(&response[..42]);
    // The end of the second request and the first response are lost: what is there of a response may be of either.
    let replayed = run(&without(&connection, &[5, 6]));
    let kinds: Vec<_> = replayed.told.iter().map(|told| told.kind).collect();
    assert_eq!(
        kinds.iter().filter(|kind| **kind == "orphan").count(),
        1,
        "{kinds:?}"
    );
    assert!(!kinds.contains(&"matched"), "{:#?}", replayed.told);
}

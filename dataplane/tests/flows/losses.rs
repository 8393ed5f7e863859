//! Losses of a mirror, of clients that wait for their answers and of such that don't: what is paired is right.

use crate::talk::{Dice, ids, redis_request, redis_response, run};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use tapir_dataplane::testing::{Connection, Frame, Segment};

/// Who does what next, by time.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// The client is ready for another request.
    Ask,
    /// The server has received the client's stream up to here, and request `.1` with it.
    Asked(u32, u64),
    /// The server has worked out the next answer.
    Answer,
    /// The client has received the server's stream up to here.
    Answered(u32),
}

/// A conversation of `requests` over a link of this delay, with at most `window` requests under way: the
/// segments as a mirror beside the server sees them.
fn conversation(requests: u64, window: u64, delay_ns: u64, dice: &mut Dice) -> Vec<Segment> {
    let mut connection = Connection::ports(40_000, 6379);
    connection.handshake();
    let mut segments = connection.segments.clone();
    let sample = segments.last().unwrap().clone();
    let (mut client_seq, mut server_seq) = (sample.seq, sample.ack);
    let (mut client_has, mut server_has) = (server_seq, client_seq);
    let mut events = BinaryHeap::new();
    let mut waiting: VecDeque<u64> = VecDeque::new();
    let (mut next, mut working, mut order) = (1, false, 0_u64);
    let mut push = |events: &mut BinaryHeap<_>, time_ns: u64, event: Event| {
        order += 1;
        events.push(Reverse((time_ns, order, event)));
    };
    let start = connection.now_ns();
    for n in 0..window {
        push(&mut events, start + n * 300_000, Event::Ask);
    }
    while let Some(Reverse((now, _, event))) = events.pop() {
        match event {
            Event::Ask if next <= requests => {
                let payload = redis_request(next);
                let end = client_seq.wrapping_add(payload.len() as u32);
                segments.push(Segment {
                    time_ns: now + delay_ns,
                    seq: client_seq,
                    ack: client_has,
                    flags: Segment::ACK | Segment::PSH,
                    payload,
                    ..sample.clone()
                });
                push(&mut events, now + delay_ns, Event::Asked(end, next));
                (client_seq, next) = (end, next + 1);
            }
            Event::Ask => {}
            Event::Asked(end, id) => {
                server_has = end;
                waiting.push_back(id);
                if !std::mem::replace(&mut working, true) {
                    push(&mut events, now + 20_000 + dice.below(400_000), Event::Answer);
                }
            }
            Event::Answer => {
                let payload = redis_response(waiting.pop_front().unwrap());
                let end = server_seq.wrapping_add(payload.len() as u32);
                segments.push(Segment {
                    ends: sample.ends.reversed(),
                    time_ns: now,
                    seq: server_seq,
                    ack: server_has,
                    flags: Segment::ACK | Segment::PSH,
                    payload,
                    ..sample.clone()
                });
                server_seq = end;
                push(&mut events, now + delay_ns, Event::Answered(end));
                working = !waiting.is_empty();
                if working {
                    push(&mut events, now + 20_000 + dice.below(400_000), Event::Answer);
                }
            }
            Event::Answered(end) => {
                client_has = end;
                // Now and then there is nothing to ask for a while.
                let pauses = next % 30 < window;
                let thinks = if dice.one_in(3) { 3_000_000 } else { 200_000 };
                let thinks = dice.below(thinks) + if pauses { 500_000_000 } else { 0 };
                push(&mut events, now + thinks, Event::Ask);
            }
        }
    }
    segments.sort_by_key(|segment| segment.time_ns);
    segments
}

/// Right pairs, wrong pairs and requests of conversations that lose one segment of `one_in`.
fn pairs(window: u64, delay_ns: u64, one_in: u64) -> (usize, usize, usize) {
    let (mut right, mut wrong, mut all) = (0, 0, 0);
    for seed in 0..60 {
        let mut dice = Dice(seed);
        let segments = conversation(120, window, delay_ns, &mut dice);
        let kept: Vec<Frame> = segments
            .iter()
            .filter(|segment| segment.payload.is_empty() || !dice.one_in(one_in))
            .map(Segment::frame)
            .collect();
        all += 120;
        for told in run(&kept).told.iter().filter(|told| told.kind == "matched") {
            let (request, response) = ids(told);
            if request == response && request.is_some() {
                right += 1;
            } else if !told.truncated {
                wrong += 1;
            }
        }
    }
    (right, wrong, all)
}

#[test]
fn pairs_after_a_loss_are_right() {
    for (window, one_in, least) in [(1, 30, 85), (2, 100, 85), (2, 30, 70), (3, 100, 80), (5, 30, 40)] {
        let (right, wrong, all) = pairs(window, 1_000_000, one_in);
        let told = format!("window {window}, 1 of {one_in} lost: {right} of {all} right, {wrong} wrong");
        assert!(wrong == 0 && right * 100 >= all * least, "{told}");
    }
}

/// Where answers take longer than the way, a client that does not wait asks again while the server works on what
/// it has: what it has received tells little of what it has answered.
#[test]
fn pairs_of_a_client_that_waits_are_right_however_near_it_is() {
    for (window, most) in [(1, 0), (2, 2), (5, 3)] {
        let (right, wrong, all) = pairs(window, 10_000, 30);
        let told = format!("window {window}: {right} of {all} right, {wrong} wrong");
        assert!(wrong * 100 <= all * most && right * 100 >= all * 80, "{told}");
    }
}

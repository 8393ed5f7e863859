//! Whole streams: however they are cut, ordered and repeated, the records are the same.

use crate::talk::{
    Dice, http_connection, http_post, http_request, http_response, outline, pipeline, redis_request,
    redis_response, run, untimed,
};
use tapir_dataplane::testing::{Connection, Frame, Segment, Way};

/// Connections of different kinds; the sequence numbers of the later ones wrap.
fn connections() -> Vec<Connection> {
    let mut all = Vec::new();
    for isn in [(0x1000_0000, 0x7000_0000), (u32::MAX - 40, u32::MAX - 3000)] {
        let new = || Connection::ports(40_000, 80).with_isn(isn.0, isn.1);
        let mut keep_alive = new();
        keep_alive.handshake();
        for id in 1..=3 {
            keep_alive
                .client(http_request(id))
                .server(http_response(id))
                .ack(Way::Client);
        }
        keep_alive.close();
        let mut bodies = new().with_segment_bytes(500);
        bodies.handshake();
        for id in [1900, 7, 2500] {
            bodies.client(http_post(id, 1800)).server(http_response(id));
        }
        bodies.close();
        let mut pipelined = new();
        pipelined.handshake();
        pipeline(&mut pipelined, &[1, 2, 3], http_request, http_response);
        pipeline(&mut pipelined, &[4, 5, 6], http_request, http_response);
        pipelined.close();
        let mut redis = Connection::ports(40_000, 6379).with_isn(isn.0, isn.1);
        redis.handshake();
        pipeline(&mut redis, &[1, 2, 3, 4, 5], redis_request, redis_response);
        pipeline(&mut redis, &[6], redis_request, redis_response);
        redis.close();
        all.extend([keep_alive, bodies, pipelined, redis]);
    }
    all
}

fn frames(segments: &[Segment]) -> Vec<Frame> {
    segments.iter().map(Segment::frame).collect()
}

/// Segments with payload of one direction that follow one another.
fn groups(segments: &[Segment]) -> Vec<std::ops::Range<usize>> {
    let mut groups = Vec::new();
    let mut start = 0;
    for at in 1..=segments.len() {
        let same = |s: &Segment| s.ends == segments[start].ends && !s.payload.is_empty();
        if at == segments.len() || !same(&segments[at]) {
            if at - start > 1 && same(&segments[start]) {
                groups.push(start..at);
            }
            start = at;
        }
    }
    groups
}

#[test]
fn a_keep_alive_connection_becomes_its_exchanges() {
    let replayed = run(&http_connection(1..=3).frames());
    let matched = |id| ("matched", Some(id), Some(id));
    assert_eq!(outline(&replayed), [matched(1), matched(2), matched(3)]);
    let counters = &replayed.counters;
    assert_eq!(
        (counters.packets, counters.decoded, counters.flows_created),
        (12, 12, 1)
    );
    assert_eq!(replayed.told[0].times.2, Some(1_000_000));
}

#[test]
fn every_connection_is_read_whole() {
    for connection in connections() {
        let replayed = run(&connection.frames());
        assert!(replayed.told.len() >= 3);
        for (kind, request, response) in outline(&replayed) {
            assert_eq!(kind, "matched");
            assert!(request.is_some() && request == response);
        }
    }
}

#[test]
fn any_cut_into_segments_gives_the_same_records() {
    for connection in connections() {
        let whole = run(&connection.frames());
        let bytewise: Vec<Segment> = connection.segments.iter().flat_map(one_byte_each).collect();
        assert_eq!(run(&frames(&bytewise)).told, whole.told, "byte by byte");
        for (number, segment) in connection.segments.iter().enumerate() {
            let stride = (segment.payload.len() / 25).max(1);
            for at in (1..segment.payload.len()).step_by(stride) {
                let mut cut = connection.segments.clone();
                cut.splice(number..=number, segment.split(at));
                assert_eq!(
                    run(&frames(&cut)).told,
                    whole.told,
                    "segment {number} cut at {at}"
                );
            }
        }
    }
}

fn one_byte_each(segment: &Segment) -> Vec<Segment> {
    let mut pieces = vec![segment.clone()];
    while let Some(last) = pieces.last().filter(|s| s.payload.len() > 1) {
        let cut = last.split(1);
        pieces.splice(pieces.len() - 1.., cut);
    }
    pieces
}

#[test]
fn any_order_within_a_group_gives_the_same_records() {
    let mut dice = Dice(1);
    for connection in connections() {
        let whole = untimed(&run(&connection.frames()));
        for group in groups(&connection.segments) {
            for _ in 0..60 {
                let mut mixed = connection.segments.clone();
                // Times are those of arrival, not of sending.
                let times: Vec<u64> = mixed.iter().map(|s| s.time_ns).collect();
                dice.shuffle(&mut mixed[group.clone()]);
                mixed
                    .iter_mut()
                    .zip(times)
                    .for_each(|(s, time_ns)| s.time_ns = time_ns);
                let replayed = run(&frames(&mixed));
                assert_eq!(untimed(&replayed), whole, "group {group:?}");
                assert_eq!(replayed.counters.tcp_gap_bytes, 0);
            }
        }
    }
}

#[test]
fn duplicates_change_nothing() {
    let mut dice = Dice(2);
    for connection in connections() {
        let whole = run(&connection.frames());
        let doubled: Vec<Frame> = connection
            .frames()
            .into_iter()
            .flat_map(|f| [f.clone(), f])
            .collect();
        assert_eq!(run(&doubled).told, whole.told, "each twice");
        for number in 0..connection.segments.len() {
            let mut repeated = connection.segments.clone();
            let later = number + 1 + dice.below((repeated.len() - number) as u64) as usize;
            let time_ns = repeated[later - 1].time_ns;
            repeated.insert(later, repeated[number].clone().at(time_ns));
            let replayed = run(&frames(&repeated));
            assert_eq!(replayed.told, whole.told, "segment {number} again as {later}");
            assert_eq!(
                replayed.counters.flows_created, 1,
                "segment {number} again as {later}"
            );
        }
    }
}

#[test]
fn retransmissions_with_other_boundaries_change_nothing() {
    let mut dice = Dice(3);
    for connection in connections() {
        let whole = run(&connection.frames());
        for _ in 0..200 {
            let mut mixed = connection.segments.clone();
            let at = dice.below(mixed.len() as u64) as usize;
            let Some(again) = resend(&mixed[..=at], &mut dice) else {
                continue;
            };
            mixed.insert(at + 1, again);
            let replayed = run(&frames(&mixed));
            assert_eq!(replayed.told, whole.told, "behind {at}");
        }
    }
}

/// Some bytes of one direction once more, without regard to where its segments began and ended.
fn resend(segments: &[Segment], dice: &mut Dice) -> Option<Segment> {
    let last = segments.last()?;
    let own: Vec<&Segment> = segments.iter().filter(|s| s.ends == last.ends).collect();
    let start = own.iter().find(|s| !s.payload.is_empty())?.seq;
    let bytes: Vec<u8> = own.iter().flat_map(|s| s.payload.iter().copied()).collect();
    let from = dice.below(bytes.len() as u64) as usize;
    let to = from + 1 + dice.below((bytes.len() - from) as u64) as usize;
    Some(Segment {
        seq: start.wrapping_add(from as u32),
        flags: Segment::ACK,
        payload: bytes[from..to].to_vec(),
        ..last.clone()
    })
}

#[test]
fn segments_that_overlap_what_is_new_bring_the_rest() {
    let mut dice = Dice(4);
    for connection in connections() {
        let whole = run(&connection.frames());
        for number in 0..connection.segments.len() {
            let mut mixed = connection.segments.clone();
            // Sent again with what came before it, coalesced, and with what comes after.
            let Some(before) = resend(&mixed[..number], &mut dice) else {
                continue;
            };
            let segment = &mixed[number];
            if segment.payload.is_empty() || before.ends != segment.ends {
                continue;
            }
            let reach = segment.seq.wrapping_sub(before.seq) as usize;
            let mut payload = before.payload.clone();
            if payload.len() < reach {
                continue;
            }
            payload.truncate(reach);
            payload.extend(&segment.payload);
            mixed[number] = Segment {
                seq: before.seq,
                payload,
                ..segment.clone()
            };
            assert_eq!(
                run(&frames(&mixed)).told,
                whole.told,
                "segment {number} begins earlier"
            );
        }
    }
}

#[test]
fn everything_at_once_within_groups() {
    let mut dice = Dice(5);
    for connection in connections() {
        let whole = untimed(&run(&connection.frames()));
        for round in 0..60 {
            let mut mixed = Vec::new();
            let mut at = 0;
            let groups = groups(&connection.segments);
            while at < connection.segments.len() {
                let group = groups
                    .iter()
                    .find(|g| g.start == at)
                    .cloned()
                    .unwrap_or(at..at + 1);
                let mut pieces: Vec<Segment> = connection.segments[group.clone()].to_vec();
                for _ in 0..dice.below(4) {
                    let n = dice.below(pieces.len() as u64) as usize;
                    let piece = pieces[n].clone();
                    if piece.payload.len() > 1 {
                        let cut = piece.split(1 + dice.below(piece.payload.len() as u64 - 1) as usize);
                        pieces.splice(n..=n, cut);
                    }
                    if dice.one_in(3) {
                        pieces.push(piece);
                    }
                }
                if pieces[0].flags & (Segment::SYN | Segment::FIN) == 0 {
                    dice.shuffle(&mut pieces);
                }
                mixed.extend(pieces);
                at = group.end;
            }
            let replayed = run(&frames(&mixed));
            assert_eq!(untimed(&replayed), whole, "round {round}");
            assert_eq!(replayed.counters.tcp_gap_bytes, 0);
        }
    }
}

//! How connections begin, and how the same ends begin again.

use crate::talk::{http_connection, http_request, http_response, keep_alive, outline, run};
use tapir_dataplane::testing::{Connection, Frame, STEP_NS, Segment, Way};

const SYN: u8 = Segment::SYN;
const ACK: u8 = Segment::ACK;

fn matched(id: u64) -> (&'static str, Option<u64>, Option<u64>) {
    ("matched", Some(id), Some(id))
}

fn frames(segments: &[Segment]) -> Vec<Frame> {
    segments.iter().map(Segment::frame).collect()
}

#[test]
fn a_syn_sent_again_with_another_number_is_the_one_that_counts() {
    let mut first = Connection::ports(40_000, 80).with_isn(100, 500);
    first.send(Way::Client, SYN, &[]);
    let mut second = Connection::ports(40_000, 80)
        .with_isn(7_000_000, 500)
        .with_times(first.now_ns(), STEP_NS);
    second.handshake();
    keep_alive(&mut second, [1, 2]);
    second.close();
    let replayed = run(&[first.frames(), second.frames()].concat());
    assert_eq!(outline(&replayed), [matched(1), matched(2)]);
    assert_eq!(replayed.counters.flows_created, 1);
}

#[test]
fn a_syn_ack_sent_again_changes_nothing() {
    let connection = http_connection(1..=3);
    let whole = run(&connection.frames());
    for later in 2..connection.segments.len() {
        let mut again = connection.segments.clone();
        let repeated = again[1].clone().at(again[later].time_ns);
        again.insert(later + 1, repeated);
        let replayed = run(&frames(&again));
        assert_eq!(replayed.told, whole.told, "behind {later}");
        assert_eq!(replayed.counters.flows_created, 1, "behind {later}");
        assert_eq!(replayed.counters.tcp_retransmissions, 1, "behind {later}");
    }
}

#[test]
fn a_simultaneous_open_is_one_connection() {
    let mut connection = Connection::ports(40_000, 80);
    connection.send(Way::Client, SYN, &[]);
    connection.send_blind(Way::Server, SYN, &[]);
    // Both answer with their own SYN again (RFC 9293 section 3.5, figure 8).
    let [client, server] = [connection.segments[0].clone(), connection.segments[1].clone()];
    for (own, other) in [(&client, &server), (&server, &client)] {
        let answer = Segment {
            flags: SYN | ACK,
            ack: other.seq.wrapping_add(1),
            ..own.clone()
        };
        connection.segments.push(answer.at(connection.now_ns()));
    }
    keep_alive(&mut connection, [1, 2]);
    connection.close();
    let replayed = run(&connection.frames());
    assert_eq!(outline(&replayed), [matched(1), matched(2)]);
    assert_eq!(replayed.told[0].ports, (40_000, 80));
    assert_eq!(replayed.counters.flows_created, 1);
}

#[test]
fn data_in_the_syn_is_read_and_not_read_twice() {
    // TCP Fast Open (RFC 7413): acknowledged at once, or sent again after the handshake.
    for accepted in [true, false] {
        let mut connection = Connection::ports(40_000, 80);
        connection.send(Way::Client, SYN, &http_request(1));
        connection.send(Way::Server, SYN | ACK, &[]);
        if !accepted {
            let syn = connection.segments[0].clone();
            connection.segments[1].ack = syn.seq.wrapping_add(1);
            let again = Segment {
                seq: syn.seq.wrapping_add(1),
                ack: connection.segments[1].seq.wrapping_add(1),
                flags: ACK,
                ..syn
            };
            connection.segments.push(again.at(connection.now_ns()));
        }
        connection.server(http_response(1));
        keep_alive(&mut connection, [2]);
        connection.close();
        let replayed = run(&connection.frames());
        assert_eq!(
            outline(&replayed),
            [matched(1), matched(2)],
            "accepted: {accepted}"
        );
        assert_eq!(replayed.counters.tcp_gap_bytes, 0);
    }
}

#[test]
fn the_servers_first_words_may_be_in_its_syn_ack() {
    let mut connection = Connection::ports(40_000, 80);
    connection.send(Way::Client, SYN, &http_request(1));
    connection.send(Way::Server, SYN | ACK, &http_response(1));
    keep_alive(&mut connection, [2]);
    connection.close();
    assert_eq!(outline(&run(&connection.frames())), [matched(1), matched(2)]);
}

#[test]
fn a_new_syn_on_an_old_flow_is_a_new_connection() {
    enum End {
        Fin,
        Rst,
        Nothing,
    }
    for end in [End::Fin, End::Rst, End::Nothing] {
        let mut old = Connection::ports(40_000, 80);
        old.handshake();
        keep_alive(&mut old, [1]);
        old.client(http_request(2));
        match end {
            End::Fin => old.server(http_response(2)).close(),
            End::Rst => old.reset(Way::Server),
            End::Nothing => &mut old,
        };
        let expected = match end {
            End::Fin => [matched(1), matched(2), matched(3)],
            _ => [matched(1), ("no_response", Some(2), None), matched(3)],
        };
        // Numbers before, behind, and far from the old ones (RFC 6528 makes them random).
        for isn in [
            (0x1000_0000 - 5000, 0x7000_0000 - 5000),
            (0x1000_8000, 0x7000_8000),
            (0x9000_0000, 0xF000_0000),
        ] {
            let mut new = Connection::ports(40_000, 80)
                .with_isn(isn.0, isn.1)
                .with_times(old.now_ns(), STEP_NS);
            new.handshake();
            keep_alive(&mut new, [3]);
            new.close();
            let replayed = run(&[old.frames(), new.frames()].concat());
            assert_eq!(outline(&replayed), expected);
            assert_eq!(replayed.counters.flows_created, 2);
        }
    }
}

#[test]
fn stragglers_of_the_old_connection_do_not_harm_the_new_one() {
    let mut old = Connection::ports(40_000, 80);
    old.handshake();
    keep_alive(&mut old, [1]);
    old.close();
    let mut new = Connection::ports(40_000, 80)
        .with_isn(0x1100_0000, 0x7100_0000)
        .with_times(old.now_ns(), STEP_NS);
    new.handshake();
    keep_alive(&mut new, [2, 3]);
    new.close();
    let expected = [matched(1), matched(2), matched(3)];
    for straggler in &old.segments[2..] {
        for at in 1..new.segments.len() {
            let mut segments = [old.segments.clone(), new.segments.clone()].concat();
            let place = old.segments.len() + at;
            let time_ns = segments[place - 1].time_ns;
            segments.insert(place, straggler.clone().at(time_ns));
            let replayed = run(&frames(&segments));
            assert_eq!(outline(&replayed), expected, "{straggler:?} at {at}");
        }
    }
}

#[test]
fn stragglers_after_the_end_are_nothing_new() {
    let connection = http_connection(1..=2);
    let whole = run(&connection.frames());
    let last = connection.now_ns();
    for straggler in &connection.segments {
        if straggler.has(SYN) && !straggler.has(ACK) {
            continue;
        }
        let mut segments = connection.segments.clone();
        segments.push(straggler.clone().at(last));
        segments.push(straggler.clone().at(last + STEP_NS));
        let replayed = run(&frames(&segments));
        assert_eq!(replayed.told, whole.told, "{straggler:?}");
        assert_eq!(replayed.counters.flows_created, 1, "{straggler:?}");
    }
}

#[test]
fn a_refused_connection_that_is_tried_again_is_read() {
    // Some stacks try again with the same number after a RST.
    let mut refused = Connection::ports(40_000, 80);
    refused.send(Way::Client, SYN, &[]);
    let mut rst = refused.clone();
    rst.send(Way::Server, Segment::RST | ACK, &[]);
    let mut again = Connection::ports(40_000, 80).with_times(rst.now_ns(), STEP_NS);
    again.handshake();
    keep_alive(&mut again, [1]);
    again.close();
    assert_eq!(
        outline(&run(&[rst.frames(), again.frames()].concat())),
        [matched(1)]
    );
}

#[test]
fn a_syn_that_comes_late_changes_nothing() {
    // Behind the SYN-ACK, and behind what was said since, as where a tap has a port for each direction.
    let mut connection = Connection::ports(40_000, 80);
    connection.handshake();
    keep_alive(&mut connection, [1, 2, 3]);
    connection.close();
    let whole = run(&connection.frames());
    for place in 1..connection.segments.len() {
        let mut segments = connection.segments.clone();
        let syn = segments.remove(0);
        let time_ns = segments[place - 1].time_ns;
        segments.insert(place, syn.at(time_ns));
        let replayed = run(&frames(&segments));
        assert_eq!(outline(&replayed), outline(&whole), "SYN behind {place}");
        assert_eq!(replayed.counters.flows_created, 1, "SYN behind {place}");
    }
}

#[test]
fn a_lost_syn_a_lost_syn_ack_and_both_lost_leave_the_exchanges_whole() {
    let connection = http_connection(1..=3);
    let whole = outline(&run(&connection.frames()));
    for lost in [&[0][..], &[1], &[2], &[0, 1], &[1, 2], &[0, 2], &[0, 1, 2]] {
        let mut segments = connection.segments.clone();
        for number in lost.iter().rev() {
            segments.remove(*number);
        }
        let replayed = run(&frames(&segments));
        assert_eq!(outline(&replayed), whole, "without {lost:?}");
        assert_eq!(replayed.told[0].ports, (40_000, 80), "without {lost:?}");
    }
}

#[test]
fn a_new_connection_whose_syn_was_lost_is_read() {
    let mut old = Connection::ports(40_000, 80);
    old.handshake();
    keep_alive(&mut old, [1]);
    old.client(http_request(2));
    for isn in [
        (0x0800_0000, 0x9000_0000),
        (0x9800_0000, 0xF800_0000),
        (0x1000_4000, 0x6FFF_0000),
    ] {
        let later = old.now_ns() + 2_000_000_000;
        let mut new = Connection::ports(40_000, 80)
            .with_isn(isn.0, isn.1)
            .with_times(later, STEP_NS);
        new.handshake();
        keep_alive(&mut new, [3, 4]);
        new.close();
        let replayed = run(&[old.frames(), frames(&new.segments[1..])].concat());
        let expected = [matched(1), ("no_response", Some(2), None), matched(3), matched(4)];
        assert_eq!(outline(&replayed), expected, "{isn:x?}");
        assert_eq!(replayed.counters.tcp_gap_bytes, 0, "{isn:x?}");
    }
}

#[test]
fn a_download_joined_in_the_middle_leaves_the_requests_after_it_readable() {
    let mut connection = Connection::ports(40_000, 80).with_segment_bytes(500);
    // The body of what was asked for before: forty segments that say nothing.
    connection.server(vec![0xA5; 20_000]).ack(Way::Client);
    keep_alive(&mut connection, 1..=2);
    let matched = |id| ("matched", Some(id), Some(id));
    assert_eq!(outline(&run(&connection.frames())), [matched(1), matched(2)]);
}

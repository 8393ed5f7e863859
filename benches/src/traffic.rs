//! The kinds of traffic.

use crate::dice::Dice;
use crate::frame::{ACK, Ends, FIN, PSH, SYN, Tcp, udp as udp_frame};
use crate::pcap::Writer;
use std::io::Result;

/// A frame of a flow, written when its turn comes.
struct Live {
    tcp: Tcp,
    step: u32,
}

const PATHS: [&str; 8] = [
    "/",
    "/api/v1/users",
    "/api/v1/orders/4711",
    "/static/app.js",
    "/health",
    "/login",
    "/search?q=tapir",
    "/cart",
];

fn request(dice: &mut Dice) -> String {
    let path = PATHS[dice.below(8) as usize];
    format!(
        "GET {path} HTTP/1.1\r\nHost: shop-{}.example.com\r\nUser-Agent: bench/1.0\r\nAccept: */*\r\nX-Request-Id: {:016x}\r\nConnection: keep-alive\r\n\r\n",
        dice.below(50),
        dice.number(),
    )
}

fn response(dice: &mut Dice) -> String {
    let body = "x".repeat(40 + dice.below(80) as usize);
    let status = [
        "200 OK",
        "200 OK",
        "200 OK",
        "200 OK",
        "404 Not Found",
        "302 Found",
    ][dice.below(6) as usize];
    format!(
        "HTTP/1.1 {status}\r\nServer: bench\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: keep-alive\r\n\r\n{body}",
        body.len(),
    )
}

/// Interleaves flows: each turn, a random flow of a window takes its next step, until all are done.
fn interleave(
    dice: &mut Dice,
    flows: u32,
    new: impl Fn(u32, &mut Dice) -> Live,
    mut step: impl FnMut(&mut Live, &mut Dice) -> Result<bool>,
) -> Result<()> {
    let mut order: Vec<u32> = (0..flows).collect();
    dice.shuffle(&mut order);
    let mut live: Vec<Live> = order.into_iter().map(|flow| new(flow, dice)).collect();
    // Every round visits all flows in a new order: the worst case for caches.
    while !live.is_empty() {
        dice.shuffle(&mut live);
        let mut left = Vec::with_capacity(live.len());
        for mut flow in live {
            if step(&mut flow, dice)? {
                left.push(flow);
            }
        }
        live = left;
    }
    Ok(())
}

fn new_tcp(flow: u32, port: u16, dice: &mut Dice) -> Live {
    let next = [dice.number() as u32, dice.number() as u32];
    Live {
        tcp: Tcp {
            ends: Ends::of(flow, port),
            next,
        },
        step: 0,
    }
}

/// Handshake, `exchanges` requests with their responses, FIN from both ends.
pub(crate) fn http(to: &mut Writer, mut dice: Dice, flows: u32, exchanges: u32) -> Result<()> {
    let mut frame = Vec::new();
    interleave(
        &mut dice,
        flows,
        |flow, dice| new_tcp(flow, 80, dice),
        |live, dice| {
            let last = 1 + exchanges;
            match live.step {
                0 => {
                    live.tcp.segment(&mut frame, true, SYN, &[]);
                    to.packet(&frame)?;
                    live.tcp.segment(&mut frame, false, SYN | ACK, &[]);
                    to.packet(&frame)?;
                    live.tcp.segment(&mut frame, true, ACK, &[]);
                    to.packet(&frame)?;
                }
                step if step < last => {
                    live.tcp
                        .segment(&mut frame, true, PSH | ACK, request(dice).as_bytes());
                    to.packet(&frame)?;
                    live.tcp
                        .segment(&mut frame, false, PSH | ACK, response(dice).as_bytes());
                    to.packet(&frame)?;
                }
                _ => {
                    live.tcp.segment(&mut frame, true, FIN | ACK, &[]);
                    to.packet(&frame)?;
                    live.tcp.segment(&mut frame, false, FIN | ACK, &[]);
                    to.packet(&frame)?;
                }
            }
            live.step += 1;
            Ok(live.step <= last)
        },
    )
}

fn dns_message(dice: &mut Dice, id: u16, name: u64, answer: bool) -> Vec<u8> {
    let mut message = id.to_be_bytes().to_vec();
    message.extend_from_slice(if answer { &[0x81, 0x80] } else { &[0x01, 0x00] });
    message.extend_from_slice(&[0, 1, 0, u8::from(answer), 0, 0, 0, 0]);
    for label in [
        format!("host-{}", name % 5000),
        "example".to_owned(),
        "com".to_owned(),
    ] {
        message.push(label.len() as u8);
        message.extend_from_slice(label.as_bytes());
    }
    message.extend_from_slice(&[0, 0, 1, 0, 1]);
    if answer {
        message.extend_from_slice(&[0xC0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 192, 0, 2]);
        message.push(dice.below(256) as u8);
    }
    message
}

/// A query and its answer, `exchanges` times a flow, sent in batches as resolvers are asked.
pub(crate) fn dns(to: &mut Writer, mut dice: Dice, flows: u32, exchanges: u32) -> Result<()> {
    let mut frame = Vec::new();
    for batch in (0..flows).collect::<Vec<_>>().chunks(1000) {
        for _ in 0..exchanges {
            let asked: Vec<_> = batch
                .iter()
                .map(|f| (*f, dice.number() as u16, dice.number()))
                .collect();
            for answer in [false, true] {
                for (flow, id, name) in &asked {
                    let message = dns_message(&mut dice, *id, *name, answer);
                    udp_frame(&mut frame, &Ends::of(*flow, 53), !answer, &message);
                    to.packet(&frame)?;
                }
            }
        }
    }
    Ok(())
}

/// 64 bytes on the wire, frame check sequence included: 18 bytes of payload that nobody knows.
pub(crate) fn udp(to: &mut Writer, mut dice: Dice, flows: u32, packets: u32) -> Result<()> {
    let mut frame = Vec::new();
    let mut order: Vec<u32> = (0..flows).collect();
    for _ in 0..packets {
        dice.shuffle(&mut order);
        for flow in &order {
            let mut payload = [0xEE; 18];
            payload[2..10].copy_from_slice(&dice.number().to_le_bytes());
            udp_frame(&mut frame, &Ends::of(*flow, 9999), true, &payload);
            to.packet(&frame)?;
        }
    }
    Ok(())
}

/// Bytes of each body.
const BODY: usize = 1_000_000;
/// Payload of a full segment with timestamps on Ethernet.
const SEGMENT: usize = 1448;

/// Downloads: the segments of all flows interleaved.
pub(crate) fn bodies(to: &mut Writer, mut dice: Dice, flows: u32, exchanges: u32) -> Result<()> {
    let mut frame = Vec::new();
    let segments = BODY.div_ceil(SEGMENT) as u32;
    interleave(
        &mut dice,
        flows,
        |flow, dice| new_tcp(flow, 80, dice),
        |live, dice| {
            let within = live.step % (segments + 1);
            if within == 0 {
                live.tcp
                    .segment(&mut frame, true, PSH | ACK, request(dice).as_bytes());
                to.packet(&frame)?;
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {BODY}\r\n\r\n");
                live.tcp.segment(&mut frame, false, ACK, head.as_bytes());
                to.packet(&frame)?;
            } else {
                let sent = (within as usize - 1) * SEGMENT;
                let body = [b'b'; SEGMENT];
                live.tcp
                    .segment(&mut frame, false, ACK, &body[..SEGMENT.min(BODY - sent)]);
                to.packet(&frame)?;
            }
            live.step += 1;
            Ok(live.step < exchanges * (segments + 1))
        },
    )
}

/// All of them, one after another in small doses.
pub(crate) fn mixed(to: &mut Writer, mut dice: Dice, flows: u32, exchanges: u32) -> Result<()> {
    const DOSES: u32 = 10;
    for _ in 0..DOSES {
        let seed = dice.number();
        http(to, Dice::new(seed), flows / DOSES, exchanges)?;
        dns(to, Dice::new(seed + 1), flows / DOSES, 1)?;
        udp(to, Dice::new(seed + 2), flows / DOSES, exchanges)?;
        bodies(to, Dice::new(seed + 3), 2, 1)?;
    }
    Ok(())
}

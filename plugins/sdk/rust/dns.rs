//! DNS, read by a plugin instead of Tapir's own parser: plugins come first.
//!
//! Format: RFC 1035, section 4; types A and AAAA (RFC 3596) of answers.
#![no_std]
#![deny(unsafe_code)]

mod tapir_plugin;

use core::fmt::{self, Write};
use tapir_plugin::{Batch, Claim, Context, Plugin, Status};

const NUMBER: u8 = 1;
const PORT: u16 = 53;
const HEAD: usize = 12;
const RESPONSE: u8 = 0x80;
const A: u16 = 1;
const AAAA: u16 = 28;
/// Labels that a name may have: each takes two bytes at least, of 255.
const LABELS_MAX: usize = 128;

struct Dns;

tapir_plugin::serve!(Dns, Dns);

/// Text of a bounded length; what is more is cut.
struct Text {
    bytes: [u8; 256],
    len: usize,
}

impl Text {
    fn new() -> Self {
        Self {
            bytes: [0; 256],
            len: 0,
        }
    }

    fn push(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if let Some(place) = self.bytes.get_mut(self.len) {
                *place = *byte;
                self.len += 1;
            }
        }
    }

    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl fmt::Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text.as_bytes());
        Ok(())
    }
}

fn u16_at(message: &[u8], at: usize) -> Option<u16> {
    match message.get(at..at + 2)? {
        [high, low] => Some(u16::from_be_bytes([*high, *low])),
        _ => None,
    }
}

/// The name that begins at `at`, with dots, and where what follows begins.
fn name(message: &[u8], mut at: usize, text: &mut Text) -> Option<usize> {
    let mut after = None;
    for _ in 0..LABELS_MAX {
        let len = *message.get(at)?;
        match len {
            0 => return Some(after.unwrap_or(at + 1)),
            1..=63 => {
                text.push(message.get(at + 1..at + 1 + usize::from(len))?);
                text.push(b".");
                at += 1 + usize::from(len);
            }
            // A pointer to where the name goes on.
            0xC0.. => {
                after = after.or(Some(at + 2));
                at = usize::from(u16_at(message, at)? & 0x3FFF);
            }
            _ => return None,
        }
    }
    None
}

/// The question: its name, its type, and where the answers begin.
fn question(message: &[u8], text: &mut Text) -> Option<(u16, usize)> {
    // One question, of which there are never more, and a known operation.
    if u16_at(message, 4)? != 1 || message.get(2)? & 0x78 > 0x28 {
        return None;
    }
    let end = name(message, HEAD, text)?;
    Some((u16_at(message, end)?, end + 4))
}

/// The first address among the answers.
fn address(message: &[u8], mut at: usize, text: &mut Text) -> Option<()> {
    for _ in 0..u16_at(message, 6)? {
        let fixed = name(message, at, &mut Text::new())?;
        let data = fixed + 10;
        let end = data + usize::from(u16_at(message, fixed + 8)?);
        let value = message.get(data..end)?;
        match (u16_at(message, fixed)?, value) {
            (A, [a, b, c, d]) => {
                write!(text, "{a}.{b}.{c}.{d}").ok()?;
                return Some(());
            }
            (AAAA, _) if value.len() == 16 => {
                for (i, pair) in value.chunks(2).enumerate() {
                    let colon = if i > 0 { ":" } else { "" };
                    write!(text, "{colon}{:x}", u16_at(pair, 0)?).ok()?;
                }
                return Some(());
            }
            _ => at = end,
        }
    }
    None
}

impl Plugin for Dns {
    const HOOKS: u32 = tapir_plugin::PARSE;

    fn check(&mut self, context: &Context, payload: &[u8]) -> Option<Claim> {
        if context.l4 != 17 || (context.src_port != PORT && context.dst_port != PORT) {
            return None;
        }
        question(payload, &mut Text::new())?;
        let from_server = payload.get(2)? & RESPONSE != 0;
        Some(Claim {
            number: NUMBER,
            name: "house-dns",
            from_server,
        })
    }

    fn parse(&mut self, context: &Context, payload: &[u8], batch: &mut Batch) -> bool {
        let mut asked = Text::new();
        let (kind, answers) = match question(payload, &mut asked) {
            Some(question) if context.protocol == NUMBER => question,
            _ => return false,
        };
        batch.begin();
        batch.id(u16_at(payload, 0).unwrap_or(0).into());
        let flags = u16_at(payload, 2).unwrap_or(0);
        if flags.to_be_bytes()[0] & RESPONSE == 0 {
            let mut text = Text::new();
            let _ = match kind {
                A => text.write_str("A"),
                AAAA => text.write_str("AAAA"),
                _ => write!(text, "TYPE{kind}"),
            };
            batch.request();
            batch.request_type(text.bytes());
            batch.resource(asked.bytes());
        } else {
            let rcode = i32::from(flags & 0xF);
            batch.response(match rcode {
                0 => Status::Ok,
                1 | 3 => Status::ClientError,
                _ => Status::ServerError,
            });
            batch.code(rcode);
            let mut text = Text::new();
            if address(payload, answers, &mut text).is_some() {
                batch.result(text.bytes());
            }
        }
        true
    }
}

#[panic_handler]
fn panicked(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}

//! A house protocol: "DM", kind (1 request, 2 response), id, length (16 bits, big-endian), text.
#![no_std]
#![deny(unsafe_code)]

mod tapir_plugin;

use tapir_plugin::{Batch, Claim, Context, Plugin, Status};

const HEAD: usize = 6;
const REQUEST: u8 = 1;
const RESPONSE: u8 = 2;
const NUMBER: u8 = 7;

struct House;

tapir_plugin::serve!(House, House);

/// Kind, id and text of the message that a payload begins with; the text as far as it is there.
fn message(payload: &[u8]) -> Option<(u8, u8, usize)> {
    match payload {
        [b'D', b'M', kind @ (REQUEST | RESPONSE), id, high, low, ..] => {
            Some((*kind, *id, usize::from(*high) << 8 | usize::from(*low)))
        }
        _ => None,
    }
}

impl Plugin for House {
    const HOOKS: u32 = tapir_plugin::PARSE;

    fn check(&mut self, _context: &Context, payload: &[u8]) -> Option<Claim> {
        let (kind, ..) = message(payload)?;
        Some(Claim {
            number: NUMBER,
            name: "Demo",
            from_server: kind == RESPONSE,
        })
    }

    fn parse(&mut self, context: &Context, payload: &[u8], batch: &mut Batch) -> bool {
        let (kind, id, len) = match message(payload) {
            // Payloads of other plugins' protocols come by, too.
            Some(message) if context.protocol == NUMBER => message,
            _ => return false,
        };
        let text = match payload.get(HEAD..HEAD + len) {
            Some(text) => text,
            // Not whole yet: it is shown again with what follows.
            None => return false,
        };
        batch.begin();
        batch.id(id.into());
        let whole = (HEAD + len) as u32;
        if kind == REQUEST {
            batch.request_length(whole);
            batch.request();
            batch.resource(text);
        } else {
            batch.response_length(whole);
            batch.response(Status::Ok);
            batch.result(text);
        }
        true
    }
}

#[panic_handler]
fn panicked(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}

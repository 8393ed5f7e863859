//! Tells which tenant calls over Dubbo, by the attachment `tenant` of the call.
#![no_std]
#![deny(unsafe_code)]

mod tapir_plugin;

use tapir_plugin::{Batch, Context, Plugin};

/// A short string of Hessian 2 is its length in one byte, up to 31, and its letters.
const KEY: &[u8] = b"\x06tenant";
const SHORT_MAX: u8 = 31;

struct Dubbo;

tapir_plugin::serve!(Dubbo, Dubbo);

fn tenant(call: &[u8]) -> Option<&[u8]> {
    let at = call.windows(KEY.len()).position(|bytes| bytes == KEY)?;
    let (len, rest) = call.get(at + KEY.len()..)?.split_first()?;
    rest.get(..usize::from(*len)).filter(|_| *len <= SHORT_MAX)
}

impl Plugin for Dubbo {
    const HOOKS: u32 = tapir_plugin::MESSAGE;
    const MESSAGES: u8 = tapir_plugin::DUBBO;

    fn message(&mut self, context: &Context, _told: &[u8], payload: &[u8], batch: &mut Batch) -> bool {
        let tenant = match tenant(payload) {
            Some(tenant) if !context.from_server => tenant,
            _ => return false,
        };
        batch.begin();
        batch.attribute(b"tenant", tenant);
        true
    }
}

#[panic_handler]
fn panicked(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}

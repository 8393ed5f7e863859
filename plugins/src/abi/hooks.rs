//! Which calls a plugin wants, as it says once after its start.

use tapir_parsers::plugin::Hook;

/// The bitmap of `get_hook_bitmap`: 128 bits, big-endian.
pub const BITMAP_BYTES: usize = 16;
/// The filter of `get_custom_message_hook`: 64 bits, big-endian.
pub const FILTER_BYTES: usize = 8;

const HTTP_REQUEST: u128 = 1 << 127;
const HTTP_RESPONSE: u128 = 1 << 126;
const CUSTOM_MESSAGE: u128 = 1 << 125;
const PAYLOAD_PARSE: u128 = 1;

/// Hooks of a plugin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bitmap(u128);

impl Bitmap {
    /// As a guest wrote it.
    pub const fn new(bytes: [u8; BITMAP_BYTES]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }

    /// Whether it checks and parses payloads.
    pub const fn parses(self) -> bool {
        self.0 & PAYLOAD_PARSE != 0
    }

    /// Whether it enriches messages at `hook`.
    pub const fn enriches(self, hook: Hook) -> bool {
        self.0
            & match hook {
                Hook::HttpRequest => HTTP_REQUEST,
                Hook::HttpResponse => HTTP_RESPONSE,
                Hook::Message => CUSTOM_MESSAGE,
            }
            != 0
    }
}

/// Which messages of other protocols a plugin wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MessageFilter(u64);

impl MessageFilter {
    /// As a guest wrote it.
    pub const fn new(bytes: [u8; FILTER_BYTES]) -> Self {
        Self(u64::from_be_bytes(bytes))
    }

    /// Whether it wants messages of the protocol of this number: all (bits 48 to 63), or those of one hook
    /// point (bits 32 to 47, always 0) and one type (bits 0 to 31).
    pub const fn wants(self, protocol: u8) -> bool {
        self.0 >> 48 != 0 || self.0 == protocol as u64 && protocol != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bitmaps_are_the_examples() {
        let with = |first: u8, last: u8| {
            let mut bytes = [0; 16];
            (bytes[0], bytes[15]) = (first, last);
            let bitmap = Bitmap::new(bytes);
            let hooks = [Hook::HttpRequest, Hook::HttpResponse, Hook::Message];
            (bitmap.parses(), hooks.map(|hook| bitmap.enriches(hook)))
        };
        assert_eq!(with(0xc0, 1), (true, [true, true, false]));
        assert_eq!(with(0x20, 0), (false, [false, false, true]));
        assert_eq!(with(0, 1), (true, [false; 3]));
    }

    #[test]
    fn filters_are_the_examples() {
        let of = |number: u64| MessageFilter::new(number.to_be_bytes());
        assert!(of(0x6a).wants(106) && !of(0x6a).wants(104));
        assert!(of(0xff << 48).wants(40));
        assert!(!of(0).wants(40) && !of(0).wants(0));
        // Registered for responses, or for another hook point: never met.
        assert!(!of(1 << 16 | 40).wants(40));
        assert!(!of(1 << 32 | 40).wants(40));
    }
}

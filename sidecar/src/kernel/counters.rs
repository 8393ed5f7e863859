//! What the kernel's programs count: one entry for each name, per CPU, added up when read.

use libbpf_rs::{MapCore, MapFlags, Object};

macro_rules! counters {
    ($($(#[doc = $help:literal])* $name:ident = $text:literal;)*) => {
        /// What is counted, in the order of `enum counter` in bpf/.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Counter {
            $($(#[doc = $help])* $name,)*
        }

        impl Counter {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its name in metrics.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

counters! {
    /// Successful sends on TCP sockets.
    Sends = "sends";
}

/// Counts of all CPUs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters([u64; Counter::ALL.len()]);

impl Counters {
    /// How often `counter` happened.
    pub fn of(&self, counter: Counter) -> u64 {
        self.0[counter as usize]
    }

    pub(super) fn read(object: &Object) -> libbpf_rs::Result<Self> {
        let mut counts = Self::default();
        let Some(map) = object.maps().find(|map| map.name() == "counters") else {
            return Ok(counts);
        };
        for (key, sum) in counts.0.iter_mut().enumerate() {
            let values = map.lookup_percpu(&(key as u32).to_ne_bytes(), MapFlags::ANY)?;
            *sum = values.iter().flatten().filter_map(|value| number(value)).sum();
        }
        Ok(counts)
    }
}

fn number(value: &[u8]) -> Option<u64> {
    value.first_chunk().map(|bytes| u64::from_ne_bytes(*bytes))
}

//! What becomes of events.

macro_rules! counters {
    ($($(#[doc = $help:literal])* $name:ident;)*) => {
        /// Counts of events and bytes.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct StreamCounters {
            $($(#[doc = $help])* pub $name: u64,)*
        }

        impl StreamCounters {
            /// Every count's name, and what it counts.
            pub const HELP: &[(&str, &str)] = &[$((stringify!($name), concat!($($help),*).trim_ascii())),*];

            /// Every count by name.
            pub fn visit(&self, see: &mut dyn FnMut(&'static str, u64)) {
                $(see(stringify!($name), self.$name);)*
            }
        }
    };
}

counters! {
    /// Connections told of.
    opens;
    /// Of those, known already.
    opens_again;
    /// Datagrams told of.
    datagrams;
    /// Flows of datagrams.
    flows;
    /// Connections left out because their other end is watched.
    other_ends;
    /// Records that were not made for that.
    records_discarded;
    /// Connections that found no room.
    refused;
    /// Processes told of that took a connection over.
    speakers;
    /// Data told of.
    data;
    /// Plain bytes of TLS connections told of, in pieces.
    plains;
    /// Plain bytes in pieces that waited for their connection to be known.
    plains_waited;
    /// Ends of directions told of.
    ends;
    /// Ends of connections told of.
    closes;
    /// Connections that were over without that being told of.
    closes_missed;
    /// Events of connections that are not known: what told of them was lost, or found no room.
    strangers;
    /// Data that waited for its turn.
    held;
    /// Holes given up.
    gaps;
    /// Bytes that were never seen, for whatever reason.
    bytes_in_gaps;
    /// Of those, bytes that the kernel's programs told of without bringing them along.
    bytes_not_captured;
    /// Bytes handed to the engine.
    bytes_fed;
    /// Bytes of connections of no known protocol.
    bytes_idle;
    /// Bytes told of twice.
    bytes_seen;
    /// Plain bytes whose connection was never known: applications that carry the ciphertext themselves, whose records'
    /// lengths told nothing.
    bytes_unbound;
    /// Bytes of connections that are not known.
    bytes_of_strangers;
}

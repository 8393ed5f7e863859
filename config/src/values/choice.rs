//! Values of which there are a few, each with a name.

use crate::reader::{At, unknown};
use crate::value::{Value, quoted};
use toml::Spanned;
use toml::de::DeValue;

/// Writes an enum whose values have the given names in the file.
macro_rules! choice {
    (
        $(#[$about:meta])*
        $type:ident { $( $(#[$doc:meta])* $variant:ident = $name:literal, )* }
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $type { $( $(#[$doc])* $variant, )* }

        impl $type {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// As the file and the command line spell it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The value of that name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.name() == name)
            }
        }

        impl Value for $type {
            fn expected() -> String {
                let names: Vec<_> = Self::ALL.iter().map(|value| quoted(value.name())).collect();
                match names.split_last() {
                    Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
                    _ => names.concat(),
                }
            }

            fn example() -> String {
                Self::ALL.first().map(|value| quoted(value.name())).unwrap_or_default()
            }

            fn show(&self) -> Option<String> {
                Some(quoted(self.name()))
            }

            fn parse(value: &DeValue<'_>) -> Option<Self> {
                Self::from_name(value.as_str()?)
            }

            fn read(value: &Spanned<DeValue<'_>>, at: &mut At<'_, '_>) -> Option<Self> {
                let parsed = Self::parse(value.get_ref());
                if parsed.is_none() {
                    let names: Vec<_> = Self::ALL.iter().map(|value| value.name()).collect();
                    let expected = format!("expected {}", Self::expected());
                    let message = match value.get_ref().as_str() {
                        Some(text) => unknown(text, &names, &expected),
                        None => expected,
                    };
                    at.findings.refuse(&at.key, &value.span(), message);
                }
                parsed
            }
        }
    };
}

choice! {
    /// How a port spreads flows over its queues.
    Rss {
        /// By a hash that is the same for both directions.
        Symmetric = "symmetric",
        /// Not at all.
        Off = "off",
    }
}

choice! {
    /// Who gives packets to worker lcores.
    Distribution {
        /// The port where it can hash, else software.
        Auto = "auto",
        /// The port, or an error.
        Rss = "rss",
        /// An RX lcore that hashes and hands packets on by ring.
        Software = "software",
    }
}

choice! {
    /// A kind of tunnel; the names are those of `tunnel.type` in records.
    TunnelName {
        /// RFC 7348.
        Vxlan = "vxlan",
        /// RFC 8926.
        Geneve = "geneve",
        /// RFC 2784, RFC 2890.
        Gre = "gre",
        /// Types I, II and III.
        Erspan = "erspan",
        /// Any IP version in any.
        Ipip = "ipip",
        /// GTP-U user data.
        Gtp = "gtp",
        /// VXLAN with the generic protocol extension.
        VxlanGpe = "vxlan-gpe",
        /// Network service header, RFC 8300.
        Nsh = "nsh",
    }
}

choice! {
    /// Transports of flows that a plugin is asked about.
    PluginL4 {
        /// TCP and UDP.
        Any = "any",
        /// TCP alone.
        Tcp = "tcp",
        /// UDP alone.
        Udp = "udp",
    }
}

choice! {
    /// Where a sink takes records to.
    SinkType {
        /// Files, rotated.
        File = "file",
        /// Subscribers of a Unix socket.
        Unix = "unix",
        /// Subscribers of a TCP port.
        Tcp = "tcp",
        /// A collector that takes records of sidecars: another Tapir.
        Collector = "collector",
        /// Standard output.
        Stdout = "stdout",
    }
}

choice! {
    /// How records are written.
    RecordFormat {
        /// Size-prefixed FlatBuffers batches.
        Flatbuffers = "flatbuffers",
        /// One JSON object a line.
        Json = "json",
        /// Aligned columns for eyes.
        Table = "table",
    }
}

choice! {
    /// How much is logged.
    LogLevel {
        /// What stops an operation.
        Error = "error",
        /// And what is odd.
        Warn = "warn",
        /// And what is done.
        Info = "info",
        /// And how.
        Debug = "debug",
        /// Everything.
        Trace = "trace",
    }
}

choice! {
    /// How much DPDK logs.
    EalLog {
        /// What stops an operation.
        Error = "error",
        /// And what is odd.
        Warning = "warning",
        /// And what it does.
        Info = "info",
        /// Everything, from every library and driver.
        Debug = "debug",
    }
}

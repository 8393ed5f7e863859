//! `[[sidecars]]`: where sidecars connect to. `[join]`: how their records meet those of the wire.

use crate::reader::TableReader;
use crate::section::{Section, section};
use crate::values::{Bytes, PemFile, Time, Whole};
use std::net::SocketAddr;
use std::path::PathBuf;

type Sidecars = Whole<1, 4096>;

section! {
    /// A socket that sidecars connect to; one [[sidecars]] each. Their records are joined with those of the
    /// wire, see [join].
    pub(crate) struct SidecarKeys ["sidecars"] {
        /// Path of a Unix socket, for sidecars of this host. The user and the group that Tapir runs as may
        /// connect.
        path: Option<PathBuf> = None,

        /// Address and port, for sidecars of other hosts. They must show a certificate; so does Tapir.
        listen: Option<SocketAddr> = None,

        /// Tapir's certificate, PEM, followed by those between it and its authority. Needed with listen.
        certificate: Option<PemFile> = None,

        /// Its private key, PEM. Needed with listen.
        key: Option<PemFile> = None,

        /// Certificates of the authorities that sidecars' certificates are signed by, PEM. Needed with
        /// listen.
        ca: Option<PemFile> = None,

        /// Sidecars at once; more are refused.
        sidecars_max: Sidecars = Sidecars::of::<256>(),
    }
}

section! {
    /// How records of sidecars are joined with those of the wire. Without [[sidecars]] none waits.
    pub struct Join ["join"] {
        /// How long a record waits for others of its exchange. All records go out as much later.
        wait: Time<10, 60_000> = Time::of_ms::<2000>(),

        /// Memory for records that wait. When it is full the oldest goes out early, counted.
        memory: Bytes<{ 1 << 20 }, { 64 << 30 }> = Bytes::of::<{ 128 << 20 }>(),

        /// How far apart, by the clocks of the observers, the beginnings of one exchange may be where there
        /// are no sequence numbers (UDP).
        start_difference: Time<1, 10_000> = Time::of_ms::<50>(),
    }
}

/// The files of mutual TLS, PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The own certificate, followed by those between it and its authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Authorities of the other side.
    pub ca: PathBuf,
}

/// Where sidecars connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SidecarSocket {
    /// A Unix socket.
    Unix(PathBuf),
    /// A TCP port, with mutual TLS.
    Tcp(SocketAddr, Tls),
}

/// A socket that sidecars connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sidecar {
    /// Where.
    pub socket: SidecarSocket,
    /// How many at once.
    pub sidecars_max: Sidecars,
}

/// The three files of TLS, or none; a problem noted for each that is missing where they are `needed`, or has
/// no meaning where they are not.
pub(crate) fn tls(
    reader: &mut TableReader<'_, '_, '_>,
    files: [Option<PemFile>; 3],
    needed_by: Option<&str>,
) -> Option<Tls> {
    const NAMES: [&str; 3] = ["certificate", "key", "ca"];
    for name in NAMES {
        match needed_by {
            Some(by) if !reader.has(name) => {
                let message = format!("{by} needs {name}; add {name} = \"/etc/tapir/{name}.pem\"");
                reader.conflict("", message);
            }
            None if reader.has(name) => {
                reader.conflict(name, "has no meaning for a Unix socket; remove it");
            }
            _ => {}
        }
    }
    let [certificate, key, ca] = files;
    needed_by.and(Some(Tls {
        certificate: certificate?.0,
        key: key?.0,
        ca: ca?.0,
    }))
}

impl Sidecar {
    /// Reads one `[[sidecars]]`; nothing, and a problem noted, where its keys don't make a socket.
    pub(crate) fn read(reader: &mut TableReader<'_, '_, '_>) -> Option<Self> {
        let keys = SidecarKeys::read(reader);
        let files = [keys.certificate, keys.key, keys.ca];
        let socket = match (reader.has("path"), reader.has("listen")) {
            (true, true) => {
                reader.conflict(
                    "listen",
                    "a socket is either path or listen; remove one, or give it a [[sidecars]] of its own",
                );
                return None;
            }
            (false, false) => {
                reader.conflict(
                    "",
                    "expected a socket; add path = \"/run/tapir/sidecars.sock\" or listen = \"0.0.0.0:9466\"",
                );
                return None;
            }
            (true, false) => {
                tls(reader, files, None);
                SidecarSocket::Unix(keys.path?)
            }
            (false, true) => {
                let tls = tls(reader, files, Some("listen"));
                SidecarSocket::Tcp(keys.listen?, tls?)
            }
        };
        Some(Self {
            socket,
            sidecars_max: keys.sidecars_max,
        })
    }

    /// As the file has it, for documentation.
    pub(crate) fn keys(&self) -> SidecarKeys {
        let mut keys = SidecarKeys {
            sidecars_max: self.sidecars_max,
            ..SidecarKeys::default()
        };
        match &self.socket {
            SidecarSocket::Unix(path) => keys.path = Some(path.clone()),
            SidecarSocket::Tcp(listen, tls) => {
                keys.listen = Some(*listen);
                keys.certificate = Some(PemFile(tls.certificate.clone()));
                (keys.key, keys.ca) = (Some(PemFile(tls.key.clone())), Some(PemFile(tls.ca.clone())));
            }
        }
        keys
    }
}

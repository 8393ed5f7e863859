//! Where the engine's records go, and what goes with them.

use super::connection::Connection;
use super::{Arrivals, Numbers};
use crate::event::Who;
use crate::tls::library::Library;
use hashbrown::HashMap;
use tapir_parsers::record::{RecordHeader, RecordSink};

/// Takes records together with who spoke.
pub trait HostSink {
    /// A record of a connection that these hold.
    fn record(&mut self, entry: &[u8], parties: &Parties<'_>);

    /// A connection is over that carried TLS; whether its plain bytes were there.
    fn tls_closed(&mut self, parties: &Parties<'_>, is_read: bool);
}

/// Who holds the ends of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Parties<'a> {
    /// Whose sockets were read.
    pub this: Who,
    /// Who holds the other end, where that is on this host.
    pub peer: Option<Who>,
    /// Address and port of this end, as records have them.
    pub local: ([u8; 16], u16),
    /// How long what was received had waited.
    pub arrivals: &'a Arrivals,
    /// The TLS library whose calls move the connection's bytes, if one is known to.
    pub library: Option<Library>,
    /// Of plain bytes, where their ciphertext began.
    pub numbers: Option<&'a Numbers>,
    /// The name of the Unix socket that they speak through.
    pub socket: Option<&'a [u8]>,
}

/// What the engine hands its records to while one connection is read.
pub(super) struct Of<'a, S> {
    pub(super) sink: &'a mut S,
    pub(super) connection: &'a Connection,
}

impl<S: HostSink> RecordSink for Of<'_, S> {
    fn record(&mut self, entry: &[u8]) {
        self.sink.record(entry, &self.connection.parties());
    }
}

/// The same while all connections are looked through.
pub(super) struct OfAny<'a, S> {
    pub(super) sink: &'a mut S,
    pub(super) connections: &'a HashMap<u64, Connection>,
}

impl<S: HostSink> RecordSink for OfAny<'_, S> {
    fn record(&mut self, entry: &[u8]) {
        let header = entry.get(..size_of::<RecordHeader>());
        let cookie = header.map(|head| bytemuck::pod_read_unaligned::<RecordHeader>(head).flow.flow_id);
        let connection = cookie.and_then(|cookie| self.connections.get(&cookie));
        // It is there: only sessions of connections that are make records.
        if let Some(connection) = connection {
            self.sink.record(entry, &connection.parties());
        }
    }
}

/// Records that another end of the same connection makes.
pub(super) struct Discarded<'a>(pub(super) &'a mut u64);

impl RecordSink for Discarded<'_> {
    fn record(&mut self, _: &[u8]) {
        *self.0 += 1;
    }
}

//! Records on their way to the collector's ring, with what only a host knows.

use crate::event::Who;
use crate::process::Processes;
use crate::streams::{HostSink, Parties, translate};
use crate::tls::library::Library;
use crate::tls::watch::Findings;
use crate::tls::why::Reason;
use std::path::Path;
use std::sync::Arc;
use tapir_parsers::host::HostFacts;
use tapir_parsers::l7::Protocol;
use tapir_parsers::record::{HEADER_BYTES, RecordHeader, RecordSink, RecordView, flag, write_attr};
use tapir_parsers::ring::RingSink;

/// Appends a host's facts to records and puts them into the ring.
pub struct ProcessSink {
    ring: RingSink,
    processes: Processes,
    /// What is known of processes' TLS libraries.
    findings: Arc<Findings>,
    tls: TlsCounts,
    /// The record at hand.
    entry: Vec<u8>,
}

/// Connections that carried TLS and are over, by what became of their plain bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TlsCounts {
    /// They were there.
    pub read: u64,
    /// Their library was watched, and nothing was said.
    pub silent: u64,
    /// They were not there, by [`Reason`].
    pub unread: [u64; Reason::ALL.len()],
}

impl TlsCounts {
    /// Every count by name.
    pub fn visit(&self, see: &mut dyn FnMut(&'static str, u64)) {
        see("read", self.read);
        see("silent", self.silent);
        for (reason, count) in Reason::ALL.iter().zip(self.unread) {
            see(reason.name(), count);
        }
    }
}

impl ProcessSink {
    /// Records go to `ring`; the host's files are below `root`.
    pub fn new(ring: RingSink, findings: Arc<Findings>, root: &Path) -> Self {
        Self {
            ring,
            processes: Processes::new(root),
            findings,
            tls: TlsCounts::default(),
            entry: Vec::new(),
        }
    }

    /// What became of TLS connections.
    pub fn tls(&self) -> TlsCounts {
        self.tls
    }

    /// Which TLS library's plain bytes a record is of; of a handshake, which library's calls carry it or why none's.
    fn append_tls(&mut self, parties: &Parties) {
        let Some(head) = self.entry.get(..HEADER_BYTES) else {
            return;
        };
        let header: RecordHeader = bytemuck::pod_read_unaligned(head);
        if let Some(library) = Library::of(header.flow.tls_library) {
            translate(&mut self.entry, parties.numbers);
            write_attr(&mut self.entry, b"tls", library.name().as_bytes());
        } else if Protocol::from_number(header.protocol) == Some(Protocol::Tls) {
            let name = match parties.library {
                Some(library) => library.name(),
                None => self.findings.reason(parties.this.pid).name(),
            };
            write_attr(&mut self.entry, b"plaintext", name.as_bytes());
        }
    }

    /// Which Unix socket it was said through.
    fn append_socket(&mut self, parties: &Parties) {
        let Some(name) = parties.socket else { return };
        // Its numbers were counted here: they stand nowhere else.
        translate(&mut self.entry, None);
        let mut shown = name.to_vec();
        match shown.first_mut() {
            // Of no file system: as ss(8) shows them.
            Some(first @ 0) => {
                *first = b'@';
                shown
                    .iter_mut()
                    .filter(|byte| **byte == 0)
                    .for_each(|byte| *byte = b'@');
            }
            _ => shown.truncate(name.iter().position(|byte| *byte == 0).unwrap_or(name.len())),
        }
        write_attr(&mut self.entry, b"socket", &shown);
    }

    /// Records put into the ring, and those that found no room.
    pub fn counts(&self) -> (u64, u64) {
        (self.ring.sent, self.ring.dropped)
    }

    /// Looks a process up while it is there.
    pub fn meet(&mut self, who: &Who) {
        self.processes.meet(who);
    }
}

impl HostSink for ProcessSink {
    fn record(&mut self, entry: &[u8], parties: &Parties<'_>) {
        let Some(view) = RecordView::new(entry) else {
            return;
        };
        let flow = &view.header.flow;
        let serves = (flow.server_ip, flow.server_port) == parties.local;
        let (server, client) = match parties.peer {
            Some(peer) if serves => (parties.this, Some(peer)),
            Some(peer) => (peer, Some(parties.this)),
            None => (parties.this, None),
        };
        self.processes.meet(&server);
        if let Some(client) = &client {
            self.processes.meet(client);
        }
        self.entry.clear();
        self.entry.extend_from_slice(entry);
        self.append_tls(parties);
        self.append_socket(parties);
        let process = |who: &Who| self.processes.get(who);
        let facts = HostFacts {
            process: process(&server),
            client_process: client.as_ref().and_then(process),
            queue_ns: queue_ns(&view, parties).filter(|_| serves),
            // Of a server's socket, requests are told of when they are read, responses when they are written.
            app_ns: (serves && view.has(flag::RRT)).then_some(view.header.rrt_ns),
        };
        facts.append_to(&mut self.entry);
        self.ring.record(&self.entry);
    }

    fn tls_closed(&mut self, parties: &Parties<'_>, is_read: bool) {
        if is_read {
            self.tls.read += 1;
        } else if parties.library.is_some() {
            self.tls.silent += 1;
        } else {
            self.tls.unread[self.findings.reason(parties.this.pid) as usize] += 1;
        }
    }
}

/// How long the request's last byte waited before it was read.
fn queue_ns(view: &RecordView<'_>, parties: &Parties<'_>) -> Option<u64> {
    let header = &view.header;
    let end = header.request_seq.wrapping_add(header.request_len as u32);
    let known = view.has(flag::REQUEST | flag::REQUEST_SEQ) && header.request_len > 0;
    known.then(|| parties.arrivals.waited_ns(end))?
}

//! Records into batches, as `schema/session.fbs` has them.
//!
//! Written by hand for this schema: the general builder takes several times as long, for it keeps what it writes for a
//! table in lists, and looks for every name and vtable by a search among all others. Tests read every field of what is
//! written here with the generated code and its verifier.

use super::downward::{ALIGN_MAX, Downward, Place, WORD};
use super::process::Processes;
use super::shared::Strings;
use super::table::{Table, Vtables};
use crate::generated::tapir as fb;
use crate::session::{SCHEMA, Session};
use crate::text::lossy_bytes;
use std::net::IpAddr;
use tapir_parsers::field::Field;
use tapir_parsers::record::L4_NAMES;

// The version that readers take for granted is not written.
const _: () = assert!(SCHEMA == 1);

/// Collects records into one size-prefixed batch. Its memory is used again for the next one.
#[derive(Default)]
pub struct BatchEncoder {
    batch: Downward,
    records: Vec<Place>,
    attrs: Vec<Place>,
    /// The record at hand, and a table that it refers to.
    record: Table,
    inner: Table,
    vtables: OfKinds,
    processes: Processes,
    strings: Strings,
    /// Text that had to be made UTF-8.
    text: String,
}

/// Vtables of each kind of table but processes, which keep theirs.
#[derive(Default)]
struct OfKinds {
    batch: Vtables,
    record: Vtables,
    attr: Vtables,
    tunnel: Vtables,
}

/// Texts that are one string each, where they stand in a record, and whether many records of a batch have the same.
const TEXTS: [(Field, flatbuffers::VOffsetT, bool); 13] = [
    (Field::Version, fb::Record::VT_VERSION, true),
    (Field::ReqType, fb::Record::VT_REQ_TYPE, true),
    (Field::Domain, fb::Record::VT_DOMAIN, true),
    (Field::Resource, fb::Record::VT_RESOURCE, false),
    (Field::Endpoint, fb::Record::VT_ENDPOINT, true),
    (Field::Exception, fb::Record::VT_EXCEPTION, false),
    (Field::Result, fb::Record::VT_RESULT, false),
    (Field::TraceId, fb::Record::VT_TRACE_ID, false),
    (Field::SpanId, fb::Record::VT_SPAN_ID, false),
    (Field::XRequestId, fb::Record::VT_X_REQUEST_ID, false),
    (Field::UserAgent, fb::Record::VT_USER_AGENT, true),
    (Field::Referer, fb::Record::VT_REFERER, false),
    (Field::ForwardedFor, fb::Record::VT_FORWARDED_FOR, false),
];

impl BatchEncoder {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Records in the batch.
    pub fn records(&self) -> usize {
        self.records.len()
    }

    /// Bytes of the batch so far.
    pub fn bytes(&self) -> usize {
        self.batch.len()
    }

    /// Adds a record.
    pub fn push(&mut self, session: &Session<'_>) {
        let mut truncated = session.truncated;
        self.refer_to_texts(session, &mut truncated);
        self.refer_to_ends(session);
        self.refer_to_processes(session);
        add_numbers(&mut self.record, session);
        add_small_numbers(&mut self.record, session, truncated);
        let record = self.record.put(&mut self.batch, &mut self.vtables.record);
        self.records.push(record);
    }

    /// Closes the batch, hands its bytes (length prefix included) to `take` and begins the next one.
    /// Nothing happens when there are no records.
    pub fn finish<T>(&mut self, take: impl FnOnce(&[u8]) -> T) -> Option<T> {
        if self.records.is_empty() {
            return None;
        }
        let records = self.batch.put_references(&self.records);
        self.inner.refer(fb::Batch::VT_RECORDS, records);
        let root = self.inner.put(&mut self.batch, &mut self.vtables.batch);
        self.put_head(root);
        let taken = take(self.batch.bytes());
        self.batch.clear();
        self.records.clear();
        // Of another batch nothing is known.
        self.vtables = OfKinds::default();
        self.processes = Processes::default();
        self.strings = Strings::default();
        Some(taken)
    }

    /// The length of what follows it, where the root stands, and whose file this is.
    fn put_head(&mut self, root: Place) {
        let id = fb::BATCH_IDENTIFIER.as_bytes();
        self.batch.put(2 * WORD + id.len(), ALIGN_MAX, 0);
        let len = (self.batch.len() - WORD) as u32;
        let head = self.batch.at_mut(Place(len + WORD as u32));
        let words = [len.to_le_bytes(), (len - root.0).to_le_bytes()];
        head[..2 * WORD].copy_from_slice(words.as_flattened());
        head[2 * WORD..][..id.len()].copy_from_slice(id);
    }

    fn refer_to_texts(&mut self, session: &Session<'_>, truncated: &mut bool) {
        for (field, place, is_shared) in TEXTS {
            let bytes = session.text(field);
            if !bytes.is_empty() {
                let text = self.put_text(bytes, session.limit(field), is_shared, truncated);
                self.record.refer(place, text);
            }
        }
        if !session.attrs.is_empty() {
            let attrs = self.put_attrs(session, truncated);
            self.record.refer(fb::Record::VT_ATTRS, attrs);
        }
    }

    fn refer_to_ends(&mut self, session: &Session<'_>) {
        let Self { record, batch, .. } = self;
        if let Some(name) = session.protocol {
            record.refer(fb::Record::VT_PROTO, self.strings.put(name.as_bytes(), batch));
        }
        for (field, ip) in [
            (fb::Record::VT_CLIENT_IP, session.client_ip),
            (fb::Record::VT_SERVER_IP, session.server_ip),
        ] {
            match ip {
                Some(IpAddr::V4(v4)) => record.refer(field, batch.put_bytes(v4.octets())),
                Some(IpAddr::V6(v6)) => record.refer(field, batch.put_bytes(v6.octets())),
                None => {}
            }
        }
        if !session.vlan.is_empty() {
            record.refer(fb::Record::VT_VLAN, batch.put_numbers(&session.vlan));
        }
        if let Some(tunnel) = session.tunnel {
            let kind = self.strings.put(tunnel.kind.as_bytes(), batch);
            self.inner.refer(fb::Tunnel::VT_TYPE_, kind);
            self.inner
                .add_some(fb::Tunnel::VT_ID, tunnel.id.map(u32::to_le_bytes));
            let tunnel = self.inner.put(batch, &mut self.vtables.tunnel);
            record.refer(fb::Record::VT_TUNNEL, tunnel);
        }
    }

    fn refer_to_processes(&mut self, session: &Session<'_>) {
        for (field, process) in [
            (fb::Record::VT_PROCESS, session.host.process),
            (fb::Record::VT_CLIENT_PROCESS, session.host.client_process),
        ] {
            if let Some(process) = process {
                let (table, strings) = (&mut self.inner, &mut self.strings);
                let place = self.processes.put(&process, table, strings, &mut self.batch);
                self.record.refer(field, place);
            }
        }
    }

    fn put_text(&mut self, bytes: &[u8], max: usize, is_shared: bool, truncated: &mut bool) -> Place {
        // What is there already is UTF-8.
        if is_shared
            && bytes.len() <= max
            && let Some(known) = self.strings.find(bytes, &self.batch)
        {
            return known;
        }
        let (text, cut) = lossy_bytes(bytes, max, &mut self.text);
        *truncated |= cut;
        if is_shared {
            self.strings.put(text, &mut self.batch)
        } else {
            self.batch.put_string(text)
        }
    }

    fn put_attrs(&mut self, session: &Session<'_>, truncated: &mut bool) -> Place {
        self.attrs.clear();
        let max = session.limits.other;
        for (name, value) in &session.attrs {
            let name = self.put_text(name, max, true, truncated);
            let value = self.put_text(value, max, false, truncated);
            self.inner.refer(fb::Attr::VT_NAME, name);
            self.inner.refer(fb::Attr::VT_VALUE, value);
            let attr = self.inner.put(&mut self.batch, &mut self.vtables.attr);
            self.attrs.push(attr);
        }
        self.batch.put_references(&self.attrs)
    }
}

/// Adds the numbers of 64 bits.
fn add_numbers(table: &mut Table, session: &Session<'_>) {
    table.add(fb::Record::VT_FLOW_ID, session.flow_id.to_le_bytes());
    table.add(fb::Record::VT_START_NS, session.start_ns.to_le_bytes());
    table.add(fb::Record::VT_END_NS, session.end_ns.to_le_bytes());
    let gap_bytes = (session.gap_bytes > 0).then_some(session.gap_bytes);
    for (field, number) in [
        (fb::Record::VT_RRT_NS, session.rrt_ns),
        (fb::Record::VT_REQUEST_ID, session.request_id),
        (fb::Record::VT_REQ_LEN, session.request_len),
        (fb::Record::VT_RESP_LEN, session.response_len),
        (fb::Record::VT_ROWS, session.rows),
        (fb::Record::VT_GAP_BYTES, gap_bytes),
        (fb::Record::VT_QUEUE_NS, session.host.queue_ns),
        (fb::Record::VT_APP_NS, session.host.app_ns),
    ] {
        table.add_some(field, number.map(u64::to_le_bytes));
    }
    table.add_some(fb::Record::VT_CODE, session.code.map(i64::to_le_bytes));
}

/// Adds the numbers of 32, 16 and 8 bits.
fn add_small_numbers(table: &mut Table, session: &Session<'_>, truncated: bool) {
    table.add_some(fb::Record::VT_REQ_SEQ, session.request_seq.map(u32::to_le_bytes));
    table.add_some(
        fb::Record::VT_RESP_SEQ,
        session.response_seq.map(u32::to_le_bytes),
    );
    table.add_some(
        fb::Record::VT_CLIENT_PORT,
        session.client_port.map(u16::to_le_bytes),
    );
    table.add_some(
        fb::Record::VT_SERVER_PORT,
        session.server_port.map(u16::to_le_bytes),
    );
    table.add(fb::Record::VT_KIND, [session.kind as u8]);
    table.add(fb::Record::VT_ENDED, [session.ended as u8]);
    table.add(fb::Record::VT_SOURCE, [session.source as u8]);
    table.add(fb::Record::VT_STATUS, [session.status as u8]);
    table.add(fb::Record::VT_L4, [l4_of(session)]);
    table.add_some(fb::Record::VT_TRUNCATED, truncated.then_some([1]));
    table.add_some(fb::Record::VT_JOINED, session.joined.map(|joined| [joined as u8]));
}

/// The number of its transport.
fn l4_of(session: &Session<'_>) -> u8 {
    let number = L4_NAMES.iter().position(|name| *name == session.l4);
    number.unwrap_or(0) as u8
}

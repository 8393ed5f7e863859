//! Records into batches.

use crate::generated::tapir as fb;
use crate::session::{SCHEMA, Session};
use crate::text::lossy_str;
use flatbuffers::{FlatBufferBuilder, ForwardsUOffset, Vector, WIPOffset};
use std::net::IpAddr;
use tapir_parsers::field::Field;
use tapir_parsers::host::Process;
use tapir_parsers::record::L4_NAMES;

type Builder = FlatBufferBuilder<'static>;

/// Collects records into one size-prefixed batch. Its memory is used again for the next one.
#[derive(Default)]
pub struct BatchEncoder {
    builder: Builder,
    records: Vec<WIPOffset<fb::Record<'static>>>,
    attrs: Vec<WIPOffset<fb::Attr<'static>>>,
    /// Text that had to be made UTF-8.
    text: String,
}

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
        self.builder.unfinished_data().len()
    }

    /// Adds a record.
    pub fn push(&mut self, session: &Session<'_>) {
        let mut texts = Texts {
            session,
            text: &mut self.text,
            truncated: session.truncated,
        };
        let builder = &mut self.builder;
        let attrs = add_attrs(builder, &mut texts, &mut self.attrs);
        let vlan = (!session.vlan.is_empty()).then(|| builder.create_vector(&session.vlan));
        let args = fb::RecordArgs {
            schema: SCHEMA,
            kind: fb::Kind(session.kind as u8),
            ended: fb::Ended(session.ended as u8),
            source: fb::Source(session.source as u8),
            // Names that most records of a batch have in common stand in it once.
            proto: session.protocol.map(|name| builder.create_shared_string(name)),
            version: texts.add(builder, Field::Version),
            l4: l4_of(session),
            client_ip: session.client_ip.map(|ip| add_ip(builder, ip)),
            client_port: session.client_port,
            server_ip: session.server_ip.map(|ip| add_ip(builder, ip)),
            server_port: session.server_port,
            vlan,
            tunnel: add_tunnel(builder, session),
            flow_id: session.flow_id,
            start_ns: session.start_ns,
            end_ns: session.end_ns,
            rrt_ns: session.rrt_ns,
            req_type: texts.add(builder, Field::ReqType),
            domain: texts.add(builder, Field::Domain),
            resource: texts.add(builder, Field::Resource),
            endpoint: texts.add(builder, Field::Endpoint),
            request_id: session.request_id,
            status: fb::Status(session.status as u8),
            code: session.code,
            exception: texts.add(builder, Field::Exception),
            result: texts.add(builder, Field::Result),
            req_len: session.request_len,
            resp_len: session.response_len,
            rows: session.rows,
            trace_id: texts.add(builder, Field::TraceId),
            span_id: texts.add(builder, Field::SpanId),
            x_request_id: texts.add(builder, Field::XRequestId),
            user_agent: texts.add(builder, Field::UserAgent),
            referer: texts.add(builder, Field::Referer),
            forwarded_for: texts.add(builder, Field::ForwardedFor),
            attrs,
            truncated: texts.truncated,
            gap_bytes: session.gap_bytes,
            process: add_process(builder, session.host.process),
            client_process: add_process(builder, session.host.client_process),
            req_seq: session.request_seq,
            resp_seq: session.response_seq,
            queue_ns: session.host.queue_ns,
            app_ns: session.host.app_ns,
            joined: session.joined.map(|joined| fb::Joined(joined as u8)),
        };
        let record = fb::Record::create(builder, &args);
        self.records.push(record);
    }

    /// Closes the batch, hands its bytes (length prefix included) to `take` and begins the next one.
    /// Nothing happens when there are no records.
    pub fn finish<T>(&mut self, take: impl FnOnce(&[u8]) -> T) -> Option<T> {
        if self.records.is_empty() {
            return None;
        }
        let records = Some(self.builder.create_vector(&self.records));
        let batch = fb::Batch::create(&mut self.builder, &fb::BatchArgs { records });
        fb::finish_size_prefixed_batch_buffer(&mut self.builder, batch);
        let taken = take(self.builder.finished_data());
        self.builder.reset();
        self.records.clear();
        Some(taken)
    }
}

/// The texts of one record on their way into a batch.
struct Texts<'s, 'a> {
    session: &'s Session<'a>,
    text: &'s mut String,
    truncated: bool,
}

impl Texts<'_, '_> {
    fn add(&mut self, builder: &mut Builder, field: Field) -> Option<WIPOffset<&'static str>> {
        let bytes = self.session.text(field);
        let max = self.session.limit(field);
        (!bytes.is_empty()).then(|| builder.create_string(self.utf8(bytes, max)))
    }

    fn utf8<'t>(&'t mut self, bytes: &'t [u8], max: usize) -> &'t str {
        let (text, cut) = lossy_str(bytes, max, self.text);
        self.truncated |= cut;
        text
    }
}

type AttrVector = Vector<'static, ForwardsUOffset<fb::Attr<'static>>>;

fn add_attrs(
    builder: &mut Builder,
    texts: &mut Texts<'_, '_>,
    offsets: &mut Vec<WIPOffset<fb::Attr<'static>>>,
) -> Option<WIPOffset<AttrVector>> {
    let session = texts.session;
    if session.attrs.is_empty() {
        return None;
    }
    offsets.clear();
    let max = session.limits.other;
    for (name, value) in &session.attrs {
        let name = Some(builder.create_shared_string(texts.utf8(name, max)));
        let value = Some(builder.create_string(texts.utf8(value, max)));
        offsets.push(fb::Attr::create(builder, &fb::AttrArgs { name, value }));
    }
    Some(builder.create_vector(offsets))
}

fn add_ip(builder: &mut Builder, ip: IpAddr) -> WIPOffset<Vector<'static, u8>> {
    match ip {
        IpAddr::V4(v4) => builder.create_vector(&v4.octets()),
        IpAddr::V6(v6) => builder.create_vector(&v6.octets()),
    }
}

fn l4_of(session: &Session<'_>) -> fb::L4 {
    let number = L4_NAMES.iter().position(|name| *name == session.l4);
    fb::L4(number.unwrap_or(0) as u8)
}

fn add_tunnel(builder: &mut Builder, session: &Session<'_>) -> Option<WIPOffset<fb::Tunnel<'static>>> {
    let tunnel = session.tunnel?;
    let type_ = Some(builder.create_shared_string(tunnel.kind));
    Some(fb::Tunnel::create(
        builder,
        &fb::TunnelArgs { type_, id: tunnel.id },
    ))
}

fn add_process(
    builder: &mut Builder,
    process: Option<Process<'_>>,
) -> Option<WIPOffset<fb::Process<'static>>> {
    let process = process?;
    let mut text = |text: &str| (!text.is_empty()).then(|| builder.create_shared_string(text));
    let args = fb::ProcessArgs {
        pid: process.pid,
        comm: text(process.comm),
        container: text(process.container),
        executable: text(process.executable),
        pod: text(process.pod),
    };
    Some(fb::Process::create(builder, &args))
}

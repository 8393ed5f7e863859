//! A record that came in a batch, as an entry of a ring: so that records of all origins go one way.

use crate::session::Session;
use std::net::IpAddr;
use tapir_parsers::field::Field;
use tapir_parsers::l7::Protocol;
use tapir_parsers::record::{FlowFacts, HEADER_BYTES, L4_NAMES, RecordHeader, flag, write_attr, write_text};
use tapir_parsers::wire::TunnelKind;

/// Appends the entry of `session`.
pub(super) fn write(session: &Session<'_>, to: &mut Vec<u8>) {
    let mut entry = vec![0; HEADER_BYTES];
    let known = session.protocol.and_then(Protocol::from_name);
    if let (None, Some(name)) = (known, session.protocol) {
        // Of a plugin that the other side has.
        write_text(&mut entry, Field::Proto, name.as_bytes());
    }
    for field in Field::ALL {
        let text = session.text(*field);
        if !text.is_empty() && !matches!(field, Field::Attr | Field::Host | Field::Proto) {
            write_text(&mut entry, *field, text);
        }
    }
    for (key, value) in &session.attrs {
        write_attr(&mut entry, key, value);
    }
    let mut header: RecordHeader = bytemuck::Zeroable::zeroed();
    header.entry_len = entry.len() as u32;
    header.flow = flow_of(session);
    header.flags = flags_of(session, &header.flow);
    (header.start_ns, header.end_ns) = (session.start_ns, session.end_ns);
    header.rrt_ns = session.rrt_ns.unwrap_or(0);
    header.request_id = session.request_id.unwrap_or(0);
    header.code = session.code.unwrap_or(0);
    header.request_len = session.request_len.unwrap_or(0);
    header.response_len = session.response_len.unwrap_or(0);
    header.request_seq = session.request_seq.unwrap_or(0);
    header.response_seq = session.response_seq.unwrap_or(0);
    header.rows = session.rows.unwrap_or(0);
    header.gap_bytes = session.gap_bytes;
    header.kind = session.kind as u8;
    header.ended = session.ended as u8;
    header.status = session.status as u8;
    header.protocol = known.unwrap_or(Protocol::Custom) as u8;
    header.joined = session.joined.map_or(0, |joined| 1 + joined as u8);
    if let Some(place) = entry.get_mut(..HEADER_BYTES) {
        place.copy_from_slice(bytemuck::bytes_of(&header));
    }
    session.host.append_to(&mut entry);
    to.extend_from_slice(&entry);
}

fn flow_of(session: &Session<'_>) -> FlowFacts {
    let mut flow = FlowFacts {
        flow_id: session.flow_id,
        client_port: session.client_port.unwrap_or(0),
        server_port: session.server_port.unwrap_or(0),
        vlan_count: session.vlan.len() as u8,
        l4: match session.l4 {
            "unix" => 0,
            l4 => L4_NAMES.iter().position(|name| *name == l4).unwrap_or(0) as u8,
        },
        bits: if session.l4 == "unix" { FlowFacts::UNIX } else { 0 },
        source: session.source as u8,
        ..FlowFacts::default()
    };
    let mut mapped = |ip: Option<IpAddr>| match ip {
        Some(IpAddr::V6(v6)) => {
            flow.bits |= FlowFacts::IPV6;
            v6.octets()
        }
        Some(IpAddr::V4(v4)) => v4.to_ipv6_mapped().octets(),
        None => [0; 16],
    };
    (flow.client_ip, flow.server_ip) = (mapped(session.client_ip), mapped(session.server_ip));
    for (to, id) in flow.vlan.iter_mut().zip(&session.vlan) {
        *to = *id;
    }
    if let Some(tunnel) = &session.tunnel {
        let kind = TunnelKind::ALL.iter().position(|kind| kind.name() == tunnel.kind);
        flow.tunnel_kind = kind.map_or(0, |kind| kind as u8 + 1);
        flow.tunnel_id = tunnel.id.unwrap_or(0);
        flow.bits |= if tunnel.id.is_some() {
            FlowFacts::TUNNEL_ID
        } else {
            0
        };
    }
    flow
}

fn flags_of(session: &Session<'_>, flow: &FlowFacts) -> u32 {
    let flags = [
        (session.request_id.is_some(), flag::REQUEST_ID),
        (session.code.is_some(), flag::CODE),
        (session.rows.is_some(), flag::ROWS),
        (session.request_len.is_some(), flag::REQUEST),
        (session.response_len.is_some(), flag::RESPONSE),
        (session.rrt_ns.is_some(), flag::RRT),
        (session.truncated, flag::TRUNCATED),
        (flow.bits & FlowFacts::IPV6 != 0, flag::IPV6),
        (flow.bits & FlowFacts::TUNNEL_ID != 0, flag::TUNNEL_ID),
        (session.request_seq.is_some(), flag::REQUEST_SEQ),
        (session.response_seq.is_some(), flag::RESPONSE_SEQ),
    ];
    let set = flags.iter().filter(|(is_set, _)| *is_set);
    set.fold(0, |all, (_, flag)| all | flag)
}

#[cfg(test)]
mod tests {
    use super::write;
    use crate::flat::{BatchEncoder, decode_batch};
    use crate::json::write_session_json;
    use crate::session::Session;
    use crate::testing::Entry;
    use crate::text::TextLimits;
    use tapir_parsers::record::RecordView;

    #[test]
    fn a_record_that_came_in_a_batch_is_the_record_that_was_sent() {
        for seed in 0..300 {
            let sent = Entry::synthetic(seed).bytes();
            let mut encoder = BatchEncoder::new();
            encoder.push(&Session::new(
                &RecordView::new(&sent).unwrap(),
                TextLimits::default(),
            ));
            let (mut entry, mut want) = (Vec::new(), Vec::new());
            let decoded = encoder.finish(|batch| {
                decode_batch(batch, |session| {
                    write_session_json(session, &mut want);
                    write(session, &mut entry);
                })
            });
            decoded.unwrap().unwrap();
            let view = RecordView::new(&entry).unwrap();
            assert_eq!(view.header.entry_len as usize, entry.len());
            let mut got = Vec::new();
            write_session_json(&Session::new(&view, TextLimits::NONE), &mut got);
            assert_eq!(String::from_utf8(got).unwrap(), String::from_utf8(want).unwrap());
        }
    }
}

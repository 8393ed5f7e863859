//! Puts frames into tunnels.

use super::frame::{Ends, Frame, udp};

/// Behind an 802.1Q tag.
pub fn in_vlan(frame: &Frame, id: u16) -> Frame {
    let mut bytes = frame.bytes[..12].to_vec();
    bytes.extend([0x81, 0x00]);
    bytes.extend(id.to_be_bytes());
    bytes.extend(&frame.bytes[12..]);
    Frame::new(frame.time_ns, bytes)
}

/// In VXLAN (RFC 7348).
pub fn in_vxlan(frame: &Frame, outer: Ends, id: u32) -> Frame {
    let mut payload = vec![8, 0, 0, 0];
    payload.extend((id << 8).to_be_bytes());
    payload.extend(&frame.bytes);
    udp(outer, frame.time_ns, &payload)
}

/// In GRE without a key (RFC 2784), the IP packet alone.
pub fn in_gre(frame: &Frame, outer: Ends) -> Frame {
    let payload = [&[0, 0], &frame.bytes[12..]].concat();
    Frame::new(frame.time_ns, outer.ip_frame(47, &payload))
}

/// In IPv4 or IPv6 (RFC 2003, RFC 4213), the IP packet alone.
pub fn in_ipip(frame: &Frame, outer: Ends) -> Frame {
    let v6 = frame.bytes[12..14] == [0x86, 0xDD];
    let bytes = outer.ip_frame(if v6 { 41 } else { 4 }, &frame.bytes[14..]);
    Frame::new(frame.time_ns, bytes)
}

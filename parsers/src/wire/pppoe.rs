//! PPPoE sessions (RFC 2516).

use super::DropReason;
use super::walk::{Layer, Walk};

/// PPP protocol numbers (IANA "Point-to-Point Protocol Field Assignments").
const PPP_IPV4: u16 = 0x0021;
const PPP_IPV6: u16 = 0x0057;
const PPP_MPLS: u16 = 0x0281;

/// Version and type (1), code (1), session (2), length (2), then the PPP protocol (2).
pub(super) fn decode(walk: &mut Walk<'_>) -> Result<Layer, DropReason> {
    let header = walk.read::<8>(walk.offset, DropReason::PppoeTruncated)?;
    // RFC 2516 section 4: version 1, type 1; code 0 is session data.
    if header[..2] != [0x11, 0] {
        return Err(DropReason::PppoeHeader);
    }
    // The length counts the PPP protocol field.
    let len = usize::from(u16::from_be_bytes([header[4], header[5]]));
    if len < 2 {
        return Err(DropReason::PppoeHeader);
    }
    walk.end = walk.end.min(walk.offset + 6 + len);
    walk.offset += header.len();
    match u16::from_be_bytes([header[6], header[7]]) {
        PPP_IPV4 => Ok(Layer::Ipv4),
        PPP_IPV6 => Ok(Layer::Ipv6),
        PPP_MPLS => Ok(Layer::Mpls),
        _ => Err(DropReason::PppProtocolUnsupported),
    }
}

#[cfg(test)]
mod tests {
    use super::super::DropReason;
    use super::super::samples::Sample;

    #[test]
    fn both_versions_of_ip() {
        let v4 = Sample::udp4(1, 2, b"x").pppoe(0x0021).ethernet(0x8864);
        assert_eq!(v4.payload(), b"x");
        let v6 = Sample::udp6(1, 2, b"x").pppoe(0x0057).ethernet(0x8864);
        assert_eq!(v6.payload(), b"x");
    }

    #[test]
    fn what_is_no_session_data() {
        let lcp = Sample::udp4(1, 2, b"x").pppoe(0xc021).ethernet(0x8864);
        assert_eq!(lcp.reason(), DropReason::PppProtocolUnsupported);
        let mut other_code = Sample::udp4(1, 2, b"x").pppoe(0x0021).ethernet(0x8864);
        other_code.bytes[15] = 9;
        assert_eq!(other_code.reason(), DropReason::PppoeHeader);
        assert_eq!(
            Sample::udp4(1, 2, b"").ethernet(0x8863).reason(),
            DropReason::PppoeDiscovery
        );
    }
}

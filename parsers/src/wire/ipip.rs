//! IP in IP: IPv4 (RFC 2003) or IPv6 (RFC 4213) in IPv4, either of them in IPv6 (RFC 2473).

use super::DropReason;
use super::walk::{Layer, Walk};
use super::{Tunnel, TunnelKind};

/// The inner header, of the version that the protocol number said, follows at once.
pub(super) fn decode(walk: &mut Walk<'_>, inner: Layer) -> Result<Layer, DropReason> {
    walk.enter(Tunnel {
        kind: TunnelKind::Ipip,
        id: None,
    })?;
    Ok(inner)
}

#[cfg(test)]
mod tests {
    use super::super::samples::{Sample, tunnel_without_id};
    use super::super::{DropReason, TunnelKind};

    #[test]
    fn every_pair_of_versions() {
        let v4 = || Sample::udp4(1, 2, b"inner");
        let v6 = || Sample::udp6(1, 2, b"inner");
        let frames = [
            v4().in_ip4(4).ethernet(0x0800),
            v6().in_ip4(41).ethernet(0x0800),
            v4().in_ip6(4).ethernet(0x86dd),
            v6().in_ip6(41).ethernet(0x86dd),
        ];
        for frame in frames {
            assert_eq!(frame.packet().encap.tunnel(), tunnel_without_id(TunnelKind::Ipip));
            assert_eq!(frame.payload(), b"inner");
        }
    }

    #[test]
    fn depth_is_bounded_and_the_inside_has_its_own_reason() {
        let mut sample = Sample::udp4(1, 2, b"inner");
        for _ in 0..5 {
            sample = sample.in_ip4(4);
        }
        assert_eq!(sample.ethernet(0x0800).reason(), DropReason::TunnelDepth);
        let wrong = Sample::udp6(1, 2, b"").in_ip4(4).ethernet(0x0800);
        assert_eq!(wrong.reason(), DropReason::Ipv4Version);
    }
}

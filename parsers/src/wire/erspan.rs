//! ERSPAN: frames that a switch mirrors, in GRE (draft-foschiano-erspan-03).

use super::walk::{Layer, Walk};
use super::{DropReason, Tunnel, TunnelKind, ip};

/// Type I (section 4.1): no header of its own, recognised by the missing GRE sequence number.
pub(super) fn decode_1(walk: &mut Walk<'_>) -> Result<Layer, DropReason> {
    walk.enter(Tunnel {
        kind: TunnelKind::Erspan,
        id: None,
    })?;
    Ok(Layer::Ethernet)
}

/// Type II (section 4.2): version (4 bits), VLAN (12 bits), class of service (3 bits), encapsulation
/// (2 bits), truncated (1 bit), session (10 bits), reserved (12 bits), index (20 bits).
pub(super) fn decode_2(walk: &mut Walk<'_>) -> Result<Layer, DropReason> {
    let header = walk.read::<8>(walk.offset, DropReason::ErspanTruncated)?;
    enter(walk, [header[0], header[1], header[2], header[3]], 1)?;
    walk.offset += header.len();
    Ok(Layer::Ethernet)
}

/// Type III (section 4.3): as type II up to the session; timestamp (4), security group (2), then
/// frame type in bits 1 to 5, and in the last bit whether a platform header (8) follows.
pub(super) fn decode_3(walk: &mut Walk<'_>) -> Result<Layer, DropReason> {
    let header = walk.read::<12>(walk.offset, DropReason::ErspanTruncated)?;
    enter(walk, [header[0], header[1], header[2], header[3]], 2)?;
    walk.offset += header.len();
    if header[11] & 1 != 0 {
        walk.read::<8>(walk.offset, DropReason::ErspanTruncated)?;
        walk.offset += 8;
    }
    match header[10] >> 2 & 0x1f {
        0 => Ok(Layer::Ethernet),
        2 => ip::decode(walk),
        _ => Err(DropReason::ErspanFrameType),
    }
}

/// Checks the version and notes the session, both in the first four bytes of types II and III.
fn enter(walk: &mut Walk<'_>, head: [u8; 4], version: u8) -> Result<(), DropReason> {
    if head[0] >> 4 != version {
        return Err(DropReason::ErspanVersion);
    }
    let session = u16::from_be_bytes([head[2], head[3]]) & 0x03ff;
    walk.enter(Tunnel {
        kind: TunnelKind::Erspan,
        id: Some(u32::from(session)),
    })
}

#[cfg(test)]
mod tests {
    use super::super::samples::{Sample, tunnel, tunnel_without_id};
    use super::super::{DropReason, TunnelKind};

    const GRE_1: [u8; 4] = [0, 0, 0x88, 0xbe];
    const GRE_2: [u8; 8] = [0x10, 0, 0x88, 0xbe, 0, 0, 0, 1];
    const GRE_3: [u8; 8] = [0x10, 0, 0x22, 0xeb, 0, 0, 0, 1];
    const HEADER_2: [u8; 8] = [0x10, 0x64, 0x00, 0x65, 0, 0, 0, 1];
    const HEADER_3: [u8; 12] = [0x20, 0x64, 0x00, 0x65, 0, 0, 0, 1, 0, 0, 0, 0];

    fn inner() -> Sample {
        Sample::udp4(1, 2, b"inner").ethernet(0x0800)
    }

    fn outer(sample: Sample) -> Sample {
        sample.in_ip4(47).ethernet(0x0800)
    }

    #[test]
    fn all_three_types() {
        let first = outer(inner().front(&GRE_1));
        assert_eq!(
            first.packet().encap.tunnel(),
            tunnel_without_id(TunnelKind::Erspan)
        );
        let second = outer(inner().front(&HEADER_2).front(&GRE_2));
        let third = outer(inner().front(&HEADER_3).front(&GRE_3));
        for frame in [&second, &third] {
            assert_eq!(frame.packet().encap.tunnel(), tunnel(TunnelKind::Erspan, 0x65));
        }
        for frame in [first, second, third] {
            assert_eq!(
                (frame.payload(), frame.packet().encap.depth()),
                (&b"inner"[..], 1)
            );
        }
    }

    #[test]
    fn type_3_with_platform_header_and_with_ip() {
        let mut header = HEADER_3;
        header[11] = 1;
        assert_eq!(
            outer(inner().front(&[9; 8]).front(&header).front(&GRE_3)).payload(),
            b"inner"
        );
        header = HEADER_3;
        header[10] = 2 << 2;
        assert_eq!(
            outer(Sample::udp4(1, 2, b"inner").front(&header).front(&GRE_3)).payload(),
            b"inner"
        );
        header[10] = 1 << 2;
        assert_eq!(
            outer(inner().front(&header).front(&GRE_3)).reason(),
            DropReason::ErspanFrameType
        );
    }

    #[test]
    fn versions_must_fit() {
        assert_eq!(
            outer(inner().front(&HEADER_3).front(&GRE_2)).reason(),
            DropReason::ErspanVersion
        );
        assert_eq!(
            outer(inner().front(&HEADER_2).front(&GRE_3)).reason(),
            DropReason::ErspanVersion
        );
        let short = super::super::samples::bytes(&HEADER_2[..7]).front(&GRE_2);
        assert_eq!(outer(short).reason(), DropReason::ErspanTruncated);
    }
}

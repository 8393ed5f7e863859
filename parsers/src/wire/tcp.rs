//! TCP (RFC 9293).

use super::walk::Walk;
use super::{DropReason, IcmpHeader, L4, Packet, TcpFlags, TcpHeader, checksum, ip::protocol};

/// Header without options, bytes.
pub(super) const HEADER_BYTES: usize = 20;

/// Largest shift of the window scale option; RFC 7323 section 2.3 has a larger one read as this.
const WINDOW_SCALE_MAX: u8 = 14;

/// Ports (2, 2), sequence (4), acknowledgment (4), data offset (4 bits) and control bits, window (2),
/// checksum (2), urgent pointer (2), options.
#[inline]
pub(super) fn decode(walk: &mut Walk<'_>) -> Result<Packet, DropReason> {
    let start = walk.offset;
    let header = walk.read::<HEADER_BYTES>(start, DropReason::TcpHeaderTruncated)?;
    // RFC 9293 section 3.1: the data offset counts 32-bit words.
    let header_len = usize::from(header[12] >> 4) * 4;
    if header_len < HEADER_BYTES || start + header_len > walk.promised_end() {
        return Err(DropReason::TcpDataOffset);
    }
    let options = walk.slice(
        start + HEADER_BYTES,
        start + header_len,
        DropReason::TcpHeaderTruncated,
    )?;
    if walk.options.verify_checksums() && !checksum::holds(walk, protocol::TCP) {
        return Err(DropReason::TcpChecksum);
    }
    walk.offset = start + header_len;
    let ports = (
        u16::from_be_bytes([header[0], header[1]]),
        u16::from_be_bytes([header[2], header[3]]),
    );
    Ok(walk.packet(L4::Tcp, ports, facts(header, options), IcmpHeader::default()))
}

/// What is kept of a header. Options matter on a SYN only.
#[inline(always)]
pub(super) fn facts(header: &[u8; HEADER_BYTES], options: &[u8]) -> TcpHeader {
    let flags = TcpFlags(header[13]);
    let (mss, window_scale) = if flags.syn() {
        read_syn_options(options)
    } else {
        (None, None)
    };
    TcpHeader {
        seq: u32::from_be_bytes([header[4], header[5], header[6], header[7]]),
        ack: u32::from_be_bytes([header[8], header[9], header[10], header[11]]),
        window: u16::from_be_bytes([header[14], header[15]]),
        flags,
        window_scale,
        mss,
    }
}

/// Maximum segment size and window scale.
///
/// RFC 9293 section 3.2: kind 0 ends the list, kind 1 is a single byte, all others carry their length.
/// A malformed list ends the reading, not the packet.
#[inline(never)]
fn read_syn_options(mut options: &[u8]) -> (Option<u16>, Option<u8>) {
    let (mut mss, mut window_scale) = (None, None);
    loop {
        options = match *options {
            [1, ref rest @ ..] => rest,
            [] | [_] | [0, ..] | [_, 0 | 1, ..] => return (mss, window_scale),
            [kind, len, ..] => {
                let Some((option, rest)) = options.split_at_checked(usize::from(len)) else {
                    return (mss, window_scale);
                };
                match (kind, option) {
                    (2, [_, _, high, low]) => mss = Some(u16::from_be_bytes([*high, *low])),
                    (3, [_, _, shift]) => window_scale = Some((*shift).min(WINDOW_SCALE_MAX)),
                    _ => {}
                }
                rest
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::super::DropReason;
    use super::super::samples::{Sample, bytes};

    #[test]
    fn syn_options() {
        let options = [2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7];
        for frame in [
            Sample::tcp4(0x02, &options, b"").ethernet(0x0800),
            Sample::tcp6(0x12, &options, b"").ethernet(0x86dd),
        ] {
            let tcp = frame.packet().tcp;
            assert_eq!((tcp.mss, tcp.window_scale), (Some(1460), Some(7)));
            assert_eq!((tcp.seq, tcp.ack, tcp.window), (7, 9, 256));
        }
        // Only a SYN negotiates.
        let tcp = Sample::tcp4(0x10, &options, b"").ethernet(0x0800).packet().tcp;
        assert_eq!((tcp.mss, tcp.window_scale), (None, None));
    }

    #[test]
    fn malformed_options_end_the_list() {
        for options in [
            &[2, 0, 5, 0xb4][..],
            &[3, 200, 1, 1],
            &[2, 3, 1, 1],
            &[0, 2, 4, 5],
            &[1, 1, 1, 2],
            &[3, 1, 1, 1],
        ] {
            let tcp = Sample::tcp4(0x02, options, b"").ethernet(0x0800).packet().tcp;
            assert_eq!((tcp.mss, tcp.window_scale), (None, None), "{options:?}");
        }
        let tcp = Sample::tcp4(0x02, &[3, 3, 99, 0], b"")
            .ethernet(0x0800)
            .packet()
            .tcp;
        assert_eq!(tcp.window_scale, Some(14));
    }

    #[test]
    fn the_data_offset_must_fit() {
        let frame = Sample::tcp4(0x10, &[], b"abcd").ethernet(0x0800);
        for (words, reason) in [(4, DropReason::TcpDataOffset), (7, DropReason::TcpDataOffset)] {
            let mut wrong = frame.clone();
            wrong.bytes[46] = words << 4;
            assert_eq!(wrong.reason(), reason);
        }
        let short = bytes(&[0; 19]).in_ip4(6).ethernet(0x0800);
        assert_eq!(short.reason(), DropReason::TcpHeaderTruncated);
    }
}

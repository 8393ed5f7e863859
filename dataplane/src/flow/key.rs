//! The key of a flow: the same for both directions.

use bytemuck::{Pod, Zeroable};
use tapir_parsers::wire::{L4, Packet};

/// Both ends in a fixed order, transport, and where configured VLAN and tunnel. The order is that of the
/// addresses as numbers whose first byte is the lowest: it means nothing, and costs no swapping of bytes.
#[derive(Clone, Copy, Debug, Default, Eq, Pod, Zeroable)]
#[repr(C, align(4))]
pub struct FlowKey {
    /// Address of the lower end.
    pub a: [u8; 16],
    /// Address of the higher end.
    pub b: [u8; 16],
    /// Port of the lower end; for ICMP the echo identifier.
    pub a_port: u16,
    /// Port of the higher end.
    pub b_port: u16,
    /// VLAN and tunnel id mixed, 0 when they don't separate flows.
    pub domain: u32,
    /// 0 tcp, 1 udp, 2 icmp.
    pub l4: u8,
    /// Not 0: IPv6.
    pub ipv6: u8,
    /// Keeps the layout without holes.
    pub reserved: u16,
}

/// A packet's key, which end sent it, and the hash.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeyedPacket {
    /// The flow's key.
    pub key: FlowKey,
    /// Whether the lower end (`a`) sent the packet.
    pub from_a: bool,
    /// Hash of the key.
    pub hash: u64,
}

impl KeyedPacket {
    /// The key of `packet`. `domain` separates networks that use the same addresses.
    // Always inline: where it is called, parts of the packet are in registers still, and every part of the key
    // is written to where it stays.
    #[inline(always)]
    pub fn new(packet: &Packet, domain: u32, seed: u64) -> Self {
        let (mut src_port, mut dst_port) = (packet.src_port, packet.dst_port);
        if packet.l4 == L4::Icmp {
            (src_port, dst_port) = (packet.icmp.id, packet.icmp.id);
        }
        // Directions come in no order that a branch could be predicted by: what differs is chosen by
        // arithmetic.
        let (from_a, a, b, [a_port, b_port]) = if packet.ipv6 {
            let [src, dst] = [packet.src.0, packet.dst.0].map(u128::from_le_bytes);
            let from_a = (src < dst) | ((src == dst) & (src_port <= dst_port));
            let differ = (src ^ dst) & u128::from(from_a).wrapping_sub(1);
            let differ_ports = (src_port ^ dst_port) & u16::from(from_a).wrapping_sub(1);
            let ports = [src_port ^ differ_ports, dst_port ^ differ_ports];
            (
                from_a,
                (src ^ differ).to_le_bytes(),
                (dst ^ differ).to_le_bytes(),
                ports,
            )
        } else {
            let (src, dst) = (v4_end(&packet.src.0, src_port), v4_end(&packet.dst.0, dst_port));
            let ends = [src.min(dst), src.max(dst)];
            let [a, b] = ends.map(|end| v4_mapped((end >> 16) as u32));
            (src <= dst, a, b, ends.map(|end| end as u16))
        };
        let key = FlowKey {
            a,
            b,
            a_port,
            b_port,
            domain,
            l4: packet.l4 as u8,
            ipv6: u8::from(packet.ipv6),
            reserved: 0,
        };
        Self {
            key,
            from_a,
            hash: key.hash(seed),
        }
    }
}

/// An IPv4 address and a port as one number, in the order of ends.
#[inline(always)]
fn v4_end(ip: &[u8; 16], port: u16) -> u64 {
    u64::from(last_word(ip)) << 16 | u64::from(port)
}

/// The last four bytes of an address: all of an IPv4 address. The first is the lowest, as in the order of ends.
#[inline(always)]
fn last_word(ip: &[u8; 16]) -> u32 {
    (u128::from_le_bytes(*ip) >> 96) as u32
}

/// The address whose last four bytes are `word`.
#[inline(always)]
fn v4_mapped(word: u32) -> [u8; 16] {
    (u128::from(word) << 96 | 0xFFFF << 80).to_le_bytes()
}

/// Multiplies to 128 bits and folds: every input bit reaches every output bit (as wyhash does).
#[inline(always)]
fn fold(a: u64, b: u64) -> u64 {
    let wide = u128::from(a) * u128::from(b);
    (wide >> 64) as u64 ^ wide as u64
}

impl PartialEq for FlowKey {
    /// Both addresses at once, and the rest in two words: field by field would cost a branch each, and a
    /// comparison of bytes a call.
    #[inline(always)]
    fn eq(&self, other: &Self) -> bool {
        let differ =
            |own: &[u8; 16], others: &[u8; 16]| u128::from_le_bytes(*own) ^ u128::from_le_bytes(*others);
        (differ(&self.a, &other.a) | differ(&self.b, &other.b)) == 0
            && self.ports_and_domain() == other.ports_and_domain()
            && self.kind() == other.kind()
    }
}

impl FlowKey {
    #[inline(always)]
    fn ports_and_domain(&self) -> u64 {
        u64::from(self.a_port) | u64::from(self.b_port) << 16 | u64::from(self.domain) << 32
    }

    #[inline(always)]
    fn kind(&self) -> u32 {
        u32::from(self.l4) | u32::from(self.ipv6) << 8 | u32::from(self.reserved) << 16
    }

    /// A hash of all parts that differ; `seed` keeps strangers from aiming at one bucket.
    #[inline]
    pub fn hash(&self, seed: u64) -> u64 {
        let kind = u64::from(self.domain) | u64::from(self.l4) << 32 | u64::from(self.ipv6) << 40;
        let kind = kind ^ 0x9FB2_1C65_1E98_DF25;
        if self.ipv6 == 0 {
            let (a, b) = (v4_end(&self.a, self.a_port), v4_end(&self.b, self.b_port));
            return fold(
                fold(a ^ seed, b ^ seed.rotate_left(32)) ^ kind,
                0xE703_7ED1_A0B4_28DB,
            );
        }
        let halves = |ip: &[u8; 16]| {
            let ip = u128::from_le_bytes(*ip);
            (ip as u64, (ip >> 64) as u64)
        };
        let ((a_low, a_high), (b_low, b_high)) = (halves(&self.a), halves(&self.b));
        let ports = u64::from(self.a_port) | u64::from(self.b_port) << 16;
        let first = fold(a_low ^ seed, a_high ^ 0x9E37_79B9_7F4A_7C15);
        let second = fold(b_low ^ 0xD1B5_4A32_D192_ED03, b_high ^ seed);
        fold(
            first ^ second,
            fold(ports ^ 0xA24B_AED4_963E_E407, kind) ^ 0xE703_7ED1_A0B4_28DB,
        )
    }
}

const _: () = assert!(size_of::<FlowKey>() == 44);

#[cfg(test)]
mod tests {
    use super::{KeyedPacket, last_word, v4_mapped};
    use std::net::IpAddr;
    use tapir_parsers::wire::{IpAddress, Packet};

    #[test]
    fn both_directions_have_one_key_whose_every_part_counts() {
        let ends = [
            ("192.0.2.7", 9, "192.0.2.8", 7),
            ("192.0.2.8", 9, "192.0.2.7", 7),
            ("192.0.2.7", 9, "192.0.2.7", 7),
            ("2001:db8::1:7", 9, "2001:db8::8", 7),
            ("2001:db8::8", 9, "2001:db8::1:7", 7),
            ("2001:db8::1:7", 9, "2001:db8::1:7", 7),
        ];
        let keyed = |(src, src_port, dst, dst_port): (&str, u16, &str, u16), domain| {
            let [src, dst] = [src, dst].map(|ip| ip.parse::<IpAddr>().unwrap());
            let packet = Packet {
                src: src.into(),
                dst: dst.into(),
                src_port,
                dst_port,
                ipv6: src.is_ipv6(),
                ..Packet::VACANT
            };
            KeyedPacket::new(&packet, domain, 1)
        };
        let mut seen: Vec<KeyedPacket> = Vec::new();
        for (src, src_port, dst, dst_port) in ends {
            for domain in [0, 1] {
                let there = keyed((src, src_port, dst, dst_port), domain);
                let back = keyed((dst, dst_port, src, src_port), domain);
                assert_eq!((there.key, there.hash), (back.key, back.hash));
                assert_ne!(there.from_a, back.from_a);
                let source = if there.from_a {
                    there.key.a_port
                } else {
                    there.key.b_port
                };
                assert_eq!(source, src_port);
                for other in &seen {
                    assert_ne!(there.key, other.key);
                    assert_ne!(there.hash, other.hash);
                }
                seen.push(there);
            }
        }
    }

    #[test]
    fn an_ipv4_address_is_its_last_word() {
        let ip = IpAddress::v4([192, 0, 2, 7]).0;
        assert_eq!(v4_mapped(last_word(&ip)), ip);
        assert_eq!(last_word(&ip).to_le_bytes(), [192, 0, 2, 7]);
    }
}

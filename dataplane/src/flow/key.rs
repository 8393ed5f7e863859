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
    // Always inline: where it is called, every part is written to where it stays.
    #[inline(always)]
    pub fn new(packet: &Packet, domain: u32, seed: u64) -> Self {
        let (mut src_port, mut dst_port) = (packet.src_port, packet.dst_port);
        if packet.l4 == L4::Icmp {
            (src_port, dst_port) = (packet.icmp.id, packet.icmp.id);
        }
        let of_ports = src_port <= dst_port;
        let (src, dst) = (packet.src.0, packet.dst.0);
        // Directions come in no order that a branch could be predicted by: what differs is swapped by
        // arithmetic.
        let (from_a, a, b) = if packet.ipv6 {
            let (src, dst) = (u128::from_le_bytes(src), u128::from_le_bytes(dst));
            let from_a = (src < dst) | ((src == dst) & of_ports);
            let differ = (src ^ dst) & u128::from(from_a).wrapping_sub(1);
            (from_a, (src ^ differ).to_le_bytes(), (dst ^ differ).to_le_bytes())
        } else {
            // What stands before the four last bytes is the same in all.
            let (src, dst) = (last_word(&src), last_word(&dst));
            let from_a = (src < dst) | ((src == dst) & of_ports);
            let differ = (src ^ dst) & u32::from(from_a).wrapping_sub(1);
            (from_a, v4_mapped(src ^ differ), v4_mapped(dst ^ differ))
        };
        let differ_ports = (src_port ^ dst_port) & u16::from(from_a).wrapping_sub(1);
        let key = FlowKey {
            a,
            b,
            a_port: src_port ^ differ_ports,
            b_port: dst_port ^ differ_ports,
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
    /// All words without a branch: field by field would cost one each, and a comparison of bytes a call.
    #[inline(always)]
    fn eq(&self, other: &Self) -> bool {
        let [own, others]: [[u32; 11]; 2] = [bytemuck::cast(*self), bytemuck::cast(*other)];
        own.iter().zip(others).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
    }
}

impl FlowKey {
    /// A hash of all parts that differ; `seed` keeps strangers from aiming at one bucket.
    #[inline]
    pub fn hash(&self, seed: u64) -> u64 {
        let words: [u32; 11] = bytemuck::cast(*self);
        let pair = |low: usize, high: usize| u64::from(words[low]) | u64::from(words[high]) << 32;
        let ports = pair(8, 9) ^ 0xA24B_AED4_963E_E407;
        let kind = u64::from(words[10]) ^ 0x9FB2_1C65_1E98_DF25;
        if self.ipv6 == 0 {
            let first = fold(pair(3, 7) ^ seed, ports ^ seed.rotate_left(32));
            return fold(first ^ kind, 0xE703_7ED1_A0B4_28DB);
        }
        let first = fold(pair(0, 1) ^ seed, pair(2, 3) ^ 0x9E37_79B9_7F4A_7C15);
        let second = fold(pair(4, 5) ^ 0xD1B5_4A32_D192_ED03, pair(6, 7) ^ seed);
        fold(first ^ second, fold(ports, kind) ^ 0xE703_7ED1_A0B4_28DB)
    }
}

const _: () = assert!(size_of::<FlowKey>() == 44);

#[cfg(test)]
mod tests {
    use super::{last_word, v4_mapped};
    use tapir_parsers::wire::IpAddress;

    #[test]
    fn an_ipv4_address_is_its_last_word() {
        let ip = IpAddress::v4([192, 0, 2, 7]).0;
        assert_eq!(v4_mapped(last_word(&ip)), ip);
        assert_eq!(last_word(&ip).to_le_bytes(), [192, 0, 2, 7]);
    }
}

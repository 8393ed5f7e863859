//! The key of a flow: the same for both directions.

use bytemuck::{Pod, Zeroable};
use tapir_parsers::wire::Packet;

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
    #[inline]
    pub fn new(packet: &Packet, domain: u32, seed: u64) -> Self {
        let (mut src_port, mut dst_port) = (packet.src_port, packet.dst_port);
        if packet.l4 as u8 == 2 {
            (src_port, dst_port) = (packet.icmp.id, packet.icmp.id);
        }
        let (src, dst) = (
            u128::from_le_bytes(packet.src.0),
            u128::from_le_bytes(packet.dst.0),
        );
        let from_a = (src < dst) | ((src == dst) & (src_port <= dst_port));
        // Directions come in no order that a branch could be predicted by: what differs is swapped by
        // arithmetic.
        let swap = u128::from(from_a).wrapping_sub(1);
        let differ = (src ^ dst) & swap;
        let differ_ports = (src_port ^ dst_port) & swap as u16;
        let (a, b) = ((src ^ differ).to_le_bytes(), (dst ^ differ).to_le_bytes());
        let (a_port, b_port) = (src_port ^ differ_ports, dst_port ^ differ_ports);
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
    /// A hash of all parts; `seed` keeps strangers from aiming at one bucket.
    #[inline]
    pub fn hash(&self, seed: u64) -> u64 {
        let words: [u32; 11] = bytemuck::cast(*self);
        let word = |i: usize| u64::from(words[i]) | u64::from(words[i + 1]) << 32;
        let first = fold(word(0) ^ seed, word(2) ^ 0x9E37_79B9_7F4A_7C15);
        let second = fold(word(4) ^ 0xD1B5_4A32_D192_ED03, word(6) ^ seed);
        let third = fold(
            word(8) ^ 0xA24B_AED4_963E_E407,
            u64::from(words[10]) ^ 0x9FB2_1C65_1E98_DF25,
        );
        fold(first ^ second, third ^ 0xE703_7ED1_A0B4_28DB)
    }
}

const _: () = assert!(size_of::<FlowKey>() == 44);

//! Why a packet was not carried on, one name for each reason.

/// Declares the reasons once; enum, names, texts and the list all come from it.
macro_rules! drop_reasons {
    ($($variant:ident = $name:literal: $text:literal,)+) => {
        /// Why a packet was not carried on to a flow. Every reason has a counter of its own.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum DropReason {
            $(#[doc = $text] $variant,)+
        }

        impl DropReason {
            /// Every reason, in order of its number.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// How many reasons there are: the length of an array of counters.
            pub const COUNT: usize = Self::ALL.len();

            /// The reason in snake case, as metrics and `tapir stat` show it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// One sentence for people.
            pub const fn description(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

drop_reasons! {
    HeadersNotContiguous = "headers_not_contiguous": "A header reaches beyond the first segment of the buffer.",
    LayerDepth = "layer_depth": "More layers of headers than the decoder walks.",

    LinkHeaderTruncated = "link_header_truncated": "The frame ends inside a cooked, loopback or raw IP link header.",
    LoopbackFamily = "loopback_family": "BSD loopback frame of an address family other than IP.",
    EthernetTruncated = "ethernet_truncated": "The frame ends inside the Ethernet header.",
    EthernetLlc = "ethernet_llc": "IEEE 802.3 frame with an LLC payload (spanning tree, IS-IS, NetBIOS, CDP).",
    EthertypeUnknown = "ethertype_unknown": "An EtherType that is not decoded.",
    Arp = "arp": "ARP or RARP.",
    LinkControl = "link_control": "Control protocol of a link (LLDP, LACP, 802.1X, flow control, PTP, loop detection).",
    Macsec = "macsec": "MACsec frame, encrypted or authenticated (IEEE 802.1AE).",
    VlanTruncated = "vlan_truncated": "The frame ends inside a VLAN tag.",
    VlanDepth = "vlan_depth": "More VLAN tags than are kept.",
    MplsTruncated = "mpls_truncated": "The frame ends inside an MPLS label stack.",
    MplsDepth = "mpls_depth": "More MPLS labels than are walked.",
    MplsPayloadUnknown = "mpls_payload_unknown": "Below the MPLS labels lies neither IP nor Ethernet.",
    PppoeTruncated = "pppoe_truncated": "The frame ends inside the PPPoE header, or earlier than its length says.",
    PppoeHeader = "pppoe_header": "PPPoE version, type or code of no session frame.",
    PppoeDiscovery = "pppoe_discovery": "PPPoE discovery.",
    PppProtocolUnsupported = "ppp_protocol_unsupported": "PPP frame that holds no IP (LCP, authentication, IPCP, compressed).",

    IpVersion = "ip_version": "Neither IPv4 nor IPv6 where IP was announced.",
    Ipv4HeaderTruncated = "ipv4_header_truncated": "The frame ends inside the IPv4 header.",
    Ipv4Version = "ipv4_version": "IPv4 was announced, the version field says otherwise.",
    Ipv4HeaderLength = "ipv4_header_length": "IPv4 header length below 20 bytes.",
    Ipv4TotalLength = "ipv4_total_length": "IPv4 total length smaller than its header.",
    Ipv4Checksum = "ipv4_checksum": "Wrong IPv4 header checksum (only where verification is on).",
    Ipv6HeaderTruncated = "ipv6_header_truncated": "The frame ends inside the IPv6 header.",
    Ipv6Version = "ipv6_version": "IPv6 was announced, the version field says otherwise.",
    Ipv6ExtensionTruncated = "ipv6_extension_truncated": "The packet ends inside an IPv6 extension header.",
    Ipv6ExtensionDepth = "ipv6_extension_depth": "More IPv6 extension headers than are walked.",
    Ipv6JumboLength = "ipv6_jumbo_length": "Jumbo payload option with a length that needs no jumbogram, or malformed.",
    Ipv6NoNextHeader = "ipv6_no_next_header": "IPv6 packet with nothing behind its headers.",
    AhTruncated = "ah_truncated": "The packet ends inside an authentication header.",
    Esp = "esp": "IPsec ESP, encrypted.",
    Sctp = "sctp": "SCTP, not decoded.",
    IpProtocolUnsupported = "ip_protocol_unsupported": "An IP protocol that is not decoded (IGMP, OSPF, VRRP).",

    TcpHeaderTruncated = "tcp_header_truncated": "The packet ends inside the TCP header.",
    TcpDataOffset = "tcp_data_offset": "TCP data offset below 20 bytes or beyond the segment.",
    TcpChecksum = "tcp_checksum": "Wrong TCP checksum (only where verification is on).",
    UdpTruncated = "udp_truncated": "The packet ends inside the UDP header.",
    UdpLength = "udp_length": "UDP length below 8 bytes or beyond the IP payload.",
    UdpChecksum = "udp_checksum": "Wrong UDP checksum (only where verification is on).",
    IcmpTruncated = "icmp_truncated": "The packet ends inside the ICMP header.",
    IcmpNotEcho = "icmp_not_echo": "ICMP other than echo request and reply.",
    IcmpChecksum = "icmp_checksum": "Wrong ICMP checksum (only where verification is on).",

    TunnelDepth = "tunnel_depth": "More tunnels inside each other than are removed.",
    TunnelDisabled = "tunnel_disabled": "IP-in-IP, GRE, ERSPAN or NSH, which the configuration leaves alone.",
    GreTruncated = "gre_truncated": "The packet ends inside the GRE header.",
    GreVersion = "gre_version": "GRE of an unknown version, or version 1 without PPP.",
    GreRouting = "gre_routing": "Malformed or endless GRE source routing.",
    GrePpp = "gre_ppp": "PPTP: PPP in GRE version 1, mostly compressed or encrypted.",
    GreProtocolUnsupported = "gre_protocol_unsupported": "GRE that holds neither IP, MPLS, Ethernet nor ERSPAN.",
    ErspanTruncated = "erspan_truncated": "The packet ends inside the ERSPAN header.",
    ErspanVersion = "erspan_version": "ERSPAN version other than the GRE protocol type announced.",
    ErspanFrameType = "erspan_frame_type": "ERSPAN III that mirrors neither Ethernet nor IP.",
    NshTruncated = "nsh_truncated": "The packet ends inside the NSH header.",
    NshVersion = "nsh_version": "NSH of an unknown version.",
    NshLength = "nsh_length": "NSH length that its metadata type does not allow.",
    NshNextProtocol = "nsh_next_protocol": "NSH that holds neither IP, MPLS nor Ethernet.",

    FragmentTruncated = "fragment_truncated": "An IP fragment that was not captured whole.",
    FragmentLength = "fragment_length": "An IP fragment of no bytes, or in the middle with a length no multiple of 8.",
    FragmentTooLarge = "fragment_too_large": "An IP fragment that ends beyond the longest datagram (ping of death).",
    FragmentHeaderTooLarge = "fragment_header_too_large": "An IP fragment with more headers than the reassembler keeps.",
    FragmentOverlap = "fragment_overlap": "Fragments of one datagram that overlap; all of them are refused (RFC 5722).",
    FragmentEndConflict = "fragment_end_conflict": "Fragments of one datagram that disagree on where it ends.",
    FragmentDuplicate = "fragment_duplicate": "The same fragment once more.",
    FragmentTooMany = "fragment_too_many": "More fragments than one datagram may have.",
    FragmentTimeout = "fragment_timeout": "The other fragments of the datagram did not come in time.",
    FragmentEvicted = "fragment_evicted": "Pushed out by newer fragments at the memory bound.",
    FragmentUnfinished = "fragment_unfinished": "Still waiting for other fragments when the run ended.",
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_unique_and_snake_case() {
        let names: HashSet<_> = DropReason::ALL.iter().map(|reason| reason.name()).collect();
        assert_eq!(names.len(), DropReason::COUNT);
        for name in names {
            assert!(
                name.bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'),
                "{name}"
            );
        }
    }

    #[test]
    fn numbers_index_the_list() {
        for (index, reason) in DropReason::ALL.iter().enumerate() {
            assert_eq!(*reason as usize, index);
        }
    }
}

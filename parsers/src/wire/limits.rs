//! Every bound of the wire decoder, with its reason.

/// VLAN ids kept of one packet, tunnels included. Provider bridging uses two (IEEE 802.1ad); a
/// mirrored QinQ frame inside a QinQ transport has four.
pub const VLAN_DEPTH_MAX: usize = 4;

/// MPLS labels walked in one stack. Segment routing pushes about ten (RFC 8491 speaks of the maximum
/// SID depth of real hardware); more is a forged stack.
pub const MPLS_LABELS_MAX: usize = 16;

/// IPv6 extension headers walked in one packet. RFC 8200 section 4.1 names seven that may appear
/// once each, destination options twice.
pub const IPV6_EXTENSIONS_MAX: usize = 8;

/// Tunnels removed from one packet unless configured otherwise: mirrored (ERSPAN) overlay (VXLAN)
/// traffic that carries IP in IP is three.
pub const TUNNEL_DEPTH_DEFAULT: u8 = 4;

/// Highest number of tunnels that may be configured: work per packet must stay bounded.
pub const TUNNEL_DEPTH_MAX: u8 = 8;

/// Layers walked in one packet. A tunnel adds at most six (Ethernet, tags, MPLS, IP, transport, the
/// tunnel itself); what is left over is for pseudowires in pseudowires.
pub const LAYERS_MAX: usize = 64;

/// UDP ports that can be configured for tunnels, all kinds together: what fits two cache lines.
pub const TUNNEL_PORTS_MAX: usize = 16;

/// Entries of GRE source routing walked (RFC 1701); nobody routes this way any more.
pub const GRE_ROUTES_MAX: usize = 8;

/// GTP-U extension headers walked: 3GPP TS 29.281 section 5.2 defines fewer than ten, of which user
/// data carries one or two.
pub const GTP_EXTENSIONS_MAX: usize = 8;

const _: () = assert!(TUNNEL_DEPTH_DEFAULT <= TUNNEL_DEPTH_MAX);
const _: () = assert!(LAYERS_MAX >= 6 * (TUNNEL_DEPTH_MAX as usize + 1));

//! Builds Ethernet frames with IPv4 and TCP or UDP.

/// The two ends of a flow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ends {
    pub(crate) client: [u8; 4],
    pub(crate) server: [u8; 4],
    pub(crate) client_port: u16,
    pub(crate) server_port: u16,
}

impl Ends {
    /// The ends of flow number `flow`: clients of 10/8, sixteen servers of 172.16/16.
    pub(crate) fn of(flow: u32, server_port: u16) -> Self {
        let [_, a, b, c] = (flow / 60_000 * 251 + flow % 251 + (flow % 60_000 / 251) * 256 + 1).to_be_bytes();
        let client_port = 1024 + (flow % 60_000) as u16;
        Self {
            client: [10, a, b, c],
            server: [172, 16, 0, 1 + (flow % 16) as u8],
            client_port,
            server_port,
        }
    }
}

pub(crate) const SYN: u8 = 2;
pub(crate) const ACK: u8 = 16;
pub(crate) const PSH: u8 = 8;
pub(crate) const FIN: u8 = 1;

fn ethernet_ipv4(frame: &mut Vec<u8>, ends: &Ends, to_server: bool, protocol: u8, len: usize) {
    frame.clear();
    frame.extend_from_slice(&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0]);
    let total = (20 + len) as u16;
    let [high, low] = total.to_be_bytes();
    frame.extend_from_slice(&[0x45, 0, high, low, 0, 0, 0x40, 0, 64, protocol, 0, 0]);
    let (src, dst) = if to_server {
        (ends.client, ends.server)
    } else {
        (ends.server, ends.client)
    };
    frame.extend_from_slice(&src);
    frame.extend_from_slice(&dst);
}

fn ports(frame: &mut Vec<u8>, ends: &Ends, to_server: bool) {
    let (src, dst) = if to_server {
        (ends.client_port, ends.server_port)
    } else {
        (ends.server_port, ends.client_port)
    };
    frame.extend_from_slice(&src.to_be_bytes());
    frame.extend_from_slice(&dst.to_be_bytes());
}

/// A UDP datagram.
pub(crate) fn udp(frame: &mut Vec<u8>, ends: &Ends, to_server: bool, payload: &[u8]) {
    ethernet_ipv4(frame, ends, to_server, 17, 8 + payload.len());
    ports(frame, ends, to_server);
    frame.extend_from_slice(&((8 + payload.len()) as u16).to_be_bytes());
    frame.extend_from_slice(&[0, 0]);
    frame.extend_from_slice(payload);
}

/// What a TCP end has sent and received.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tcp {
    pub(crate) ends: Ends,
    /// Next sequence numbers: client's, server's.
    pub(crate) next: [u32; 2],
}

impl Tcp {
    /// A TCP segment, and moves the sender on.
    pub(crate) fn segment(&mut self, frame: &mut Vec<u8>, to_server: bool, flags: u8, payload: &[u8]) {
        ethernet_ipv4(frame, &self.ends, to_server, 6, 20 + payload.len());
        ports(frame, &self.ends, to_server);
        let [own, other] = if to_server { [0, 1] } else { [1, 0] };
        frame.extend_from_slice(&self.next[own].to_be_bytes());
        let ack = if flags & ACK != 0 { self.next[other] } else { 0 };
        frame.extend_from_slice(&ack.to_be_bytes());
        frame.extend_from_slice(&[0x50, flags, 0xFF, 0xFF, 0, 0, 0, 0]);
        frame.extend_from_slice(payload);
        let control = u32::from(flags & (SYN | FIN) != 0);
        self.next[own] = self.next[own].wrapping_add(payload.len() as u32 + control);
    }
}

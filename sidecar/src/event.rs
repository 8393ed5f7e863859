//! What the kernel's programs tell, as it lies in the ring: bpf/events.h in Rust.

use crate::tls::library::Library;
use bytemuck::{Pod, Zeroable};
use std::hash::Hasher;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Which way bytes went, seen from the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It sent them.
    Sent,
    /// It received them.
    Received,
}

impl Way {
    /// Both, in the order of their numbers.
    pub const BOTH: [Self; 2] = [Self::Sent, Self::Received];

    fn of(number: u8) -> Self {
        Self::BOTH[usize::from(number & 1)]
    }

    /// The other one.
    pub fn opposite(self) -> Self {
        match self {
            Self::Sent => Self::Received,
            Self::Received => Self::Sent,
        }
    }
}

/// Who holds an end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The connection is older than the programs.
    Unknown,
    /// Who connected.
    Client,
    /// Who accepted.
    Server,
}

impl Role {
    fn of(number: u8) -> Self {
        match number {
            1 => Self::Client,
            2 => Self::Server,
            _ => Self::Unknown,
        }
    }
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// By both ends.
    InOrder,
    /// By a reset, or by giving up.
    Reset,
    /// It goes on, but is not told of any more, for want of time.
    Shed,
}

/// A process, as the kernel knows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Who {
    /// Its cgroup (version 2).
    pub cgroup: u64,
    /// When it started, ns since boot.
    pub started_ns: u64,
    /// Process id; 0: unknown.
    pub pid: u32,
    /// How many programs it and its ancestors have executed: grows with each.
    pub exec: u32,
    comm: [u8; 16],
}

impl Who {
    /// Name of its command.
    pub fn comm(&self) -> &[u8] {
        self.comm.split(|byte| *byte == 0).next().unwrap_or_default()
    }
}

#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
struct RawOpen {
    kind: u8,
    role: u8,
    l4: u8,
    family: u8,
    netns: u32,
    cookie: u64,
    time_ns: u64,
    this: Who,
    peer: Who,
    local_ip: [u8; 16],
    remote_ip: [u8; 16],
    local_port: u16,
    remote_port: u16,
    seq: [u32; 2],
    passed: [u32; 2],
    from_start: u8,
    name_len: u8,
    reserved: [u8; 2],
}

#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
struct RawData {
    kind: u8,
    direction: u8,
    missing: u8,
    library: u8,
    withheld: u32,
    cookie: u64,
    time_ns: u64,
    arrived_ns: u64,
    seq: u32,
    peer_seq: u32,
    len: u32,
    captured: u32,
}

#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
struct RawEnd {
    kind: u8,
    direction: u8,
    reserved: [u8; 2],
    seq: u32,
    cookie: u64,
    time_ns: u64,
}

#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
struct RawClose {
    kind: u8,
    how: u8,
    reserved: [u8; 6],
    cookie: u64,
    time_ns: u64,
    seq: [u32; 2],
}

#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
struct RawSpeaker {
    kind: u8,
    reserved: [u8; 7],
    cookie: u64,
    time_ns: u64,
    this: Who,
}

#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
struct RawPlain {
    kind: u8,
    direction: u8,
    missing: u8,
    library: u8,
    pid: u32,
    cookie: u64,
    time_ns: u64,
    object: u64,
    epoch_ns: u64,
    offset: u64,
    other_offset: u64,
    seq: u32,
    seq_known: u8,
    is_sending: u8,
    reserved: [u8; 2],
    len: u32,
    captured: u32,
}

#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
struct RawDatagram {
    kind: u8,
    direction: u8,
    missing: u8,
    family: u8,
    netns: u32,
    cookie: u64,
    time_ns: u64,
    arrived_ns: u64,
    this: Who,
    local_ip: [u8; 16],
    remote_ip: [u8; 16],
    local_port: u16,
    remote_port: u16,
    len: u32,
    captured: u32,
    reserved: u32,
}

// As clang lays them out.
const _: () = assert!(size_of::<Who>() == 40 && size_of::<RawOpen>() == 160 && size_of::<RawData>() == 48);
const _: () = assert!(size_of::<RawEnd>() == 24 && size_of::<RawClose>() == 32);
const _: () = assert!(size_of::<RawSpeaker>() == 64 && size_of::<RawPlain>() == 72);
const _: () = assert!(size_of::<RawDatagram>() == 120);

/// Facts of a connection, told before its first data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    /// Who this end is.
    pub role: Role,
    /// 0 TCP, 1 UDP.
    pub l4: u8,
    /// Number of the network namespace.
    pub netns: u32,
    /// Who holds this end.
    pub this: Who,
    /// Who holds the other end, where that is on this host.
    pub peer: Option<Who>,
    /// Address and port of this end.
    pub local: (IpAddr, u16),
    /// Address and port of the other end.
    pub remote: (IpAddr, u16),
    /// The first byte of each [`Way`] that there can be data of.
    pub seq: [u32; 2],
    /// How many bytes there were before them.
    pub passed: [u32; 2],
    /// That is known; else the connection is older than the programs.
    pub from_start: bool,
}

/// Bytes that an application sent or received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Data<'a> {
    /// Which way they went.
    pub way: Way,
    /// Sequence number of the first.
    pub seq: u32,
    /// Sent: what the application had received before. Received: what the other side had acknowledged.
    pub peer_seq: u32,
    /// How many there were.
    pub len: u32,
    /// How many there were right before them of which nothing was told, since they begin no protocol.
    pub withheld: u32,
    /// When the last of them came to the socket, ns since boot, if known.
    pub arrived_ns: Option<u64>,
    /// The first ones of them.
    pub bytes: &'a [u8],
    /// The TLS library that moved them, if one is known to.
    pub library: Option<Library>,
}

/// The object of a TLS library that a stream of plain bytes belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TlsObject {
    /// The process.
    pub pid: u32,
    /// Where in its memory.
    pub address: u64,
    /// When it was first seen, ns since boot: the address may be another object's later.
    pub epoch_ns: u64,
}

/// Bytes that an application gave to a TLS library or got from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plain<'a> {
    /// Which way they went.
    pub way: Way,
    /// The library.
    pub library: Library,
    /// Its object.
    pub object: TlsObject,
    /// Of the first byte, among all that the object moved this way.
    pub offset: u64,
    /// How many it had moved the other way.
    pub other_offset: u64,
    /// Sequence number of the ciphertext that was moved with them, where that is known.
    pub seq: Option<u32>,
    /// They were received while a call that sends had sent ciphertext and was not over: what they answer may be told of
    /// after them.
    pub is_sending: bool,
    /// How many there were.
    pub len: u32,
    /// The first ones of them.
    pub bytes: &'a [u8],
}

/// A datagram that an application sent or received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// Which way it went.
    pub way: Way,
    /// Number of the network namespace.
    pub netns: u32,
    /// Who sent or received it.
    pub this: Who,
    /// Address and port of this end; an unspecified address is not known.
    pub local: (IpAddr, u16),
    /// Address and port of the other end.
    pub remote: (IpAddr, u16),
    /// When it came to the socket, ns since boot, if known.
    pub arrived_ns: Option<u64>,
    /// Bytes in it.
    pub len: u32,
    /// The first ones of them.
    pub bytes: &'a [u8],
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What<'a> {
    /// There will be data.
    Open(Open),
    /// There will be data on a Unix stream, whose server is bound to this name: a path, or 0 and any bytes.
    OpenUnix(Open, &'a [u8]),
    /// There was some.
    Data(Data<'a>),
    /// There was some that a TLS library encrypts or has decrypted.
    Plain(Plain<'a>),
    /// There was a datagram.
    Datagram(Datagram<'a>),
    /// From here on another process speaks, or another program in it.
    Speaker(Who),
    /// There will be no more in this direction; the sequence number of where it would stand.
    End(Way, u32),
    /// There will be no more at all.
    Close {
        /// How it ended.
        how: Closed,
        /// Where each [`Way`] stood.
        seq: [u32; 2],
    },
}

/// One event of one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// The kernel's number of the socket; 0 where plain bytes are not known to belong to one.
    pub cookie: u64,
    /// When, ns since boot.
    pub time_ns: u64,
    /// What happened.
    pub what: What<'a>,
}

fn head<T: Pod>(bytes: &[u8]) -> Option<(T, &[u8])> {
    let (head, rest) = bytes.split_at_checked(size_of::<T>())?;
    Some((bytemuck::pod_read_unaligned(head), rest))
}

/// The address family of Unix sockets.
const UNIX: u8 = 1;

/// Stands for the address of a Unix socket, so that servers are told apart.
fn digest(name: &[u8]) -> IpAddr {
    let half = |seed: u8| {
        let mut hasher = std::hash::DefaultHasher::new();
        hasher.write_u8(seed);
        hasher.write(name);
        hasher.finish()
    };
    Ipv6Addr::from((u128::from(half(0)) << 64) | u128::from(half(1))).into()
}

fn ip(family: u8, bytes: [u8; 16]) -> IpAddr {
    match bytes {
        [a, b, c, d, ..] if family == 4 => IpAddr::V4(Ipv4Addr::new(a, b, c, d)),
        _ => IpAddr::V6(Ipv6Addr::from(bytes)),
    }
}

impl<'a> Event<'a> {
    /// Reads what lay in the ring; `None` when that is no event.
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        match bytes.first()? {
            1 => head(bytes).map(|(raw, rest)| Self::open(&raw, rest)),
            2 => head(bytes).map(|(raw, rest)| Self::data(&raw, rest)),
            3 => head(bytes).map(|(raw, _)| Self::end(&raw)),
            4 => head(bytes).map(|(raw, _)| Self::close(&raw)),
            5 => head(bytes).map(|(raw, _)| Self::speaker(&raw)),
            6 => head(bytes).and_then(|(raw, rest)| Self::plain(&raw, rest)),
            7 => head(bytes).map(|(raw, rest)| Self::datagram(&raw, rest)),
            _ => None,
        }
    }

    fn datagram(raw: &RawDatagram, rest: &'a [u8]) -> Self {
        let datagram = Datagram {
            way: Way::of(raw.direction),
            netns: raw.netns,
            this: raw.this,
            local: (ip(raw.family, raw.local_ip), raw.local_port),
            remote: (ip(raw.family, raw.remote_ip), raw.remote_port),
            arrived_ns: (raw.arrived_ns != 0).then_some(raw.arrived_ns),
            len: raw.len,
            bytes: rest.get(..raw.captured.min(raw.len) as usize).unwrap_or_default(),
        };
        Self::new(raw.cookie, raw.time_ns, What::Datagram(datagram))
    }

    fn speaker(raw: &RawSpeaker) -> Self {
        Self::new(raw.cookie, raw.time_ns, What::Speaker(raw.this))
    }

    fn open(raw: &RawOpen, rest: &'a [u8]) -> Self {
        let mut open = Open {
            role: Role::of(raw.role),
            l4: raw.l4,
            netns: raw.netns,
            this: raw.this,
            peer: (raw.peer.pid != 0).then_some(raw.peer),
            local: (ip(raw.family, raw.local_ip), raw.local_port),
            remote: (ip(raw.family, raw.remote_ip), raw.remote_port),
            seq: raw.seq,
            passed: raw.passed,
            from_start: raw.from_start != 0,
        };
        let what = if raw.family == UNIX {
            let name = rest.get(..raw.name_len.into()).unwrap_or_default();
            let server = match open.role {
                Role::Server => &mut open.local,
                _ => &mut open.remote,
            };
            server.0 = digest(name);
            What::OpenUnix(open, name)
        } else {
            What::Open(open)
        };
        Self::new(raw.cookie, raw.time_ns, what)
    }

    fn data(raw: &RawData, rest: &'a [u8]) -> Self {
        let data = Data {
            way: Way::of(raw.direction),
            seq: raw.seq,
            peer_seq: raw.peer_seq,
            len: raw.len,
            withheld: raw.withheld,
            arrived_ns: (raw.arrived_ns != 0).then_some(raw.arrived_ns),
            bytes: rest.get(..raw.captured.min(raw.len) as usize).unwrap_or_default(),
            library: Library::of(raw.library),
        };
        Self::new(raw.cookie, raw.time_ns, What::Data(data))
    }

    fn plain(raw: &RawPlain, rest: &'a [u8]) -> Option<Self> {
        let plain = Plain {
            way: Way::of(raw.direction),
            library: Library::of(raw.library)?,
            object: TlsObject {
                pid: raw.pid,
                address: raw.object,
                epoch_ns: raw.epoch_ns,
            },
            offset: raw.offset,
            other_offset: raw.other_offset,
            seq: (raw.seq_known != 0).then_some(raw.seq),
            is_sending: raw.is_sending != 0,
            len: raw.len,
            bytes: rest.get(..raw.captured.min(raw.len) as usize).unwrap_or_default(),
        };
        Some(Self::new(raw.cookie, raw.time_ns, What::Plain(plain)))
    }

    fn end(raw: &RawEnd) -> Self {
        Self::new(
            raw.cookie,
            raw.time_ns,
            What::End(Way::of(raw.direction), raw.seq),
        )
    }

    fn close(raw: &RawClose) -> Self {
        let close = What::Close {
            how: match raw.how {
                1 => Closed::Reset,
                2 => Closed::Shed,
                _ => Closed::InOrder,
            },
            seq: raw.seq,
        };
        Self::new(raw.cookie, raw.time_ns, close)
    }

    fn new(cookie: u64, time_ns: u64, what: What<'a>) -> Self {
        Self {
            cookie,
            time_ns,
            what,
        }
    }
}

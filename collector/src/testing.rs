//! Makes synthetic ring entries: for tests of whatever takes records.

use std::net::IpAddr;
use tapir_parsers::field::{Ended, Field, Joined, Kind, Source, Status};
use tapir_parsers::host::{HostFacts, Process};
use tapir_parsers::l7::DECLARATIONS;
use tapir_parsers::record::{FlowFacts, HEADER_BYTES, RecordHeader, flag};
use tapir_parsers::testing::noise;

/// A ring entry under construction.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The fixed part; `entry_len` is set by [`Entry::bytes`].
    pub header: RecordHeader,
    texts: Vec<u8>,
}

impl Default for Entry {
    fn default() -> Self {
        let mut header: RecordHeader = bytemuck::Zeroable::zeroed();
        header.start_ns = 1_700_000_000_123_456_789;
        header.end_ns = header.start_ns + 1_500_000;
        header.flow.flow_id = 7;
        header.status = Status::Ok as u8;
        Self {
            header,
            texts: Vec::new(),
        }
        .between("10.0.0.1", 40_000, "10.0.0.2", 80)
    }
}

impl Entry {
    /// Who talked.
    pub fn between(mut self, client: &str, client_port: u16, server: &str, server_port: u16) -> Self {
        let flow = &mut self.header.flow;
        (flow.client_ip, flow.client_port) = (mapped(client, &mut flow.bits), client_port);
        (flow.server_ip, flow.server_port) = (mapped(server, &mut flow.bits), server_port);
        self
    }

    /// Adds a text.
    pub fn text(mut self, field: Field, bytes: &[u8]) -> Self {
        self.texts.push(field as u8);
        self.texts.extend_from_slice(&(bytes.len() as u16).to_le_bytes());
        self.texts.extend_from_slice(bytes);
        self
    }

    /// Adds what a host knows.
    pub fn host(mut self, facts: &HostFacts<'_>) -> Self {
        let mut bytes = self.bytes();
        facts.append_to(&mut bytes);
        self.texts = bytes.split_off(HEADER_BYTES);
        self
    }

    /// Adds an attribute.
    pub fn attr(self, key: &[u8], value: &[u8]) -> Self {
        self.text(Field::Attr, &[&[key.len() as u8], key, value].concat())
    }

    /// Sets numbers of the header.
    pub fn with(mut self, set: impl FnOnce(&mut RecordHeader)) -> Self {
        set(&mut self.header);
        self
    }

    /// The entry as it stands in a ring.
    pub fn bytes(&self) -> Vec<u8> {
        let mut header = self.header;
        header.entry_len = (HEADER_BYTES + self.texts.len()) as u32;
        [bytemuck::bytes_of(&header), &self.texts].concat()
    }

    /// An entry that looks as if made by chance: every key there or not, texts of any bytes and length.
    pub fn synthetic(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let mut entry = Self::default();
        let header = &mut entry.header;
        header.flow = FlowFacts {
            client_ip: dice.array(),
            server_ip: dice.array(),
            flow_id: dice.number(),
            first_seq: [0; 2],
            tunnel_id: dice.number() as u32,
            client_port: dice.number() as u16,
            server_port: dice.number() as u16,
            vlan: [1, 20, 300, 4000],
            vlan_count: dice.below(5) as u8,
            tunnel_kind: dice.below(9) as u8,
            l4: dice.below(3) as u8,
            bits: FlowFacts::IPV6,
            source: dice.below(Source::ALL.len()) as u8,
            tls_library: 0,
            reserved: [0; 2],
        };
        if dice.below(2) == 0 {
            entry = entry.between("192.0.2.1", 1234, "198.51.100.255", 53);
            entry.header.flow.bits &= !FlowFacts::IPV6;
        }
        if dice.below(4) == 0 {
            entry.header.flow.l4 = 0;
            entry.header.flow.bits |= FlowFacts::UNIX;
        }
        let header = &mut entry.header;
        header.flags = dice.number() as u32 & ((flag::RESPONSE_SEQ << 1) - 1);
        for number in [
            &mut header.start_ns,
            &mut header.end_ns,
            &mut header.rrt_ns,
            &mut header.request_id,
            &mut header.request_len,
            &mut header.response_len,
            &mut header.rows,
        ] {
            *number = dice.number();
        }
        header.request_seq = dice.number() as u32;
        header.response_seq = dice.number() as u32;
        header.gap_bytes = dice.number() % 3;
        header.code = dice.number() as i64;
        header.kind = dice.below(Kind::ALL.len()) as u8;
        header.ended = dice.below(Ended::ALL.len()) as u8;
        header.status = dice.below(Status::ALL.len()) as u8;
        header.protocol = dice.below(DECLARATIONS.len()) as u8;
        for field in Field::ALL
            .iter()
            .filter(|field| !matches!(field, Field::Attr | Field::Host))
        {
            if dice.below(2) == 0 {
                let text = dice.text();
                entry = entry.text(*field, &text);
            }
        }
        let texts: [String; 4] = std::array::from_fn(|_| match dice.below(3) {
            0 => String::new(),
            _ => String::from_utf8_lossy(&dice.text()).into_owned(),
        });
        let [comm, executable, container, pod] = texts.each_ref().map(String::as_str);
        let process = Process {
            pid: dice.number() as u32,
            comm,
            executable,
            container,
            pod,
        };
        entry = entry.host(&HostFacts {
            process: (dice.below(2) == 0).then_some(process),
            client_process: (dice.below(2) == 0).then_some(Process { pid: 1, ..process }),
            queue_ns: (dice.below(2) == 0).then(|| dice.number()),
            app_ns: (dice.below(2) == 0).then(|| dice.number()),
        });
        for index in 0..dice.below(40) {
            let text = dice.text();
            entry = entry.attr(format!("key{}", index % 36).as_bytes(), &text);
        }
        entry.with(|header| header.joined = dice.below(1 + Joined::ALL.len()) as u8)
    }
}

fn mapped(address: &str, bits: &mut u8) -> [u8; 16] {
    match address.parse() {
        Ok(IpAddr::V4(v4)) => v4.to_ipv6_mapped().octets(),
        Ok(IpAddr::V6(v6)) => {
            *bits |= FlowFacts::IPV6;
            v6.octets()
        }
        Err(error) => panic!("{address}: {error}"),
    }
}

/// Reproducible chance.
#[derive(Clone, Debug)]
pub struct Dice {
    seed: u64,
    throws: u64,
}

impl Dice {
    /// The same seed gives the same throws.
    pub fn new(seed: u64) -> Self {
        Self { seed, throws: 0 }
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        self.throws += 1;
        let mut array = [0; N];
        array.copy_from_slice(&noise(
            self.seed.wrapping_mul(1_000_003).wrapping_add(self.throws),
            N,
        ));
        array
    }

    /// Any number; small ones as often as large ones.
    pub fn number(&mut self) -> u64 {
        let shift = self.array::<1>()[0] % 64;
        u64::from_le_bytes(self.array()) >> shift
    }

    /// A number from 0 to `end` - 1.
    pub fn below(&mut self, end: usize) -> usize {
        (u64::from_le_bytes(self.array()) >> 33) as usize % end
    }

    /// Text that is mostly readable, sometimes long, sometimes not text at all.
    pub fn text(&mut self) -> Vec<u8> {
        let len = [3, 20, 200, 2000][self.below(4)];
        let bytes = noise(self.number(), len);
        match self.below(3) {
            0 => bytes,
            1 => bytes.iter().map(|byte| byte & 0x7F).collect(),
            _ => bytes
                .iter()
                .flat_map(|byte| ["a", "é", "€", "😀", "\"", "\\", "\n", "/"][usize::from(byte % 8)].bytes())
                .collect(),
        }
    }
}

//! How long received data waited in its socket before the application read it.

/// Reads that are remembered: a record is made when its response comes, which few reads of further requests precede.
const READS_MAX: usize = 8;

/// One read of an application.
#[derive(Clone, Copy, Debug, Default)]
struct Read {
    /// Sequence number behind its last byte.
    end: u32,
    len: u32,
    waited_ns: u64,
}

/// The last reads of a connection.
#[derive(Clone, Copy, Debug, Default)]
pub struct Arrivals {
    reads: [Read; READS_MAX],
    next: u8,
}

impl Arrivals {
    /// An application has read `len` bytes up to `end`, the last of which had waited for `waited_ns`.
    pub(super) fn read(&mut self, end: u32, len: u32, waited_ns: u64) {
        let at = usize::from(self.next) % READS_MAX;
        self.reads[at] = Read { end, len, waited_ns };
        self.next = self.next.wrapping_add(1);
    }

    /// How long the byte before the one with the number `end` had waited.
    pub fn waited_ns(&self, end: u32) -> Option<u64> {
        let holds = |read: &&Read| read.len > 0 && read.end.wrapping_sub(end) < read.len;
        self.reads.iter().find(holds).map(|read| read.waited_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_read_that_holds_the_last_byte() {
        let mut arrivals = Arrivals::default();
        assert_eq!(arrivals.waited_ns(0), None);
        let first = u32::MAX - 4;
        arrivals.read(first.wrapping_add(10), 10, 7);
        arrivals.read(first.wrapping_add(30), 20, 8);
        let waited = |behind: u32| arrivals.waited_ns(first.wrapping_add(behind));
        assert_eq!(
            [waited(1), waited(10), waited(11), waited(30)],
            [Some(7), Some(7), Some(8), Some(8)]
        );
        assert_eq!([waited(0), waited(31)], [None, None]);
        for n in 0..READS_MAX as u32 {
            arrivals.read(first.wrapping_add(31 + n), 1, 9);
        }
        assert_eq!(arrivals.waited_ns(first.wrapping_add(30)), None);
    }
}

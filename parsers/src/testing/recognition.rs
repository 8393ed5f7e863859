//! What inference must make of every conversation.

use super::{Script, Told, assert_same};
use crate::inference::Candidates;
use crate::l7::{DECLARATIONS, Declaration, Protocol};
use crate::parser::{Direction, Probe, ProbeContext, Speaker, Transports};

/// A port that is in no protocol's list.
const UNKNOWN_PORT: u16 = 1;

impl Script {
    fn transport(&self) -> Transports {
        match self.l4 {
            0 => Transports::TCP,
            1 => Transports::UDP,
            _ => Transports::ICMP,
        }
    }

    /// The protocols whose probes match what `from` says first, in the order of the list; the caller of the
    /// engine takes it for what `seen_as` says.
    fn matching(
        &self,
        from: Direction,
        seen_as: Direction,
        direction_is_sure: bool,
    ) -> Vec<(&'static Declaration, Speaker)> {
        let Some((_, head)) = self.messages.iter().find(|(direction, _)| *direction == from) else {
            return Vec::new();
        };
        let transport = self.transport();
        let context = ProbeContext {
            transport,
            direction: seen_as,
            direction_is_sure,
            on_known_port: false,
            at_stream_start: true,
            behind_unknown: false,
            complete: transport != Transports::TCP,
        };
        let set = Candidates::new(u64::MAX).of(head, transport, 0);
        let candidates = DECLARATIONS.iter().filter(|d| set & 1 << (d.protocol as u8) != 0);
        let matching = candidates.filter_map(|d| match (d.probe)(head, &context) {
            Probe::Match(speaker) => Some((d, speaker)),
            _ => None,
        });
        matching.collect()
    }

    /// On a port that tells nothing, no protocol that stands above in the list takes the conversation for its
    /// own.
    pub(super) fn check_order(&self, whole: &[Told]) {
        for direction in Direction::BOTH {
            let matching = self.matching(direction, direction, true);
            let names: Vec<&str> = matching.iter().map(|(d, _)| d.name).collect();
            let own = matching.iter().position(|(d, _)| is_told(whole, d));
            assert!(
                own.is_none_or(|own| own == 0),
                "of {names:?} the first takes what is of another"
            );
        }
    }

    /// Where the bytes tell who is the client, and ports don't, it is all the same for whom the caller takes
    /// the sides.
    pub(super) fn check_swapped(&self) {
        let elsewhere = Self {
            server_port: UNKNOWN_PORT,
            ..self.clone()
        };
        let whole = &elsewhere.replay();
        let Some(&(first, _)) = self.messages.first() else {
            return;
        };
        let speaker = match first {
            Direction::ToServer => Speaker::Client,
            Direction::ToClient => Speaker::Server,
        };
        let matching = self.matching(first, first.opposite(), false);
        let tells = matching
            .first()
            .is_some_and(|(d, told)| is_told(whole, d) && *told == speaker);
        if tells {
            let swapped = elsewhere.run_as(|_, bytes| vec![bytes.len()], None, 0, true);
            assert_same(whole, &swapped, "with client and server swapped");
        }
    }
}

/// Whether a record is of `declaration`'s protocol, or of one that it reads or hands over to.
fn is_told(whole: &[Told], declaration: &Declaration) -> bool {
    let found_by = |name: &str| Protocol::from_name(name).map_or(&[][..], |p| p.declaration().found_by);
    whole
        .iter()
        .any(|told| told.proto == declaration.name || found_by(told.proto).contains(&declaration.protocol))
}

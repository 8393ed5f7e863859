//! The plugins that an engine asks.

use super::{Plugins, Wanted};
use crate::engine::Ends;
use crate::inference::{ProtocolSet, bit};
use crate::l7::Protocol;
use crate::record::FlowFacts;

/// The plugins of an engine, and what they want.
pub(crate) struct Plugged {
    pub(crate) plugins: Box<dyn Plugins>,
    wanted: Wanted,
    /// How often others have taken over, from 1 to [`ROUNDS`].
    round: u8,
}

/// What plugins want of a flow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Interest {
    /// Its payloads, to check whose they are.
    pub(crate) checks: bool,
    pub(crate) note: Note,
}

/// Kept with a flow: whether its messages concern plugins (bit 0), and since which exchange of plugins that holds
/// (the rest). In one byte: a flow that says nothing while plugins are exchanged 127 times is taken as before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Note(u8);

/// Exchanges of plugins that notes tell apart; 0 is none.
const ROUNDS: u8 = 127;

impl Note {
    /// Nothing is known of the flow.
    pub(crate) const NONE: Self = Self(0);
}

impl Interest {
    /// Where there are no plugins.
    pub(crate) const NONE: Self = Self {
        checks: false,
        note: Note::NONE,
    };

    /// The protocols that the flow can't be of for that.
    #[inline]
    pub(crate) fn refused(self) -> ProtocolSet {
        if self.checks { 0 } else { bit(Protocol::Custom) }
    }
}

impl Plugged {
    pub(crate) fn new(mut plugins: Box<dyn Plugins>) -> Self {
        let wanted = plugins.wanted().unwrap_or_default();
        Self {
            plugins,
            wanted,
            round: 1,
        }
    }

    /// Lets others take over, where some lie ready.
    pub(crate) fn refresh(&mut self) {
        if let Some(wanted) = self.plugins.wanted() {
            self.wanted = wanted;
            self.round = self.round % ROUNDS + 1;
        }
    }

    #[inline]
    pub(crate) fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    /// What plugins want of a flow between these ends.
    #[inline]
    pub(crate) fn interest(&self, ends: Ends) -> Interest {
        let concerns = self.wanted.any(ends);
        Interest {
            checks: concerns && self.wanted.checks(ends),
            note: Note(self.round << 1 | u8::from(concerns)),
        }
    }

    /// Whether messages of a flow of this protocol concern plugins, by what is noted of it.
    #[inline]
    pub(crate) fn concerns(&self, note: &mut Note, protocol: Protocol, facts: &FlowFacts) -> bool {
        if note.0 >> 1 != self.round {
            *note = self.interest(Ends::of(facts)).note;
        }
        note.0 & 1 != 0 || protocol == Protocol::Custom
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::{Call, Claim, Event, Hook, Info, Parsed};

    /// Wants requests of flows on the first of these ports, and of the next one each time it is asked.
    struct Exchanged(Vec<u16>);

    impl Plugins for Exchanged {
        fn wanted(&mut self) -> Option<Wanted> {
            let port = (!self.0.is_empty()).then(|| self.0.remove(0))?;
            let mut wanted = Wanted::default();
            wanted.add_enriches(Hook::HttpRequest, |_| true, &[port]);
            Some(wanted)
        }

        fn check(&mut self, _: &Call<'_>) -> Option<Claim> {
            None
        }

        fn parse(&mut self, _: &Call<'_>, _: u8, _: &mut dyn FnMut(&Info<'_>)) -> Parsed {
            Parsed::Unknown
        }

        fn enrich(&mut self, _: &Call<'_>, _: &Event<'_>, _: &mut dyn FnMut(&Info<'_>)) {}

        fn payload_bytes_max(&self) -> usize {
            1
        }
    }

    #[test]
    fn what_is_noted_of_a_flow_holds_until_plugins_are_exchanged() {
        let facts = FlowFacts {
            server_port: 80,
            ..FlowFacts::default()
        };
        let ports = [80, 81, 80].iter().cycle().take(3 * usize::from(ROUNDS));
        let mut plugged = Plugged::new(Box::new(Exchanged(ports.clone().copied().collect())));
        let mut note = Note::NONE;
        for port in ports {
            for _ in 0..2 {
                assert_eq!(plugged.concerns(&mut note, Protocol::Http1, &facts), *port == 80);
                assert!(plugged.concerns(&mut note, Protocol::Custom, &facts));
            }
            plugged.refresh();
        }
        let interest = plugged.interest(Ends::of(&facts));
        assert!(!interest.checks && interest.refused() == bit(Protocol::Custom));
    }
}

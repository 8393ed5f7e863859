//! Flows that plugins claim.

use super::{Ends, Engine};
use crate::inference::{Inference, ProtocolSet, bit};
use crate::l7::Protocol;
use crate::parser::ProbeContext;
use crate::plugin::{Call, Interest, Plugged, Plugins};
use crate::record::FlowFacts;

/// Protocols that no plugin takes over.
const NOT_CLAIMED: ProtocolSet = bit(Protocol::Http1) | bit(Protocol::Http2);

impl Engine {
    /// Runs plugins from here on. Without this there are none.
    pub fn set_plugins(&mut self, plugins: Box<dyn Plugins>) {
        self.plugins = Some(Plugged::new(plugins));
    }

    /// What inference says of the head of a flow that may be one of the first set and was taken for one of
    /// the second: plugins are asked before all built-in protocols but those of HTTP.
    #[inline]
    pub(super) fn infer_or_claim(
        &mut self,
        ends: Ends,
        facts: &impl Fn() -> FlowFacts,
        (candidates, refused): (ProtocolSet, ProtocolSet),
        context: &mut ProbeContext,
        head: &[u8],
        now_ns: u64,
    ) -> Inference {
        let inference = match candidates {
            0 => Inference::NoMatch,
            _ => self.infer(ends, facts, candidates, context, head, now_ns),
        };
        let taken = matches!(inference, Inference::Match(protocol, _) if NOT_CLAIMED & bit(protocol) != 0);
        if taken || refused & bit(Protocol::Custom) != 0 {
            return inference;
        }
        self.claim(facts, context, head, now_ns).unwrap_or(inference)
    }

    /// What plugins want of such a flow.
    #[inline]
    pub(super) fn interest(&self, ends: Ends) -> Interest {
        let plugged = self.plugins.as_ref();
        plugged.map_or(Interest::NONE, |plugged| plugged.interest(ends))
    }

    /// Most plugins want few flows: what a flow is, beyond its ends, is put together for those alone.
    #[inline(never)]
    fn claim(
        &mut self,
        facts: &impl Fn() -> FlowFacts,
        context: &ProbeContext,
        head: &[u8],
        now_ns: u64,
    ) -> Option<Inference> {
        if self.wanted & bit(Protocol::Custom) == 0 {
            return None;
        }
        let plugins = &mut self.plugins.as_mut()?.plugins;
        let facts = &facts();
        let max = plugins.payload_bytes_max().min(head.len());
        let claim = plugins.check(&Call {
            facts,
            direction: context.direction,
            time_ns: now_ns,
            payload: head.get(..max)?,
        })?;
        let speaker = claim.speaker;
        self.claimed = Some(claim);
        Some(Inference::Match(Protocol::Custom, speaker))
    }

    /// Tells the parser of a flow that was just claimed by whom.
    pub(super) fn settle_claim(&mut self, parser: u32) {
        if let Some(claim) = self.claimed.take() {
            self.parsers
                .inherit(Protocol::Custom, parser, &claim.name, &[claim.number]);
        }
    }
}

//! What only messages need that plugins tell of.

use super::exchange::Role;
use super::{Exchanges, Out};
use crate::field::{Field, Status};
use crate::parser::Pairing;
use crate::record::texts;

impl Out<'_> {
    /// The selected exchange went like this: what is said of that later does not count, but for the code where
    /// none is given.
    pub(crate) fn settle_outcome(&mut self, code: Option<i64>, status: Status) {
        if let Some(slot) = self.talk.exchanges.slots.get_mut(self.selected) {
            slot.status = status;
            slot.status_is_settled = true;
            if code.is_some() {
                slot.code = code;
                slot.code_is_settled = true;
            }
        }
    }

    /// The input's first `bytes` bytes are not part of the message that begins now; what follows them came
    /// with the segment at hand.
    pub(crate) fn pass(&mut self, bytes: usize) {
        self.moment.offset += bytes as u64;
        self.moment.start_ns = self.moment.now_ns;
    }

    /// Whether nothing was said in this conversation.
    pub(crate) fn is_untouched(&self) -> bool {
        self.talk.conversation.completed == 0 && self.talk.conversation.is_idle()
    }

    /// Messages of this conversation pair in order from here on; only while it is untouched.
    pub(crate) fn pair_in_order(&mut self) {
        self.talk.conversation.in_order = true;
        self.talk.pairing = Pairing::InOrder;
    }

    /// Whether a message of this direction is open, by its id where messages pair by ids; selects it.
    pub(crate) fn is_open(&mut self, role: Role, id: Option<u64>) -> bool {
        match (self.talk.pairing, id) {
            (Pairing::ById, Some(id)) => self.select(role, id),
            (Pairing::ById, None) => false,
            (Pairing::InOrder, _) => {
                let same = self.role == role;
                let slot = self.talk.exchanges.slots.get_mut(self.selected);
                slot.is_some_and(|slot| {
                    let side = slot.side_mut(role);
                    same && side.seen && !side.complete && !side.closing
                })
            }
        }
    }

    /// `request_id` of the selected exchange, where it does not pair by one.
    pub(crate) fn number(&mut self, id: u64) {
        if self.talk.pairing == Pairing::InOrder
            && let Some(slot) = self.talk.exchanges.slots.get_mut(self.selected)
        {
            slot.id = Some(id);
        }
    }

    /// `endpoint` of the request of the selected response, at the start of `to`: its length, 0 where it is
    /// not known. What does not fit is left out.
    pub(crate) fn request_endpoint(&mut self, to: &mut [u8]) -> usize {
        let Exchanges {
            slots,
            text,
            recalled,
            ..
        } = &mut *self.talk.exchanges;
        let Some(slot) = slots.get(self.selected) else {
            return 0;
        };
        recalled.clear();
        text.copy_out(slot.request.text, recalled);
        let found = texts(recalled).find(|(field, _)| *field == Field::Endpoint);
        found.map_or(0, |(_, endpoint)| {
            let len = endpoint.len().min(to.len());
            to[..len].copy_from_slice(&endpoint[..len]);
            len
        })
    }
}

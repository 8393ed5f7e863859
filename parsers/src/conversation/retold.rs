//! What a request says once its response tells of which protocol it is.

use super::text::Chain;
use super::{Exchanges, Out, cut_at_character};
use crate::field::Field;
use crate::limits::MESSAGE_TEXT_BYTES_MAX;
use crate::record::{texts, write_text};

impl Out<'_> {
    /// Writes resource and endpoint of the selected response's request anew: `of` makes them of the resource
    /// that was told.
    #[cold]
    pub(crate) fn retell_resource(&mut self, of: impl Fn(&[u8]) -> (&[u8], &[u8])) {
        let endpoint_max = self.talk.settings.text_bytes_max;
        let Exchanges {
            slots,
            text,
            recalled,
            retold,
            ..
        } = &mut *self.talk.exchanges;
        let Some(slot) = slots.get_mut(self.selected) else {
            return;
        };
        recalled.clear();
        text.copy_out(slot.request.text, recalled);
        retold.clear();
        for (field, bytes) in texts(recalled) {
            match field {
                Field::Resource => {
                    let (resource, endpoint) = of(bytes);
                    write_text(retold, Field::Resource, resource);
                    write_text(retold, Field::Endpoint, cut_at_character(endpoint, endpoint_max));
                }
                Field::Endpoint => {}
                field => write_text(retold, field, bytes),
            }
        }
        if retold.len() > MESSAGE_TEXT_BYTES_MAX {
            return;
        }
        text.release(&mut slot.request.text);
        let mut chain = Chain::EMPTY;
        if !text.append(&mut chain, retold) {
            text.release(&mut chain);
            slot.truncated = true;
        }
        slot.request.text = chain;
    }
}

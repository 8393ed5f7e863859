//! Requests that the server may answer more than once. Source: MongoDB manual, "Wire Protocol", `exhaustAllowed`
//! and `moreToCome`; legacy: the flag `Exhaust` of OP_QUERY.
//!
//! The first answer closes the exchange. Each further one answers the one before it, as if that had been a
//! request: it becomes a `stream` record under the number and the words of the request that began it all.

use super::command::tell_endpoint;
use crate::conversation::{Out, Role};
use crate::field::Field;
use arrayvec::ArrayVec;

/// Bytes kept of the name of a command, a database, and a collection: servers allow 64 for a database.
const TEXT_BYTES_MAX: usize = 64;

type Text = ArrayVec<u8, TEXT_BYTES_MAX>;

/// What a flow remembers of what its client asked.
#[derive(Default)]
pub(super) struct Memo {
    /// Name of the command at hand.
    pub(super) name: Text,
    /// What is answered more than once; made once for a flow that has such, and kept: few have.
    exhaust: Option<Box<Exhaust>>,
    /// What is read belongs to that.
    is_noted: bool,
}

#[derive(Default)]
struct Exhaust {
    /// Number of the request.
    id: u64,
    name: Text,
    database: Text,
    collection: Text,
    /// The server has said that more will come.
    goes_on: bool,
}

impl Memo {
    /// A request begins; `repeats`: it may be answered more than once.
    pub(super) fn begin(&mut self, id: u64, repeats: bool) {
        self.name.clear();
        self.is_noted = repeats;
        if repeats {
            self.note(id);
        }
    }

    fn note(&mut self, id: u64) -> &mut Exhaust {
        let exhaust = self.exhaust.get_or_insert_default();
        **exhaust = Exhaust {
            id,
            ..Exhaust::default()
        };
        exhaust
    }

    fn noted(&mut self) -> Option<&mut Exhaust> {
        self.exhaust.as_deref_mut().filter(|_| self.is_noted)
    }

    pub(super) fn name(&mut self, name: &[u8]) {
        set(&mut self.name, name);
        if let Some(exhaust) = self.noted() {
            set(&mut exhaust.name, name);
        }
    }

    pub(super) fn database(&mut self, database: &[u8]) {
        if let Some(exhaust) = self.noted() {
            set(&mut exhaust.database, database);
        }
    }

    pub(super) fn collection(&mut self, collection: &[u8]) {
        if let Some(exhaust) = self.noted() {
            set(&mut exhaust.collection, collection);
        }
    }

    /// Opens an answer to request `id`; `more`: another follows it. Says what the request had for a tag,
    /// where it waits.
    pub(super) fn open_answer(&mut self, id: u64, more: bool, out: &mut Out<'_>) -> Option<u32> {
        let asked = out.answering(Some(id));
        if asked.is_none()
            && let Some(exhaust) = self.exhaust.as_deref_mut().filter(|exhaust| exhaust.goes_on)
        {
            out.open(Role::Stream, Some(exhaust.id));
            out.text(Field::ReqType, &exhaust.name);
            out.text(Field::Domain, &exhaust.database);
            out.text(Field::Resource, &exhaust.collection);
            tell_endpoint(&exhaust.name, &exhaust.collection, out);
            exhaust.goes_on = more;
            return None;
        }
        out.open(Role::Response, Some(id));
        if more {
            match self.exhaust.as_deref_mut() {
                Some(exhaust) if exhaust.id == id => exhaust.goes_on = true,
                // Its request was not seen.
                _ => self.note(id).goes_on = true,
            }
        }
        asked
    }

    /// Whether more answers were announced.
    pub(super) fn goes_on(&self) -> bool {
        self.exhaust.as_ref().is_some_and(|exhaust| exhaust.goes_on)
    }
}

/// Replaces a text by as much of another as is kept.
fn set(text: &mut Text, by: &[u8]) {
    text.clear();
    let kept = by.get(..by.len().min(TEXT_BYTES_MAX)).unwrap_or(&[]);
    text.extend(kept.iter().copied());
}

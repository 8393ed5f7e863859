//! The last requests that are not answered: what a response is looked for by after a gap.

use super::request::Tag;
use crate::limits::KAFKA_UNDER_WAY_MAX;

/// Correlation ids and tags of requests.
#[derive(Clone, Copy, Debug)]
pub(super) struct UnderWay {
    requests: [(u32, Tag); KAFKA_UNDER_WAY_MAX],
    /// The place of the next one: that of the oldest.
    next: u8,
}

impl UnderWay {
    pub(super) const NONE: Self = Self {
        requests: [(0, Tag::NONE); KAFKA_UNDER_WAY_MAX],
        next: 0,
    };

    /// A request was sent.
    pub(super) fn add(&mut self, correlation: u32, tag: Tag) {
        if let Some(place) = self.requests.get_mut(usize::from(self.next)) {
            *place = (correlation, tag);
        }
        self.next = (self.next + 1) % KAFKA_UNDER_WAY_MAX as u8;
    }

    /// It was answered.
    pub(super) fn remove(&mut self, correlation: u32) {
        if let Some(place) = self.requests.iter_mut().find(|place| is_of(place, correlation)) {
            place.1 = Tag::NONE;
        }
    }

    /// The tag of the request of this correlation id.
    pub(super) fn find(&self, correlation: u32) -> Option<Tag> {
        let found = self.requests.iter().find(|place| is_of(place, correlation));
        found.map(|place| place.1)
    }
}

fn is_of(place: &(u32, Tag), correlation: u32) -> bool {
    place.0 == correlation && place.1 != Tag::NONE
}

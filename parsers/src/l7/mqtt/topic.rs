//! Topic names, topic filters, and the aliases that stand for topic names in MQTT 5. Sources: MQTT 3.1.1 and
//! MQTT 5 sections 3.8.3, 3.10.3 and 4.7; MQTT 5 section 3.3.2.3.4.

use super::packet::Kind;
use super::version::Version;
use crate::l7::cursor::Cursor;
use crate::limits::{MQTT_ALIAS_TOPICS_BYTES_MAX, MQTT_TOPIC_ALIASES_MAX};

/// What stands in a list of topic filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// UNSUBSCRIBE: nothing else.
    Bare,
    /// SUBSCRIBE of MQTT 3: a byte of QoS behind each.
    Qos,
    /// SUBSCRIBE of MQTT 5: a byte of options behind each.
    Options,
}

impl Layout {
    pub(super) fn of(kind: Kind, version: Version) -> Self {
        match kind {
            Kind::Subscribe if version == Version::V5 => Self::Options,
            Kind::Subscribe => Self::Qos,
            _ => Self::Bare,
        }
    }

    /// Whether a byte may stand behind a filter: QoS to 2, in MQTT 5 with No Local, Retain As Published and
    /// Retain Handling (section 3.8.3.1).
    fn allows(self, options: u8) -> bool {
        let qos = options & 3 != 3;
        match self {
            Self::Bare => true,
            Self::Qos => options <= 2,
            Self::Options => qos && options >> 4 & 3 != 3 && options & 0xC0 == 0,
        }
    }
}

/// Topic filters and their QoS, one after the other; ends at the first that is cut or wrong.
#[derive(Clone, Copy, Debug)]
pub(super) struct Filters<'a> {
    rest: Cursor<'a>,
    layout: Layout,
}

impl<'a> Filters<'a> {
    pub(super) fn new(list: &'a [u8], layout: Layout) -> Self {
        Self {
            rest: Cursor::new(list),
            layout,
        }
    }

    /// Whether `list` is filters to its end.
    pub(super) fn are_whole(list: &'a [u8], layout: Layout) -> bool {
        let mut filters = Self::new(list, layout);
        while filters.next().is_some() {}
        !list.is_empty() && filters.rest.rest().is_empty()
    }

    /// [`are_whole`](Self::are_whole), and text as it should be.
    pub(super) fn are_valid(list: &'a [u8], layout: Layout) -> bool {
        Self::are_whole(list, layout) && Self::new(list, layout).all(|(filter, _)| is_text(filter))
    }
}

impl<'a> Iterator for Filters<'a> {
    type Item = (&'a [u8], u8);

    fn next(&mut self) -> Option<Self::Item> {
        let mut cursor = self.rest;
        let filter = cursor.vector16().filter(|filter| !filter.is_empty())?;
        let options = match self.layout {
            Layout::Bare => 0,
            Layout::Qos | Layout::Options => cursor.u8().filter(|options| self.layout.allows(*options))?,
        };
        self.rest = cursor;
        Some((filter, options & 3))
    }
}

/// Text as the specification wants it (section 1.5.4) and people write it: UTF-8 without control
/// characters. A test for guesses, not for connections that are known.
pub(super) fn is_text(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| !text.chars().any(char::is_control))
}

/// Whether messages may be published to it (section 4.7.1): no wildcard, and no NUL.
pub(super) fn is_topic_name(topic: &[u8]) -> bool {
    !topic.iter().any(|byte| matches!(byte, 0 | b'+' | b'#'))
}

/// The topic names that one side has given numbers to.
#[derive(Debug, Default)]
pub(super) struct Aliases {
    /// In the order of their numbers.
    topics: Vec<(u16, Vec<u8>)>,
    /// Bytes of all topics.
    bytes: usize,
}

impl Aliases {
    /// From now on `alias` stands for `topic`.
    pub(super) fn set(&mut self, alias: u16, topic: &[u8]) {
        let found = self.topics.binary_search_by_key(&alias, |(number, _)| *number);
        if let Ok(at) = found
            && let Some((_, known)) = self.topics.get_mut(at)
        {
            if known.as_slice() == topic {
                return;
            }
            self.bytes -= known.len();
            if self.bytes + topic.len() <= MQTT_ALIAS_TOPICS_BYTES_MAX {
                self.bytes += topic.len();
                known.clear();
                known.extend_from_slice(topic);
            } else {
                self.topics.remove(at);
            }
            return;
        }
        let fits = self.topics.len() < MQTT_TOPIC_ALIASES_MAX
            && self.bytes + topic.len() <= MQTT_ALIAS_TOPICS_BYTES_MAX;
        if let (Err(at), true) = (found, fits) {
            self.bytes += topic.len();
            self.topics.insert(at, (alias, topic.to_vec()));
        }
    }

    /// What `alias` stands for, if that is known.
    pub(super) fn get(&self, alias: u16) -> Option<&[u8]> {
        let found = self.topics.binary_search_by_key(&alias, |(number, _)| *number);
        found
            .ok()
            .and_then(|at| self.topics.get(at))
            .map(|(_, topic)| topic.as_slice())
    }

    /// Some may have changed unseen.
    pub(super) fn clear(&mut self) {
        self.topics.clear();
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_of_each_layout_are_read_to_their_end() {
        let list = b"\x00\x03a/b\x01\x00\x01#\x02";
        let read: Vec<_> = Filters::new(list, Layout::Qos).collect();
        assert_eq!(read, [(&b"a/b"[..], 1), (&b"#"[..], 2)]);
        assert!(Filters::are_valid(list, Layout::Qos));
        assert!(!Filters::are_valid(list, Layout::Bare));
        assert!(!Filters::are_valid(&list[..9], Layout::Qos));
        assert!(Filters::are_valid(b"\x00\x01a\x2D", Layout::Options));
        for wrong in [b"\x00\x01a\x03", b"\x00\x01a\x30", b"\x00\x01a\x40"] {
            assert!(!Filters::are_valid(wrong, Layout::Options));
        }
        assert!(!Filters::are_valid(b"", Layout::Bare));
        assert!(!Filters::are_valid(b"\x00\x00", Layout::Bare));
        assert!(!Filters::are_valid(b"\x00\x01\x07", Layout::Bare));
    }

    #[test]
    fn aliases_change_and_stay_within_their_bounds() {
        let mut aliases = Aliases::default();
        aliases.set(2, b"b");
        aliases.set(1, b"a");
        aliases.set(2, b"bb");
        assert_eq!(
            (aliases.get(1), aliases.get(2), aliases.get(3)),
            (Some(&b"a"[..]), Some(&b"bb"[..]), None)
        );
        assert_eq!(aliases.bytes, 3);
        for alias in 1..2000 {
            aliases.set(alias, &[b'x'; 1000]);
        }
        assert!(aliases.bytes <= MQTT_ALIAS_TOPICS_BYTES_MAX);
        assert_eq!(
            aliases.bytes,
            aliases.topics.iter().map(|(_, topic)| topic.len()).sum::<usize>()
        );
        // What no longer fits is not known under its old meaning.
        aliases.set(1, &[b'y'; MQTT_ALIAS_TOPICS_BYTES_MAX]);
        assert_eq!(aliases.get(1), None);
        for alias in 0..5000 {
            aliases.set(alias, b"");
        }
        assert!(aliases.topics.len() <= MQTT_TOPIC_ALIASES_MAX);
        aliases.clear();
        assert_eq!((aliases.get(3), aliases.bytes), (None, 0));
    }
}

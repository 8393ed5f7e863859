//! Names of topics by their ids. From Fetch 13 and Produce 13 on, requests carry ids alone (KIP-516); the names
//! stand beside them in Metadata, which clients ask for on the same connections.

use crate::limits::KAFKA_TOPIC_IDS_MAX;

/// Longest name that a broker allows, bytes.
pub(super) const NAME_BYTES_MAX: usize = 249;

/// Bytes of an id.
pub(super) const ID_BYTES: usize = 16;

/// Letters of an id as Kafka writes it.
pub(super) const ID_TEXT_BYTES: usize = 22;

struct Topic {
    id: [u8; ID_BYTES],
    name_bytes: u8,
    name: [u8; NAME_BYTES_MAX],
}

/// What one connection has told of its topics.
#[derive(Default)]
pub(super) struct Topics {
    known: Vec<Topic>,
    /// The one that goes when there is no room.
    oldest: usize,
}

impl Topics {
    /// For a new connection.
    pub(super) const NONE: Self = Self {
        known: Vec::new(),
        oldest: 0,
    };

    /// Takes note of a topic's name. What is no id or no name of a topic tells nothing.
    pub(super) fn learn(&mut self, id: &[u8], name: &[u8]) {
        let (Some(id), Some(to)) = (id.first_chunk(), name.len().checked_sub(1)) else {
            return;
        };
        if *id == [0; ID_BYTES] || to >= NAME_BYTES_MAX {
            return;
        }
        let mut topic = Topic {
            id: *id,
            name_bytes: name.len() as u8,
            name: [0; NAME_BYTES_MAX],
        };
        topic.name[..name.len()].copy_from_slice(name);
        if let Some(known) = self.known.iter_mut().find(|known| known.id == *id) {
            *known = topic;
        } else if self.known.len() < KAFKA_TOPIC_IDS_MAX {
            self.known.push(topic);
        } else if let Some(oldest) = self.known.get_mut(self.oldest) {
            *oldest = topic;
            self.oldest = (self.oldest + 1) % KAFKA_TOPIC_IDS_MAX;
        }
    }

    /// The name of the topic of this id.
    pub(super) fn name(&self, id: &[u8]) -> Option<&[u8]> {
        let topic = self.known.iter().find(|topic| topic.id == id)?;
        topic.name.get(..usize::from(topic.name_bytes))
    }
}

/// An id as Kafka writes it: base64 for URLs, without padding (RFC 4648 section 5).
pub(super) fn id_text(id: &[u8; ID_BYTES]) -> [u8; ID_TEXT_BYTES] {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits = u128::from_be_bytes(*id);
    let mut text = [0; ID_TEXT_BYTES];
    for (place, letter) in text.iter_mut().enumerate() {
        // 22 digits hold 132 bits: the last four are zeros.
        let from_end = 6 * (ID_TEXT_BYTES - 1 - place);
        let digit = if from_end >= 4 {
            bits >> (from_end - 4)
        } else {
            bits << 4
        };
        *letter = DIGITS[digit as usize & 0x3F];
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_written_as_kafka_does() {
        let id = 0x7ad2_8d4d_3e5a_4c2f_9f0b_1c2d_3e4f_5061_u128.to_be_bytes();
        assert_eq!(&id_text(&id), b"etKNTT5aTC-fCxwtPk9QYQ");
        assert_eq!(&id_text(&[0; 16]), &[b'A'; 22]);
        assert_eq!(&id_text(&[0xFF; 16]), b"_____________________w");
    }

    #[test]
    fn names_are_known_by_their_ids_until_there_is_no_room() {
        let id = |n: u8| [n + 1; 16];
        let mut topics = Topics::NONE;
        for n in 0..KAFKA_TOPIC_IDS_MAX as u8 + 2 {
            topics.learn(&id(n), &[b'a' + n % 26]);
        }
        assert_eq!((topics.name(&id(0)), topics.name(&id(1))), (None, None));
        assert_eq!(topics.name(&id(2)), Some(&b"c"[..]));
        topics.learn(&id(2), b"renamed");
        assert_eq!(topics.name(&id(2)), Some(&b"renamed"[..]));
        topics.learn(&[0; 16], b"none");
        topics.learn(&[9; 15], b"short");
        topics.learn(&[200; 16], &[b'a'; 250]);
        topics.learn(&[201; 16], b"");
        assert_eq!(topics.known.len(), KAFKA_TOPIC_IDS_MAX);
        assert_eq!(topics.name(&[200; 16]), None);
    }
}

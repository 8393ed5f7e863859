//! What a connection is used for, for streams whose fields were lost: most connections carry nothing but calls, or
//! none at all.

use super::fields::Fields;
use super::name::Name;
use crate::l7::Protocol;

/// What the requests of a connection were so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Usual {
    /// None was seen that tells.
    Unknown,
    /// All of them calls of this protocol.
    Calls(Protocol),
    /// Something else was among them.
    Mixed,
}

impl Usual {
    /// Takes note of a request of `protocol`.
    #[inline]
    pub(super) fn learn(&mut self, protocol: Option<Protocol>, fields: &Fields) {
        *self = match (protocol, *self) {
            // What was guessed is no proof.
            (None, usual) if fields.unknown => usual,
            (Some(protocol), Self::Unknown) => Self::Calls(protocol),
            (Some(protocol), Self::Calls(usual)) if protocol == usual => Self::Calls(usual),
            _ => Self::Mixed,
        };
    }

    /// What fields are of whose content type is not known; `None`: nothing tells.
    pub(super) fn calls(self, fields: &Fields) -> Option<Protocol> {
        let is_call = fields.get(Name::Method).is_none_or(|method| method == b"POST");
        match self {
            Self::Calls(protocol) if is_call => Some(protocol),
            _ => None,
        }
    }
}

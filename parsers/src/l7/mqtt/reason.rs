//! Return codes and reason codes: what they are called, and whose fault they tell of. Sources: MQTT 3.1.1
//! sections 3.2.2.3 and 3.9.3; MQTT 5 section 2.4.

use super::version::Version;
use crate::field::Status;
use crate::parser::Direction;

/// From here on reason codes tell of failures (section 2.4).
pub(super) const FAILURE_MIN: u8 = 0x80;

/// Who failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Nobody,
    /// Who says so could not, or would not go on.
    Reporter,
    /// Who is told asked wrongly.
    Other,
}

/// What a reason code means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reason {
    /// As the specification calls it.
    pub(super) name: &'static str,
    fault: Fault,
}

impl Reason {
    /// The meaning of `code` in a CONNACK.
    pub(super) fn of_connack(code: u8, version: Version) -> Option<Self> {
        if version == Version::V5 {
            return Self::of(code);
        }
        let (name, fault) = match code {
            0 => ("Connection Accepted", Fault::Nobody),
            1 => ("unacceptable protocol version", Fault::Other),
            2 => ("identifier rejected", Fault::Other),
            3 => ("Server unavailable", Fault::Reporter),
            4 => ("bad user name or password", Fault::Other),
            5 => ("not authorized", Fault::Other),
            // Brokers of both versions may answer what they don't know in the newer one.
            _ => return Self::of(code).filter(|_| code >= FAILURE_MIN),
        };
        Some(Self { name, fault })
    }

    /// The meaning of `code` anywhere else. MQTT 3.1.1 has 0 to 2 and 0x80 in common with MQTT 5.
    pub(super) fn of(code: u8) -> Option<Self> {
        use Fault::{Nobody, Other, Reporter};
        let (name, fault) = match code {
            0x00 => ("Success", Nobody),
            0x01 => ("Granted QoS 1", Nobody),
            0x02 => ("Granted QoS 2", Nobody),
            0x04 => ("Disconnect with Will Message", Nobody),
            0x10 => ("No matching subscribers", Nobody),
            0x11 => ("No subscription existed", Nobody),
            0x18 => ("Continue authentication", Nobody),
            0x19 => ("Re-authenticate", Nobody),
            0x80 => ("Unspecified error", Reporter),
            0x81 => ("Malformed Packet", Other),
            0x82 => ("Protocol Error", Other),
            0x83 => ("Implementation specific error", Reporter),
            0x84 => ("Unsupported Protocol Version", Other),
            0x85 => ("Client Identifier not valid", Other),
            0x86 => ("Bad User Name or Password", Other),
            0x87 => ("Not authorized", Other),
            0x88 => ("Server unavailable", Reporter),
            0x89 => ("Server busy", Reporter),
            0x8A => ("Banned", Other),
            0x8B => ("Server shutting down", Reporter),
            0x8C => ("Bad authentication method", Other),
            0x8D => ("Keep Alive timeout", Other),
            0x8E => ("Session taken over", Other),
            0x8F => ("Topic Filter invalid", Other),
            0x90 => ("Topic Name invalid", Other),
            0x91 => ("Packet Identifier in use", Other),
            0x92 => ("Packet Identifier not found", Other),
            0x93 => ("Receive Maximum exceeded", Other),
            0x94 => ("Topic Alias invalid", Other),
            0x95 => ("Packet too large", Other),
            0x96 => ("Message rate too high", Other),
            0x97 => ("Quota exceeded", Other),
            0x98 => ("Administrative action", Reporter),
            0x99 => ("Payload format invalid", Other),
            0x9A => ("Retain not supported", Other),
            0x9B => ("QoS not supported", Other),
            0x9C => ("Use another server", Reporter),
            0x9D => ("Server moved", Reporter),
            0x9E => ("Shared Subscriptions not supported", Other),
            0x9F => ("Connection rate exceeded", Other),
            0xA0 => ("Maximum connect time", Other),
            0xA1 => ("Subscription Identifiers not supported", Other),
            0xA2 => ("Wildcard Subscriptions not supported", Other),
            _ => return None,
        };
        Some(Self { name, fault })
    }

    /// Whether something went wrong.
    pub(super) fn is_failure(self) -> bool {
        self.fault != Fault::Nobody
    }

    /// `status` of an exchange that ends like this; `said` is the way of the packet that says so.
    pub(super) fn status(self, said: Direction) -> Status {
        match (self.fault, said) {
            (Fault::Nobody, _) => Status::Ok,
            (Fault::Reporter, Direction::ToClient) | (Fault::Other, Direction::ToServer) => {
                Status::ServerError
            }
            (Fault::Other, Direction::ToClient) | (Fault::Reporter, Direction::ToServer) => {
                Status::ClientError
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_the_fault_of_one_side() {
        let status = |code, said| Reason::of(code).map(|reason| reason.status(said));
        assert_eq!(status(0x10, Direction::ToClient), Some(Status::Ok));
        assert_eq!(status(0x87, Direction::ToClient), Some(Status::ClientError));
        assert_eq!(status(0x88, Direction::ToClient), Some(Status::ServerError));
        // A client that refuses what the server has sent.
        assert_eq!(status(0x99, Direction::ToServer), Some(Status::ServerError));
        assert_eq!(status(0x83, Direction::ToServer), Some(Status::ClientError));
        assert_eq!(status(0x7F, Direction::ToClient), None);
    }

    #[test]
    fn return_codes_and_reason_codes_are_two_tables() {
        let name = |code, version| Reason::of_connack(code, version).map(|reason| reason.name);
        assert_eq!(name(5, Version::V311), Some("not authorized"));
        assert_eq!(name(5, Version::V5), None);
        assert_eq!(name(0x84, Version::V311), Some("Unsupported Protocol Version"));
        assert_eq!(name(6, Version::V31), None);
    }
}

//! What stands before the fields of a message. Source: Apache Kafka, protocol guide, "Protocol Request and
//! Response Headers"; KIP-482 (tagged fields), KIP-511 (ApiVersions).

use super::cursor::{Cursor, Lack};
use super::layout::Api;
use super::layouts;
use super::walk::pass_tag;
use crate::limits::{KAFKA_MESSAGE_BYTES_MAX, KAFKA_TEXT_BYTES_MAX};

/// Bytes of the length before each message, which does not count them.
pub(super) const LENGTH_BYTES: usize = 4;
/// Length, API key, version and correlation id.
pub(super) const REQUEST_BYTES_MIN: usize = 12;
/// Length and correlation id.
pub(super) const RESPONSE_BYTES_MIN: usize = 8;
/// API key of SaslHandshake.
pub(super) const SASL_HANDSHAKE: u16 = 17;
/// API key of ApiVersions, whose responses have the oldest header: a client reads them before it knows what the
/// broker speaks.
const API_VERSIONS: u16 = 18;
/// API key of ControlledShutdown, whose version 0 has no client id.
const CONTROLLED_SHUTDOWN: u16 = 7;
/// API key of Produce.
pub(super) const PRODUCE: u16 = 0;

/// How many bytes a message has, its length included; `None` for what no message is long.
pub(super) fn message_bytes(head: &[u8]) -> Option<u64> {
    let length = i32::from_be_bytes(*head.first_chunk()?);
    let length = u32::try_from(length).ok()?;
    (length <= KAFKA_MESSAGE_BYTES_MAX).then_some(u64::from(length) + LENGTH_BYTES as u64)
}

/// The head of a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request<'a> {
    pub(super) key: u16,
    pub(super) version: u16,
    /// `None` where the key is not known.
    pub(super) api: Option<&'static Api>,
    pub(super) correlation: u32,
    pub(super) client: &'a [u8],
    /// The client's name goes on.
    pub(super) is_cut: bool,
    /// Whether it is one to produce that nobody will answer (acknowledgements: 0).
    pub(super) is_oneway: bool,
    /// Where its fields begin.
    pub(super) fields_at: u64,
    /// Bytes of the whole message.
    pub(super) bytes: u64,
}

impl<'a> Request<'a> {
    /// Reads the head of `bytes`.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Lack> {
        if bytes.len() < LENGTH_BYTES {
            return Err(Lack::Bytes(LENGTH_BYTES as u64));
        }
        let whole = message_bytes(bytes).ok_or(Lack::Broken)?;
        let mut cursor = Cursor::new(bytes, LENGTH_BYTES as u64, whole);
        let key = cursor.int16()?.cast_unsigned();
        let version = cursor.int16()?.cast_unsigned();
        // Nobody has a tenth as many keys or versions.
        if key > 1000 || version > 100 {
            return Err(Lack::Broken);
        }
        let correlation = cursor.int32()?.cast_unsigned();
        let api = layouts::api(key);
        let (mut client, mut is_cut) = (&b""[..], false);
        if key != CONTROLLED_SHUTDOWN || version > 0 {
            // Never compact: an old broker must be able to read it.
            let length = cursor.length(false, true)?.unwrap_or(0) as usize;
            let kept = length.min(KAFKA_TEXT_BYTES_MAX);
            client = cursor.take(kept)?;
            is_cut = kept < length;
            cursor.pass((length - kept) as u64)?;
        }
        if api.is_some_and(|api| is_flexible(api, version)) {
            for _ in 0..cursor.length_of_tags()? {
                pass_tag(&mut cursor)?;
            }
        }
        let fields_at = cursor.at;
        let is_oneway = key == PRODUCE && api.is_some_and(|api| is_known(api, version)) && {
            if version >= 3 {
                let id = cursor.length(api.is_some_and(|api| is_flexible(api, version)), true)?;
                cursor.pass(u64::from(id.unwrap_or(0)))?;
            }
            cursor.int16()? == 0
        };
        Ok(Self {
            key,
            version,
            api,
            correlation,
            client,
            is_cut,
            is_oneway,
            fields_at,
            bytes: whole,
        })
    }

    /// Whether its fields can be read.
    pub(super) fn is_known(&self) -> bool {
        self.api.is_some_and(|api| is_known(api, self.version))
    }
}

/// Whether this version has compact encodings and tagged fields.
pub(super) fn is_flexible(api: &Api, version: u16) -> bool {
    version >= u16::from(api.flexible)
}

/// Whether the layout of this version is known. That of ApiVersions never changes in what is read of it: a client
/// sends the newest before it knows what the broker speaks, which answers one that it does not know in version 0.
pub(super) fn is_known(api: &Api, version: u16) -> bool {
    version <= u16::from(api.newest) || u16::from(api.key) == API_VERSIONS
}

/// Whether responses of this version have tagged fields in their headers.
pub(super) fn has_tags(api: &Api, version: u16) -> bool {
    is_flexible(api, version) && u16::from(api.key) != API_VERSIONS
}

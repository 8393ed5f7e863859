//! Tells the protocol from the first bytes of either side, and finds messages again after a gap.

use super::message::{Chain, follow, look_at_client, look_at_server};
use super::startup::{HEAD_BYTES, Opening, Startup};
use super::wire::HEADER_BYTES;
use crate::limits::PROBE_BYTES_MAX;
use crate::parser::{Probe, ProbeContext, Speaker};
use memchr::memmem;

/// Sync, whole.
const SYNC: &[u8] = b"S\0\0\0\x04";
/// ReadyForQuery, without the status of the transaction.
const READY: &[u8] = b"Z\0\0\0\x05";

/// Whose messages `head` begins with.
pub(super) fn probe(head: &[u8], context: &ProbeContext) -> Probe {
    if head.first() == Some(&0) {
        return probe_opening(head, context);
    }
    let may_grow = !context.complete && head.len() < PROBE_BYTES_MAX;
    if head.len() < HEADER_BYTES {
        return if may_grow { Probe::NeedMore } else { Probe::NoMatch };
    }
    let head = head.get(..head.len().min(4 * PROBE_BYTES_MAX)).unwrap_or(head);
    let client = follow(head, look_at_client);
    if client.is_some_and(|chain| is_client(head, &chain, context)) {
        return Probe::Match(Speaker::Client);
    }
    let server = follow(head, look_at_server);
    if server.is_some_and(|chain| is_server(&chain)) {
        return Probe::Match(Speaker::Server);
    }
    let undecided = |chain: Option<Chain>| chain.is_some_and(|chain| !chain.ends);
    if may_grow && (undecided(client) || undecided(server)) {
        Probe::NeedMore
    } else {
        Probe::NoMatch
    }
}

fn probe_opening(head: &[u8], context: &ProbeContext) -> Probe {
    // Length below 64 KiB, and the first byte of the code.
    if !matches!(*head, [0] | [0, 0, ..]) {
        return Probe::NoMatch;
    }
    if head.len() < HEAD_BYTES {
        return if context.complete {
            Probe::NoMatch
        } else {
            Probe::NeedMore
        };
    }
    let Some((opening, len)) = Opening::read(head) else {
        return Probe::NoMatch;
    };
    let parameters = head.get(HEAD_BYTES..len.min(head.len())).unwrap_or(&[]);
    let right = match opening {
        Opening::Startup => head.len() <= len && (head.len() < len || Startup::read(parameters).is_some()),
        _ => head.len() <= len,
    };
    // The parameter that every startup has begins nearly every one.
    let named = !matches!(opening, Opening::Startup)
        || parameters.len() < 5
        || memmem::find(parameters, b"user\0").is_some()
        || head.len() < len;
    match (right && named, opening) {
        (false, _) => Probe::NoMatch,
        (true, Opening::Startup) if parameters.is_empty() && !context.complete => Probe::NeedMore,
        (true, Opening::Startup) if !parameters.iter().all(|b| *b == 0 || *b >= 0x20) => Probe::NoMatch,
        (true, _) => Probe::Match(Speaker::Client),
    }
}

/// A query or Parse with SQL in it; a run that ends in Sync or Flush.
fn is_client(head: &[u8], chain: &Chain, context: &ProbeContext) -> bool {
    match head.first() {
        Some(b'Q' | b'P') => chain.sure >= 1,
        Some(b'B' | b'D' | b'E' | b'C') => chain.ends && chain.sure >= 2 && matches!(chain.last, b'S' | b'H'),
        Some(b'S') => context.on_known_port && head == SYNC,
        _ => false,
    }
}

/// Several messages, most of which could hardly be anything else; or one alone.
fn is_server(chain: &Chain) -> bool {
    chain.sure >= 2 || (chain.sure == 1 && (chain.ends || chain.whole == 0))
}

/// Where in `bytes` the client's next request begins.
pub(super) fn find_request(bytes: &[u8]) -> Option<usize> {
    let begins = |at: usize| {
        let rest = bytes.get(at..)?;
        let chain = follow(rest, look_at_client)?;
        let right = match rest.first()? {
            b'Q' | b'P' => chain.sure >= 1,
            b'B' | b'D' | b'E' | b'C' => chain.ends && chain.sure >= 2 && chain.last == b'S',
            _ => false,
        };
        right.then_some(at)
    };
    if let Some(at) = begins(0) {
        return Some(at);
    }
    // Behind a Sync a request begins; so does one that reads like SQL.
    let synced = memmem::find(bytes, SYNC).map(|at| at + SYNC.len());
    let queried = memchr::memchr_iter(b'Q', bytes).find_map(begins);
    match (synced, queried) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// Where in `bytes` the server's next answer begins.
pub(super) fn find_answer(bytes: &[u8]) -> Option<usize> {
    // The lost bytes ended with an answer, if what is here begins with one.
    let begins = matches!(
        bytes.first(),
        Some(b'1' | b'2' | b'T' | b'C' | b'E' | b'R' | b'I' | b't' | b'H' | b'G')
    );
    if begins && follow(bytes, look_at_server).is_some_and(|chain| chain.sure >= 2 && is_server(&chain)) {
        return Some(0);
    }
    // Else it begins behind the next ReadyForQuery.
    memmem::find_iter(bytes, READY)
        .map(|at| at + READY.len())
        .find(|at| matches!(bytes.get(*at), Some(b'I' | b'T' | b'E')))
        .map(|at| at + 1)
}

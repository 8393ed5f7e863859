//! Methods. Source: IANA HTTP Method Registry, and what deployed software adds to it.

/// Methods that tell HTTP from other line protocols by themselves.
const KNOWN: [&[u8]; 46] = [
    b"ACL",
    b"BASELINE-CONTROL",
    b"BIND",
    b"CHECKIN",
    b"CHECKOUT",
    b"CONNECT",
    b"COPY",
    b"DELETE",
    b"GET",
    b"HEAD",
    b"LABEL",
    b"LINK",
    b"LOCK",
    b"MERGE",
    b"MKACTIVITY",
    b"MKCALENDAR",
    b"MKCOL",
    b"MKREDIRECTREF",
    b"MKWORKSPACE",
    b"MOVE",
    b"NOTIFY",
    b"OPTIONS",
    b"ORDERPATCH",
    b"PATCH",
    b"POST",
    b"PROPFIND",
    b"PROPPATCH",
    b"PURGE",
    b"PUT",
    b"QUERY",
    b"REBIND",
    b"REPORT",
    b"RPC_IN_DATA",
    b"RPC_OUT_DATA",
    b"SEARCH",
    b"SUBSCRIBE",
    b"TRACE",
    b"UNBIND",
    b"UNCHECKOUT",
    b"UNLINK",
    b"UNLOCK",
    b"UNSUBSCRIBE",
    b"UPDATE",
    b"UPDATEREDIRECTREF",
    b"VERSION-CONTROL",
    b"M-SEARCH",
];

/// Whether this is a method in use.
pub(crate) fn is_known(method: &[u8]) -> bool {
    KNOWN.contains(&method)
}

/// The method in use that `text` ends in: the longest, `UNLOCK` before `LOCK`.
pub(crate) fn at_end_of(text: &[u8]) -> Option<&'static [u8]> {
    let ends = KNOWN.into_iter().filter(|method| text.ends_with(method));
    ends.max_by_key(|method| method.len())
}

//! What a request asks for: its target taken apart, cut and redacted.

use crate::conversation::Out;
use crate::field::Field;

/// The parts of a request target (RFC 9112 section 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target<'a> {
    /// Host and port of an absolute or authority form; user information is left out.
    pub(crate) authority: Option<&'a [u8]>,
    /// Path and query; `*` in asterisk form, the authority in authority form.
    pub(crate) resource: &'a [u8],
}

impl<'a> Target<'a> {
    /// Takes a target apart. `connect`: it is that of a CONNECT.
    #[inline]
    pub(crate) fn new(target: &'a [u8], connect: bool) -> Self {
        match target.first() {
            Some(b'/' | b'*') | None => Self {
                authority: None,
                resource: target,
            },
            _ if connect => Self {
                authority: Some(target),
                resource: target,
            },
            _ => Self::absolute(target),
        }
    }

    fn absolute(target: &'a [u8]) -> Self {
        let scheme = memchr::memchr(b':', target).unwrap_or(target.len());
        let Some(rest) = target.get(scheme..).and_then(|rest| rest.strip_prefix(b"://")) else {
            return Self {
                authority: None,
                resource: target,
            };
        };
        let end = rest
            .iter()
            .position(|byte| matches!(byte, b'/' | b'?' | b'#'))
            .unwrap_or(rest.len());
        let (authority, resource) = rest.split_at(end);
        let host = memchr::memrchr(b'@', authority).map_or(0, |at| at + 1);
        Self {
            authority: authority.get(host..),
            resource: if resource.is_empty() { b"/" } else { resource },
        }
    }
}

/// The first `segments` segments of a path, without its query.
#[inline]
pub(crate) fn endpoint(resource: &[u8], segments: usize) -> &[u8] {
    let mut slashes = 0;
    for (at, byte) in resource.iter().enumerate() {
        match byte {
            // Nearly all bytes, told by one comparison.
            b'@'..=0xFF => {}
            b'/' if slashes < segments => slashes += 1,
            b'/' | b'?' | b'#' => return resource.get(..at).unwrap_or(resource),
            _ => {}
        }
    }
    resource
}

/// Writes `resource` and `endpoint` of the selected message as the settings want them.
#[inline]
pub(crate) fn write(out: &mut Out<'_>, resource: &[u8]) {
    let settings = out.settings();
    if settings.redaction.url_query {
        let mut text = out.write(Field::Resource);
        redact(resource, |piece| text.push(piece));
    } else {
        out.text(Field::Resource, resource);
    }
    out.text(Field::Endpoint, endpoint(resource, settings.path_segments));
}

/// Passes on `resource` in pieces, with `?` in place of every query value. A parameter without `=` is
/// a value as a whole.
fn redact(resource: &[u8], mut push: impl FnMut(&[u8])) {
    let query = memchr::memchr(b'?', resource).map_or(resource.len(), |at| at + 1);
    let (path, query) = resource.split_at(query);
    push(path);
    for parameter in query.split_inclusive(|byte| *byte == b'&') {
        let (parameter, separator) = match parameter {
            [parameter @ .., b'&'] => (parameter, &b"&"[..]),
            _ => (parameter, &b""[..]),
        };
        let (name, value) = parameter.split_at(memchr::memchr(b'=', parameter).map_or(0, |at| at + 1));
        push(name);
        push(if value.is_empty() { b"" } else { b"?" });
        push(separator);
    }
}

#[cfg(test)]
mod tests {
    use super::{Target, endpoint, redact};

    #[test]
    fn targets_come_apart() {
        let of = |target: &'static str, connect| {
            let target = Target::new(target.as_bytes(), connect);
            let text = |bytes| std::str::from_utf8(bytes).unwrap();
            (target.authority.map(text), text(target.resource))
        };
        assert_eq!(of("/a?b=http://c/d", false), (None, "/a?b=http://c/d"));
        assert_eq!(of("*", false), (None, "*"));
        assert_eq!(of("host:443", true), (Some("host:443"), "host:443"));
        assert_eq!(of("http://h:80/p?q", false), (Some("h:80"), "/p?q"));
        assert_eq!(of("http://u:p@h", false), (Some("h"), "/"));
        assert_eq!(of("http://h?q", false), (Some("h"), "?q"));
        assert_eq!(of("nonsense", false), (None, "nonsense"));
        assert_eq!(of("", false), (None, ""));
    }

    #[test]
    fn endpoints_keep_two_segments() {
        let of = |path: &'static str| std::str::from_utf8(endpoint(path.as_bytes(), 2)).unwrap();
        assert_eq!(of("/"), "/");
        assert_eq!(of("/a/b/c"), "/a/b");
        assert_eq!(of("/a/b/"), "/a/b");
        assert_eq!(of("/a/b?c=/d/e"), "/a/b");
        assert_eq!(of("/a#b/c"), "/a");
        assert_eq!(of("*"), "*");
        assert_eq!(of(""), "");
    }

    #[test]
    fn query_values_are_replaced() {
        let of = |path: &'static str| {
            let mut text = Vec::new();
            redact(path.as_bytes(), |piece| text.extend_from_slice(piece));
            String::from_utf8(text).unwrap()
        };
        assert_eq!(of("/a/b"), "/a/b");
        assert_eq!(of("/a?x=1&yy=2&z=&=&k=a=b"), "/a?x=?&yy=?&z=&=&k=?");
        assert_eq!(of("/a?secret"), "/a??");
        assert_eq!(of("/a?"), "/a?");
        assert_eq!(of("/a?x=1&"), "/a?x=?&");
    }
}

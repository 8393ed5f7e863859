//! The arguments of a command, wherever they stand, and which of them must not be told.

use super::names::Name;
use super::resp::{self, Bulk};
use crate::conversation::Out;
use crate::field::Field;

/// `$0` and two line ends: the shortest argument.
const EMPTY_VALUE_BYTES: u64 = 6;

/// Stands for an argument that is not told.
const HIDDEN: &[u8] = b"?";

/// Arguments one after the other, the command's name first.
#[derive(Clone, Copy)]
pub(super) enum Arguments<'a> {
    /// `left` bulk values from `at` on.
    Values { bytes: &'a [u8], at: usize, left: u64 },
    /// Words of a line: an inline command, or what MONITOR shows.
    Words { line: &'a [u8] },
}

impl<'a> Iterator for Arguments<'a> {
    /// An argument as far as it is at hand, and whether that is all of it.
    type Item = (&'a [u8], bool);

    #[inline]
    fn next(&mut self) -> Option<(&'a [u8], bool)> {
        match self {
            Self::Values { left: 0, .. } => None,
            Self::Values { bytes, at, left } => {
                let resp::Look::Head(head) = resp::look(bytes, *at) else {
                    return None;
                };
                let resp::Form::Bulk(len) = head.form else {
                    return None;
                };
                let rest = bytes.get(head.end..).unwrap_or(&[]);
                let part = rest.get(..len as usize).unwrap_or(rest);
                *at = head.end + part.len() + resp::CRLF.len();
                *left -= 1;
                Some((part, part.len() as u64 == len))
            }
            Self::Words { line } => next_word(line).map(|word| (word, true)),
        }
    }
}

/// Takes the next word off `line`: quotes hold blanks together and are left out, what is escaped within
/// them stays as sent (as sdssplitargs of Redis divides words).
fn next_word<'a>(line: &mut &'a [u8]) -> Option<&'a [u8]> {
    let start = line.iter().position(|byte| !byte.is_ascii_whitespace())?;
    let rest = line.get(start..)?;
    let quote = *rest.first()?;
    if quote != b'"' && quote != b'\'' {
        let len = rest
            .iter()
            .position(u8::is_ascii_whitespace)
            .unwrap_or(rest.len());
        let (word, after) = rest.split_at(len);
        *line = after;
        return Some(word);
    }
    let mut len = 1;
    while let Some(byte) = rest.get(len).filter(|byte| **byte != quote) {
        len += if *byte == b'\\' { 2 } else { 1 };
    }
    *line = rest.get(len + 1..).unwrap_or(&[]);
    rest.get(1..len).or(rest.get(1..))
}

/// Writes the command: its name in upper case as `field`, all of it as `resource`.
pub(super) fn write(name: &Name, arguments: Arguments<'_>, whole: bool, out: &mut Out<'_>) {
    let redact = out.settings().redaction.redis_values;
    let told = if redact {
        told_arguments(name.as_bytes())
    } else {
        usize::MAX
    };
    let mut secrets = Secrets::of(name.as_bytes());
    let mut text = out.write(Field::Resource);
    for (index, (argument, argument_whole)) in arguments.enumerate() {
        if text.is_full() {
            text.mark_truncated();
            return;
        }
        if index > 0 {
            text.push(b" ");
        }
        let hidden = secrets.hide(index, argument) || index > told;
        text.push(if hidden { HIDDEN } else { argument });
        if !argument_whole {
            text.mark_truncated();
        }
    }
    if !whole {
        text.mark_truncated();
    }
}

/// Whether some arguments of the command may be passwords.
pub(super) fn may_be_secret(name: &Name) -> bool {
    Secrets::of(name.as_bytes()).rule != Rule::None
}

/// How many arguments a redacted command keeps: its subcommand and its key.
fn told_arguments(name: &[u8]) -> usize {
    match name {
        b"EVAL" | b"EVAL_RO" | b"ECHO" | b"PING" => 0,
        b"ACL" | b"BITOP" | b"CLIENT" | b"CLUSTER" | b"COMMAND" | b"CONFIG" | b"DEBUG" | b"FUNCTION"
        | b"LATENCY" | b"MEMORY" | b"MODULE" | b"OBJECT" | b"PUBSUB" | b"SCRIPT" | b"SENTINEL"
        | b"SLOWLOG" | b"XGROUP" | b"XINFO" => 2,
        _ => 1,
    }
}

/// Which arguments of a command are passwords: those are never told, whatever the settings say.
struct Secrets {
    rule: Rule,
    /// So many arguments from here on are secret.
    hidden: u8,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Rule {
    None,
    /// AUTH: all.
    All,
    /// HELLO, MIGRATE: what follows AUTH or AUTH2.
    AfterAuth,
    /// ACL: the rules of SETUSER.
    Acl,
    /// CONFIG, SENTINEL: the value of a parameter that is named like a credential.
    Parameters,
}

impl Secrets {
    #[inline]
    fn of(name: &[u8]) -> Self {
        let rule = match name {
            b"AUTH" => Rule::All,
            b"HELLO" | b"MIGRATE" => Rule::AfterAuth,
            b"ACL" => Rule::Acl,
            b"CONFIG" | b"SENTINEL" => Rule::Parameters,
            _ => Rule::None,
        };
        Self { rule, hidden: 0 }
    }

    /// Whether the argument of this index is secret. To be asked in order, index 0 being the name.
    #[inline]
    fn hide(&mut self, index: usize, argument: &[u8]) -> bool {
        if index == 0 || self.rule == Rule::None {
            return false;
        }
        if self.hidden > 0 {
            self.hidden = self.hidden.saturating_sub(u8::from(self.rule != Rule::Acl));
            return true;
        }
        match self.rule {
            Rule::None => false,
            Rule::All => true,
            Rule::AfterAuth => {
                // HELLO AUTH and MIGRATE AUTH2 name a user too; one argument too many is hidden for AUTH
                // of MIGRATE rather than one too few.
                if argument.eq_ignore_ascii_case(b"AUTH") || argument.eq_ignore_ascii_case(b"AUTH2") {
                    self.hidden = 2;
                }
                false
            }
            Rule::Acl => {
                // The user's name is told, and nothing behind it.
                self.hidden = u8::from(index == 2);
                if index == 1 && !argument.eq_ignore_ascii_case(b"SETUSER") {
                    self.rule = Rule::None;
                }
                false
            }
            Rule::Parameters => {
                if is_credential(argument) {
                    self.hidden = 1;
                }
                false
            }
        }
    }
}

/// Whether a parameter is named like `requirepass`, `masterauth`, `primaryuser`, `tls-key-file-pass`,
/// `auth-pass` or `sentinel-user`.
fn is_credential(parameter: &[u8]) -> bool {
    [&b"pass"[..], b"auth", b"user", b"secret"].iter().any(|word| {
        parameter
            .windows(word.len())
            .any(|window| window.eq_ignore_ascii_case(word))
    })
}

/// What a scan for a command's arguments found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scan {
    /// All of them are at hand and end here.
    Whole(usize),
    /// As many as a record tells are at hand.
    Enough,
    /// So many bytes are wanted, from the start of the input.
    More(usize),
    /// These are no arguments.
    Broken,
}

/// Looks whether `count` arguments from `at` on, or as much of them as a record tells (`text_max`
/// bytes), are at hand.
#[inline]
pub(super) fn scan(bytes: &[u8], at: usize, count: u64, text_max: usize) -> Scan {
    let (mut next, mut text) = (at, 0);
    for index in 0..count {
        if text > text_max {
            return Scan::Enough;
        }
        // Asking for all that must come yet, not for the next byte, keeps scans of one command few.
        let to_come = (count - index).saturating_mul(EMPTY_VALUE_BYTES);
        let at_least = usize::try_from(to_come).map_or(usize::MAX, |bytes| next.saturating_add(bytes));
        match resp::bulk(bytes, next, text_max - text + 1) {
            Bulk::Text(part, end) => {
                text += part.len() + 1;
                if end > bytes.len() as u64 {
                    return if text > text_max {
                        Scan::Enough
                    } else {
                        Scan::More(at_least.max(end as usize))
                    };
                }
                next = end as usize;
                if bytes.get(next - resp::CRLF.len()..next) != Some(resp::CRLF) {
                    return Scan::Broken;
                }
            }
            Bulk::More(wanted) => return Scan::More(at_least.max(wanted)),
            Bulk::Other => return Scan::Broken,
        }
    }
    Scan::Whole(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<&str> {
        Arguments::Words {
            line: line.as_bytes(),
        }
        .map(|(word, _)| std::str::from_utf8(word).unwrap())
        .collect()
    }

    #[test]
    fn lines_are_divided_as_the_server_divides_them() {
        assert_eq!(words("  get\tkey "), ["get", "key"]);
        assert_eq!(
            words(r#"set k "a \"b\" c" 'd e'"#),
            ["set", "k", r#"a \"b\" c"#, "d e"]
        );
        assert_eq!(words(r#"x "" "open"#), ["x", "", "open"]);
        assert_eq!(words(r#"x "\"#), ["x", "\\"]);
        assert_eq!(words(" "), [""; 0]);
    }

    fn hidden(command: &str) -> String {
        let mut secrets = Secrets::of(command.split(' ').next().unwrap().to_uppercase().as_bytes());
        let told = command.split(' ').enumerate();
        let told = told.map(|(i, word)| {
            if secrets.hide(i, word.as_bytes()) {
                "?"
            } else {
                word
            }
        });
        told.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn passwords_are_never_told() {
        for (command, told) in [
            ("auth secret", "auth ?"),
            ("AUTH user secret", "AUTH ? ?"),
            ("HELLO 3 auth user secret SETNAME x", "HELLO 3 auth ? ? SETNAME x"),
            ("ACL SETUSER bob on >secret ~* +@all", "ACL SETUSER bob ? ? ? ?"),
            ("acl getuser bob", "acl getuser bob"),
            ("ACL LIST", "ACL LIST"),
            (
                "CONFIG SET maxmemory 1 requirepass secret port 2",
                "CONFIG SET maxmemory 1 requirepass ? port 2",
            ),
            ("CONFIG SET masterauth secret", "CONFIG SET masterauth ?"),
            (
                "CONFIG SET tls-client-key-file-pass secret",
                "CONFIG SET tls-client-key-file-pass ?",
            ),
            (
                "SENTINEL SET mymaster auth-pass secret quorum 2",
                "SENTINEL SET mymaster auth-pass ? quorum 2",
            ),
            (
                "MIGRATE h 1 k 0 9 COPY AUTH2 user secret KEYS a",
                "MIGRATE h 1 k 0 9 COPY AUTH2 ? ? KEYS a",
            ),
            ("MIGRATE h 1 k 0 9 AUTH secret", "MIGRATE h 1 k 0 9 AUTH ?"),
            ("SET auth x", "SET auth x"),
        ] {
            assert_eq!(hidden(command), told);
        }
    }
}

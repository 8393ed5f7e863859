//! What follows the head of a request: arguments, which are passed, and attachments.

use super::Side;
use crate::conversation::Out;
use crate::field::Field;
use crate::l7::hessian2::{Stop, Walk, is_string, string};
use crate::l7::http::header::Header;
use crate::l7::http::trace;
use crate::limits::{DUBBO_ATTACHMENT_BYTES_MAX, DUBBO_WALKED_BYTES_MAX};
use crate::parser::{Advance, Input};

/// What comes next in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Values that the walker passes, then the attachments.
    Arguments,
    /// The map of attachments.
    Attachments,
    /// The type of that map, then its entries.
    MapType,
    /// A key, or the end of the map.
    Entry,
    /// What the walker passes of an entry, then the next one.
    Unwanted,
    /// Nothing of interest.
    Rest,
    /// What could not be read.
    Lost,
}

/// What a stage led to.
enum Step {
    /// So many bytes are done with.
    On(usize),
    /// So many are wanted.
    Need(usize),
}

impl Side {
    /// Reads the body on from `at` in the input; it ends `left` bytes behind.
    pub(super) fn go_on(&mut self, mut at: usize, input: Input<'_>, out: &mut Out<'_>) -> Advance {
        loop {
            if self.left == 0 && self.stage != Stage::Attachments && self.stage != Stage::Rest {
                self.stage = Stage::Lost;
            }
            match self.stage {
                Stage::Lost => {
                    out.truncated();
                    return self.pass(at, out);
                }
                Stage::Rest => return self.pass(at, out),
                Stage::Attachments if self.left == 0 => return self.pass(at, out),
                _ => {}
            }
            let rest = input.bytes.get(at..).unwrap_or(&[]);
            let body = rest.get(..self.left as usize).unwrap_or(rest);
            match self.step(body, out) {
                Some(Step::On(count)) => {
                    at += count;
                    self.left -= count as u32;
                    let unseen = self.walker.unseen() as u64;
                    if unseen > 0 && unseen < u64::from(self.left) {
                        self.walker.pass_unseen();
                        self.left -= unseen as u32;
                        return Advance::Skip(at as u64 + unseen);
                    }
                }
                // The next call begins where this one ends.
                Some(Step::Need(_)) if at > 0 && !input.ended => return Advance::Consumed(at),
                Some(Step::Need(count)) if !input.ended && body.len() < self.left as usize => {
                    return Advance::Need(count.min(self.left as usize));
                }
                Some(Step::Need(_)) | None => self.stage = Stage::Lost,
            }
        }
    }

    /// Passes what is left of the message.
    fn pass(&mut self, at: usize, out: &mut Out<'_>) -> Advance {
        out.close();
        Advance::Skip(at as u64 + u64::from(std::mem::take(&mut self.left)))
    }

    /// One step on in `body`; `None`: it can't be read.
    fn step(&mut self, body: &[u8], out: &mut Out<'_>) -> Option<Step> {
        match self.stage {
            Stage::Arguments => self.walk(body, Stage::Attachments),
            Stage::MapType | Stage::Unwanted => self.walk(body, Stage::Entry),
            Stage::Attachments => {
                match body.first() {
                    None => return Some(Step::Need(1)),
                    Some(b'H') => self.stage = Stage::Entry,
                    Some(b'M') => {
                        self.walker.expect(1);
                        self.stage = Stage::MapType;
                    }
                    Some(b'N') => self.stage = Stage::Rest,
                    Some(_) => return None,
                }
                Some(Step::On(1))
            }
            Stage::Entry => self.entry(body, out),
            Stage::Rest | Stage::Lost => None,
        }
    }

    fn walk(&mut self, body: &[u8], next: Stage) -> Option<Step> {
        let (count, over) = match self.walker.walk(body) {
            Walk::Over(count) => (count, true),
            Walk::On(0) => return Some(Step::Need(body.len() + 1)),
            Walk::On(count) => (count, false),
            Walk::Broken => return None,
        };
        if over {
            self.stage = next;
        }
        self.walked = self.walked.saturating_add(count as u32);
        if self.walked > DUBBO_WALKED_BYTES_MAX {
            self.stage = Stage::Rest;
        }
        Some(Step::On(count))
    }

    /// A key, and its value where that is wanted.
    fn entry(&mut self, body: &[u8], out: &mut Out<'_>) -> Option<Step> {
        let Some(tag) = body.first() else {
            return Some(Step::Need(1));
        };
        if *tag == b'Z' {
            self.stage = Stage::Rest;
            return Some(Step::On(1));
        }
        let mut rest = body;
        let key = match string(&mut rest) {
            Ok(key) => key,
            Err(Stop::More(count)) if body.len() < DUBBO_ATTACHMENT_BYTES_MAX => {
                return Some(Step::Need(body.len() + count));
            }
            // Longer than any that is wanted, in pieces, or no string.
            Err(_) => return self.unwanted(2, 0),
        };
        let key_bytes = body.len() - rest.len();
        let Some(header) = wanted(key) else {
            return self.unwanted(1, key_bytes);
        };
        match rest.first() {
            None => return Some(Step::Need(body.len() + 1)),
            Some(tag) if !is_string(*tag) => return self.unwanted(1, key_bytes),
            Some(_) => {}
        }
        match string(&mut rest) {
            Ok(value) => {
                write(header, value, out);
                Some(Step::On(body.len() - rest.len()))
            }
            Err(Stop::More(count)) if body.len() < DUBBO_ATTACHMENT_BYTES_MAX => {
                Some(Step::Need(body.len() + count))
            }
            Err(_) => self.unwanted(1, key_bytes),
        }
    }

    /// Lets the walker pass `values` behind the next `count` bytes.
    fn unwanted(&mut self, values: u32, count: usize) -> Option<Step> {
        self.walker.expect(values);
        self.stage = Stage::Unwanted;
        Some(Step::On(count))
    }
}

/// The header that an attachment of this key stands for: those that tell of traces.
fn wanted(key: &[u8]) -> Option<Header> {
    match Header::of_name(key)? {
        Header::Host
        | Header::UserAgent
        | Header::Referer
        | Header::ForwardedFor
        | Header::GrpcStatus
        | Header::GrpcMessage
        | Header::ContentType
        | Header::ContentLength
        | Header::TransferEncoding
        | Header::Upgrade => None,
        header => Some(header),
    }
}

fn write(header: Header, value: &[u8], out: &mut Out<'_>) {
    match header {
        Header::XRequestId => out.text(Field::XRequestId, value),
        header => trace::write(out, header, value),
    }
}

//! Reads the documents of one message as they come: the few elements that are wanted are read, the others
//! passed, however long they are.

use super::command::Command;
use super::exhaust::Memo;
use super::reply::Reply;
use crate::conversation::Out;
use crate::l7::bson::{self, Element, Kind, Trouble};
use arrayvec::ArrayVec;

/// Documents within each other that are looked into: a reply, its cursor, a batch of documents.
const DEPTH_MAX: usize = 4;
/// Bytes of a text that are awaited: as much as the longest field holds by default.
const TEXT_BYTES_MAX: u32 = 4096 + 5;

/// What a document is to its reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// A command, or what wraps one in OP_QUERY.
    Command,
    /// The command that `explain` is asked of.
    Explained,
    /// `commandArgs` or `metadata` of OP_COMMAND.
    Arguments,
    /// What a server answers.
    Reply,
    /// `cursor` of an answer.
    Cursor,
    /// `firstBatch` or `nextBatch` of a cursor.
    Batch,
    /// `writeErrors` of an answer: an array of them.
    WriteErrors,
    /// One of them, or `writeConcernError`.
    WriteError,
}

/// What is to be done with an element.
pub(super) enum Want {
    /// Nothing.
    Pass,
    /// Its value is to be read.
    Read,
    /// It is a document to look into.
    Enter(Scope),
}

/// How the documents of a message are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// Sections of OP_MSG.
    Sections,
    /// So many documents are to be read, one after the other.
    Documents(u8),
}

#[derive(Clone, Copy, Debug)]
struct Frame {
    scope: Scope,
    /// Bytes of the document that are still to come, its end included.
    left: u32,
}

/// Which side of an exchange a message is, and what was found in it so far.
#[derive(Clone, Copy, Debug)]
pub(super) enum Role {
    Command(Command),
    Reply(Reply),
}

/// One message under way.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    /// Bytes of the message that are still to come.
    pub(super) left: u32,
    /// Bytes at its end that belong to no section: the checksum.
    trailer: u32,
    layout: Layout,
    frames: ArrayVec<Frame, DEPTH_MAX>,
    role: Role,
    /// Bytes of it were lost: what is left is passed.
    pub(super) is_cut: bool,
}

/// How far a reading got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// So many more bytes, counted from what was read, are wanted.
    Need(usize),
    /// All that is here was read, or is passed, and so many bytes beyond it.
    Pass(u32),
    /// All that is wanted was read.
    Done,
    /// No more of it can be read.
    Cut,
    /// This is no MongoDB.
    Broken,
}

impl Reading {
    pub(super) fn new(left: u32, has_checksum: bool, layout: Layout, role: Role) -> Self {
        Self {
            left,
            trailer: if has_checksum { 4 } else { 0 },
            layout,
            frames: ArrayVec::new(),
            role,
            is_cut: false,
        }
    }

    /// Reads on in `bytes`, none of which lie behind the message; how many were used, and what is wanted
    /// next.
    pub(super) fn read(&mut self, bytes: &[u8], memo: &mut Memo, out: &mut Out<'_>) -> (usize, Progress) {
        let mut used = 0;
        loop {
            if self.has_ended() {
                return (used, Progress::Done);
            }
            let rest = bytes.get(used..).unwrap_or(&[]);
            let step = match self.frames.last().copied() {
                Some(frame) => self.element(frame, rest, memo, out),
                None => self.document(rest),
            };
            match step {
                Ok(passed) if passed > self.left => return (used, Progress::Broken),
                Ok(passed) => {
                    self.left -= passed;
                    used += passed as usize;
                    if used > bytes.len() {
                        return (bytes.len(), Progress::Pass((used - bytes.len()) as u32));
                    }
                }
                Err(Trouble::Need(need)) if need as u64 > u64::from(self.left) => {
                    return (used, Progress::Broken);
                }
                Err(Trouble::Need(need)) => return (used, Progress::Need(need)),
                Err(Trouble::Broken) => return (used, Progress::Broken),
            }
        }
    }

    /// Nothing more of it is wanted.
    pub(super) fn has_ended(&self) -> bool {
        let is_satisfied = match &self.role {
            Role::Command(command) => command.is_satisfied(),
            Role::Reply(reply) => reply.is_satisfied(),
        };
        is_satisfied || (self.frames.is_empty() && self.left <= self.trailer)
    }

    /// The message has been read as far as it can be.
    pub(super) fn finish(&mut self, memo: &Memo, out: &mut Out<'_>) {
        match &mut self.role {
            Role::Command(command) => command.finish(memo, out),
            Role::Reply(reply) => reply.finish(out),
        }
    }

    fn first_scope(&self) -> Scope {
        match &self.role {
            Role::Command(command) => command.first_scope(),
            Role::Reply(_) => Scope::Reply,
        }
    }

    /// Begins the next section or document; how many bytes that passes.
    fn document(&mut self, bytes: &[u8]) -> Result<u32, Trouble> {
        let head = match self.layout {
            // What follows is not looked at.
            Layout::Documents(0) => return Ok(self.left),
            Layout::Documents(left) => {
                self.layout = Layout::Documents(left - 1);
                0
            }
            Layout::Sections => match bytes.first().ok_or(Trouble::Need(1))? {
                0 => 1,
                1 => {
                    // A sequence of documents: its length counts itself.
                    let len = bson::length(bytes.get(1..).unwrap_or(&[])).ok_or(Trouble::Need(5))?;
                    return if len < 5 || len >= self.left {
                        Err(Trouble::Broken)
                    } else {
                        Ok(1 + len)
                    };
                }
                // Other kinds are between servers; their length is not told.
                _ => return Ok(self.left),
            },
        };
        let value = bytes.get(head..).unwrap_or(&[]);
        let Some(len) = bson::length(value) else {
            if let Layout::Documents(left) = &mut self.layout {
                *left += 1;
            }
            return Err(Trouble::Need(head + bson::LENGTH_BYTES));
        };
        if len > self.left || len < bson::DOCUMENT_BYTES_MIN {
            return Err(Trouble::Broken);
        }
        self.enter(self.first_scope(), len);
        Ok((head + bson::LENGTH_BYTES) as u32)
    }

    /// Looks into a document of `len` bytes, whose length has been read. False where that goes too deep.
    fn enter(&mut self, scope: Scope, len: u32) -> bool {
        let left = len - bson::LENGTH_BYTES as u32;
        self.frames.try_push(Frame { scope, left }).is_ok()
    }

    /// Reads one element of the innermost document; how many bytes that passes.
    fn element(
        &mut self,
        frame: Frame,
        bytes: &[u8],
        memo: &mut Memo,
        out: &mut Out<'_>,
    ) -> Result<u32, Trouble> {
        let Some(element) = bson::element(bytes)? else {
            // Its end stands nowhere but at its end.
            if frame.left != 1 {
                return Err(Trouble::Broken);
            }
            self.frames.pop();
            if let Role::Reply(reply) = &mut self.role {
                reply.leave(frame.scope, out);
            }
            return Ok(1);
        };
        let whole = u64::from(element.len) + element.head as u64;
        if whole >= u64::from(frame.left) {
            return Err(Trouble::Broken);
        }
        let whole = whole as u32;
        let want = match &mut self.role {
            Role::Command(command) => command.want(frame.scope, &element, memo),
            Role::Reply(reply) => reply.want(frame.scope, &element),
        };
        let value = bytes.get(element.head..).unwrap_or(&[]);
        match want {
            Want::Pass => {}
            Want::Read => {
                let awaited = match element.kind {
                    Kind::String | Kind::Symbol => element.len.min(TEXT_BYTES_MAX),
                    Kind::Document | Kind::Array | Kind::Binary => 0,
                    _ => element.len,
                } as usize;
                let Some(value) = value.get(..awaited) else {
                    return Err(Trouble::Need(element.head + awaited));
                };
                self.take(frame.scope, &element, value, memo, out);
            }
            Want::Enter(scope) => {
                if value.len() < bson::LENGTH_BYTES {
                    return Err(Trouble::Need(element.head + bson::LENGTH_BYTES));
                }
                if let Role::Command(command) = &mut self.role {
                    command.entered(scope, memo, out);
                }
                if self.enter(scope, element.len) {
                    self.pass(whole);
                    return Ok((element.head + bson::LENGTH_BYTES) as u32);
                }
            }
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.left -= whole;
        }
        Ok(whole)
    }

    /// Counts an element of `len` bytes as passed in the document around the innermost.
    fn pass(&mut self, len: u32) {
        let around = self.frames.len().checked_sub(2);
        if let Some(frame) = around.and_then(|at| self.frames.get_mut(at)) {
            frame.left -= len;
        }
    }

    fn take(
        &mut self,
        scope: Scope,
        element: &Element<'_>,
        value: &[u8],
        memo: &mut Memo,
        out: &mut Out<'_>,
    ) {
        match &mut self.role {
            Role::Command(command) => command.take(scope, element, value, memo, out),
            Role::Reply(reply) => reply.take(scope, element, value, out),
        }
    }
}

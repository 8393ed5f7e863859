//! What an answer says. Source: MongoDB manual, "Database Commands" (`ok`, `errmsg`, `code`, `codeName`,
//! `writeErrors`, `writeConcernError`), and for OP_REPLY the manual up to version 5.0.

use super::reading::{Scope, Want};
use crate::conversation::Out;
use crate::field::{Field, Status};
use crate::l7::bson::{Element, Kind};

/// An answer under way.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reply {
    /// `ok`, or what stands for it, has been met.
    is_told: bool,
    /// It has a cursor, which no failed command has.
    has_cursor: bool,
    /// A code has been told.
    has_code: bool,
    /// One of its write errors has been looked into.
    has_write_error: bool,
    /// It may be a document of a collection: its request was not seen.
    may_be_stored: bool,
    /// It is one.
    is_stored: bool,
    /// Documents in the batch so far.
    documents: u64,
}

impl Reply {
    /// The answer to a query that failed (OP_REPLY), whatever its document says.
    pub(super) fn of_failure() -> Self {
        Self {
            is_told: true,
            ..Self::default()
        }
    }

    /// An OP_REPLY whose request was not seen: how a command went, or a document of a collection.
    pub(super) fn of_either() -> Self {
        Self {
            may_be_stored: true,
            ..Self::default()
        }
    }

    /// All that is wanted is known.
    pub(super) fn is_satisfied(&self) -> bool {
        self.is_stored
    }

    pub(super) fn want(&mut self, scope: Scope, element: &Element<'_>) -> Want {
        if self.may_be_stored && scope == Scope::Reply {
            // With its number begins every document of a collection, and no answer.
            self.may_be_stored = false;
            self.is_stored = element.name == b"_id";
            if self.is_stored {
                return Want::Pass;
            }
        }
        let is_array = element.kind == Kind::Array;
        let is_document = element.kind == Kind::Document;
        match (scope, element.name) {
            (Scope::Reply, b"ok" | b"n" | b"$err" | b"err") => Want::Read,
            (Scope::Reply | Scope::WriteError, b"code" | b"codeName" | b"errmsg") => Want::Read,
            (Scope::Reply, b"writeErrors") if is_array => Want::Enter(Scope::WriteErrors),
            (Scope::Reply, b"writeConcernError") if is_document && !self.has_write_error => {
                self.has_write_error = true;
                Want::Enter(Scope::WriteError)
            }
            (Scope::Reply, b"cursor") if is_document => {
                self.has_cursor = true;
                Want::Enter(Scope::Cursor)
            }
            (Scope::Cursor, b"firstBatch" | b"nextBatch") if is_array => Want::Enter(Scope::Batch),
            (Scope::Batch, _) => {
                self.documents += 1;
                Want::Pass
            }
            (Scope::WriteErrors, _) if is_document && !self.has_write_error => {
                self.has_write_error = true;
                Want::Enter(Scope::WriteError)
            }
            _ => Want::Pass,
        }
    }

    pub(super) fn take(&mut self, scope: Scope, element: &Element<'_>, value: &[u8], out: &mut Out<'_>) {
        let number = element.number(value);
        match (element.name, number) {
            (b"ok", Some(ok)) if !self.is_told => {
                self.is_told = true;
                out.status(if ok == 1 { Status::Ok } else { Status::ClientError });
            }
            (b"n", Some(n)) => {
                if let Ok(rows) = u64::try_from(n) {
                    out.rows(rows);
                }
            }
            (b"code", Some(code)) if scope == Scope::Reply || !self.has_code => {
                self.has_code = true;
                out.code(code);
            }
            (b"codeName", _) => out.attr("code_name", element.text(value).unwrap_or(&[])),
            (b"errmsg" | b"$err" | b"err", _) => {
                out.text(Field::Exception, element.text(value).unwrap_or(&[]));
            }
            _ => {}
        }
    }

    /// The end of a document that was looked into.
    pub(super) fn leave(&mut self, scope: Scope, out: &mut Out<'_>) {
        if scope == Scope::Batch {
            out.rows(self.documents);
        }
    }

    /// The message has been read as far as it can be.
    pub(super) fn finish(&mut self, out: &mut Out<'_>) {
        if !self.is_told && self.has_cursor {
            self.is_told = true;
            out.status(Status::Ok);
        }
    }
}

//! Opens messages and tells what stands in front of their documents.

use super::MongoDb;
use super::command::{Command, tell_endpoint};
use super::message::{
    CHECKSUM_PRESENT, CURSOR_NOT_FOUND, EXHAUST_ALLOWED, Header, MORE_TO_COME, Op, Prelude, QUERY_EXHAUST,
    QUERY_FAILURE, split_namespace,
};
use super::reading::{Layout, Reading, Role as Reads};
use super::reply::Reply;
use crate::conversation::{Out, Role};
use crate::field::{Field, Status};
use crate::parser::{Advance, Direction};

/// What an answer needs to know of its request: it is a command.
const COMMAND: u32 = 1;
/// It asks for documents of a collection.
const DOCUMENTS: u32 = 1 << 1;
/// The server may answer it more than once.
const REPEATS: u32 = 1 << 2;

impl MongoDb {
    /// Opens a message and tells what its prelude says; `left` bytes of documents follow. `None`: nothing in
    /// them is wanted, and the message is closed.
    pub(super) fn open(
        &mut self,
        header: &Header,
        (op, prelude): (Op, &Prelude<'_>),
        direction: Direction,
        left: u32,
        out: &mut Out<'_>,
    ) -> Option<Reading> {
        let id = u64::from(header.id);
        let answers = u64::from(header.response_to);
        match *prelude {
            Prelude::Message { flags } => {
                let more = flags & MORE_TO_COME != 0;
                let reads = if direction == Direction::ToClient {
                    self.memo.open_answer(answers, more, out);
                    Reads::Reply(Reply::default())
                } else {
                    let repeats = flags & EXHAUST_ALLOWED != 0;
                    self.open_request(id, more, COMMAND, repeats, out);
                    Reads::Command(Command::of_message())
                };
                let has_checksum = flags & CHECKSUM_PRESENT != 0;
                return Some(Reading::new(left, has_checksum, Layout::Sections, reads));
            }
            Prelude::Reply {
                flags,
                has_cursor,
                documents,
            } => {
                let reply = self.open_reply(answers, flags, has_cursor, documents, out);
                if let Some(reply) = reply {
                    let reads = Reads::Reply(reply);
                    return Some(Reading::new(left, false, Layout::Documents(1), reads));
                }
            }
            Prelude::CommandReply => {
                self.memo.open_answer(answers, false, out);
                let reads = Reads::Reply(Reply::default());
                return Some(Reading::new(left, false, Layout::Documents(2), reads));
            }
            Prelude::Query { flags, namespace } => {
                let repeats = flags & QUERY_EXHAUST != 0;
                let (database, collection) = split_namespace(namespace);
                if collection == b"$cmd" {
                    self.open_request(id, false, COMMAND, repeats, out);
                    out.text(Field::Domain, database);
                    self.memo.database(database);
                    let reads = Reads::Command(Command::of_query());
                    return Some(Reading::new(left, false, Layout::Documents(1), reads));
                }
                self.open_request(id, false, DOCUMENTS, repeats, out);
                self.tell_operation(op, namespace, out);
            }
            Prelude::Namespace(namespace) => {
                self.open_request(id, op.is_unanswered(), DOCUMENTS, false, out);
                self.tell_operation(op, namespace, out);
            }
            Prelude::KillCursors => {
                self.open_request(id, true, COMMAND, false, out);
                self.tell_operation(op, &[], out);
            }
            Prelude::Command { database, name } => {
                self.open_request(id, false, COMMAND, false, out);
                out.text(Field::ReqType, name);
                out.text(Field::Domain, database);
                self.memo.name(name);
                let reads = Reads::Command(Command::of_arguments());
                return Some(Reading::new(left, false, Layout::Documents(2), reads));
            }
        }
        out.close();
        None
    }

    /// A message of which nothing but its header can be read.
    pub(super) fn pass_unread(
        &mut self,
        header: &Header,
        op: Op,
        direction: Direction,
        out: &mut Out<'_>,
    ) -> Advance {
        if direction == Direction::ToClient {
            self.memo.open_answer(header.response_to.into(), false, out);
        } else {
            self.open_request(header.id.into(), op.is_unanswered(), 0, false, out);
        }
        out.truncated();
        out.close();
        Advance::Skip(header.len.into())
    }

    fn open_request(&mut self, id: u64, is_unanswered: bool, kind: u32, repeats: bool, out: &mut Out<'_>) {
        self.memo.begin(id, repeats);
        if is_unanswered {
            out.open(Role::OneWay, Some(id));
        } else {
            out.open(Role::Request, Some(id));
            out.tag(kind | if repeats { REPEATS } else { 0 });
        }
    }

    /// Opens an OP_REPLY; how its document is to be read, if it is.
    fn open_reply(
        &mut self,
        answers: u64,
        flags: u32,
        has_cursor: bool,
        documents: u32,
        out: &mut Out<'_>,
    ) -> Option<Reply> {
        let asked = out.answering(Some(answers));
        let goes_on = asked.map_or(self.memo.goes_on(), |tag| tag & REPEATS != 0);
        let is_further = asked.is_none() && goes_on;
        self.memo.open_answer(answers, goes_on && has_cursor, out);
        if flags & CURSOR_NOT_FOUND != 0 {
            out.status(Status::ClientError);
            out.text(Field::Exception, b"CursorNotFound");
            return None;
        }
        if flags & QUERY_FAILURE != 0 {
            out.status(Status::ClientError);
            return Some(Reply::of_failure());
        }
        match asked {
            Some(tag) if tag & COMMAND != 0 => return Some(Reply::default()),
            None if documents == 1 && !is_further => {
                out.status(Status::Ok);
                return Some(Reply::of_either());
            }
            _ => {}
        }
        out.status(Status::Ok);
        out.rows(documents.into());
        None
    }

    /// Tells of an operation that is no command.
    fn tell_operation(&mut self, op: Op, namespace: &[u8], out: &mut Out<'_>) {
        let (database, collection) = split_namespace(namespace);
        let name = op.name().as_bytes();
        out.text(Field::ReqType, name);
        out.text(Field::Domain, database);
        out.text(Field::Resource, collection);
        tell_endpoint(name, collection, out);
        self.memo.name(name);
        self.memo.database(database);
        self.memo.collection(collection);
    }
}

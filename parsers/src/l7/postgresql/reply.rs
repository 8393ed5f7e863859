//! What servers send: answers up to ReadyForQuery, and what comes unasked.

use super::request::hand_over_to_tls;
use super::status;
use super::wire::{HEADER_BYTES, Header, Reader};
use super::{Asked, Phase, PostgreSql, message};
use crate::conversation::{Out, Role};
use crate::field::{Field, Status};
use crate::parser::{Advance, Input};

/// Bytes of an error that are looked at: severity, code and message stand first.
const ERROR_BYTES_MAX: usize = 4096;
/// Bytes of a notification that are looked at: a channel's name has 63, its payload below 8000.
const NOTIFICATION_BYTES_MAX: usize = 2048;

/// The answer at hand.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reply {
    is_open: bool,
    asked: Option<Asked>,
    /// An error was told.
    has_failed: bool,
    /// Rows that the server counted.
    rows: Option<u64>,
    /// Rows seen since it last counted.
    seen: u64,
    /// Messages of the request that are answered.
    answered: u32,
}

impl Reply {
    /// The request of the answer at hand has turned out to be another.
    pub(super) fn now_asked(&mut self, asked: Asked) {
        self.asked = self.asked.map(|_| asked);
    }

    /// Whether everything that was asked for without a Sync is answered, or nothing more of it will be.
    fn is_whole(&self) -> bool {
        match self.asked {
            Some(Asked::Unsynced(messages)) => self.has_failed || self.answered >= messages,
            _ => false,
        }
    }
}

/// What became of a message.
enum Step {
    /// The answer goes on.
    More,
    /// It was the answer's last, or a record of its own.
    End,
    /// It belongs to no answer.
    Silent,
    /// It can't be read before the call that begins with it.
    Later,
}

impl PostgreSql {
    /// Messages of the server's, up to the end of an answer.
    pub(super) fn server_messages(&mut self, input: Input<'_>, out: &mut Out<'_>) -> Advance {
        if let Phase::EncryptionAsked { tls } = self.phase
            && let Some(answer @ (b'S' | b'G' | b'N')) = input.bytes.first()
        {
            return self.encryption_answer(*answer, tls, out);
        }
        if std::mem::take(&mut self.is_aside) {
            out.resume();
        }
        let mut at = 0;
        loop {
            let bytes = input.bytes.get(at..).unwrap_or(&[]);
            let Some(header) = Header::read(bytes) else {
                return match (at, bytes.len() < HEADER_BYTES) {
                    (0, true) => Advance::Need(HEADER_BYTES),
                    (0, false) => Advance::Malformed,
                    _ => Advance::Consumed(at),
                };
            };
            if !message::server_fits(header) {
                return if at > 0 {
                    Advance::Consumed(at)
                } else {
                    Advance::Malformed
                };
            }
            let wanted = match header.kind {
                b'C' | b'R' | b'Z' => header.body as usize,
                b'E' => ERROR_BYTES_MAX,
                b'A' => NOTIFICATION_BYTES_MAX,
                _ => 0,
            };
            let want = HEADER_BYTES + wanted.min(header.body as usize);
            if bytes.len() < want && !input.ended {
                return if at > 0 {
                    Advance::Consumed(at)
                } else {
                    Advance::Need(want)
                };
            }
            let end = at as u64 + header.message_bytes();
            match self.server_message(header, header.body_of(bytes), at == 0, out) {
                Step::More => {}
                Step::End => {
                    out.close();
                    return Advance::Skip(end);
                }
                Step::Silent if !self.reply.is_open => return Advance::Skip(end),
                Step::Silent => {}
                Step::Later => return Advance::Consumed(at),
            }
            match usize::try_from(end) {
                Ok(next) if next < input.bytes.len() => at = next,
                _ => return Advance::Skip(end),
            }
        }
    }

    /// The one byte that answers SSLRequest and GSSENCRequest.
    fn encryption_answer(&mut self, answer: u8, tls: bool, out: &mut Out<'_>) -> Advance {
        out.open(Role::Response, None);
        out.status(Status::Ok);
        out.text(Field::Result, &[answer]);
        out.close();
        if answer == b'S' && tls {
            return hand_over_to_tls(1, out);
        }
        self.phase = match answer {
            b'N' => Phase::Start,
            _ => Phase::Encrypted,
        };
        Advance::Consumed(1)
    }

    fn server_message(&mut self, header: Header, body: &[u8], is_first: bool, out: &mut Out<'_>) -> Step {
        if self.is_replicating {
            self.is_replicating = header.kind != b'Z';
            return Step::Silent;
        }
        if self.reply.is_open && self.reply.is_whole() {
            // It was when its request was not known to have ended.
            if !is_first {
                return Step::Later;
            }
            self.succeed(out);
            out.close_before();
        }
        if header.kind == b'A' {
            if !is_first {
                return Step::Later;
            }
            return self.notification(body, out);
        }
        if !self.reply.is_open {
            let asked = out.answering(None).and_then(Asked::from_tag);
            match header.kind {
                // Unasked: settings and notices; ReadyForQuery of an answer that was not seen.
                b'N' | b'S' | b'Z' if asked.is_none() => return Step::Silent,
                b'E' if asked.is_none() && out.outstanding() == 0 => {
                    out.open(Role::Stream, None);
                    out.text(Field::ReqType, b"ERROR");
                    self.error(body, out);
                    return Step::End;
                }
                _ => {}
            }
            self.reply = Reply {
                is_open: true,
                asked,
                ..Reply::default()
            };
            out.open(Role::Response, None);
        }
        match self.answer(header.kind, body, out) {
            Step::More if self.reply.is_whole() => self.succeed(out),
            step => step,
        }
    }

    /// A message within an answer.
    fn answer(&mut self, kind: u8, body: &[u8], out: &mut Out<'_>) -> Step {
        // ParseComplete, BindComplete, CloseComplete; what ends the answers to Describe and to Execute.
        if matches!(kind, b'1' | b'2' | b'3' | b'T' | b'n' | b'C' | b's' | b'I') {
            self.reply.answered = self.reply.answered.saturating_add(1);
            out.so_far();
        }
        match kind {
            b'D' => self.reply.seen += 1,
            b'C' => self.count_rows(body.strip_suffix(&[0]).unwrap_or(body)),
            // The row limit of Execute is reached.
            b's' => self.add_rows(self.reply.seen),
            // Until something else is said, what was asked for is under way.
            b'R' => out.status(Status::Ok),
            b'E' => {
                let is_fatal = self.error(body, out);
                if is_fatal || matches!(self.reply.asked, Some(Asked::Startup | Asked::Encryption)) {
                    self.reply.is_open = false;
                    return Step::End;
                }
            }
            b'Z' => {
                self.phase = Phase::Ready;
                return self.succeed(out);
            }
            // From here on both sides send for as long as they like.
            b'W' => {
                self.is_replicating = true;
                return self.succeed(out);
            }
            _ => {}
        }
        Step::More
    }

    fn succeed(&mut self, out: &mut Out<'_>) -> Step {
        let reply = std::mem::take(&mut self.reply);
        if let Some(rows) = reply.rows {
            out.rows(rows);
        }
        if !reply.has_failed {
            out.status(Status::Ok);
        }
        Step::End
    }

    fn add_rows(&mut self, rows: u64) {
        self.reply.rows = Some(self.reply.rows.unwrap_or(0).saturating_add(rows));
        self.reply.seen = 0;
    }

    /// CommandComplete: `INSERT 0 5`, `SELECT 3`, `CREATE TABLE`.
    fn count_rows(&mut self, tag: &[u8]) {
        let last = tag.rsplit(|b| *b == b' ').next().unwrap_or(&[]);
        let number = std::str::from_utf8(last).ok().and_then(|text| text.parse().ok());
        match number {
            Some(rows) => self.add_rows(rows),
            // Servers before 9.0 didn't count what they selected.
            None if tag == b"SELECT" => self.add_rows(self.reply.seen),
            None => self.reply.seen = 0,
        }
    }

    /// ErrorResponse; true when the connection ends with it.
    fn error(&mut self, body: &[u8], out: &mut Out<'_>) -> bool {
        let mut reader = Reader(body);
        let mut is_fatal = false;
        let (mut code, mut text) = (&[][..], &[][..]);
        while let Some(field) = reader.u8().filter(|field| *field != 0) {
            let value = reader.text_so_far();
            match field {
                // Severity, in the server's language and (since 9.6) in English.
                b'S' | b'V' => is_fatal |= matches!(value, b"FATAL" | b"PANIC"),
                b'C' => code = value,
                b'M' => text = value,
                _ => {}
            }
        }
        out.status(status::of(code));
        out.attr("sqlstate", code);
        out.text(Field::Exception, text);
        self.reply.has_failed = true;
        is_fatal
    }

    /// NotificationResponse: comes at any time, within an answer too.
    fn notification(&mut self, body: &[u8], out: &mut Out<'_>) -> Step {
        if self.reply.is_open {
            out.set_aside();
            self.is_aside = true;
        }
        let mut reader = Reader(body);
        let _process = reader.u32();
        out.open(Role::Stream, None);
        out.text(Field::ReqType, b"NOTIFICATION");
        out.text(Field::Domain, &self.database);
        let channel = reader.text_so_far();
        out.text(Field::Resource, channel);
        out.text(Field::Endpoint, channel);
        Step::End
    }
}

//! The head of a response: how the call went.

use super::coding::{Coding, Room, Values};
use super::header::{self, HEADER_BYTES, Header};
use super::{Side, Stage, open};
use crate::conversation::Out;
use crate::field::Field;
use crate::l7::hessian2::{Read, Stop, Walk, Walker, int, string, string_start, take_number};
use crate::limits::DUBBO_ERROR_BYTES_MAX;
use crate::parser::{Advance, Direction, Input};

/// What a response of status OK holds, written before it: an exception, without and with attachments.
const WITH_EXCEPTION: [u8; 2] = [0, 3];

/// Where Java's exceptions keep their text.
const MESSAGE_FIELD: &[u8] = b"detailMessage";

/// Reads the start of a response; the rest of it is passed.
pub(super) fn read(
    side: &mut Side,
    header: &Header,
    status: u8,
    direction: Direction,
    input: Input<'_>,
    out: &mut Out<'_>,
) -> Advance {
    let body = input.bytes.get(HEADER_BYTES..).unwrap_or(&[]);
    let most = (header.len as usize).min(DUBBO_ERROR_BYTES_MAX);
    let visible = body.get(..most).unwrap_or(body);
    let is_all = visible.len() == most || input.ended;
    if let Some(coding) = Coding::of(header.serialization)
        && !is_all
        && !tells_enough(coding, status, visible)
    {
        return Advance::Need(HEADER_BYTES + most);
    }
    open(header, direction, out);
    write_status(status, out);
    if let Some(coding) = Coding::of(header.serialization) {
        write_error(coding, status, visible, &mut side.walker, out);
    }
    (side.stage, side.left) = (Stage::Rest, header.len);
    side.go_on(HEADER_BYTES, input, out)
}

/// Writes what the status byte tells.
pub(super) fn write_status(status: u8, out: &mut Out<'_>) {
    out.code(i64::from(status));
    out.status(header::status(status));
}

/// Whether a response of which only `visible` is at hand has no error to read.
fn tells_enough(coding: Coding, status: u8, visible: &[u8]) -> bool {
    status == header::OK
        && Values::new(coding, visible)
            .small_number()
            .is_ok_and(|what| !WITH_EXCEPTION.contains(&what))
}

/// Writes the error of a response that starts with `body`: the text of one that failed as a whole, or what
/// the service threw.
fn write_error(coding: Coding, status: u8, body: &[u8], walker: &mut Walker, out: &mut Out<'_>) {
    let mut values = Values::new(coding, body);
    if status != header::OK {
        let mut room = Room::new();
        let text = match coding {
            Coding::Hessian2 => string_start(body),
            _ => values.text(&mut room),
        };
        // Behind the first line stands where in the server's code it came from.
        let line = text.unwrap_or(b"").split(|byte| *byte == b'\n').next();
        out.text(Field::Exception, line.unwrap_or(b"").trim_ascii_end());
        return;
    }
    let thrown = values
        .small_number()
        .is_ok_and(|what| WITH_EXCEPTION.contains(&what));
    if thrown && coding == Coding::Hessian2 {
        let (class, message) = exception(values.rest(), walker);
        let mut text = out.write(Field::Exception);
        text.push(class);
        if !class.is_empty() && !message.is_empty() {
            text.push(b": ");
        }
        text.push(message);
    }
}

/// Class and text of the exception at the start of `bytes`, as far as they can be told.
fn exception<'a>(bytes: &'a [u8], walker: &mut Walker) -> (&'a [u8], &'a [u8]) {
    let mut class: &[u8] = b"";
    let message = message(bytes, walker, &mut class).unwrap_or(b"");
    (class, message)
}

fn message<'a>(mut rest: &'a [u8], walker: &mut Walker, class: &mut &'a [u8]) -> Read<&'a [u8]> {
    if take_number::<1>(&mut rest)? != u64::from(b'C') {
        return Err(Stop::Broken);
    }
    *class = string(&mut rest)?;
    let fields = u32::try_from(int(&mut rest)?).map_err(|_| Stop::Broken)?;
    let mut place = None;
    for field in 0..fields {
        if string(&mut rest)? == MESSAGE_FIELD {
            place = Some(field);
        }
    }
    walker.clear();
    walker.define(fields)?;
    // Its only class has number 0, in one byte or in two.
    match take_number::<1>(&mut rest)? {
        0x60 => {}
        0x4F if int(&mut rest)? == 0 => {}
        _ => return Err(Stop::Broken),
    }
    walker.expect(place.ok_or(Stop::Broken)?);
    match walker.walk(rest) {
        Walk::Over(before) => string_start(rest.get(before..).unwrap_or(&[])),
        Walk::On(_) | Walk::Broken => Err(Stop::Broken),
    }
}

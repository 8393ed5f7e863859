//! The head of a request: which method of which service, and with which parameters.

use super::coding::{Coding, Room, Values};
use super::header::{HEADER_BYTES, Header};
use super::{PARAMETER_TYPES, SERVICE_VERSION, Side, Stage, open};
use crate::conversation::Out;
use crate::field::Field;
use crate::l7::hessian2::{Read, Stop};
use crate::limits::DUBBO_HEAD_BYTES_MAX;
use crate::parser::{Advance, Direction, Input};

/// Where texts are put together.
#[derive(Default)]
struct Rooms([Room; 5]);

/// What the head says, as far as it could be read.
#[derive(Default)]
struct Head<'a> {
    dubbo_version: &'a [u8],
    service: &'a [u8],
    service_version: &'a [u8],
    method: &'a [u8],
    parameter_types: &'a [u8],
    /// How many values follow as arguments.
    arguments: Option<u32>,
}

impl<'a> Head<'a> {
    fn read(&mut self, values: &mut Values<'a>, rooms: &'a mut Rooms) -> Read<()> {
        let [first, second, third, fourth, fifth] = &mut rooms.0;
        self.dubbo_version = values.text(first)?;
        self.service = values.text(second)?;
        self.service_version = values.text(third)?;
        self.method = values.text(fourth)?;
        match values.argument_count()? {
            Some(-1) | None => {
                self.parameter_types = values.text(fifth)?;
                self.arguments = parameters(self.parameter_types);
            }
            Some(count) => self.arguments = u32::try_from(count).ok(),
        }
        Ok(())
    }

    fn write(&self, out: &mut Out<'_>) {
        out.text(Field::Version, self.dubbo_version);
        out.text(Field::ReqType, self.method);
        out.text(Field::Domain, self.service);
        out.text(Field::Resource, self.service);
        out.attr(SERVICE_VERSION, self.service_version);
        out.attr(PARAMETER_TYPES, self.parameter_types);
        if self.service.is_empty() && self.method.is_empty() {
            return;
        }
        let mut endpoint = out.write(Field::Endpoint);
        for piece in [self.service, b"/", self.method] {
            endpoint.push(piece);
        }
    }
}

/// Reads the head of a request and begins with what follows it.
pub(super) fn read(
    side: &mut Side,
    header: &Header,
    direction: Direction,
    input: Input<'_>,
    out: &mut Out<'_>,
) -> Advance {
    let body = input.bytes.get(HEADER_BYTES..).unwrap_or(&[]);
    let body = body.get(..header.len as usize).unwrap_or(body);
    let most = (header.len as usize).min(DUBBO_HEAD_BYTES_MAX);
    let visible = body.get(..most).unwrap_or(body);
    let coding = Coding::of(header.serialization);
    let mut rooms = Rooms::default();
    let (mut head, mut at, mut stage) = (Head::default(), 0, Stage::Rest);
    if let Some(coding) = coding {
        let mut values = Values::new(coding, visible);
        match head.read(&mut values, &mut rooms) {
            Ok(()) => at = visible.len() - values.rest().len(),
            Err(Stop::More(count)) if visible.len() < most && !input.ended => {
                let wanted = visible.len().saturating_add(count).min(most);
                return Advance::Need(HEADER_BYTES + wanted);
            }
            Err(_) => stage = Stage::Lost,
        }
    }
    open(header, direction, out);
    head.write(out);
    if coding == Some(Coding::Hessian2)
        && let (Stage::Rest, Some(arguments)) = (stage, head.arguments)
    {
        side.walker.clear();
        side.walker.expect(arguments);
        stage = match arguments {
            0 => Stage::Attachments,
            _ => Stage::Arguments,
        };
    }
    (side.stage, side.left, side.walked) = (stage, header.len - at as u32, 0);
    side.go_on(HEADER_BYTES + at, input, out)
}

/// How many types a method descriptor has (Java Virtual Machine Specification, section 4.3.2); `None`: it is
/// none.
fn parameters(types: &[u8]) -> Option<u32> {
    let mut rest = types.iter();
    let mut count = 0;
    while let Some(first) = rest.next() {
        match first {
            b'[' => continue,
            b'L' => drop(rest.find(|byte| **byte == b';')?),
            b'B' | b'C' | b'D' | b'F' | b'I' | b'J' | b'S' | b'Z' | b'V' => {}
            _ => return None,
        }
        count += 1;
    }
    Some(count)
}

#[cfg(test)]
mod tests {
    use super::parameters;

    #[test]
    fn parameters_are_counted() {
        assert_eq!(parameters(b""), Some(0));
        assert_eq!(parameters(b"Ljava/lang/String;"), Some(1));
        assert_eq!(parameters(b"I[J[[Ljava/util/List;Z"), Some(4));
        assert_eq!(parameters(b"Ljava/lang/String"), None);
        assert_eq!(parameters(b"hello"), None);
    }
}

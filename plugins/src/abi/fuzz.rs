//! What must hold of whatever a guest hands over.

#![allow(clippy::missing_panics_doc)] // That is how it tells.

use super::{name, record};
use std::ops::Range;
use tapir_parsers::limits::PLUGIN_NAME_BYTES_MAX;
use tapir_parsers::parser::Direction;
use tapir_parsers::plugin::Info;

/// Takes the first byte's last bit as direction, and the rest as a batch, as one record, and as a name.
pub fn run(input: &[u8]) {
    let Some((first, bytes)) = input.split_first() else {
        return;
    };
    let direction = Direction::BOTH[usize::from(first & 1)];
    let records = record::split(bytes).count();
    if record::is_valid(bytes, direction) {
        let lengths: usize = record::split(bytes).map(|record| 2 + record.len()).sum();
        assert!(records > 0 && lengths == bytes.len(), "a batch is its records");
        let read = record::split(bytes).filter_map(|one| record::read(one, direction));
        assert_eq!(read.count(), records, "a batch that is taken can be read");
    }
    for one in record::split(bytes).chain([bytes]) {
        if let Some((info, dialect)) = record::read(one, direction) {
            assert_eq!(dialect == record::Dialect::Protobuf, one.starts_with(b"PB"));
            check(&info, one);
        }
    }
    if let Some(name) = name(bytes) {
        assert!(name.len() <= PLUGIN_NAME_BYTES_MAX && std::str::from_utf8(&name).is_ok());
    }
}

/// All text is the record's own, and can be written as UTF-8.
fn check(info: &Info<'_>, record: &[u8]) {
    let plain = [
        info.version,
        info.req_type,
        info.domain,
        info.resource,
        info.endpoint,
        info.exception,
        info.result,
        info.protocol,
        info.span_id,
        info.parent_span_id,
        info.x_request_id,
        info.client_ip,
        info.biz_code,
        info.biz_scenario,
        info.biz_response_code,
    ];
    let attrs = info.attrs.iter().flat_map(|(key, value)| [*key, *value]);
    for text in plain
        .into_iter()
        .chain(info.trace_ids.iter().copied())
        .chain(attrs)
    {
        assert!(text.is_empty() || lies_in(text.as_ptr_range(), &record.as_ptr_range()));
    }
    assert!(info.attrs.iter().all(|(key, _)| std::str::from_utf8(key).is_ok()));
    assert!(info.trace_ids.iter().all(|id| !id.is_empty()));
}

fn lies_in(part: Range<*const u8>, whole: &Range<*const u8>) -> bool {
    whole.start <= part.start && part.end <= whole.end
}

//! SVCB and HTTPS records. Source: RFC 9460 section 2, keys section 14.3.2.

use super::encoding::{push_base64, push_ipv4, push_ipv6};
use super::names;
use super::rdata::{Reader, push_string};
use crate::conversation::TextWriter;

/// Writes `priority target key=value …`.
pub(super) fn write(reader: &mut Reader<'_>, text: &mut TextWriter<'_>) -> Option<()> {
    text.push_number(u64::from(reader.u16()?));
    text.push(b" ");
    reader.name(text)?;
    while !reader.is_at_end() && !text.is_full() {
        let key = reader.u16()?;
        let len = usize::from(reader.u16()?);
        let value = reader.take(len)?;
        text.push(b" ");
        push_key(key, text);
        if !value.is_empty() {
            text.push(b"=");
            push_value(key, value, text);
        }
    }
    Some(())
}

fn push_key(key: u16, text: &mut TextWriter<'_>) {
    match names::svc_param_name(key) {
        Some(name) => text.push(name.as_bytes()),
        None => {
            text.push(b"key");
            text.push_number(u64::from(key));
        }
    }
}

fn push_value(key: u16, value: &[u8], text: &mut TextWriter<'_>) {
    match key {
        // mandatory: keys
        0 => push_list(value.as_chunks::<2>().0, text, |key, text| {
            push_key(u16::from_be_bytes(*key), text);
        }),
        // alpn: strings with length bytes
        1 => {
            let mut rest = value;
            while let Some((len, more)) = rest.split_first() {
                let (name, more) = more.split_at_checked(usize::from(*len)).unwrap_or((more, &[]));
                text.push(name);
                if !more.is_empty() {
                    text.push(b",");
                }
                rest = more;
            }
        }
        // port, tls-supported-groups: numbers
        3 | 9 => push_list(value.as_chunks::<2>().0, text, |number, text| {
            text.push_number(u64::from(u16::from_be_bytes(*number)));
        }),
        4 => push_list(value.as_chunks::<4>().0, text, push_ipv4),
        5 => push_base64(value, text),
        6 => push_list(value.as_chunks::<16>().0, text, push_ipv6),
        _ => push_string(value, text),
    }
}

fn push_list<T>(items: &[T], text: &mut TextWriter<'_>, push: impl Fn(&T, &mut TextWriter<'_>)) {
    for (i, item) in items.iter().enumerate() {
        if text.is_full() {
            return;
        }
        if i > 0 {
            text.push(b",");
        }
        push(item, text);
    }
}

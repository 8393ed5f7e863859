//! What must hold of whatever a sidecar sends.

use super::entry;
use crate::flat::{BatchEncoder, decode_batch};
use crate::join::{JoinCounters, JoinOptions, Joiner};
use crate::json::write_session_json;
use crate::session::Session;
use crate::text::TextLimits;
use std::sync::Arc;
use tapir_parsers::record::RecordView;

/// Takes the input as a batch, which its prefix is corrected for: what is taken over is whole entries, which come out of
/// another batch as they went in, and can be joined.
pub fn run(input: &[u8]) {
    let mut batch = input.to_vec();
    let len = (batch.len() as u32).saturating_sub(4).to_le_bytes();
    if let Some(prefix) = batch.first_chunk_mut() {
        *prefix = len;
    }
    let (entries, taken) = entries_of(&batch);
    let mut lengths = 0;
    let mut joiner = Joiner::new(JoinOptions::default(), Arc::<JoinCounters>::default());
    let mut joined = 0;
    let mut count = |_: &[u8]| joined += 1;
    for (number, view) in views(&entries).enumerate() {
        lengths += view.header.entry_len as usize;
        let once = json(&Session::new(&view, TextLimits::NONE));
        let mut encoder = BatchEncoder::new();
        encoder.push(&Session::new(&view, TextLimits::NONE));
        let (again, count_again) = encoder.finish(entries_of).unwrap_or_default();
        assert_eq!(count_again, 1, "a record that was taken can be sent");
        let twice = views(&again)
            .next()
            .map(|view| json(&Session::new(&view, TextLimits::NONE)));
        assert_eq!(twice.as_deref(), Some(&*once), "it stays what it is");
        joiner.push(&view, number as u64, &mut count);
    }
    joiner.flush(&mut count);
    assert_eq!(lengths, entries.len(), "entries are whole");
    assert!(joined <= taken, "joining makes no records");
}

/// The entries of a batch, as many as there are before it breaks, and their number.
fn entries_of(batch: &[u8]) -> (Vec<u8>, usize) {
    let (mut entries, mut count) = (Vec::new(), 0);
    let _ = decode_batch(batch, |session| {
        entry::write(session, &mut entries);
        count += 1;
    });
    (entries, count)
}

fn views(entries: &[u8]) -> impl Iterator<Item = RecordView<'_>> {
    let mut rest = entries;
    std::iter::from_fn(move || {
        let view = RecordView::new(rest)?;
        rest = rest.get(view.header.entry_len as usize..)?;
        Some(view)
    })
}

fn json(session: &Session<'_>) -> String {
    let mut out = Vec::new();
    write_session_json(session, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::run;
    use crate::flat::BatchEncoder;
    use crate::session::Session;
    use crate::testing::Entry;
    use crate::text::TextLimits;
    use tapir_parsers::record::RecordView;
    use tapir_parsers::testing::corpus::keep_seed;

    #[test]
    fn batches_of_every_kind_of_record() {
        for seed in 0..24 {
            let mut encoder = BatchEncoder::new();
            for number in 0..=seed % 3 {
                let entry = Entry::synthetic(100 * number + seed).bytes();
                encoder.push(&Session::new(
                    &RecordView::new(&entry).unwrap(),
                    TextLimits {
                        resource: 64,
                        other: 64,
                    },
                ));
            }
            let batch = encoder.finish(<[u8]>::to_vec).unwrap();
            run(&batch);
            keep_seed("ingest", &format!("{seed:05}"), &batch);
        }
    }
}

//! A record costs no allocation once the buffers have grown.

#![allow(clippy::unwrap_used)] // A test that fails panics.

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use tapir_collector::flat::BatchEncoder;
use tapir_collector::json::write_session_json;
use tapir_collector::session::Session;
use tapir_collector::table::Table;
use tapir_collector::testing::Entry;
use tapir_collector::text::TextLimits;
use tapir_parsers::record::RecordView;

#[global_allocator]
static GLOBAL: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

#[test]
fn records_are_written_without_allocating() {
    let entries: Vec<Vec<u8>> = (0..200).map(|seed| Entry::synthetic(seed).bytes()).collect();
    let (mut json, mut lines) = (Vec::new(), Vec::new());
    let (mut table, mut encoder) = (Table::default(), BatchEncoder::new());
    let mut round = || {
        json.clear();
        lines.clear();
        for entry in &entries {
            let session = Session::new(&RecordView::new(entry).unwrap(), TextLimits::default());
            write_session_json(&session, &mut json);
            table.write_session(&session, &mut lines);
            encoder.push(&session);
        }
        encoder.finish(<[u8]>::len).unwrap()
    };
    round();
    let region = Region::new(GLOBAL);
    round();
    let change = region.change();
    assert_eq!((change.allocations, change.reallocations), (0, 0), "{change:?}");
}

//! Whole streams: however they are cut and ordered, the records are the same.

use crate::talk::{http_connection, outline, run};

#[test]
fn a_keep_alive_connection_becomes_its_exchanges() {
    let replayed = run(&http_connection(1..=3).frames());
    let matched = |id| ("matched", Some(id), Some(id));
    assert_eq!(outline(&replayed), [matched(1), matched(2), matched(3)]);
    let counters = &replayed.counters;
    assert_eq!(
        (counters.packets, counters.decoded, counters.flows_created),
        (12, 12, 1)
    );
    assert_eq!(replayed.told[0].times.2, Some(1_000_000));
}

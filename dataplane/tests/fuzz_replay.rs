//! The fuzz target without a fuzzer: kept corpora and seeded mutations of them, on stable.

use tapir_parsers::testing::corpus::replay;

#[test]
fn stream() {
    replay("stream", "engine", 10, tapir_dataplane::testing::fuzz::run);
}

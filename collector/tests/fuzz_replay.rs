//! The fuzz target without a fuzzer: the kept corpus and seeded mutations of it, on stable.

use tapir_parsers::testing::corpus::replay;

#[test]
fn ingest() {
    replay("ingest", "ingest", 500, tapir_collector::ingest::fuzz::run);
}

//! The fuzz target without a fuzzer: the kept corpus and seeded mutations of it, on stable.

use tapir_parsers::testing::corpus::replay;

#[test]
fn records() {
    replay("records", "records", 500, tapir_plugins::abi::fuzz::run);
}

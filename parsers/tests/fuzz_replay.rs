//! The fuzz targets without a fuzzer: kept corpora and seeded mutations of them, on stable.

use tapir_parsers::testing::corpus::replay;

#[test]
fn wire() {
    replay("wire", "wire", 200, tapir_parsers::wire::fuzz::run);
}

#[test]
fn engine() {
    replay("engine", "engine", 100, tapir_parsers::engine::fuzz::run);
}

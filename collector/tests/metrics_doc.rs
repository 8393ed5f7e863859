//! docs/metrics.md lists what the collector exports.

#![allow(clippy::unwrap_used)] // A test that fails panics.

use std::path::Path;
use tapir_collector::metrics::{FAMILIES, MetricKind};

#[test]
fn every_metric_is_documented_and_well_named() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/metrics.md");
    let text = std::fs::read_to_string(path).unwrap();
    for family in FAMILIES {
        let labels = family.labels.join(", ");
        let row = format!(
            "| `{}` | {} | {labels} | {} |",
            family.name,
            family.kind.name(),
            family.help
        );
        assert!(text.contains(&row), "docs/metrics.md lacks the row\n{row}");
        assert_eq!(
            family.name.ends_with("_total"),
            family.kind == MetricKind::Counter,
            "{}",
            family.name
        );
        assert!(family.name.starts_with("tapir_"));
    }
}

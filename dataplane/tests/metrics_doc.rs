//! docs/metrics.md lists what workers publish; `UPDATE_DOCS=1 cargo test -p tapir-dataplane` writes it anew.

#![allow(clippy::unwrap_used)] // A test that fails panics.

use std::path::Path;
use tapir_dataplane::publish::Published;

const HEADING: &str = "## Made by the workers\n";

#[test]
fn every_value_of_a_worker_is_documented() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/metrics.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, section) = page.split_once(HEADING).unwrap();
    let (_, after) = section.split_once("\n## ").unwrap();
    let wanted = format!("{before}{HEADING}\n{}\n## {after}", table());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &wanted).unwrap();
        return;
    }
    assert!(
        page == wanted,
        "docs/metrics.md is not what UPDATE_DOCS=1 cargo test -p tapir-dataplane would write"
    );
}

fn table() -> String {
    let mut text = String::from("| name | type | labels | meaning |\n|---|---|---|---|\n");
    let mut last = "";
    Published::default().visit(&mut |name, _| {
        if name.name == last {
            return;
        }
        last = name.name;
        let (ending, kind) = if name.is_total {
            ("_total", "counter")
        } else {
            ("", "gauge")
        };
        let label = name
            .label
            .map_or_else(String::new, |(label, _)| format!(", {label}"));
        let row = format!(
            "| `tapir_{}{ending}` | {kind} | lcore{label} | {} |\n",
            name.name, name.help
        );
        // Those with a label come once for each of its values.
        if !text.contains(&row) {
            text.push_str(&row);
        }
        assert!(!name.help.is_empty(), "{} says nothing", name.name);
    });
    text
}

//! The example plugins of `sdk/`, as scripts/plugins builds them: the same protocol in each language.
#![allow(clippy::unwrap_used)] // A test that fails panics.

mod common;

use common::{demo, spec, with};
use std::path::Path;
use std::sync::Arc;
use tapir_parsers::field::Field;
use tapir_parsers::testing::Script;
use tapir_plugins::{Host, PluginSpec};

/// A host of the module that scripts/plugins built, if it did.
fn built(name: &str) -> Option<Arc<Host>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../target/plugins/{name}.wasm"));
    if !path.is_file() {
        println!("skipped: no target/plugins/{name}.wasm; scripts/plugins builds it");
        return None;
    }
    let host = Host::new().unwrap().with_budget(None);
    let spec = PluginSpec {
        framed: true,
        path,
        ..spec(name)
    };
    let refused = host.load(&[spec]);
    assert!(refused.is_empty(), "{refused:?}");
    Some(Arc::new(host))
}

fn reads_the_house_protocol(name: &str) {
    let Some(host) = built(name) else { return };
    let long = "x".repeat(200);
    let script = Script::tcp(7700)
        .client(demo(1, 1, "question"))
        .client(demo(1, 2, &long))
        .server(demo(2, 2, ""))
        .server(demo(2, 1, "answer"));
    let script = with(script, &host);
    let told: Vec<_> = script
        .replay()
        .iter()
        .map(|t| {
            let text = |field| t.text(field).to_owned();
            let texts = [Field::Proto, Field::Resource, Field::Result].map(text);
            (t.kind, t.request_id, texts, t.req_len)
        })
        .collect();
    assert_eq!(
        told,
        [
            (
                "matched",
                Some(2),
                ["Demo".to_owned(), long, String::new()],
                Some(206)
            ),
            (
                "matched",
                Some(1),
                ["Demo", "question", "answer"].map(str::to_owned),
                Some(14)
            ),
        ]
    );
    script.check();
}

#[test]
fn in_c() {
    reads_the_house_protocol("house_c");
}

#[test]
fn in_assemblyscript() {
    reads_the_house_protocol("house_as");
}

#[test]
fn in_rust() {
    reads_the_house_protocol("house_rust");
}

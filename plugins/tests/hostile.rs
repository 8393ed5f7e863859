//! Plugins that do harm, and what becomes of it: a count, and nothing else.
#![allow(clippy::unwrap_used)] // A test that fails panics.

mod common;

use common::{DEMO, PARSE, demo, host_of, plugin, refusal, replay, spec};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tapir_parsers::testing::{Script, Told};
use tapir_plugins::metrics::{PluginMetrics, Reason};
use tapir_plugins::{Host, LoadError, PluginSpec};

/// A conversation of eight payloads of the house protocol.
fn conversation() -> Script {
    (1..=4).fold(Script::tcp(7700), |script, id| {
        script
            .client(demo(1, id, "question"))
            .server(demo(2, id, "answer"))
    })
}

/// Replays the conversation with the hostile plugin before the one of the house.
fn beside(functions: &str) -> (Vec<Told>, PluginMetrics) {
    beside_of(spec("hostile"), &plugin(PARSE, functions))
}

fn beside_of(spec_of_hostile: PluginSpec, hostile: &str) -> (Vec<Told>, PluginMetrics) {
    let host = host_of(&[(spec_of_hostile, hostile), (spec("demo"), DEMO)]);
    let told = replay(conversation(), &host);
    assert_eq!(told.len(), 4, "records of others were lost");
    assert!(told.iter().all(|t| t.kind == "matched"), "{told:#?}");
    (told, host.metrics().swap_remove(0))
}

/// Every call of `check_payload` and `parse_payload` runs this.
fn both(body: &str) -> String {
    format!(
        "(func (export \"check_payload\") (result i32) {body})
         (func (export \"parse_payload\") (result i32) {body})"
    )
}

#[test]
fn traps_are_counted_and_the_plugin_is_set_aside() {
    let (_, metrics) = beside(&both("unreachable"));
    assert_eq!(metrics.failures(Reason::Trap), 5);
    assert_eq!((metrics.set_aside, metrics.lcores_aside), (1, 1));
    assert_eq!(metrics.memory_bytes, 0);
}

#[test]
fn what_fails_now_and_then_stays() {
    // Every second call traps.
    let (_, metrics) = beside(
        "(global $n (mut i32) (i32.const 0))
         (func (export \"parse_payload\") (result i32)
           (global.set $n (i32.add (global.get $n) (i32.const 1)))
           (if (i32.and (global.get $n) (i32.const 1)) (then unreachable))
           (i32.const 0))",
    );
    assert_eq!((metrics.failures(Reason::Trap), metrics.set_aside), (4, 0));
}

#[test]
fn endless_loops_end_at_the_deadline() {
    let began = Instant::now();
    let endless = plugin(PARSE, &both("(loop (br 0)) (i32.const 0)"));
    let (_, metrics) = beside_of(PluginSpec::new("hostile", ""), &endless);
    assert_eq!((metrics.failures(Reason::Timeout), metrics.set_aside), (5, 1));
    assert!(began.elapsed() < Duration::from_secs(60));
}

#[test]
fn a_stack_has_an_end() {
    let (_, metrics) = beside(
        "(func $deep (param i64 i64 i64 i64) (result i32)
           (i32.add (call $deep (local.get 0) (local.get 1) (local.get 2) (local.get 3)) (i32.const 1)))
         (func (export \"parse_payload\") (result i32)
           (call $deep (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4)))",
    );
    assert_eq!(metrics.failures(Reason::Stack), 5);
}

#[test]
fn memory_has_an_end() {
    // 4 GiB at once, then page by page without end.
    let (_, metrics) = beside(&both("(drop (memory.grow (i32.const 65534))) (i32.const 0)"));
    assert_eq!(metrics.failures(Reason::Memory), 5);
    let (_, metrics) = beside(&both(
        "(loop (br_if 0 (i32.ge_s (memory.grow (i32.const 1)) (i32.const 0)))) unreachable",
    ));
    assert_eq!(metrics.failures(Reason::Memory), 5);
    let small = PluginSpec {
        memory_bytes_max: 1 << 20,
        ..spec("hostile")
    };
    // From 2 pages to 17, where 16 are allowed.
    let body =
        "(func (export \"parse_payload\") (result i32) (drop (memory.grow (i32.const 15))) (i32.const 0))";
    let (_, metrics) = beside_of(small, &plugin(PARSE, body));
    assert_eq!(metrics.failures(Reason::Memory), 5);
}

#[test]
fn addresses_outside_of_memory_are_refused() {
    for (call, refused) in [
        ("(call $payload (i32.const -1) (i32.const 100))", 0),
        ("(call $payload (i32.const 131000) (i32.const 100))", 0),
        ("(call $payload (i32.const 0) (i32.const -1))", 0),
        ("(call $context (i32.const 131072) (i32.const 1024))", 0),
        ("(call $name (i32.const -4) (i32.const 8))", 0),
        ("(call $records (i32.const -1) (i32.const -1))", 0),
    ] {
        let body =
            format!("(if (i32.ne {call} (i32.const {refused})) (then (return (i32.const 1)))) (i32.const 0)");
        let (told, metrics) = beside(&format!("(func (export \"parse_payload\") (result i32) {body})"));
        let pointers = metrics.failures(Reason::BadPointer);
        assert_eq!(pointers, 5, "{call}");
        assert!(told.iter().all(|t| t.status == "ok"), "{call}");
    }
    let (_, metrics) = beside(
        "(func (export \"parse_payload\") (result i32)
           (call $log (i32.const -5) (i32.const 50) (i32.const 0)) (i32.const 0))",
    );
    assert_eq!(metrics.failures(Reason::BadPointer), 5);
}

#[test]
fn records_that_are_none_are_refused_and_others_are_asked() {
    let bad = "(data (i32.const 64) \"\\00\\03abc\")
         (func (export \"parse_payload\") (result i32)
           (if (call $records (i32.const 64) (i32.const 5)) (then (return (i32.const 1))))
           (i32.const 0))";
    let (_, metrics) = beside(bad);
    assert_eq!((metrics.failures(Reason::BadRecord), metrics.set_aside), (5, 1));
}

#[test]
fn what_a_trapping_plugin_handed_over_is_not_taken() {
    let (told, metrics) = beside(
        "(data (i32.const 64) \"\\00\\0aPB\\18\\2aj\\04Evil\")
         (func (export \"parse_payload\") (result i32)
           (drop (call $records (i32.const 64) (i32.const 12))) unreachable)",
    );
    assert_eq!(metrics.failures(Reason::Trap), 5);
    assert!(told.iter().all(|t| t.request_id != Some(42)));
}

#[test]
fn values_that_mean_nothing_are_failures() {
    let (_, metrics) = beside("(func (export \"parse_payload\") (result i32) (i32.const 2))");
    assert_eq!(metrics.failures(Reason::BadReturn), 5);
    // A direction that there is none of.
    let (_, metrics) = beside("(func (export \"check_payload\") (result i32) (i32.const 0x305))");
    assert_eq!(metrics.failures(Reason::BadReturn), 1);
    // No protocol, from a client: that is a no.
    let (_, metrics) = beside("(func (export \"check_payload\") (result i32) (i32.const 0x100))");
    assert_eq!(
        (metrics.failures(Reason::BadReturn), metrics.exports[0].taken),
        (0, 0)
    );
}

#[test]
fn one_that_ends_itself_is_counted() {
    let (_, metrics) = beside(&both("(call $exit (i32.const 0)) (i32.const 0)"));
    assert_eq!((metrics.failures(Reason::Exit), metrics.set_aside), (5, 1));
}

#[test]
fn one_that_logs_without_end_is_cut_off() {
    let endless = both("(loop (call $log (i32.const 0) (i32.const 100) (i32.const 0)) (br 0)) (i32.const 0)");
    let (_, metrics) = beside_of(PluginSpec::new("hostile", ""), &plugin(PARSE, &endless));
    assert_eq!(metrics.failures(Reason::Timeout), 5);
    assert!(metrics.log_lines_dropped > 0);
}

#[test]
fn a_plugin_set_aside_is_tried_again() {
    let patient = PluginSpec {
        failures_max: 2,
        retry_ns: 2_500_000, // Two and a half steps of the script.
        ..spec("hostile")
    };
    let (_, metrics) = beside_of(patient, &plugin(PARSE, &both("unreachable")));
    assert!(metrics.set_aside >= 2, "{metrics:?}");
    assert!(metrics.failures(Reason::Trap) >= 4);
}

#[test]
fn time_is_bounded_by_the_second() {
    let slow = plugin(PARSE, &both("(loop (br 0)) (i32.const 0)"));
    let never_aside = PluginSpec {
        failures_max: u32::MAX,
        ..PluginSpec::new("slow", "")
    };
    let host = Host::new().unwrap().with_budget(Some(Duration::from_millis(1)));
    let modules = [(never_aside, wat::parse_str(&slow).unwrap())];
    assert!(host.load_modules(&modules).is_empty());
    let host = Arc::new(host);
    let script = (0..200).fold(Script::tcp(7700), |script, _| script.client("whatever"));
    let began = Instant::now();
    replay(script, &host);
    let metrics = &host.metrics()[0];
    // One call a second, however long the replay takes.
    let seconds = began.elapsed().as_secs() + 2;
    let calls = metrics.exports[0].calls;
    assert!(metrics.passed > 0 && calls <= seconds, "{metrics:?}");
}

#[test]
fn what_can_not_run_is_refused_with_the_reason() {
    let without = |name: &str| {
        let text = plugin(PARSE, "");
        let cut = text.replace(&format!("(export \"{name}\")"), "");
        refusal(&cut)
    };
    assert!(matches!(without("check_payload"), LoadError::Exports(what) if what.contains("check_payload")));
    assert!(matches!(without("memory"), LoadError::Exports(what) if what == "memory"));
    assert!(matches!(without("_start"), LoadError::Exports(_)));
    let unknown = plugin(PARSE, "").replace("\"wasm_log\"", "\"host_read_http_result\"");
    assert!(
        matches!(refusal(&unknown), LoadError::Imports(what) if what == "deepflow.host_read_http_result")
    );
    let mistyped = plugin(PARSE, "").replace("(func $exit (param i32))", "(func $exit (param i64))");
    assert!(matches!(refusal(&mistyped), LoadError::Imports(_)));
    for body in ["unreachable", "(loop (br 0))", "(call $exit (i32.const 1))"] {
        let text = plugin(PARSE, &format!("(func (export \"_start\") {body})"));
        assert!(
            matches!(refusal(&text), LoadError::Start { call: "_start", .. }),
            "{body}"
        );
    }
    let huge = plugin(PARSE, "(memory (export \"memory\") 60000)");
    assert!(matches!(refusal(&huge), LoadError::Start { .. }));
    let outside =
        plugin(PARSE, "").replace("(result i32) (i32.const 16))", "(result i32) (i32.const 131060))");
    assert!(matches!(refusal(&outside), LoadError::Hooks("get_hook_bitmap")));
    let host = Host::new().unwrap();
    assert!(matches!(
        host.load_module(&spec("x"), b"\0asm\x01"),
        Err(LoadError::Compile(_))
    ));
}

#[test]
fn what_is_refused_is_examined_all_the_same() {
    let unknown = plugin(PARSE, "").replace("\"wasm_log\"", "\"host_read_http_result\"");
    let module = wat::parse_str(unknown.replace("(export \"check_payload\")", "")).unwrap();
    let host = Host::new().unwrap();
    let (shape, refused) = host.examine(&spec("old"), &module).unwrap();
    assert_eq!(shape.unknown, ["deepflow.host_read_http_result"]);
    assert_eq!(shape.missing, ["check_payload: () -> i32"]);
    assert_eq!(shape.memory_bytes, 2 << 16);
    assert!(matches!(refused, Some(LoadError::Imports(_))) && host.plugins().is_empty());
    let module = wat::parse_str(plugin(PARSE, "")).unwrap();
    let (shape, refused) = host.examine(&spec("whole"), &module).unwrap();
    assert!(shape.unknown.is_empty() && shape.missing.is_empty() && refused.is_none());
    assert!(host.plugins()[0].1.parses());
    assert!(host.examine(&spec("none"), b"PK").is_err());
}

/// What DeepFlow's runtime knows of WebAssembly beyond its first version, and compilers use without being asked. Not `externref`: no guest
/// is given any, and it would bring a garbage collector.
#[test]
fn what_compilers_emit_is_known() {
    let functions = r#"
        (table $one 2 funcref) (table $two 1 funcref) (elem (table $one) (i32.const 0) func $pair $pair)
        (global (export "changes") (mut i32) (i32.const 0))
        (func $pair (result i32 i32) (i32.const 3) (i32.const 4))
        (func (export "check_payload") (result i32)
          (local $sum i32)
          (call_indirect $one (result i32 i32) (i32.const 1))
          (local.set $sum (i32.add))
          (table.set $two (i32.const 0) (ref.null func))
          (drop (ref.is_null (table.get $one (i32.const 0))))
          (memory.fill (i32.const 1024) (i32.const 1) (i32.const 8))
          (memory.copy (i32.const 2048) (i32.const 1024) (i32.const 8))
          (drop (i32x4.extract_lane 0 (i32x4.splat (i32.const 1))))
          (drop (i32.trunc_sat_f64_s (f64.const 1e99)))
          (drop (i32.extend8_s (local.get $sum)))
          (i32.const 0))"#;
    let (_, metrics) = beside_of(spec("modern"), &plugin(PARSE, functions));
    assert_eq!(metrics.exports[0].calls, 1);
}

#[test]
fn what_runtimes_do_at_their_start_is_allowed() {
    let leaves = plugin(PARSE, "(func (export \"_start\") (call $exit (i32.const 0)))");
    let library = plugin(PARSE, "").replace("_start", "_initialize");
    let calls_early = plugin(
        PARSE,
        "(func (export \"_start\")
           (if (call $context (i32.const 0) (i32.const 1024)) (then unreachable))
           (if (call $payload (i32.const 0) (i32.const 1024)) (then unreachable))
           (if (call $request (i32.const 0) (i32.const 1024)) (then unreachable))
           (if (call $name (i32.const 0) (i32.const 2)) (then unreachable))
           (if (call $records (i32.const 0) (i32.const 2)) (then unreachable)))",
    );
    for text in [leaves, library, calls_early] {
        let (_, metrics) = beside_of(spec("odd"), &text);
        assert_eq!(metrics.exports[0].calls, 1);
    }
}

#[test]
fn there_are_no_files_however_they_are_asked_for() {
    // Bad file descriptor, for each.
    let asks = [
        (
            "path_open",
            "(param i32 i32 i32 i32 i32 i64 i64 i32 i32)",
            "i32 i32 i32 i32 i32 i64 i64 i32 i32",
        ),
        (
            "path_filestat_get",
            "(param i32 i32 i32 i32 i32)",
            "i32 i32 i32 i32 i32",
        ),
        ("fd_pwrite", "(param i32 i32 i32 i64 i32)", "i32 i32 i32 i64 i32"),
        ("fd_prestat_get", "(param i32 i32)", "i32 i32"),
        ("sock_send", "(param i32 i32 i32 i32 i32)", "i32 i32 i32 i32 i32"),
    ];
    let imports: String = asks
        .iter()
        .map(|(name, params, _)| {
            format!("(import \"wasi_snapshot_preview1\" \"{name}\" (func ${name} {params} (result i32)))")
        })
        .collect();
    let calls: String = asks
        .iter()
        .map(|(name, _, types)| {
            let arguments: String = types.split(' ').map(|of| format!("({of}.const 3)")).collect();
            format!("(if (i32.ne (call ${name} {arguments}) (i32.const 8)) (then unreachable))")
        })
        .collect();
    let asking = format!("(func (export \"parse_payload\") (result i32) {calls} (i32.const 0))");
    let text = plugin(PARSE, &asking).replacen("(module", &format!("(module {imports}"), 1);
    let (_, metrics) = beside_of(spec("curious"), &text);
    assert_eq!((metrics.exports[0].calls, metrics.failures(Reason::Trap)), (1, 0));
}

#[test]
fn two_of_a_name_are_one_too_many() {
    let host = Host::new().unwrap();
    let module = wat::parse_str(DEMO).unwrap();
    let refused = host.load_modules(&[(spec("a"), module.clone()), (spec("a"), module)]);
    assert!(matches!(&refused[..], [(name, LoadError::Name)] if name == "a"));
    assert_eq!(host.plugins().len(), 1);
}

//! Plugins in text, and what tests need around them.
#![allow(dead_code)] // Each test file uses some of it.

use std::sync::Arc;
use std::time::Duration;
use tapir_parsers::testing::{Script, Told};
use tapir_plugins::{Host, LoadError, PluginSpec};

/// The house protocol of the tests.
pub(crate) const DEMO: &str = include_str!("../plugins/demo.wat");

/// A plugin of these functions; those that are left out do nothing. `hooks` is its bitmap.
pub(crate) fn plugin(hooks: u128, functions: &str) -> String {
    let bitmap: String = hooks.to_be_bytes().iter().map(|b| format!("\\{b:02x}")).collect();
    let rest: String = ["check_payload", "parse_payload", "on_http_req", "on_http_resp"]
        .iter()
        .filter(|name| !functions.contains(&format!("\"{name}\"")))
        .map(|name| format!("(func (export \"{name}\") (result i32) (i32.const 0))\n"))
        .collect();
    let start = if functions.contains("\"_start\"") {
        ""
    } else {
        "(func (export \"_start\"))"
    };
    let memory = if functions.contains("\"memory\"") {
        ""
    } else {
        "(memory (export \"memory\") 2)"
    };
    format!(
        r#"(module
  (import "deepflow" "wasm_log" (func $log (param i32 i32 i32)))
  (import "deepflow" "vm_read_ctx_base" (func $context (param i32 i32) (result i32)))
  (import "deepflow" "vm_read_payload" (func $payload (param i32 i32) (result i32)))
  (import "deepflow" "vm_read_http_req_info" (func $request (param i32 i32) (result i32)))
  (import "deepflow" "vm_read_http_resp_info" (func $response (param i32 i32) (result i32)))
  (import "deepflow" "vm_read_custom_message_info" (func $message (param i32 i32) (result i32)))
  (import "deepflow" "host_read_l7_protocol_info" (func $records (param i32 i32) (result i32)))
  (import "deepflow" "host_read_str_result" (func $name (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  {memory}
  (data (i32.const 16) "{bitmap}")
  (func (export "get_hook_bitmap") (result i32) (i32.const 16))
  {start}
  {rest}
  {functions})"#
    )
}

/// Hook bits of [`plugin`].
pub(crate) const PARSE: u128 = 1;
pub(crate) const REQUEST: u128 = 1 << 127;
pub(crate) const RESPONSE: u128 = 1 << 126;
pub(crate) const MESSAGE: u128 = 1 << 125;

/// A setup named `name`. Its deadline leaves a busy machine time for what ends by itself.
pub(crate) fn spec(name: &str) -> PluginSpec {
    PluginSpec {
        deadline: Duration::from_secs(5),
        ..PluginSpec::new(name, "")
    }
}

/// A host with these plugins.
pub(crate) fn host_of(plugins: &[(PluginSpec, &str)]) -> Arc<Host> {
    let host = Host::new().unwrap().with_budget(None);
    let modules: Vec<_> = plugins
        .iter()
        .map(|(spec, text)| (spec.clone(), wat::parse_str(text).unwrap()))
        .collect();
    let refused = host.load_modules(&modules);
    assert!(refused.is_empty(), "{refused:?}");
    Arc::new(host)
}

/// A host with one plugin.
pub(crate) fn host(text: &str) -> Arc<Host> {
    host_of(&[(spec("test"), text)])
}

/// Why this plugin is refused.
pub(crate) fn refusal(text: &str) -> LoadError {
    let host = Host::new().unwrap();
    host.load_module(&spec("test"), &wat::parse_str(text).unwrap())
        .unwrap_err()
}

/// Replays `script` with the plugins of `host`.
pub(crate) fn replay(script: Script, host: &Arc<Host>) -> Vec<Told> {
    with(script, host).replay()
}

/// `script` with the plugins of `host`.
pub(crate) fn with(mut script: Script, host: &Arc<Host>) -> Script {
    let plugins: Arc<dyn tapir_parsers::plugin::PluginHost> = host.clone();
    script.plugins = Some(plugins);
    script
}

/// A message of the house protocol.
pub(crate) fn demo(kind: u8, id: u8, text: &str) -> Vec<u8> {
    [&b"DM"[..], &[kind, id, 0, text.len() as u8], text.as_bytes()].concat()
}

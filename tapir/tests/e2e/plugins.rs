//! Plugins at work: hostile ones beside traffic of others, and plugins that come and go while flows last.

use crate::lab::{Lab, Server};
use crate::matching::exactly;
use crate::peers;
use crate::running::{ONE_QUEUE, Running};
use crate::traffic::{self, SERVER, matched, with};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

const DEMO: &str = include_str!("../../../plugins/tests/plugins/demo.wat");
const PORT: u16 = 7700;

/// A plugin that does `body` at every call, and begins with `more`.
fn hostile(more: &str, body: &str) -> String {
    let functions: String = ["check_payload", "parse_payload", "on_http_req", "on_http_resp"]
        .iter()
        .map(|name| format!("(func (export \"{name}\") (result i32) {body})\n"))
        .collect();
    format!(
        r#"(module
  (import "deepflow" "wasm_log" (func $log (param i32 i32 i32)))
  (import "deepflow" "host_read_l7_protocol_info" (func $records (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "\c0") (data (i32.const 31) "\01")
  {more}
  (func (export "_start"))
  (func (export "get_hook_bitmap") (result i32) (i32.const 16))
  {functions})"#
    )
}

impl Lab {
    /// Compiles a plugin from text into a file.
    fn plugin(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(&format!("{name}.wasm"));
        // Whole at every moment: it may be read meanwhile.
        let new = self.path("new.wasm");
        std::fs::write(&new, wat::parse_str(text).unwrap()).unwrap();
        std::fs::rename(new, &path).unwrap();
        path
    }

    /// Writes a configuration with these plugins, and time enough that none is passed by.
    fn configure(&self, plugins: &str) -> PathBuf {
        let path = self.path("tapir.toml");
        let cache = self.path("cache");
        let limits = format!("[plugin_limits]\ntime_per_second = \"1s\"\ncache = {cache:?}\n");
        std::fs::write(&path, limits + plugins).unwrap();
        path
    }

    /// Modules that were compiled and are kept.
    fn kept(&self) -> usize {
        std::fs::read_dir(self.path("cache")).map_or(0, Iterator::count)
    }

    fn house_server(&self) -> Server {
        self.serve(&["python3", &peers::source("house_server.py")], PORT)
    }
}

/// A client that does what each line that it is given says, on one connection, and prints a line for it.
struct Dialogue(Child, BufReader<ChildStdout>);

impl Dialogue {
    fn begin(lab: &Lab, source: &str) -> Self {
        let mut client = lab.in_client("python3");
        let client = client.args([&peers::source(source), SERVER]);
        let mut client = client
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let answers = BufReader::new(client.stdout.take().unwrap());
        Self(client, answers)
    }

    fn say(&mut self, line: &str, expected: &str) {
        writeln!(self.0.stdin.as_mut().unwrap(), "{line}").unwrap();
        let mut answer = String::new();
        self.1.read_line(&mut answer).unwrap();
        assert_eq!(answer.trim(), expected);
    }

    /// Asks the house.
    fn ask(&mut self, question: &str) {
        self.say(question, &question.to_uppercase());
    }

    /// Gets a page.
    fn get(&mut self, path: &str) {
        self.say(path, "200");
    }
}

impl Drop for Dialogue {
    fn drop(&mut self) {
        // It ends when there is nothing more to say.
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// Asks the house server on a connection of its own.
fn ask(lab: &Lab, questions: &[&str]) {
    let mut house = Dialogue::begin(lab, "house_client.py");
    questions.iter().for_each(|question| house.ask(question));
}

/// The record of one question.
fn exchange(proto: &str, question: &str) -> Value {
    let base = matched(proto, PORT);
    let result = question.to_uppercase();
    with(&base, json!({"resource": question, "result": result}))
}

fn run<'l>(lab: &'l Lab, config: &Path) -> Running<'l> {
    let config = ["--config", config.to_str().unwrap()];
    Running::start(lab, &[&ONE_QUEUE[..], &config].concat())
}

/// Nothing is lost, both accounts balance, and exactly these records are there.
fn ends_well(tapir: Running<'_>, expected: &[Value]) {
    let health = tapir.health_at_rest();
    for account in ["packets", "records"] {
        assert_eq!(health[account]["difference"], 0, "{health}");
    }
    assert_eq!(tapir.metric("tapir_port_stat_total", "missed"), 0);
    assert_eq!(tapir.metric("tapir_records_dropped_total", ""), 0);
    let finished = tapir.interrupt();
    assert_eq!(finished.exit_code, Some(0), "{}", finished.stderr);
    assert!(!finished.stderr.contains("BUG"), "{}", finished.stderr);
    exactly(&finished.records, expected);
}

#[test]
fn hostile_plugins_harm_nobody() {
    let Some(lab) = Lab::up(false) else { return };
    let endless = "(loop (br 0)) (i32.const 0)";
    let chatter = "(loop (call $log (i32.const 0) (i32.const 16) (i32.const 0)) (br 0)) (i32.const 0)";
    let greedy =
        "(if (i32.eq (memory.grow (i32.const 65000)) (i32.const -1)) (then unreachable)) (i32.const 0)";
    let liar = "(drop (call $records (i32.const 64) (i32.const 5))) (i32.const 0)";
    let reasons = [
        ("traps", "trap", hostile("", "unreachable")),
        ("endless", "timeout", hostile("", endless)),
        ("chatter", "timeout", hostile("", chatter)),
        ("greedy", "memory", hostile("", greedy)),
        ("odd", "bad_return", hostile("", "(i32.const -1)")),
        (
            "liar",
            "bad_record",
            hostile("(data (i32.const 64) \"\\00\\03abc\")", liar),
        ),
    ];
    let tables: String = reasons
        .iter()
        .map(|(name, _, text)| (lab.plugin(name, text), "failures = 3\nretry = \"1s\"\n"))
        .chain([(lab.plugin("demo", DEMO), "framed = true\n")])
        .map(|(path, more)| format!("[[plugins]]\npath = {path:?}\n{more}"))
        .collect();
    let _house = lab.house_server();
    let tapir = run(&lab, &lab.configure(&tables));
    assert_eq!(lab.kept(), 7);
    let mut expected = traffic::all(&lab);
    // So that each has been tried again.
    std::thread::sleep(Duration::from_secs(2));
    expected.extend(traffic::web_and_cache(&lab));
    // What a plugin that behaves says comes out beside all that.
    let questions = ["how are you", "what is new", "good bye"];
    ask(&lab, &questions);
    expected.extend(questions.map(|question| exchange("Demo", question)));
    for (name, reason, _) in &reasons {
        let label = format!("plugin=\"{name}\"");
        let failures = tapir.metric(
            "tapir_plugin_failures_total",
            &format!("{label},reason=\"{reason}\""),
        );
        assert!(failures >= 6, "{name}: {failures} times {reason}");
        assert!(
            tapir.metric("tapir_plugin_set_aside_total", &label) >= 2,
            "{name}"
        );
    }
    let demo = "plugin=\"demo\"";
    assert_eq!(tapir.metric("tapir_plugin_failures_total", demo), 0);
    let taken = format!("{demo},function=\"parse_payload\"");
    assert_eq!(tapir.metric("tapir_plugin_taken_total", &taken), 6);
    assert_eq!(tapir.metric("tapir_plugin_memory_bytes", demo), 65_536);
    assert!(tapir.metric("tapir_plugin_log_lines_dropped_total", "plugin=\"chatter\"") > 0);
    ends_well(tapir, &expected);
}

#[test]
fn plugins_come_and_go_while_flows_last() {
    let Some(lab) = Lab::up(false) else { return };
    let _house = lab.house_server();
    let config = lab.configure("");
    let tapir = run(&lab, &config);
    let reload = |toml: &str, loaded: &str| {
        lab.configure(toml);
        let before = tapir.said(loaded);
        let told = Command::new(env!("CARGO_BIN_EXE_tapir"))
            .args(["plugin", "reload", "--pid", &tapir.pid()])
            .output()
            .unwrap();
        assert!(told.status.success(), "{told:?}");
        let begin = Instant::now();
        while tapir.said(loaded) == before {
            assert!(begin.elapsed() < Duration::from_secs(30), "no '{loaded}'");
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    let entry = |path: &PathBuf| format!("[[plugins]]\npath = {path:?}\nports = [{PORT}]\nframed = true\n");
    // An exchange of HTTP, on a connection that lasts as long as this.
    let mut web = Dialogue::begin(&lab, "web_client.py");
    web.get("/api/before");
    assert_eq!(lab.kept(), 0);

    // The first, where there was none. A flow from before it goes on without it.
    let path = lab.plugin("house", DEMO);
    reload(&entry(&path), "1 of 1 plugins loaded");
    let mut lasting = Dialogue::begin(&lab, "house_client.py");
    lasting.ask("first");
    web.get("/api/with");

    // A new version takes over, for new flows and for those that the old one claimed.
    let renamed = DEMO.replace("\\00\\04Demo", "\\00\\04Next");
    lab.plugin("house", &renamed);
    reload(&entry(&path), "1 of 1 plugins loaded");
    lasting.ask("second");
    ask(&lab, &["third"]);
    assert_eq!(
        tapir.metric(
            "tapir_plugin_taken_total",
            "plugin=\"house\",function=\"parse_payload\""
        ),
        6,
        "the counts of the version before stay"
    );

    // One that can't be loaded is left out; the configuration of before is gone all the same.
    std::fs::write(&path, b"no module").unwrap();
    reload(&entry(&path), "0 of 1 plugins loaded");
    ask(&lab, &["unheard"]);
    lab.plugin("house", DEMO);
    reload(&entry(&path), "1 of 1 plugins loaded");
    ask(&lab, &["heard"]);

    assert_eq!(lab.kept(), 2, "each version, once");

    // The last is removed.
    reload("", "0 of 0 plugins loaded");
    ask(&lab, &["unheard, too"]);
    web.get("/api/after");
    drop((lasting, web));
    let http = |path: &str| {
        with(
            &matched("http1", 80),
            json!({"resource": path, "code": 200, "domain": SERVER}),
        )
    };
    ends_well(
        tapir,
        &[
            http("/api/before"),
            http("/api/with"),
            http("/api/after"),
            exchange("Demo", "first"),
            // Claimed by the first version, so with its name.
            exchange("Demo", "second"),
            exchange("Next", "third"),
            exchange("Demo", "heard"),
        ],
    );
}

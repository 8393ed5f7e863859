//! nginx: keep-alive, files that the kernel sends, errors.

use crate::host::{children, client, folder, free_port, nginx};
use crate::matching::exactly;
use crate::running::Running;
use serde_json::json;

#[test]
fn answers_of_a_worker() {
    let Some(folder) = folder(&["nginx", "curl"]) else {
        return;
    };
    let port = free_port();
    let server = nginx(folder.path(), port);
    let Some(running) = Running::start(folder.path(), &[]) else {
        return;
    };
    let url = |path: &str| format!("http://127.0.0.1:{port}{path}");
    let urls = ["/hello", "/large.bin", "/hello", "/nothing"].map(url);
    let mut arguments = vec!["curl", "-s"];
    arguments.extend(urls.iter().flat_map(|url| ["-o", "/dev/null", url]));
    client(&arguments);
    let finished = running.interrupt();
    let worker = children(server.pid())[0];
    let answer = |path: &str, code: u16, gap: Option<u64>| {
        json!({"source": "host", "proto": "http1", "kind": "matched", "ended": "response", "req_type": "GET",
               "resource": path, "code": code, "domain": format!("127.0.0.1:{port}"), "gap_bytes": gap,
               "process": {"pid": worker, "comm": "nginx"}})
    };
    exactly(
        &finished.of_port(port),
        &[
            answer("/hello", 200, None),
            // Sent by the kernel, from the file to the socket: its bytes were in no process.
            answer("/large.bin", 200, Some(100_000)),
            answer("/hello", 200, None),
            answer("/nothing", 404, None),
        ],
    );
}

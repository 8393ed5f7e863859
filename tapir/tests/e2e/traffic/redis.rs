//! Redis: result types, errors, pipelines, clients at once.

use super::{SERVER, matched, with};
use crate::lab::Lab;
use serde_json::{Value, json};

pub(super) fn known(lab: &Lab) -> Vec<Value> {
    let base = matched("redis", 6379);
    let command = |name: &str, whole: &str, result: &str| {
        with(
            &base,
            json!({"req_type": name, "endpoint": name, "resource": whole, "result": result}),
        )
    };
    lab.clients(&format!(
        "redis-cli -h {SERVER} SET user:17 Ada
         redis-cli -h {SERVER} GET user:17
         redis-cli -h {SERVER} GET nobody
         redis-cli -h {SERVER} INCR visits
         redis-cli -h {SERVER} LRANGE list 0 -1
         redis-cli -h {SERVER} -3 HGETALL nothing
         redis-cli -h {SERVER} HGET user:17 name"
    ));
    let mut expected = vec![
        command("SET", "SET user:17 Ada", "SimpleString"),
        command("GET", "GET user:17", "BulkString"),
        command("GET", "GET nobody", "Null"),
        command("INCR", "INCR visits", "Integer"),
        command("LRANGE", "LRANGE list 0 -1", "Array"),
        command("HELLO", "HELLO 3", "Map"),
        command("HGETALL", "HGETALL nothing", "Map"),
        with(
            &command("HGET", "HGET user:17 name", "SimpleError"),
            json!({"status": "server_error",
                   "exception": "WRONGTYPE Operation against a key holding the wrong kind of value"}),
        ),
    ];

    // A pipeline of two hundred commands; redis-cli ends it with an ECHO of its own.
    lab.clients(&format!(
        "for i in $(seq 200); do echo SET key:$i value:$i; done | redis-cli -h {SERVER} --pipe"
    ));
    expected.extend((1..=200).map(|i| command("SET", &format!("SET key:{i} value:{i}"), "SimpleString")));
    expected.push(with(&base, json!({"req_type": "ECHO", "result": "BulkString"})));

    // Four clients at once.
    lab.clients(&format!(
        "for i in 1 2 3 4; do redis-cli -h {SERVER} -r 25 LPUSH queue:$i job & pids+=($!); done; wait ${{pids[@]}}"
    ));
    expected.extend(
        (1..=4).flat_map(|i| {
            std::iter::repeat_n(command("LPUSH", &format!("LPUSH queue:{i} job"), "Integer"), 25)
        }),
    );
    expected
}

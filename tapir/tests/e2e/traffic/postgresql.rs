//! PostgreSQL: simple queries, errors, TLS, prepared statements.

use super::{SERVER, matched, with};
use crate::lab::Lab;
use serde_json::{Value, json};

pub(super) fn known(lab: &Lab) -> Vec<Value> {
    let base = matched("postgresql", 5432);
    let startup = with(
        &base,
        json!({"req_type": "STARTUP", "domain": "shop", "resource": "shop"}),
    );
    let in_shop = with(&base, json!({"domain": "shop"}));
    let query = |sql: &str, rows: Value| {
        with(
            &in_shop,
            json!({"req_type": "QUERY", "resource": sql, "rows": rows}),
        )
    };
    lab.clients(&format!(
        "psql -X -h {SERVER} -U shop shop -c 'SELECT name FROM items WHERE price <= 50' -c 'INSERT INTO orders VALUES (1, 17, 2)' \\
           -c 'UPDATE items SET price = 1 WHERE id <= 3'
         psql -X -h {SERVER} -U shop shop -c 'SELECT * FROM nowhere' && exit 1
         PGSSLMODE=require psql -X -h {SERVER} -U shop shop -c 'SELECT 1'"
    ));
    let mut expected = vec![
        startup.clone(),
        with(
            &query("SELECT name FROM items WHERE price <= 50", json!(5)),
            json!({"endpoint": "SELECT items"}),
        ),
        with(
            &query("INSERT INTO orders VALUES (1, 17, 2)", json!(1)),
            json!({"endpoint": "INSERT orders"}),
        ),
        with(
            &query("UPDATE items SET price = 1 WHERE id <= 3", json!(3)),
            json!({"endpoint": "UPDATE items"}),
        ),
        startup.clone(),
        with(
            &query("SELECT * FROM nowhere", Value::Null),
            json!({"status": "client_error", "exception": "relation \"nowhere\" does not exist",
                   "attrs": {"sqlstate": "42P01"}}),
        ),
        // What follows the server's S is TLS.
        with(&base, json!({"req_type": "SSLREQUEST"})),
        json!({"proto": "tls", "kind": "matched", "server_port": 5432, "version": "1.3", "status": "ok"}),
    ];

    // Prepared statements: two clients at once, each prepares once and executes ten times.
    let sql = "SELECT name FROM items WHERE id = :id;";
    let script = lab.path("prepared.sql");
    std::fs::write(&script, format!("\\set id random(1, 100)\n{sql}\n")).unwrap();
    lab.clients(&format!(
        "pgbench -n -M prepared -c 2 -t 10 -f {} -h {SERVER} -U shop shop",
        script.display()
    ));
    let sql = "SELECT name FROM items WHERE id = $1;";
    // One connection more looks at the server before.
    expected.extend(std::iter::repeat_n(startup, 3));
    expected.extend(std::iter::repeat_n(
        with(&in_shop, json!({"req_type": "PARSE", "resource": sql})),
        2,
    ));
    expected.extend(std::iter::repeat_n(
        with(
            &in_shop,
            json!({"req_type": "EXECUTE", "resource": sql, "endpoint": "SELECT items", "rows": 1}),
        ),
        20,
    ));
    expected
}

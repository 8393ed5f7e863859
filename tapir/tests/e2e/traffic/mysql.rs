//! MySQL: queries, errors, prepared statements.

use super::{SERVER, matched, with};
use crate::lab::Lab;
use serde_json::{Value, json};

/// Prepared statements of MySQL's binary protocol, which its command-line client has no way to make.
const PREPARED: &str = r#"use DBI;
my $db = DBI->connect("dbi:MariaDB:database=shop;host=10.99.0.1", "shop", "", {RaiseError => 1, mariadb_server_prepare => 1});
my $item = $db->prepare("SELECT name FROM items WHERE id = ?");
for my $id (1..10) { $item->execute($id); my @row = $item->fetchrow_array; die unless $row[0] eq "item $id"; $item->finish; }
undef $item;
$db->disconnect;
"#;

pub(super) fn known(lab: &Lab) -> Vec<Value> {
    let base = with(&matched("mysql", 3306), json!({"domain": "shop"}));
    let login = with(&base, json!({"req_type": "LOGIN", "resource": "shop"}));
    let query = |sql: &str, rows: Value| {
        with(
            &base,
            json!({"req_type": "COM_QUERY", "resource": sql, "rows": rows, "code": 0}),
        )
    };
    let quit = json!({"proto": "mysql", "kind": "oneway", "req_type": "COM_QUIT"});
    lab.clients(&format!(
        "mariadb --no-defaults -h {SERVER} -u shop shop --force -e \
         'SELECT name FROM items WHERE price <= 50; INSERT INTO orders VALUES (1, 17, 2); \
          UPDATE items SET price = 1 WHERE id <= 3; SELECT * FROM nowhere' || true"
    ));
    let mut expected = vec![
        login.clone(),
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
        with(
            &query("SELECT * FROM nowhere", Value::Null),
            json!({"code": 1146, "status": "client_error", "exception": "Table 'shop.nowhere' doesn't exist"}),
        ),
        quit.clone(),
    ];

    let script = lab.path("prepared.pl");
    std::fs::write(&script, PREPARED).unwrap();
    lab.clients(&format!("perl {}", script.display()));
    let sql = "SELECT name FROM items WHERE id = ?";
    expected.push(login);
    // What the driver asks for by itself.
    for sql in [
        "SET NAMES 'utf8mb4'",
        "SET character_set_server = 'utf8mb4'",
        "SET collation_connection = 'utf8mb4_unicode_ci'",
        "SET collation_server = 'utf8mb4_unicode_ci'",
    ] {
        expected.push(with(&query(sql, json!(0)), json!({"endpoint": "SET"})));
    }
    expected.push(with(
        &base,
        json!({"req_type": "COM_STMT_PREPARE", "resource": sql}),
    ));
    expected.extend(std::iter::repeat_n(
        with(
            &base,
            json!({"req_type": "COM_STMT_EXECUTE", "resource": sql, "endpoint": "SELECT items", "rows": 1}),
        ),
        10,
    ));
    expected.push(json!({"proto": "mysql", "kind": "oneway", "req_type": "COM_STMT_CLOSE"}));
    expected.push(quit);
    expected
}

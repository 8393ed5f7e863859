//! Conversations as the command reference and the protocol's specification show them.

use crate::field::Field;
use crate::testing::{Script, Told};

/// A command as an array of bulk values.
pub(super) fn command(words: &[&str]) -> Vec<u8> {
    let mut wire = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        wire.extend_from_slice(format!("${}\r\n{word}\r\n", word.len()).as_bytes());
    }
    wire
}

pub(super) fn words(line: &str) -> Vec<u8> {
    command(&line.split(' ').collect::<Vec<_>>())
}

pub(super) fn session() -> Script {
    Script::tcp(6379)
}

/// Kind, type, resource, result.
pub(super) fn brief(told: &[Told]) -> Vec<(&str, &str, &str, &str)> {
    told.iter()
        .map(|t| {
            (
                t.kind,
                t.text(Field::ReqType),
                t.text(Field::Resource),
                t.text(Field::Result),
            )
        })
        .collect()
}

#[test]
fn each_command_has_its_reply() {
    let script = session()
        .client(words("set test Hello"))
        .server("+OK\r\n")
        .client(words("GET test"))
        .server("$5\r\nHello\r\n")
        .client(words("GET none"))
        .server("$-1\r\n")
        .client(words("INCR test"))
        .server("-ERR value is not an integer or out of range\r\n")
        .client(words("LRANGE list 0 -1"))
        .server("*3\r\n$1\r\na\r\n*2\r\n:1\r\n$-1\r\n+x\r\n")
        .client(words("PING"))
        .server("+PONG\r\n");
    let told = script.replay();
    assert_eq!(
        brief(&told),
        [
            ("matched", "SET", "set test Hello", "SimpleString"),
            ("matched", "GET", "GET test", "BulkString"),
            ("matched", "GET", "GET none", "Null"),
            ("matched", "INCR", "INCR test", "SimpleError"),
            ("matched", "LRANGE", "LRANGE list 0 -1", "Array"),
            ("matched", "PING", "PING", "SimpleString"),
        ]
    );
    assert_eq!(
        (told[0].req_len, told[0].resp_len, told[0].status),
        (Some(34), Some(5), "ok")
    );
    assert_eq!(told[0].text(Field::Endpoint), "SET");
    assert_eq!(told[3].status, "server_error");
    assert_eq!(
        told[3].text(Field::Exception),
        "ERR value is not an integer or out of range"
    );
    script.check();
}

#[test]
fn pipelines_pair_in_order() {
    let mut asks = Vec::new();
    let mut tells = Vec::new();
    for i in 0..50 {
        asks.extend(words(&format!("GET key{i}")));
        tells.extend_from_slice(format!("${}\r\n{i}\r\n", i.to_string().len()).as_bytes());
    }
    let script = session()
        .client(asks)
        .server(tells)
        .client(words("PING"))
        .server("+PONG\r\n");
    let told = script.replay();
    assert_eq!(told.len(), 51);
    for (i, told) in told.iter().take(50).enumerate() {
        assert_eq!(
            (told.kind, told.text(Field::Resource)),
            ("matched", format!("GET key{i}").as_str())
        );
    }
    script.check();
}

#[test]
fn pipelines_beyond_the_limit_lose_requests_and_pair_no_others() {
    use crate::limits::PENDING_PER_FLOW_MAX;
    let count = PENDING_PER_FLOW_MAX + 500;
    let asks: Vec<u8> = (0..count).flat_map(|i| words(&format!("GET key{i}"))).collect();
    let tells: Vec<u8> = (0..count)
        .flat_map(|i| format!("-ERR key{i}\r\n").into_bytes())
        .collect();
    let script = session()
        .client(asks)
        .server(tells)
        .client(words("GET key"))
        .server("-ERR key\r\n");
    let told = script.replay();
    let pairs: Vec<_> = told.iter().filter(|t| t.kind == "matched").collect();
    assert_eq!(pairs.len(), PENDING_PER_FLOW_MAX + 1);
    for pair in pairs {
        let (asked, told) = (pair.text(Field::Resource), pair.text(Field::Exception));
        assert_eq!(asked.strip_prefix("GET "), told.strip_prefix("ERR "));
    }
    assert_eq!(told.iter().filter(|t| t.ended == "evicted").count(), 500);
}

#[test]
fn values_of_any_size_are_passed() {
    let value = "v".repeat(20_000);
    let script = session()
        .client(command(&["SET", "key", &value]))
        .server("+OK\r\n")
        .client(words("MGET key key"))
        .server(format!("*2\r\n$20000\r\n{value}\r\n$20000\r\n{value}\r\n"))
        .client(command(&["MSET", "a", &value, "b", &value, "c", "x"]))
        .server("+OK\r\n");
    let told = script.replay();
    let lengths: Vec<_> = told
        .iter()
        .map(|t| (t.kind, t.req_len.unwrap(), t.resp_len.unwrap()))
        .collect();
    assert_eq!(
        lengths,
        [
            ("matched", 20_032, 5),
            ("matched", 32, 40_024),
            ("matched", 40_062, 5)
        ]
    );
    assert_eq!(
        (told[0].truncated, told[0].text(Field::Resource).len()),
        (true, 4096)
    );
    assert!(!told[1].truncated);
    script.check();
}

#[test]
fn a_command_of_many_arguments_is_cut() {
    let mut many = vec!["DEL"];
    many.resize(5000, "");
    let script = session()
        .client(command(&many))
        .server(":0\r\n")
        .client(words("PING"))
        .server("+PONG\r\n");
    let told = script.replay();
    assert_eq!((told[0].kind, told[0].truncated), ("matched", true));
    assert_eq!(told[1].text(Field::ReqType), "PING");
    script.check();
}

#[test]
fn resp3_has_types_of_its_own() {
    let script = session()
        .client(words("HELLO 3 AUTH user secret"))
        .server("%2\r\n$6\r\nserver\r\n$5\r\nredis\r\n$5\r\nproto\r\n:3\r\n")
        .client(words("HGETALL h"))
        .server("|1\r\n$3\r\nttl\r\n*2\r\n:1\r\n:2\r\n%1\r\n+k\r\n+v\r\n")
        .client(words("SMEMBERS s"))
        .server("~2\r\n$1\r\na\r\n_\r\n")
        .client(words("ZSCORE z m"))
        .server(",1.5\r\n")
        .client(words("EXISTS k"))
        .server("#t\r\n")
        .client(words("INCR k"))
        .server("(3492890328409238509324850943850943825024385\r\n")
        .client(words("LOLWUT x"))
        .server("=8\r\ntxt:abcd\r\n")
        .client(words("GET k"))
        .server("_\r\n")
        .client(words("EVAL x 0"))
        .server("!21\r\nSYNTAX invalid syntax\r\n")
        .client(words("DEBUG stream"))
        .server("*?\r\n:1\r\n$?\r\n;4\r\nHell\r\n;1\r\no\r\n;0\r\n.\r\n");
    let told = script.replay();
    let results: Vec<_> = told.iter().map(|t| (t.kind, t.text(Field::Result))).collect();
    assert_eq!(
        results,
        [
            ("matched", "Map"),
            ("matched", "Map"),
            ("matched", "Set"),
            ("matched", "Double"),
            ("matched", "Boolean"),
            ("matched", "BigNumber"),
            ("matched", "VerbatimString"),
            ("matched", "Null"),
            ("matched", "BulkError"),
            ("matched", "Array"),
        ]
    );
    assert_eq!(told[0].text(Field::Resource), "HELLO 3 AUTH ? ?");
    assert_eq!(
        (told[8].text(Field::Exception), told[8].status),
        ("SYNTAX invalid syntax", "server_error")
    );
    script.check();
}

#[test]
fn subscriptions_and_what_comes_of_them() {
    for (array, ping) in [("*", "*2\r\n$4\r\npong\r\n$0\r\n\r\n"), (">", "+PONG\r\n")] {
        let confirm = |kind: &str, name: &str, n: u32| {
            format!(
                "{array}3\r\n${}\r\n{kind}\r\n${}\r\n{name}\r\n:{n}\r\n",
                kind.len(),
                name.len()
            )
        };
        let script = session()
            .client(words("SUBSCRIBE first second"))
            .server(
                [
                    confirm("subscribe", "first", 1),
                    confirm("subscribe", "second", 2),
                ]
                .concat(),
            )
            .client(words("PSUBSCRIBE news.*"))
            .server(confirm("psubscribe", "news.*", 3))
            .server(format!(
                "{array}3\r\n$7\r\nmessage\r\n$5\r\nfirst\r\n$5\r\nHello\r\n"
            ))
            .client(words("PING"))
            .server(format!(
                "{array}4\r\n$8\r\npmessage\r\n$6\r\nnews.*\r\n$8\r\nnews.art\r\n$2\r\nhi\r\n"
            ))
            .server(ping)
            .client(words("UNSUBSCRIBE"))
            .server(
                [
                    confirm("unsubscribe", "first", 2),
                    confirm("unsubscribe", "second", 1),
                ]
                .concat(),
            );
        let told = script.replay();
        let mut brief = brief(&told);
        let result = if array == "*" { "Array" } else { "Push" };
        let pong = if array == "*" { "Array" } else { "SimpleString" };
        brief.sort_unstable();
        let mut want = [
            ("matched", "SUBSCRIBE", "SUBSCRIBE first second", result),
            ("matched", "PSUBSCRIBE", "PSUBSCRIBE news.*", result),
            ("stream", "MESSAGE", "first", ""),
            ("stream", "PMESSAGE", "news.art", ""),
            ("matched", "PING", "PING", pong),
            ("matched", "UNSUBSCRIBE", "UNSUBSCRIBE", result),
            ("stream", "UNSUBSCRIBE", "second", ""),
        ];
        want.sort_unstable();
        assert_eq!(brief, want);
        let patterned = told
            .iter()
            .find(|t| t.text(Field::ReqType) == "PMESSAGE")
            .unwrap();
        assert_eq!(patterned.attr("pattern"), "news.*");
        script.check();
    }
}

#[test]
fn tracking_pushes_stand_between_replies() {
    let script = session()
        .client(words("GET a"))
        .server(">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\na\r\n$1\r\n1\r\n")
        .client(words("GET b"))
        .server("$1\r\n2\r\n>1\r\n+odd\r\n");
    assert_eq!(
        brief(&script.replay()),
        [
            ("stream", "INVALIDATE", "", ""),
            ("matched", "GET", "GET a", "BulkString"),
            ("matched", "GET", "GET b", "BulkString"),
            ("stream", "PUSH", "", ""),
        ]
    );
    script.check();
}

#[test]
fn what_monitor_shows_is_a_stream() {
    let script = session()
        .client(words("MONITOR"))
        .server("+OK\r\n")
        .server("+1339518083.107412 [0 127.0.0.1:60866] \"keys\" \"*\"\r\n")
        .server("+1339518087.877697 [3 [::1]:60866] \"set\" \"a b\" \"x\\\"y\"\r\n+1339518090.1 [0 lua] \"auth\" \"secret\"\r\n")
        .client(words("QUIT"))
        .server("+OK\r\n");
    let told = script.replay();
    assert_eq!(
        brief(&told),
        [
            ("matched", "MONITOR", "MONITOR", "SimpleString"),
            ("stream", "MONITOR", "keys *", ""),
            ("stream", "MONITOR", "set a b x\\\"y", ""),
            ("stream", "MONITOR", "auth ?", ""),
            ("matched", "QUIT", "QUIT", "SimpleString"),
        ]
    );
    assert_eq!(
        (told[1].attr("client"), told[1].attr("database")),
        ("127.0.0.1:60866", "0")
    );
    assert_eq!(
        (told[2].attr("client"), told[2].attr("database")),
        ("[::1]:60866", "3")
    );
    script.check();
}

#[test]
fn inline_commands() {
    let script = session()
        .client("PING\r\n")
        .server("+PONG\r\n")
        .client("\r\nset key \"two words\"\r\nauth secret\r\n")
        .server("+OK\r\n-ERR AUTH called without any password configured\r\n");
    assert_eq!(
        brief(&script.replay()),
        [
            ("matched", "PING", "PING", "SimpleString"),
            ("matched", "SET", "set key two words", "SimpleString"),
            ("matched", "AUTH", "auth ?", "SimpleError"),
        ]
    );
    script.check();
}

#[test]
fn clients_that_want_no_reply() {
    let script = session()
        .client([words("CLIENT REPLY SKIP"), words("SET a 1"), words("GET a")].concat())
        .server("$1\r\n1\r\n")
        .client(
            [
                words("client reply off"),
                words("SET a 2"),
                words("CLIENT REPLY ON"),
            ]
            .concat(),
        )
        .server("+OK\r\n");
    assert_eq!(
        brief(&script.replay()),
        [
            ("oneway", "CLIENT", "CLIENT REPLY SKIP", ""),
            ("oneway", "SET", "SET a 1", ""),
            ("matched", "GET", "GET a", "BulkString"),
            ("oneway", "CLIENT", "client reply off", ""),
            ("oneway", "SET", "SET a 2", ""),
            ("matched", "CLIENT", "CLIENT REPLY ON", "SimpleString"),
        ]
    );
    script.check();
}

#[test]
fn transactions_are_commands_like_others() {
    let script = session()
        .client([words("MULTI"), words("INCR a"), words("GET b"), words("EXEC")].concat())
        .server("+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n:1\r\n-WRONGTYPE no\r\n")
        .client(words("EXEC"))
        .server("-ERR EXEC without MULTI\r\n");
    let told = script.replay();
    let brief: Vec<_> = told
        .iter()
        .map(|t| (t.kind, t.text(Field::ReqType), t.status))
        .collect();
    assert_eq!(
        brief,
        [
            ("matched", "MULTI", "ok"),
            ("matched", "INCR", "ok"),
            ("matched", "GET", "ok"),
            ("matched", "EXEC", "ok"),
            ("matched", "EXEC", "server_error"),
        ]
    );
    script.check();
}

#[test]
fn replication_ends_what_is_read() {
    let script = session()
        .client(words("REPLCONF listening-port 6380"))
        .server("+OK\r\n")
        .client(words("PSYNC ? -1"))
        .server("\n")
        .server("+FULLRESYNC 8371b4fb1155b71f4a04d3e1bc3e18c4a990aeeb 0\r\n")
        .server("$18\r\nREDIS0011 a databa")
        .server(words("SET a 1"))
        .client(words("REPLCONF ACK 100"));
    assert_eq!(
        brief(&script.replay()),
        [
            (
                "matched",
                "REPLCONF",
                "REPLCONF listening-port 6380",
                "SimpleString"
            ),
            ("matched", "PSYNC", "PSYNC ? -1", "SimpleString"),
        ]
    );
    script.check();
}

#[test]
fn redaction_keeps_the_command_and_its_key() {
    let mut script = session();
    for line in [
        "set key value EX 10",
        "CONFIG GET dir",
        "EVAL code 1 key",
        "hset h f v",
    ] {
        script = script.client(words(line)).server("+OK\r\n");
    }
    script.settings.redaction.redis_values = true;
    let told = script.replay();
    let resources: Vec<_> = told.iter().map(|t| t.text(Field::Resource)).collect();
    assert_eq!(
        resources,
        ["set key ? ? ?", "CONFIG GET dir", "EVAL ? ? ?", "hset h ? ?"]
    );
}

#[test]
fn secrets_stay_in_wherever_they_stand() {
    let mut script = session();
    for line in [
        "AUTH secret",
        "auth user secret",
        "CONFIG SET requirepass secret",
        "ACL SETUSER bob >secret",
        "HELLO 2 AUTH x secret",
        "MIGRATE h 1 k 0 9 AUTH secret",
    ] {
        let name = line.split(' ').next().unwrap_or_default();
        script = script.client(words(line)).server(format!(
            "-ERR unknown command '{name}', with args beginning with: 'secret' \r\n"
        ));
        script = script.client(format!("{line}\r\n")).server("+OK\r\n");
    }
    for length in 1..40 {
        let told = script.run(
            |_, bytes| vec![length.min(bytes.len()), bytes.len() - length.min(bytes.len())],
            None,
            0,
        );
        assert_eq!(told.len(), 12);
        assert!(!format!("{told:?}").contains("secret"), "{told:#?}");
    }
}

#[test]
fn an_unknown_command_is_quoted_with_the_arguments_that_are_told_anyway() {
    let quote = |name: &str| format!("-ERR unknown command `{name}`, with args beginning with: `a`, \r\n");
    let mut script = session()
        .client(words("NOSUCH a"))
        .server(quote("NOSUCH"))
        .client(words("HELLO a"))
        .server(quote("HELLO"));
    let told = script.replay();
    let told = |at: usize| (told[at].text(Field::Exception).to_owned(), told[at].truncated);
    assert_eq!(
        told(0),
        (
            "ERR unknown command `NOSUCH`, with args beginning with: `a`,".to_owned(),
            false
        )
    );
    assert_eq!(told(1), ("ERR unknown command `HELLO`".to_owned(), true));
    script.settings.redaction.redis_values = true;
    let redacted = &script.replay()[0];
    assert_eq!(redacted.text(Field::Exception), "ERR unknown command `NOSUCH`");
}

#[test]
fn replies_after_a_gap_are_told_only_where_they_are_sure() {
    let array = format!("*200\r\n{}", "$4\r\nabcd\r\n".repeat(200));
    let (first, second) = array.split_at(700);
    let script = session()
        .client(words("PING"))
        .server("+PONG\r\n")
        .client(words("LRANGE l 0 -1"))
        .server(first)
        .server(second)
        .client(words("GET a"))
        .server("$1\r\n1\r\n")
        .client(words("GET b"))
        .server("$1\r\n2\r\n");
    // The first part of the array is lost: its rest are elements, none a reply.
    let told = script.run(|_, bytes| vec![bytes.len()], Some(3), 0);
    let gets: Vec<_> = told
        .iter()
        .filter(|t| t.text(Field::ReqType) == "GET")
        .map(|t| t.kind)
        .collect();
    assert_eq!(gets, ["matched", "matched"], "{told:#?}");
    assert!(told.iter().all(|t| t.kind != "orphan"), "{told:#?}");
    script.check();
}

#[test]
fn a_session_joined_midway_is_recognised() {
    let script = session()
        .client(words("GET a"))
        .server("$1\r\n1\r\n")
        .client(words("GET b"))
        .server("$1\r\n2\r\n");
    let told = script.run(|_, bytes| vec![bytes.len()], None, 1);
    assert_eq!(
        brief(&told),
        [
            ("orphan", "", "", "BulkString"),
            ("matched", "GET", "GET b", "BulkString")
        ]
    );
    let told = script.run(|_, bytes| vec![bytes.len()], None, 2);
    assert_eq!(brief(&told), [("matched", "GET", "GET b", "BulkString")]);
    // Off its port, and seen the wrong way round.
    let mut turned = Script::tcp(40_001);
    for (direction, bytes) in &script.messages {
        turned.messages.push((direction.opposite(), bytes.clone()));
    }
    let told = turned.run(|_, bytes| vec![bytes.len()], None, 1);
    assert_eq!(
        told.last().map(|t| (t.kind, t.ports.0)),
        Some(("matched", 40_001))
    );
}

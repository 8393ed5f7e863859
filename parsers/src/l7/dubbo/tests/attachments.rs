//! What stands behind the arguments of a call.

use super::{hessian_call, only};
use crate::field::Field;
use crate::l7::dubbo::samples::*;
use crate::l7::hessian2::encoder::{binary, int, map, object, string, string_in_pieces};
use crate::limits::DUBBO_WALKED_BYTES_MAX;
use crate::testing::Script;

#[test]
fn attachments_are_found_behind_arguments_of_any_size() {
    let traced = map(&[("b3", "80f198ee56343ba8-e457b5a2e4d86bd1-1")]);
    let user = object(
        0,
        "org.example.User",
        &[("name", string("añna")), ("friends", b"\x7BN\x90Q\x90".to_vec())],
    );
    let list = [&b"X\xC9\x2C"[..], &string("some entry of a list").repeat(300)].concat();
    for (types, arguments) in [
        ("", Vec::new()),
        ("IJLorg/example/User;", [&int(3)[..], b"\xE0", &user].concat()),
        ("[B", binary(&[7; 200_000])),
        ("Ljava/util/List;Z", [&list[..], b"T"].concat()),
        (
            "Ljava/lang/String;",
            string_in_pieces(&"long text ".repeat(10_000), 0x8000),
        ),
    ] {
        let script = Script::tcp(20880)
            .client(hessian_call(3, types, &arguments, &traced))
            .server(answer(3));
        let told = only(&script);
        assert_eq!(told.text(Field::TraceId), "80f198ee56343ba8", "{types}");
        assert!(!told.truncated);
        if arguments.len() < 10_000 {
            script.check();
        }
        let whole = script.replay();
        for len in [100, 1448, 4000] {
            let cut = |_: usize, bytes: &[u8]| bytes.chunks(len).map(<[u8]>::len).collect();
            assert_eq!(script.run(cut, None, 0), whole, "{types} by {len}");
        }
    }
}

#[test]
fn attachments_of_every_tracing_system_are_read() {
    let sw8 = "1-dHJhY2U=-c2VnbWVudA==-3-c2VydmljZQ==-aW5zdGFuY2U=-ZW5kcG9pbnQ=-YWRkcmVzcw==";
    for (entries, trace, span) in [
        (&[("sw8", sw8)][..], "trace", "segment-3"),
        (&[("X-B3-TraceId", "abc"), ("X-B3-SpanId", "def")], "abc", "def"),
        (&[("uber-trace-id", "3b9f:1c2:0:1")], "3b9f", "1c2"),
        (
            &[("EagleEye-TraceID", "t1"), ("EagleEye-SpanID", "-5")],
            "t1",
            "-5",
        ),
        (&[("host", "h"), ("user-agent", "u")], "", ""),
    ] {
        let told = only(&Script::tcp(20880).client(hessian_call(3, "", b"", &map(entries))));
        assert_eq!(
            (told.text(Field::TraceId), told.text(Field::SpanId)),
            (trace, span)
        );
        assert_eq!(
            (told.text(Field::Domain), told.text(Field::UserAgent)),
            ("org.example.Users", "")
        );
    }
    // Values that are no strings, keys that are none, a map with a type, and no map at all.
    let odd = [
        &b"M\x11java.util.TreeMap"[..],
        b"\x90T",
        b"\x04listX\x92NN",
        b"\x02b3N",
        &string(&"k".repeat(9000)),
        b"T",
        &string("traceparent"),
        &string(TRACE),
        b"Z",
    ]
    .concat();
    let told = only(&Script::tcp(20880).client(hessian_call(3, "", b"", &odd)));
    assert_eq!(told.text(Field::SpanId), "00f067aa0ba902b7");
    assert!(!told.truncated);
    for attachments in [&b"N"[..], b""] {
        assert!(!only(&Script::tcp(20880).client(hessian_call(3, "", b"", attachments))).truncated);
    }
}

#[test]
fn arguments_that_cannot_be_read_cost_the_attachments_alone() {
    for arguments in [&b"@@@"[..], b"\x60", b"S\xFF\xFFshort"] {
        let script = Script::tcp(20880)
            .client(hessian_call(3, "Ljava/lang/Object;", arguments, b""))
            .server(answer(3))
            .client(call(4))
            .server(answer(4));
        let told = script.replay();
        assert_eq!(told.len(), 2);
        assert_eq!(told[0].text(Field::Endpoint), "org.example.Users/find");
        assert!(told[0].truncated && !told[1].truncated);
        script.check();
    }
}

#[test]
fn arguments_are_looked_at_up_to_a_bound() {
    let pieces = DUBBO_WALKED_BYTES_MAX as usize / 0x8000 + 3;
    let text = string_in_pieces(&"x".repeat(pieces * 0x8000), 0x8000);
    let far = hessian_call(3, "Ljava/lang/String;", &text, &map(&[("b3", "ab-cd")]));
    let script = Script::tcp(20880).client(&far).server(answer(3));
    let told = script.run(|_, bytes| bytes.chunks(1448).map(<[u8]>::len).collect(), None, 0);
    assert_eq!((told.len(), told[0].text(Field::TraceId)), (1, ""));
    assert_eq!(told[0].req_len, Some(far.len() as u64));
}

#[test]
fn a_gap_in_the_arguments_costs_the_attachments_alone() {
    let long = hessian_call(
        3,
        "Ljava/lang/String;",
        &string(&"x".repeat(5000)),
        &map(&[("b3", "ab-cd")]),
    );
    let script = Script::tcp(20880)
        .client(&long[..1000])
        .client(&long[1000..2000])
        .client([&long[2000..], &call(4)].concat())
        .server([answer(3), answer(4)].concat());
    let told = script.run(|_, bytes| vec![bytes.len()], Some(1), 0);
    let seen: Vec<_> = told.iter().map(|t| (t.kind, t.truncated, t.gap_bytes)).collect();
    assert_eq!(seen, [("matched", true, 1000), ("matched", false, 0)]);
    assert_eq!(told[0].req_len, Some(long.len() as u64));
}

#[test]
fn a_request_whose_end_is_lost_is_as_long_as_it_said() {
    let arguments = string(&"x".repeat(5000));
    let long = hessian_call(3, "Ljava/lang/String;", &arguments, &map(&[("b3", "ab-cd")]));
    let script = Script::tcp(20880)
        .client(&long[..1000])
        .client(&long[1000..])
        .server(answer(3))
        .client(call(4))
        .server(answer(4));
    let told = script.run(|_, bytes| vec![bytes.len()], Some(1), 0);
    let seen: Vec<_> = told.iter().map(|t| (t.kind, t.truncated, t.req_len)).collect();
    let [all, next] = [long.len() as u64, call(4).len() as u64];
    assert_eq!(
        seen,
        [("matched", true, Some(all)), ("matched", false, Some(next))]
    );
}

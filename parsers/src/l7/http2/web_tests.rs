//! Calls of browsers, and calls whose fields were lost.

use super::hpack::encoder::Write;
use super::tests::{CALL_ANSWERED, END_STREAM, PADDED, connected, data, frame, get, headers, outline};
use crate::field::Field;
use Write::{Added, Indexed, Plain};

const TRAILERS: &[u8] = b"\x80\0\0\0\x2Cgrpc-status:5\r\ngrpc-message:no%20such cart\r\n";

fn web_call<'a>(path: &'a str, content_type: &'a str) -> [Write<'a>; 4] {
    [
        Indexed(3),
        Indexed(6),
        Plain(":path", path),
        Plain("content-type", content_type),
    ]
}

fn begun(stream: u32, content_type: &str) -> Vec<u8> {
    headers(stream, 0, &[Indexed(8), Plain("content-type", content_type)])
}

#[test]
fn calls_of_browsers_tell_their_outcome_in_data() {
    let web = "application/grpc-web+proto";
    let text = "application/grpc-web-text";
    let padded = [&[3][..], b"\0\0\0\0\x02hi", TRAILERS, &[0; 3]].concat();
    let script = connected()
        .client(headers(1, END_STREAM, &web_call("/shop.Cart/Get", web)))
        .server([begun(1, web), frame(0, 0, 1, b"\0\0\0\0\x02hi")].concat())
        .server(frame(0, END_STREAM, 1, TRAILERS))
        .client(headers(3, END_STREAM, &web_call("/shop.Cart/List", web)))
        .server([begun(3, web), frame(0, END_STREAM | PADDED, 3, &padded)].concat())
        .client(headers(5, END_STREAM, &web_call("/shop.Cart/Add", text)))
        .server(begun(5, text))
        .server(frame(0, END_STREAM, 5, b"gAAAABBncnBjLXN0YXR1czogMA0K"))
        // A body that is too long to be looked through, and one that is none.
        .client(headers(7, END_STREAM, &web_call("/shop.Cart/Dump", web)))
        .server(
            [
                begun(7, web),
                data(7, 0, 5000),
                frame(0, END_STREAM, 7, b"\x80\0"),
            ]
            .concat(),
        );
    script.check();
    let told = script.run(|_, bytes| vec![bytes.len()], None, 0);
    assert_eq!(
        outline(&told),
        [
            ("grpc", "matched", Some(1), "shop.Cart", Some(5), "client_error"),
            ("grpc", "matched", Some(3), "shop.Cart", Some(5), "client_error"),
            ("grpc", "matched", Some(5), "shop.Cart", Some(0), "ok"),
            ("grpc", "matched", Some(7), "shop.Cart", None, "unknown"),
        ]
    );
    assert_eq!(told[0].text(Field::Exception), "no such cart");
}

#[test]
fn a_response_that_tells_of_a_call_tells_what_its_request_was() {
    // Fields of which only method and path are known.
    let asked = [Indexed(3), Indexed(70), Plain(":path", "/shop.Cart/Get")];
    let told = crate::testing::Script::tcp(8080)
        .client(headers(1001, END_STREAM, &asked))
        .server([headers(1001, 0, &CALL_ANSWERED), data(1001, 0, 7)].concat())
        .server(headers(1001, END_STREAM, &[Added("grpc-status", "5")]))
        .run(|_, bytes| vec![bytes.len()], None, 0);
    assert_eq!(
        outline(&told),
        [(
            "grpc",
            "matched",
            Some(1001),
            "shop.Cart",
            Some(5),
            "client_error"
        )]
    );
    assert_eq!(told[0].text(Field::Endpoint), "/shop.Cart/Get");
}

#[test]
fn what_a_connection_was_used_for_tells_what_lost_fields_were() {
    let typed = Added("content-type", "application/grpc");
    let first = [Indexed(3), Indexed(6), Plain(":path", "/shop.Cart/Get"), typed];
    let second = [
        Indexed(3),
        Indexed(6),
        Plain(":path", "/shop.Cart/Put"),
        Indexed(62),
    ];
    let answered = |stream| {
        [
            headers(stream, 0, &CALL_ANSWERED),
            data(stream, 0, 7),
            headers(stream, END_STREAM, &[Plain("grpc-status", "0")]),
        ]
        .concat()
    };
    let calls = |before: &[u8]| {
        connected()
            .client([before, &headers(3, END_STREAM, &first)].concat())
            .server(answered(3))
            .client(data(3, 0, 20))
            .client(headers(5, END_STREAM, &second))
            .run(|_, bytes| vec![bytes.len()], Some(5), 0)
    };
    let told = calls(b"");
    let last = told.last().map(|last| (last.proto, last.text(Field::Resource)));
    assert_eq!(last, Some(("grpc", "shop.Cart")));
    // With other requests among the calls nobody knows.
    let told = calls(&headers(1, END_STREAM, &get("/")));
    let last = told.iter().find(|told| told.request_id == Some(5));
    assert_eq!(last.map(|last| last.proto), Some("http2"));
}

//! What a message costs: `cargo test --profile quick -p tapir-parsers dubbo::speed -- --ignored --nocapture`.

use super::samples::{answer, call, call_body, message};
use crate::l7::hessian2::encoder::{map, object, string};
use crate::measure::{Flow, best};

#[test]
#[ignore = "a measurement"]
fn exchanges() {
    let mut flow = Flow::begin(20880, &call(1));
    let (request, response) = (call(1), answer(1));
    best("an exchange", || flow.turn(&request, &response));
    let fields = [
        ("name", string("anna")),
        ("age", vec![0xA0]),
        ("tags", map(&[("a", "b"), ("c", "d")])),
    ];
    let user = object(0, "org.example.User", &fields);
    let mut list = vec![b'X', 0xC8, 101];
    list.extend(&user);
    for _ in 0..100 {
        list.extend(&user[user.iter().position(|byte| *byte == 0x60).unwrap_or(0)..]);
    }
    let request = message(
        0xC2,
        0,
        1,
        &call_body("Ljava/util/List;", &list, &map(&[("b3", "0")])),
    );
    best(
        &format!("an exchange of {} bytes of objects", request.len()),
        || {
            flow.turn(&request, &response);
        },
    );
    let text = string(&"x".repeat(30_000));
    let request = message(0xC2, 0, 1, &call_body("Ljava/lang/String;", &text, &map(&[])));
    best("an exchange of a text of 30 000 bytes", || {
        flow.turn(&request, &response);
    });
}

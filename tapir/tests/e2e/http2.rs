//! HTTP/2 without TLS, by prior knowledge and by upgrade.

use crate::lab::Lab;
use crate::matching::exactly;
use crate::peers;
use crate::running::{ONE_QUEUE, Running};
use crate::traffic::{SERVER, matched, with};
use serde_json::{Value, json};

/// Of nghttpd.
const PORT: u16 = 8080;
/// Of nghttpx, before it.
const PROXY: u16 = 8081;
/// Of the lab's nginx.
const NGINX: u16 = 8082;

#[test]
fn requests_of_all_kinds() {
    let Some(lab) = Lab::up(false) else { return };
    if !peers::has(&["nghttp", "nghttpd", "nghttpx", "h2load"]) {
        return;
    }
    let www = lab.path("lab/nginx/www");
    let www = www.to_str().unwrap();
    let _server = lab.serve(&["nghttpd", "--no-tls", "-d", www, &PORT.to_string()], PORT);
    let frontend = format!("--frontend={SERVER},{PROXY};no-tls");
    // What it asks nghttpd stays on the loopback interface, unseen.
    let backend = format!("--backend=127.0.0.1,{PORT};;proto=h2");
    let conf = "--conf=/dev/null";
    let _proxy = lab.serve(
        &[
            "nghttpx",
            conf,
            &frontend,
            &backend,
            "--workers=1",
            "--single-process",
        ],
        PROXY,
    );
    let tapir = Running::start(&lab, &ONE_QUEUE);
    let expected = [nghttp(&lab), h2load(&lab), nginx(&lab), upgrade(&lab)].concat();
    tapir.health_at_rest();
    assert_eq!(tapir.metric("tapir_port_stat_total", "missed"), 0);
    let finished = tapir.interrupt();
    assert_eq!(finished.exit_code, Some(0), "{}", finished.stderr);
    exactly(&finished.records, &expected);
    // A body of a megabyte counts with the heads of its frames: nine bytes for each 16 KiB at least.
    let length_of = |resource: &str, key: &str| {
        let mut records = finished.records.iter();
        let whole = |r: &&Value| r["resource"] == resource && r["server_port"] == NGINX;
        records.find(whole).and_then(|record| record[key].as_u64())
    };
    let framed = 1_000_000 + 9 * 62..1_005_000;
    assert!(length_of("/upload", "req_len").is_some_and(|len| framed.contains(&len)));
    assert!(length_of("/large.txt", "resp_len").is_some_and(|len| framed.contains(&len)));
}

fn request(port: u16) -> Value {
    with(
        &matched("http2", port),
        json!({"version": "2", "req_type": "GET", "domain": format!("{SERVER}:{port}"), "code": 200}),
    )
}

/// One connection with three requests.
fn nghttp(lab: &Lab) -> Vec<Value> {
    let url = format!("http://{SERVER}:{PORT}");
    lab.client(&[
        "nghttp",
        "-nv",
        "-H",
        "x-request-id: r-17",
        &format!("{url}/index.html?page=2"),
        &format!("{url}/large.txt"),
        &format!("{url}/missing"),
    ]);
    let base = with(
        &request(PORT),
        json!({"x_request_id": "r-17", "user_agent": "nghttp2/1.52.0"}),
    );
    vec![
        with(
            &base,
            json!({"resource": "/index.html?page=2", "endpoint": "/index.html"}),
        ),
        with(&base, json!({"resource": "/large.txt"})),
        with(
            &base,
            json!({"resource": "/missing", "code": 404, "status": "client_error"}),
        ),
    ]
}

/// Four connections with fifty streams at once on each.
fn h2load(lab: &Lab) -> Vec<Value> {
    let url = format!("http://{SERVER}:{PORT}/index.html");
    lab.client(&["h2load", "-n", "2000", "-c", "4", "-m", "50", &url]);
    vec![
        with(
            &request(PORT),
            json!({"resource": "/index.html", "user_agent": "h2load nghttp2/1.52.0"})
        );
        2000
    ]
}

/// Methods, codes and bodies, and streams at once from another server.
fn nginx(lab: &Lab) -> Vec<Value> {
    let large = lab.path("lab/nginx/www/large.txt");
    lab.clients(&format!(
        "curl() {{ command curl -s -o /dev/null --http2-prior-knowledge \"$@\"; }}
         url=http://{SERVER}:{NGINX}
         for path in /api/items/17?full=1 /missing /broken; do curl $url$path; done
         curl -A probe/1 -H 'X-Forwarded-For: 192.0.2.7' -e http://shop.test/ --data item=17 $url/upload?small
         curl -X DELETE $url/api/items/17
         curl --data-binary @{} $url/upload
         curl $url/large.txt
         h2load -n 500 -c 2 -m 100 $url/index.html",
        large.display()
    ));
    let ok = request(NGINX);
    let mut expected = vec![
        with(
            &ok,
            json!({"resource": "/api/items/17?full=1", "endpoint": "/api/items"}),
        ),
        with(
            &ok,
            json!({"resource": "/missing", "code": 404, "status": "client_error"}),
        ),
        with(
            &ok,
            json!({"resource": "/broken", "code": 503, "status": "server_error"}),
        ),
        with(
            &ok,
            json!({"resource": "/upload?small", "req_type": "POST", "user_agent": "probe/1",
                   "forwarded_for": "192.0.2.7", "referer": "http://shop.test/"}),
        ),
        with(
            &ok,
            json!({"resource": "/api/items/17", "req_type": "DELETE", "code": 200}),
        ),
        with(&ok, json!({"resource": "/upload", "req_type": "POST"})),
        with(&ok, json!({"resource": "/large.txt"})),
    ];
    expected.extend(vec![
        with(
            &ok,
            json!({"resource": "/index.html", "user_agent": "h2load nghttp2/1.52.0"})
        );
        500
    ]);
    expected
}

/// The first request is HTTP/1.1's, answered there by 101 and on stream 1 by what it asked for; the second
/// is HTTP/2's.
fn upgrade(lab: &Lab) -> Vec<Value> {
    let url = format!("http://{SERVER}:{PROXY}");
    lab.client(&[
        "nghttp",
        "-nu",
        &format!("{url}/index.html"),
        &format!("{url}/missing"),
    ]);
    vec![
        with(
            &request(PROXY),
            json!({"proto": "http1", "version": "1.1", "code": 101, "resource": "/index.html"}),
        ),
        with(
            &request(PROXY),
            json!({"kind": "orphan", "req_type": null, "resource": "/index.html", "request_id": 1}),
        ),
        with(
            &request(PROXY),
            json!({"resource": "/missing", "code": 404, "status": "client_error"}),
        ),
    ]
}

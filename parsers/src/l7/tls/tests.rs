use super::client_hello::ClientHello;
use super::extension;
use super::fingerprint::{Carrier, ja3, ja4};
use super::version::{SSL_3_0, TLCP_1_1, TLS_1_2, TLS_1_3};
use super::{CLIENT_HELLO, NEW_SESSION_TICKET, SERVER_HELLO};
use crate::field::Field;
use crate::testing::{Script, Told, noise};

const CCS: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const DATA: u8 = 23;
const CERTIFICATE: u8 = 11;
const KEY_EXCHANGE: u8 = 16;

fn prefixed16(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat()
}

fn prefixed8(bytes: &[u8]) -> Vec<u8> {
    [&[bytes.len() as u8][..], bytes].concat()
}

fn numbers(list: &[u16]) -> Vec<u8> {
    list.iter().flat_map(|number| number.to_be_bytes()).collect()
}

fn extension(code: u16, body: &[u8]) -> Vec<u8> {
    [&code.to_be_bytes()[..], &prefixed16(body)].concat()
}

fn sni(name: &str) -> Vec<u8> {
    let entry = [&[0][..], &prefixed16(name.as_bytes())].concat();
    extension(extension::SERVER_NAME, &prefixed16(&entry))
}

fn alpn(protocols: &[&str]) -> Vec<u8> {
    let list: Vec<u8> = protocols.iter().flat_map(|p| prefixed8(p.as_bytes())).collect();
    extension(extension::ALPN, &prefixed16(&list))
}

fn client_hello_body(version: u16, suites: &[u16], extensions: &[Vec<u8>]) -> Vec<u8> {
    [
        &version.to_be_bytes()[..],
        &noise(1, 32),
        &prefixed8(&noise(2, 32)),
        &prefixed16(&numbers(suites)),
        &[1, 0],
        &prefixed16(&extensions.concat()),
    ]
    .concat()
}

fn server_hello_body(version: u16, random: &[u8], suite: u16, extensions: &[Vec<u8>]) -> Vec<u8> {
    let block = prefixed16(&extensions.concat());
    [
        &version.to_be_bytes()[..],
        random,
        &prefixed8(&noise(2, 32)),
        &suite.to_be_bytes(),
        &[0],
        if extensions.is_empty() { &[] } else { &block },
    ]
    .concat()
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let [_, length @ ..] = (body.len() as u32).to_be_bytes();
    [&[kind][..], &length, body].concat()
}

fn record(content: u8, version: u16, bytes: &[u8]) -> Vec<u8> {
    [&[content][..], &version.to_be_bytes(), &prefixed16(bytes)].concat()
}

fn in_records(version: u16, bytes: &[u8], size: usize) -> Vec<u8> {
    bytes
        .chunks(size)
        .flat_map(|piece| record(HANDSHAKE, version, piece))
        .collect()
}

fn client_hello() -> Vec<u8> {
    let extensions = [
        extension(0x1A1A, &[]),
        sni("example.org"),
        alpn(&["h2", "http/1.1"]),
        extension(
            extension::SUPPORTED_VERSIONS,
            &prefixed8(&numbers(&[0x2A2A, TLS_1_3, TLS_1_2])),
        ),
    ];
    message(
        CLIENT_HELLO,
        &client_hello_body(TLS_1_2, &[0x0A0A, 0x1301, 0xC02F], &extensions),
    )
}

fn server_hello_12() -> Vec<u8> {
    message(
        SERVER_HELLO,
        &server_hello_body(TLS_1_2, &noise(3, 32), 0xC02F, &[alpn(&["h2"])]),
    )
}

fn server_hello_13(random: &[u8]) -> Vec<u8> {
    let version = extension(extension::SUPPORTED_VERSIONS, &numbers(&[TLS_1_3]));
    let key_share = extension(51, &noise(4, 36));
    message(
        SERVER_HELLO,
        &server_hello_body(TLS_1_2, random, 0x1301, &[version, key_share]),
    )
}

fn plain(message: &[u8]) -> Vec<u8> {
    record(HANDSHAKE, TLS_1_2, message)
}

fn ccs() -> Vec<u8> {
    record(CCS, TLS_1_2, &[1])
}

fn finished() -> Vec<u8> {
    record(HANDSHAKE, TLS_1_2, &noise(5, 40))
}

fn data(len: usize) -> Vec<u8> {
    record(DATA, TLS_1_2, &noise(6, len))
}

fn fatal(description: u8) -> Vec<u8> {
    record(ALERT, TLS_1_2, &[2, description])
}

fn one(script: &Script) -> Told {
    let told = script.replay();
    assert_eq!(told.len(), 1, "{told:#?}");
    script.check();
    told[0].clone()
}

#[test]
fn a_full_handshake_of_1_2() {
    let hello = plain(&client_hello());
    let certificate = message(CERTIFICATE, &noise(7, 3000));
    let flight = [server_hello_12(), certificate, message(14, &[])].concat();
    let told = one(&Script::tcp(443)
        .client(&hello)
        .server(plain(&flight))
        .client([plain(&message(KEY_EXCHANGE, &noise(8, 66))), ccs(), finished()].concat())
        .server(
            [
                plain(&message(NEW_SESSION_TICKET, &noise(9, 100))),
                ccs(),
                finished(),
            ]
            .concat(),
        )
        .client(data(100))
        .server(data(5000)));
    assert_eq!(
        (told.kind, told.status, told.ended),
        ("matched", "ok", "response")
    );
    assert_eq!(told.text(Field::ReqType), "handshake");
    assert_eq!(told.text(Field::Domain), "example.org");
    assert_eq!(told.text(Field::Resource), "example.org");
    assert_eq!(told.text(Field::Version), "1.2");
    assert_eq!(told.attr("tls_version"), "1.2");
    assert_eq!(told.attr("cipher"), "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
    assert_eq!(
        (told.attr("alpn"), told.attr("alpn_offered")),
        ("h2", "h2,http/1.1")
    );
    assert!(told.attr("ja4").starts_with("t13d0203h2_"), "{told:#?}");
    assert_eq!(told.attr("resumed"), "");
    assert_eq!(told.req_len, Some(hello.len() as u64));
    assert_eq!(told.resp_len, Some(5 + server_hello_12().len() as u64));
    assert_eq!(told.times.2, Some(1_000_000));
    assert!(!told.truncated);
}

#[test]
fn a_handshake_of_1_3_is_told_when_both_sides_encrypt() {
    let told = one(&Script::tcp(8443)
        .client(plain(&client_hello()))
        .server([plain(&server_hello_13(&noise(3, 32))), ccs(), data(900)].concat())
        .client([ccs(), data(64), data(200)].concat())
        .server(data(70)));
    assert_eq!((told.kind, told.status), ("matched", "ok"));
    assert_eq!(told.text(Field::Version), "1.3");
    assert_eq!(told.attr("cipher"), "TLS_AES_128_GCM_SHA256");
    assert_eq!(
        (told.attr("alpn"), told.attr("alpn_offered")),
        ("", "h2,http/1.1")
    );
}

#[test]
fn a_retry_belongs_to_the_same_handshake() {
    let retry_random: [u8; 32] = [
        0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91, 0xC2,
        0xA2, 0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C,
    ];
    let told = one(&Script::tcp(443)
        .client([plain(&client_hello()), ccs(), data(50)].concat())
        .server([plain(&server_hello_13(&retry_random)), ccs()].concat())
        .client(plain(&client_hello()))
        .server([plain(&server_hello_13(&noise(3, 32))), data(900)].concat())
        .client(data(64)));
    assert_eq!((told.kind, told.text(Field::Version)), ("matched", "1.3"));
    assert_eq!(told.times.2, Some(3_000_000));
}

#[test]
fn hellos_span_records_of_any_size() {
    let key_share = extension(51, &prefixed16(&noise(9, 1300)));
    let extensions = [key_share, sni("post.quantum.example")];
    let hello = message(CLIENT_HELLO, &client_hello_body(TLS_1_2, &[0x1301], &extensions));
    let whole = one(&Script::tcp(443)
        .client(plain(&hello))
        .server(plain(&server_hello_12())));
    assert_eq!(whole.text(Field::Domain), "post.quantum.example");
    for size in [1, 2, 3, 5, 6, 7, 500, 1000] {
        let script = Script::tcp(443)
            .client(in_records(TLS_1_2, &hello, size))
            .server(in_records(TLS_1_2, &server_hello_12(), size));
        let told = script.replay();
        assert_eq!((told.len(), told[0].kind), (1, "matched"), "records of {size}");
        assert_eq!(
            (&told[0].texts, &told[0].attrs),
            (&whole.texts, &whole.attrs),
            "records of {size}"
        );
        assert!(!told[0].truncated);
    }
    Script::tcp(443)
        .client(in_records(TLS_1_2, &hello, 400))
        .server(in_records(TLS_1_2, &server_hello_12(), 30))
        .check();
}

#[test]
fn a_hello_beyond_all_bounds_is_read_as_far_as_it_goes() {
    let extensions = [sni("big.example"), extension(51, &noise(9, 40_000))];
    let hello = message(CLIENT_HELLO, &client_hello_body(TLS_1_2, &[0x1301], &extensions));
    let told = Script::tcp(443)
        .client(in_records(TLS_1_2, &hello, 16_384))
        .server([plain(&server_hello_12()), ccs()].concat())
        .client(ccs())
        .replay();
    assert_eq!(
        (told.len(), told[0].kind, told[0].truncated),
        (1, "matched", true)
    );
    assert_eq!(
        (told[0].text(Field::Domain), told[0].attr("ja4")),
        ("big.example", "")
    );
}

#[test]
fn a_server_refuses_with_an_alert() {
    let told = one(&Script::tcp(443).client(plain(&client_hello())).server(fatal(70)));
    assert_eq!(
        (told.kind, told.status, told.code),
        ("matched", "client_error", Some(70))
    );
    assert_eq!(told.text(Field::Exception), "protocol_version");
    assert_eq!((told.resp_len, told.attr("cipher")), (Some(7), ""));
}

#[test]
fn a_warning_is_no_end() {
    let warning = record(ALERT, TLS_1_2, &[1, 112]);
    let told = one(&Script::tcp(443)
        .client(plain(&client_hello()))
        .server([warning, plain(&server_hello_12())].concat()));
    assert_eq!((told.kind, told.status, told.code), ("matched", "ok", None));
}

#[test]
fn either_side_may_refuse_until_both_encrypt() {
    let hellos = Script::tcp(443).client(plain(&client_hello())).server(plain(
        &[server_hello_12(), message(CERTIFICATE, &noise(7, 900))].concat(),
    ));
    // (Not `one`: without its last message this handshake looks like one that went well.)
    let unknown_ca = &hellos.clone().client(fatal(48)).replay()[0];
    assert_eq!(
        (unknown_ca.kind, unknown_ca.status, unknown_ca.code),
        ("matched", "client_error", Some(48))
    );
    assert_eq!(unknown_ca.text(Field::Exception), "unknown_ca");
    assert_eq!(unknown_ca.text(Field::Version), "1.2");

    let bad_client = one(&hellos
        .client([plain(&message(KEY_EXCHANGE, &noise(8, 66))), ccs(), finished()].concat())
        .server(fatal(42)));
    assert_eq!(
        (bad_client.code, bad_client.text(Field::Exception)),
        (Some(42), "bad_certificate")
    );
}

#[test]
fn a_client_that_gives_up_has_no_response() {
    let told = one(&Script::tcp(443).client(plain(&client_hello())).client(fatal(90)));
    assert_eq!((told.kind, told.code), ("no_response", Some(90)));
}

#[test]
fn sessions_are_resumed() {
    let ticket = plain(&message(NEW_SESSION_TICKET, &noise(9, 100)));
    let resumed = one(&Script::tcp(443)
        .client(plain(&client_hello()))
        .server([plain(&server_hello_12()), ticket, ccs(), finished()].concat())
        .client([ccs(), finished(), data(80)].concat()));
    assert_eq!((resumed.kind, resumed.attr("resumed")), ("matched", "true"));

    let version = extension(extension::SUPPORTED_VERSIONS, &numbers(&[TLS_1_3]));
    let psk = extension(extension::PRE_SHARED_KEY, &[0, 0]);
    let hello = server_hello_body(TLS_1_2, &noise(3, 32), 0x1301, &[version, psk]);
    let resumed = one(&Script::tcp(443)
        .client(plain(&client_hello()))
        .server([plain(&message(SERVER_HELLO, &hello)), data(100)].concat())
        .client(data(80)));
    assert_eq!(resumed.attr("resumed"), "true");
}

#[test]
fn one_direction_is_enough() {
    let mut client = Script::tcp(443).client([plain(&client_hello()), ccs()].concat());
    let mut server = Script::tcp(443).server(plain(&server_hello_13(&noise(3, 32))));
    for _ in 0..100 {
        client = client.client(data(64));
        server = server.server(data(64));
    }
    let told = client.replay();
    assert_eq!(
        (told.len(), told[0].kind, told[0].status),
        (1, "no_response", "unknown")
    );
    let told = server.replay();
    assert_eq!(
        (told.len(), told[0].kind, told[0].text(Field::Version)),
        (1, "orphan", "1.3")
    );
    assert_eq!(told[0].text(Field::ReqType), "handshake");
}

#[test]
fn a_hello_of_ssl_2_format() {
    let suites = [0, 0, 0x39, 0, 0, 0x35, 1, 0, 0x80];
    let head = [
        0x80,
        (9 + suites.len() + 16) as u8,
        1,
        3,
        1,
        0,
        suites.len() as u8,
        0,
        0,
        0,
        16,
    ];
    let hello = [&head[..], &suites, &noise(1, 16)].concat();
    let flight = [server_hello_12(), message(CERTIFICATE, &noise(7, 900))].concat();
    let told = one(&Script::tcp(443)
        .client(&hello)
        .server(plain(&flight))
        .client([plain(&message(KEY_EXCHANGE, &noise(8, 66))), ccs()].concat())
        .server(ccs()));
    assert_eq!((told.kind, told.text(Field::Version)), ("matched", "1.2"));
    assert_eq!(told.req_len, Some(hello.len() as u64));
}

#[test]
fn tls_within_an_unknown_protocol_is_not_told() {
    let handshake = |script: Script| {
        script
            .client(plain(&client_hello()))
            .server([plain(&server_hello_12()), ccs()].concat())
            .client(ccs())
    };
    let within = handshake(
        Script::tcp(3389)
            .client([3, 0, 0, 11, 6, 0xE0])
            .server([3, 0, 0, 11, 6, 0xD0]),
    );
    assert_eq!(within.replay().len(), 0);
    // Joined behind it, nobody could know.
    assert_eq!(within.run(|_, bytes| vec![bytes.len()], None, 2).len(), 1);
}

#[test]
fn old_and_foreign_versions() {
    for (version, name) in [
        (SSL_3_0, "SSL 3.0"),
        (TLCP_1_1, "TLCP 1.1"),
        (0x0301, "1.0"),
        (0x0302, "1.1"),
    ] {
        let hello = message(CLIENT_HELLO, &client_hello_body(version, &[0xE013], &[]));
        let answer = message(
            SERVER_HELLO,
            &server_hello_body(version, &noise(3, 32), 0xE013, &[]),
        );
        let told = one(&Script::tcp(443)
            .client(record(HANDSHAKE, version, &hello))
            .server(record(HANDSHAKE, version, &answer)));
        assert_eq!((told.kind, told.text(Field::Version)), ("matched", name));
        assert_eq!(told.attr("cipher"), "ECC_SM4_CBC_SM3");
    }
}

#[test]
fn a_draft_without_session_id() {
    let key_share = extension(40, &noise(4, 36));
    let body = [
        &[0x7F, 18][..],
        &noise(3, 32),
        &[0x13, 0x01],
        &prefixed16(&key_share),
    ]
    .concat();
    let told = one(&Script::tcp(443)
        .client(plain(&client_hello()))
        .server([plain(&message(SERVER_HELLO, &body)), data(100)].concat())
        .client(data(80)));
    assert_eq!(
        (told.text(Field::Version), told.attr("cipher")),
        ("1.3-draft18", "TLS_AES_128_GCM_SHA256")
    );
}

#[test]
fn what_was_lost_behind_the_hellos_is_not_missed() {
    let script = Script::tcp(443)
        .client(plain(&client_hello()))
        .server(plain(&server_hello_12()))
        .client([ccs(), finished()].concat())
        .server([ccs(), finished()].concat())
        .client(data(100))
        .server(data(100));
    for lost in 2..6 {
        let told = script.run(|_, bytes| vec![bytes.len()], Some(lost), 0);
        assert_eq!(
            (told.len(), told[0].kind, told[0].truncated),
            (1, "matched", false),
            "without {lost}"
        );
    }
}

#[test]
fn published_fingerprints() {
    // The example of JA4.md.
    let suites = [
        0x1301, 0x1302, 0x1303, 0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8, 0xC013, 0xC014, 0x009C,
        0x009D, 0x002F, 0x0035,
    ];
    let signatures = [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601];
    let codes = [
        0x001B, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002D, 0x000D, 0x0005, 0x0023, 0x0012, 0x002B,
        0xFF01, 0x000B, 0x000A, 0x0015,
    ];
    let extensions = codes.map(|code| match code {
        extension::SERVER_NAME => sni("a.example"),
        extension::ALPN => alpn(&["h2"]),
        extension::SIGNATURE_ALGORITHMS => extension(code, &prefixed16(&numbers(&signatures))),
        extension::SUPPORTED_VERSIONS => extension(code, &prefixed8(&numbers(&[0x3A3A, TLS_1_3, TLS_1_2]))),
        code => extension(code, &[]),
    });
    let body = client_hello_body(TLS_1_2, &suites, &extensions);
    let hello = ClientHello::read(&body).unwrap();
    assert_eq!(
        ja4(&hello, Carrier::Tcp).unwrap().as_str(),
        "t13d1516h2_8daaf6152771_e5627efa2ab1"
    );
    assert!(ja4(&hello, Carrier::Quic).unwrap().starts_with("q13d"));

    // The examples of the JA3 repository's README.
    let suites = [47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4];
    let extensions = [
        sni("a.example"),
        extension(extension::SUPPORTED_GROUPS, &prefixed16(&numbers(&[23, 24, 25]))),
        extension(extension::EC_POINT_FORMATS, &prefixed8(&[0])),
    ];
    let body = client_hello_body(769, &suites, &extensions);
    assert_eq!(
        ja3(&ClientHello::read(&body).unwrap()).as_str(),
        "ada70206e40642a3e4461f35503241d5"
    );
    let body = client_hello_body(769, &[4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99], &[]);
    assert_eq!(
        ja3(&ClientHello::read(&body).unwrap()).as_str(),
        "de350869b8c85de67a350c8d186f11e6"
    );
}

#[test]
fn alpn_characters_follow_the_specification() {
    for (name, want) in [
        (&b"\xAB"[..], "ab"),
        (b"\xAB\xCD", "ad"),
        (b"\x30\xAB", "3b"),
        (b"\x30\x31\xAB\xCD", "3d"),
        (b"\x30\xAB\xCD\x31", "01"),
        (b"h", "hh"),
        (b"", "00"),
    ] {
        let list = extension(extension::ALPN, &prefixed16(&prefixed8(name)));
        let body = client_hello_body(TLS_1_2, &[], &[list]);
        let told = ja4(&ClientHello::read(&body).unwrap(), Carrier::Tcp).unwrap();
        assert_eq!(told.as_str(), format!("t12i0001{want}_000000000000_000000000000"));
    }
}

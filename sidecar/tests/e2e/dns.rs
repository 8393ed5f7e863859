//! DNS over UDP: sockets that are bound to no address, several messages in one call, both ends on this host.

use crate::host::{Server, client, folder, free_port};
use crate::matching::exactly;
use crate::running::Running;
use serde_json::{Value, json};
use std::process::Command;

/// Asks for two names in one call of sendmmsg, as resolvers of C libraries do, and takes both answers by recvmmsg.
const TWO_AT_ONCE: &str = r#"
import ctypes, socket, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
class Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]
class Header(ctypes.Structure):
    _fields_ = [("name", ctypes.c_void_p), ("name_len", ctypes.c_uint32), ("iov", ctypes.POINTER(Iovec)),
                ("iov_len", ctypes.c_size_t), ("control", ctypes.c_void_p), ("control_len", ctypes.c_size_t),
                ("flags", ctypes.c_int)]
class Message(ctypes.Structure):
    _fields_ = [("header", Header), ("len", ctypes.c_uint32)]
def vector(buffers):
    messages = (Message * len(buffers))()
    for message, buffer in zip(messages, buffers):
        message.header.iov = ctypes.pointer(Iovec(ctypes.addressof(buffer), len(buffer)))
        message.header.iov_len = 1
    return messages
def question(number, name):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    data = struct.pack(">HHHHHH", number, 0x100, 1, 0, 0, 0) + labels + b"\0\0\1\0\1"
    return (ctypes.c_char * len(data)).from_buffer_copy(data)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 10, 0))
s.connect(("127.0.0.1", int(sys.argv[1])))
questions = [question(i + 1, name) for i, name in enumerate(sys.argv[2:])]
for _ in range(2):
    assert libc.sendmmsg(s.fileno(), vector(questions), len(questions), 0) == len(questions)
    left = len(questions)
    while left:
        answers = [(ctypes.c_char * 512)() for _ in range(left)]
        got = libc.recvmmsg(s.fileno(), vector(answers), left, 0x10000, None)
        assert got > 0, ctypes.get_errno()
        left -= got
"#;

fn dnsmasq(port: u16) -> Server {
    let port_option = format!("--port={port}");
    Server::start(
        Command::new("dnsmasq").args([
            "--no-daemon",
            "--no-resolv",
            "--no-hosts",
            "--conf-file=/dev/null",
            "--pid-file",
            "--user=root",
            "--log-facility=/dev/null",
            "--address=/shop.test/10.1.2.3",
            "--address=/db.test/10.1.2.4",
            &port_option,
        ]),
        port,
    )
}

fn answer(port: u16, pid: u32, name: &str) -> Value {
    json!({"source": "host", "proto": "dns", "l4": "udp", "kind": "matched", "client_ip": "127.0.0.1",
        "server_ip": "127.0.0.1", "server_port": port, "resource": name, "status": "ok",
        "process": {"pid": pid, "comm": "dnsmasq"}})
}

#[test]
fn questions_one_by_one_and_two_at_once() {
    let Some(folder) = folder(&["dnsmasq", "dig", "python3"]) else {
        return;
    };
    for side in ["server", "client"] {
        let port = free_port();
        let server = dnsmasq(port);
        let text = port.to_string();
        // Of nobody else's load, which might leave no time for these.
        let Some(running) = Running::start(folder.path(), &["--side", side, "--port", &text]) else {
            return;
        };
        client(&["dig", "@127.0.0.1", "-p", &text, "+short", "shop.test"]);
        client(&["python3", "-c", TWO_AT_ONCE, &text, "shop.test", "db.test"]);
        let finished = running.interrupt();
        let mut expected = vec![answer(port, server.pid(), "shop.test")];
        for _ in 0..2 {
            expected.push(answer(port, server.pid(), "shop.test"));
            expected.push(answer(port, server.pid(), "db.test"));
        }
        exactly(&finished.of_port(port), &expected);
    }
}

/// Says what is of no protocol on a connected socket, over and over, then asks for a name on the same one.
const NONSENSE_FIRST: &str = r#"
import socket, struct, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(10)
echo = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
echo.bind(("127.0.0.1", 0))
s.connect(echo.getsockname())
for _ in range(40):
    s.send(b"\xfe" * 16)
    data, other = echo.recvfrom(64)
    echo.sendto(data, other)
    assert s.recv(64) == data
s.connect(("127.0.0.1", int(sys.argv[1])))
s.send(struct.pack(">HHHHHH", 7, 0x100, 1, 0, 0, 0) + b"\4shop\4test\0\0\1\0\1")
assert s.recv(512)
"#;

#[test]
fn a_socket_that_was_given_up_is_read_when_it_speaks_with_another() {
    let Some(folder) = folder(&["dnsmasq", "python3"]) else {
        return;
    };
    let port = free_port();
    let server = dnsmasq(port);
    let text = port.to_string();
    let Some(running) = Running::start(folder.path(), &["--side", "client", "--comm", "python3"]) else {
        return;
    };
    client(&["python3", "-c", NONSENSE_FIRST, &text]);
    let finished = running.interrupt();
    let expected = json!({"source": "host", "proto": "dns", "l4": "udp", "kind": "matched", "client_ip": "127.0.0.1",
        "server_ip": "127.0.0.1", "server_port": port, "resource": "shop.test", "status": "ok",
        "process": {"comm": "python3"}});
    drop(server);
    exactly(&finished.of_port(port), &[expected]);
}

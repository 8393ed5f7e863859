//! Serves metrics and health over HTTP/1.1 (RFC 9112): one short answer a connection.
//!
//! A scrape every few seconds needs no HTTP library: requests are bounded in bytes and in time, and so is
//! how many are answered at once.

use crate::affinity::Affinity;
use crate::error::CollectorError;
use crate::health;
use crate::limits::{HTTP_CONNECTIONS_MAX, HTTP_HEAD_BYTES_MAX};
use crate::shared::Shared;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often the server looks for connections and whether it should stop.
const POLL: Duration = Duration::from_millis(20);
/// How long a client may take to say what it wants, and to take the answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// A server at work.
pub(crate) struct HttpServer {
    pub(crate) address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl HttpServer {
    pub(crate) fn start(
        address: SocketAddr,
        shared: Arc<Shared>,
        affinity: Affinity,
    ) -> Result<Self, CollectorError> {
        let failed = |source| CollectorError::Address {
            address: address.to_string(),
            source,
        };
        let listener = TcpListener::bind(address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let spawned = std::thread::Builder::new().name("http".into()).spawn(move || {
            affinity.apply();
            accept(&listener, &shared, &stopped);
        });
        let thread = spawned.map_err(|source| CollectorError::Thread {
            name: "http".into(),
            source,
        })?;
        Ok(Self {
            address,
            stop,
            thread: Some(thread),
        })
    }

    pub(crate) fn stop(mut self) {
        self.stop.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic in it was reported on stderr when it happened.
            let _ = thread.join();
        }
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>, stop: &AtomicBool) {
    let mut open: Vec<JoinHandle<()>> = Vec::new();
    while !stop.load(Relaxed) {
        // No connection, one that broke at once, or no file descriptors left: look again a little later.
        let Ok((mut stream, _)) = listener.accept() else {
            std::thread::sleep(POLL);
            continue;
        };
        open.retain(|thread| !thread.is_finished());
        if open.len() >= HTTP_CONNECTIONS_MAX {
            let _ = answer(
                &mut stream,
                &Answer::text("503 Service Unavailable", "busy: try again\n"),
                true,
            );
            continue;
        }
        let shared = Arc::clone(shared);
        let serving = std::thread::Builder::new()
            .name("http-client".into())
            .spawn(move || {
                // A client that breaks off has only itself to blame.
                let _ = serve(&mut stream, &shared);
            });
        open.extend(serving.ok());
    }
}

fn serve(stream: &mut TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let head = read_head(stream)?;
    let (reply, with_body) = match &head {
        None => (
            Answer::text("431 Request Header Fields Too Large", "too long\n"),
            true,
        ),
        Some(head) => route(head, shared),
    };
    answer(stream, &reply, with_body)
}

/// The head of a request, without its blank line; `None` when it is too long.
fn read_head(stream: &mut TcpStream) -> io::Result<Option<Vec<u8>>> {
    let deadline = Instant::now() + PATIENCE;
    let mut head = Vec::new();
    let mut piece = [0; 1024];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        let count = stream.read(&mut piece)?;
        head.extend_from_slice(piece.get(..count).unwrap_or_default());
        if let Some(end) = head.windows(4).position(|window| window == b"\r\n\r\n") {
            head.truncate(end);
            return Ok(Some(head));
        }
        if count == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        if head.len() > HTTP_HEAD_BYTES_MAX {
            return Ok(None);
        }
    }
}

struct Answer {
    status: &'static str,
    content_type: &'static str,
    body: Vec<u8>,
}

impl Answer {
    fn text(status: &'static str, body: &str) -> Self {
        Self {
            status,
            content_type: "text/plain; charset=utf-8",
            body: body.as_bytes().to_vec(),
        }
    }
}

/// What to answer, and whether with its body.
fn route(head: &[u8], shared: &Shared) -> (Answer, bool) {
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let mut words = line.split(|byte| *byte == b' ');
    let (method, target, version) = (words.next(), words.next(), words.next());
    let (Some(method), Some(target), Some(b"HTTP/1.1" | b"HTTP/1.0")) = (method, target, version) else {
        return (Answer::text("400 Bad Request", "not an HTTP/1.1 request\n"), true);
    };
    let with_body = method != b"HEAD";
    if with_body && method != b"GET" {
        return (
            Answer::text("405 Method Not Allowed", "only GET and HEAD\n"),
            true,
        );
    }
    let path = target.split(|byte| *byte == b'?').next().unwrap_or_default();
    let reply = match path {
        b"/metrics" => Answer {
            status: "200 OK",
            content_type: "text/plain; version=0.0.4; charset=utf-8",
            body: shared.metrics(),
        },
        b"/healthz" => Answer {
            status: "200 OK",
            content_type: "application/json",
            body: format!("{}\n", health::check(shared)).into_bytes(),
        },
        b"/" => Answer::text("200 OK", "/metrics\n/healthz\n"),
        _ => Answer::text("404 Not Found", "there are /metrics and /healthz\n"),
    };
    (reply, with_body)
}

fn answer(stream: &mut TcpStream, reply: &Answer, with_body: bool) -> io::Result<()> {
    let Answer {
        status,
        content_type,
        body,
    } = reply;
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    if with_body {
        stream.write_all(body)?;
    }
    stream.flush()
}

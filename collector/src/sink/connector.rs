//! Records to a collector that listens for sidecars.
//!
//! A batch counts as delivered when the collector has said that it took it over: one byte back for each.
//! Without that the batch is sent again over a new connection, so nothing is lost with a connection; a batch
//! whose answer was lost comes twice, which the other side merges again.

use super::{Sink, SinkError};
use crate::batch::Batch;
use crate::error::CollectorError;
use crate::options::ConnectorOptions;
use crate::tls::TlsClient;
use rustls::{ClientConnection, StreamOwned};
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Longest that connecting, and one read or write, may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// What a collector says to a batch that it took over.
pub(crate) const TAKEN: u8 = 0x06;

/// A collector to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remote {
    /// Its Unix socket.
    Unix(PathBuf),
    /// Its host, a name or an address, and port.
    Tcp(String, u16),
}

impl std::fmt::Display for Remote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Tcp(host, port) if host.contains(':') => write!(f, "tcp:[{host}]:{port}"),
            Self::Tcp(host, port) => write!(f, "tcp:{host}:{port}"),
        }
    }
}

impl std::str::FromStr for Remote {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("'{text}' is neither unix:PATH nor tcp:HOST:PORT");
        if let Some(path) = text.strip_prefix("unix:").filter(|path| !path.is_empty()) {
            return Ok(Self::Unix(path.into()));
        }
        let rest = text.strip_prefix("tcp:").ok_or_else(expected)?;
        let (host, port) = rest.rsplit_once(':').ok_or_else(expected)?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let port: u16 = port.parse().map_err(|_| expected())?;
        match bare.unwrap_or(host) {
            "" => Err(expected()),
            host if bare.is_none() && host.contains(':') => Err(expected()),
            host => Ok(Self::Tcp(host.to_owned(), port)),
        }
    }
}

/// Sends batches to one collector, connecting as often as it takes.
pub struct ConnectorSink {
    remote: Remote,
    tls: Option<TlsClient>,
    link: Option<Link>,
}

enum Link {
    Unix(UnixStream),
    Tcp(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl ConnectorSink {
    /// Reads what TLS needs; connects with the first batch.
    ///
    /// # Errors
    /// When a file can't be read or is not what it should be.
    pub fn new(options: ConnectorOptions) -> Result<Self, CollectorError> {
        let tls = options.tls.as_ref().map(TlsClient::load).transpose()?;
        Ok(Self {
            remote: options.remote,
            tls,
            link: None,
        })
    }

    fn connect(&self) -> io::Result<Link> {
        match &self.remote {
            Remote::Unix(path) => {
                let stream = UnixStream::connect(path)?;
                stream.set_write_timeout(Some(PATIENCE))?;
                stream.set_read_timeout(Some(PATIENCE))?;
                Ok(Link::Unix(stream))
            }
            Remote::Tcp(host, port) => {
                let stream = connect_tcp(host, *port)?;
                stream.set_write_timeout(Some(PATIENCE))?;
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_nodelay(true)?;
                match &self.tls {
                    Some(tls) => Ok(Link::Tls(Box::new(tls.connect(host, stream)?))),
                    None => Ok(Link::Tcp(stream)),
                }
            }
        }
    }

    fn send(&mut self, batch: &Batch) -> io::Result<()> {
        let mut link = match self.link.take() {
            Some(link) => link,
            None => self.connect()?,
        };
        let io = link.io();
        io.write_all(&batch.bytes)?;
        io.flush()?;
        let mut answer = [0];
        io.read_exact(&mut answer)?;
        if answer != [TAKEN] {
            return Err(io::Error::other("it does not answer as a collector does"));
        }
        self.link = Some(link);
        Ok(())
    }
}

/// The first of the host's addresses that answers.
fn connect_tcp(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut failed = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(stream) => return Ok(stream),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

impl Link {
    fn io(&mut self) -> &mut dyn ReadWrite {
        match self {
            Self::Unix(stream) => stream,
            Self::Tcp(stream) => stream,
            Self::Tls(stream) => stream.as_mut(),
        }
    }
}

trait ReadWrite: Read + Write {}
impl<T: Read + Write> ReadWrite for T {}

impl Sink for ConnectorSink {
    fn deliver(&mut self, batch: &Arc<Batch>) -> Result<(), SinkError> {
        self.send(batch).map_err(|error| {
            let told = io::Error::new(error.kind(), format!("{}: {error}", self.remote));
            SinkError::Again(told)
        })
    }

    fn close(&mut self, _deadline: Instant) {
        if let Some(Link::Tls(stream)) = &mut self.link {
            // The other side would take an end without this for a cut.
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
        self.link = None;
    }
}

#[cfg(test)]
mod tests {
    use super::Remote;

    #[test]
    fn remotes_are_read_as_they_are_written() {
        for text in ["unix:/run/tapir.sock", "tcp:collector.lan:9466", "tcp:[::1]:1"] {
            assert_eq!(
                text.parse::<Remote>().map(|remote| remote.to_string()),
                Ok(text.into())
            );
        }
        for text in [
            "",
            "unix:",
            "/run/x",
            "tcp:host",
            "tcp::1",
            "tcp:::1:1",
            "tcp:host:99999",
        ] {
            assert!(text.parse::<Remote>().is_err(), "{text}");
        }
    }
}

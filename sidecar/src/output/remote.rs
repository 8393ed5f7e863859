//! Records to a collector that listens: connects, and again when the connection is lost.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tapir_collector::batch::Batch;
use tapir_collector::sink::{Address, Sink, SinkError};

/// How long a collector may take to accept a connection, or some bytes.
const PATIENCE: Duration = Duration::from_secs(5);

/// A collector's socket.
pub struct RemoteSink {
    to: Address,
    connection: Option<Box<dyn Write + Send>>,
}

impl RemoteSink {
    /// Records go to whoever listens at `to`; connects when there are some.
    pub fn new(to: Address) -> Self {
        Self { to, connection: None }
    }
}

impl Sink for RemoteSink {
    /// A batch that was not written whole is sent again, whole, on a new connection; who receives it throws away
    /// the piece that ends the old one.
    fn deliver(&mut self, batch: &Arc<Batch>) -> Result<(), SinkError> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            unconnected => unconnected.insert(connect(&self.to).map_err(SinkError::Again)?),
        };
        connection.write_all(&batch.bytes).map_err(|error| {
            self.connection = None;
            SinkError::Again(error)
        })
    }
}

fn connect(to: &Address) -> io::Result<Box<dyn Write + Send>> {
    Ok(match to {
        Address::Unix(path) => Box::new(connect_unix(path)?),
        Address::Tcp(address) => Box::new(connect_tcp(*address)?),
    })
}

fn connect_unix(path: &PathBuf) -> io::Result<UnixStream> {
    let stream = UnixStream::connect(path)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

fn connect_tcp(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

//! `tapir read`: records that another Tapir wrote or sends, back to JSON or a table.

use crate::cli::Format;
use crate::failure::Failure;
use crate::output::to_stdout;
use crate::place::Place;
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use tapir_collector::flat::{BatchEncoder, BatchReader};
use tapir_collector::json::write_session_json;
use tapir_collector::session::Session;
use tapir_collector::table::GrowingTable;

/// Arguments of `tapir read`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Batches of records in FlatBuffers: FILE, unix:PATH or tcp:ADDRESS:PORT.
    #[arg(value_name = "FROM")]
    pub(crate) from: Place,

    /// How records are written; with none they are only counted.
    #[arg(long, value_enum, default_value_t = Format::Json)]
    pub(crate) format: Format,
}

/// Reads batches to the end of the file, or until the sender closes. What stands before a broken batch is
/// written all the same.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let failed = |reason: &dyn std::fmt::Display| Failure::operation(&args.from, reason);
    let mut batches = BatchReader::new(BufReader::new(open(&args.from).map_err(|e| failed(&e))?));
    let mut writer = Writer::new(args.format);
    let mut outcome = Ok(());
    to_stdout(|out| {
        loop {
            let more = batches.next_batch(|session| writer.add(session));
            writer.end_batch(out)?;
            match more {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(error) => {
                    outcome = Err(failed(&error));
                    return Ok(());
                }
            }
        }
    })?;
    if args.format == Format::None {
        eprintln!("{} records", writer.records);
    }
    outcome
}

fn open(place: &Place) -> io::Result<Box<dyn Read>> {
    Ok(match place {
        Place::File(path) => Box::new(File::open(path)?),
        Place::Unix(path) => Box::new(UnixStream::connect(path)?),
        Place::Tcp(address) => Box::new(TcpStream::connect(address)?),
    })
}

/// Writes the records of one batch after another.
struct Writer {
    format: Format,
    table: GrowingTable,
    batch: BatchEncoder,
    text: Vec<u8>,
    records: u64,
}

impl Writer {
    fn new(format: Format) -> Self {
        Self {
            format,
            table: GrowingTable::default(),
            batch: BatchEncoder::new(),
            text: Vec::new(),
            records: 0,
        }
    }

    fn add(&mut self, session: &Session<'_>) {
        self.records += 1;
        match self.format {
            Format::Json => write_session_json(session, &mut self.text),
            Format::Table => self.table.write_session(session, &mut self.text),
            Format::Flatbuffers => self.batch.push(session),
            Format::None => {}
        }
    }

    /// Lets the reader of a live stream see each batch as it comes.
    fn end_batch(&mut self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(&self.text)?;
        self.text.clear();
        self.batch.finish(|bytes| out.write_all(bytes)).transpose()?;
        out.flush()
    }
}

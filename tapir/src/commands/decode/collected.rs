//! The records of a whole run, put in order and written.

use crate::cli::Format;
use crate::failure::Failure;
use crate::output;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use tapir_collector::flat::BatchEncoder;
use tapir_collector::limits::BATCH_BYTES;
use tapir_collector::session::Session;
use tapir_collector::table::Table;
use tapir_collector::text::TextLimits;
use tapir_collector::write_json;
use tapir_parsers::record::RecordView;

/// Entries in one piece of memory, and where each begins.
pub(super) struct Collected {
    keep: bool,
    bytes: Vec<u8>,
    /// Start time, place.
    order: Vec<(u64, usize)>,
}

impl Collected {
    /// Keeps records, or only lets them pass.
    pub(super) fn new(keep: bool) -> Self {
        Self {
            keep,
            bytes: Vec::new(),
            order: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, view: &RecordView<'_>) {
        if self.keep {
            self.order.push((view.header.start_ns, self.bytes.len()));
            view.append_to(&mut self.bytes);
        }
    }

    fn view(&self, at: usize) -> Option<RecordView<'_>> {
        RecordView::new(self.bytes.get(at..)?)
    }

    /// Writes all records in order of their start to `path`, or to stdout. Records of the same time stand
    /// in the order of their ends' addresses, those of one flow as they ended: the number of workers
    /// does not show.
    pub(super) fn write(mut self, format: Format, path: Option<&Path>) -> Result<(), Failure> {
        let mut order = std::mem::take(&mut self.order);
        order.sort_by_cached_key(|(start_ns, at)| {
            let flow = self.view(*at).map(|view| view.header.flow);
            (
                *start_ns,
                flow.map(|f| (f.client_ip, f.server_ip, f.client_port, f.server_port)),
            )
        });
        let Some(path) = path else {
            return output::to_stdout(|out| self.write_to(&order, format, out));
        };
        let failed = |e| Failure::operation(format!("writing {}", path.display()), e);
        let mut file = BufWriter::new(File::create(path).map_err(failed)?);
        self.write_to(&order, format, &mut file)
            .and_then(|()| file.flush())
            .map_err(failed)
    }

    fn write_to(&self, order: &[(u64, usize)], format: Format, out: &mut dyn Write) -> io::Result<()> {
        let mut line = Vec::new();
        let mut table = Table::default();
        let mut batch = BatchEncoder::new();
        if format == Format::Table {
            table.write_titles(&mut line);
        }
        for view in order.iter().filter_map(|(_, at)| self.view(*at)) {
            match format {
                Format::Json => write_json(&view, &mut line),
                Format::Table => table.write_session(&Session::new(&view, TextLimits::default()), &mut line),
                Format::Flatbuffers => {
                    batch.push(&Session::new(&view, TextLimits::default()));
                    if batch.bytes() >= BATCH_BYTES {
                        batch.finish(|bytes| line.extend_from_slice(bytes));
                    }
                }
                Format::None => {}
            }
            out.write_all(&line)?;
            line.clear();
        }
        batch.finish(|bytes| line.extend_from_slice(bytes));
        out.write_all(&line)
    }
}

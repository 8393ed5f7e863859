//! Processes of a batch: few of them hold the sockets of many records.

use super::downward::{Downward, Place};
use super::shared::Strings;
use super::table::{Table, Vtables};
use crate::generated::tapir as fb;
use tapir_parsers::host::Process;

/// Processes that a batch has.
#[derive(Debug)]
pub(super) struct Processes {
    known: [Option<Known>; Self::SLOTS],
    vtables: Vtables,
}

impl Default for Processes {
    fn default() -> Self {
        Self {
            known: [None; Self::SLOTS],
            vtables: Vtables::default(),
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Known {
    pid: u32,
    table: Place,
    texts: [Option<Place>; 4],
}

fn texts<'a>(process: &Process<'a>) -> [&'a [u8]; 4] {
    [process.comm, process.container, process.executable, process.pod].map(str::as_bytes)
}

impl Known {
    fn is(&self, process: &Process<'_>, batch: &Downward) -> bool {
        let same = |(text, place): (&[u8], &Option<Place>)| match place {
            Some(place) => batch.has_string(*place, text),
            None => text.is_empty(),
        };
        self.pid == process.pid && texts(process).into_iter().zip(&self.texts).all(same)
    }
}

impl Processes {
    /// By the last bits of their ids: those that share a slot push each other out, and are written again.
    const SLOTS: usize = 64;

    /// Puts `process` unless it is there.
    pub(super) fn put(
        &mut self,
        process: &Process<'_>,
        table: &mut Table,
        strings: &mut Strings,
        to: &mut Downward,
    ) -> Place {
        let slot = process.pid as usize % Self::SLOTS;
        if let Some(known) = &self.known[slot]
            && known.is(process, to)
        {
            return known.table;
        }
        let texts = texts(process).map(|text| (!text.is_empty()).then(|| strings.put(text, to)));
        for (field, text) in [
            fb::Process::VT_COMM,
            fb::Process::VT_CONTAINER,
            fb::Process::VT_EXECUTABLE,
            fb::Process::VT_POD,
        ]
        .into_iter()
        .zip(texts)
        {
            if let Some(text) = text {
                table.refer(field, text);
            }
        }
        table.add(fb::Process::VT_PID, process.pid.to_le_bytes());
        let table = table.put(to, &mut self.vtables);
        let pid = process.pid;
        self.known[slot] = Some(Known { pid, table, texts });
        table
    }
}

//! Records as lines of a table for people.
//!
//! Text comes from the wire and goes to a terminal: control characters and those that change the
//! direction of text are replaced, so that traffic can't drive the terminal.

use crate::json::{unsigned, write_ip};
use crate::session::Session;
use crate::text::{TextLimits, lossy};
use crate::utc::Utc;
use std::io::Write;
use std::net::IpAddr;
use tapir_parsers::field::Field;
use tapir_parsers::record::RecordView;

/// Width of a table where no terminal says otherwise, characters.
pub const WIDTH_DEFAULT: usize = 160;
/// What `resource` gets at least, characters.
const RESOURCE_MIN: usize = 12;

/// The columns before and after `resource`: title, characters. Addresses have room for IPv4 and a
/// port; an IPv6 address takes what it needs and moves its line.
const BEFORE: [(&str, usize); 5] = [
    ("TIME (UTC)", 15),
    ("PROTO", 10),
    ("CLIENT", 21),
    ("SERVER", 21),
    ("TYPE", 10),
];
const AFTER: [(&str, usize); 3] = [("STATUS", 17), ("RRT", 8), ("KIND", 11)];
/// Last, where records are expected to have one.
const PROCESS: (&str, usize) = ("PROCESS", 23);

/// A table of a certain width.
#[derive(Clone, Debug)]
pub struct Table {
    resource: usize,
    processes: bool,
    cell: Vec<u8>,
}

impl Default for Table {
    fn default() -> Self {
        Self::new(WIDTH_DEFAULT)
    }
}

impl Table {
    /// A table for a terminal `width` characters wide.
    pub fn new(width: usize) -> Self {
        let columns = BEFORE.iter().chain(&AFTER);
        let fixed: usize = columns.map(|(_, width)| width + 1).sum();
        Self {
            resource: width.saturating_sub(fixed).max(RESOURCE_MIN),
            processes: false,
            cell: Vec::new(),
        }
    }

    /// A table as wide, with a column for processes: a host's records have them.
    pub fn with_processes(width: usize) -> Self {
        Self {
            processes: true,
            ..Self::new(width.saturating_sub(PROCESS.1 + 1))
        }
    }

    /// Appends the titles of the columns and a newline.
    pub fn write_titles(&self, out: &mut Vec<u8>) {
        let resource = [("RESOURCE", self.resource)];
        let process = self.processes.then_some(&PROCESS);
        for (title, width) in BEFORE.iter().chain(&resource).chain(&AFTER).chain(process) {
            pad(out, title.as_bytes(), *width);
        }
        end_line(out);
    }

    /// Appends one record as a line.
    pub fn write_session(&mut self, session: &Session<'_>, out: &mut Vec<u8>) {
        let mut cell = std::mem::take(&mut self.cell);
        let mut column = |width: usize, write: &dyn Fn(&mut Vec<u8>)| {
            cell.clear();
            write(&mut cell);
            pad(out, &cell, width);
        };
        let [time, proto, client, server, kind_of_request] = BEFORE.map(|(_, width)| width);
        let [status, rrt, kind] = AFTER.map(|(_, width)| width);
        column(time, &|to| write_time(to, session.start_ns));
        column(proto, &|to| {
            visible(to, session.protocol.unwrap_or("-").as_bytes(), proto);
        });
        column(client, &|to| {
            write_socket(to, session.client_ip, session.client_port);
        });
        column(server, &|to| match session.server_ip {
            // The end of a path says most.
            None => visible_end(to, attr(session, b"socket"), server),
            ip => write_socket(to, ip, session.server_port),
        });
        column(kind_of_request, &|to| {
            visible(to, session.text(Field::ReqType), kind_of_request);
        });
        column(self.resource, &|to| visible(to, what(session), self.resource));
        column(status, &|to| write_status(to, session));
        column(rrt, &|to| write_duration(to, session.rrt_ns));
        column(kind, &|to| to.extend_from_slice(session.kind.name().as_bytes()));
        if self.processes {
            column(PROCESS.1, &|to| write_process(to, session));
        }
        end_line(out);
        self.cell = cell;
    }
}

/// A table of records that may be of hosts: it begins with the first record, and anew, with the column for processes, with
/// the first that names one.
#[derive(Debug, Default)]
pub struct GrowingTable(Option<Table>);

impl GrowingTable {
    /// Appends one record as a line, below titles where they are needed.
    pub fn write_session(&mut self, session: &Session<'_>, out: &mut Vec<u8>) {
        let host = &session.host;
        let names_process = host.process.or(host.client_process).is_some();
        let fits = |table: &Table| table.processes || !names_process;
        let table = match self.0.take().filter(fits) {
            Some(table) => table,
            None => {
                let table = match names_process {
                    true => Table::with_processes(WIDTH_DEFAULT),
                    false => Table::default(),
                };
                table.write_titles(out);
                table
            }
        };
        self.0.insert(table).write_session(session, out);
    }
}

/// Appends the record as one line of a table of the default width.
pub fn write_table(view: &RecordView<'_>, out: &mut Vec<u8>) {
    Table::default().write_session(&Session::new(view, TextLimits::default()), out);
}

/// The text that says most about what was asked for.
fn what<'a>(session: &Session<'a>) -> &'a [u8] {
    [Field::Resource, Field::Endpoint, Field::Domain, Field::Result]
        .into_iter()
        .map(|field| session.text(field))
        .find(|text| !text.is_empty())
        .unwrap_or_default()
}

/// Appends `cell` and spaces up to `width` characters and the gap to the next column.
fn pad(out: &mut Vec<u8>, cell: &[u8], width: usize) {
    out.extend_from_slice(cell);
    // Cells are UTF-8: what is not a continuation byte begins a character.
    let characters = cell.iter().filter(|byte| **byte & 0xC0 != 0x80).count();
    let spaces = width.saturating_sub(characters) + 1;
    out.resize(out.len() + spaces, b' ');
}

fn end_line(out: &mut Vec<u8>) {
    while out.last() == Some(&b' ') {
        out.pop();
    }
    out.push(b'\n');
}

/// Appends at most `width` characters of text that a terminal may be shown.
fn visible(out: &mut Vec<u8>, bytes: &[u8], width: usize) {
    // No character is longer than four bytes, so this is enough to know whether the text fits.
    let max = 4 * (width + 1);
    let start = out.len();
    let mut left = width;
    let mut cut = false;
    lossy(bytes, max, |piece| {
        for character in piece.chars() {
            if left == 0 {
                cut = true;
                return;
            }
            left -= 1;
            let shown = if is_harmless(character) { character } else { '·' };
            let mut utf8 = [0; 4];
            out.extend_from_slice(shown.encode_utf8(&mut utf8).as_bytes());
        }
    });
    if cut && width > 0 {
        while out.len() > start && out.last().is_some_and(|byte| byte & 0xC0 == 0x80) {
            out.pop();
        }
        out.pop();
        out.extend_from_slice("…".as_bytes());
    }
}

/// The same, of a text whose end says more than its beginning.
fn visible_end(out: &mut Vec<u8>, bytes: &[u8], width: usize) {
    let text = String::from_utf8_lossy(bytes);
    let surplus = text.chars().count().saturating_sub(width);
    if surplus > 0 {
        out.extend_from_slice("…".as_bytes());
    }
    // The sign that something is missing takes a character of its own.
    let end: String = text.chars().skip(surplus + usize::from(surplus > 0)).collect();
    visible(out, if end.is_empty() { b"-" } else { end.as_bytes() }, width);
}

/// The attribute of that name, empty where there is none.
fn attr<'a>(session: &Session<'a>, name: &[u8]) -> &'a [u8] {
    let mut attrs = session.attrs.iter();
    attrs
        .find(|(key, _)| *key == name)
        .map_or(&[], |(_, value)| value)
}

/// Neither control nor bidirectional formatting (Unicode Standard Annex 9, section 2).
fn is_harmless(character: char) -> bool {
    !character.is_control()
        && !matches!(character, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

fn write_time(out: &mut Vec<u8>, unix_ns: u64) {
    let Utc {
        hour,
        minute,
        second,
        nanosecond,
        ..
    } = Utc::from_unix_ns(unix_ns);
    let microsecond = nanosecond / 1000;
    // Writing to a Vec can't fail.
    drop(write!(out, "{hour:02}:{minute:02}:{second:02}.{microsecond:06}"));
}

fn write_socket(out: &mut Vec<u8>, ip: Option<IpAddr>, port: Option<u16>) {
    let Some(ip) = ip else {
        out.push(b'-');
        return;
    };
    let brackets = ip.is_ipv6() && port.is_some();
    if brackets {
        out.push(b'[');
    }
    write_ip(out, ip);
    if brackets {
        out.push(b']');
    }
    if let Some(port) = port {
        out.push(b':');
        unsigned(out, u64::from(port));
    }
}

fn write_status(out: &mut Vec<u8>, session: &Session<'_>) {
    out.extend_from_slice(session.status.name().as_bytes());
    if let Some(code) = session.code {
        drop(write!(out, " {code}"));
    }
}

/// `nginx/1234`.
fn write_process(out: &mut Vec<u8>, session: &Session<'_>) {
    let Some(process) = session.host.process.or(session.host.client_process) else {
        out.push(b'-');
        return;
    };
    // The longest name of a process, and a pid.
    visible(out, process.comm.as_bytes(), 15);
    out.push(b'/');
    unsigned(out, u64::from(process.pid));
}

/// Three figures and a unit: `1.23ms`.
fn write_duration(out: &mut Vec<u8>, ns: Option<u64>) {
    let Some(ns) = ns else {
        out.push(b'-');
        return;
    };
    let (value, unit) = match ns {
        0..1_000 => (ns as f64, "ns"),
        1_000..1_000_000 => (ns as f64 / 1e3, "µs"),
        1_000_000..1_000_000_000 => (ns as f64 / 1e6, "ms"),
        _ => (ns as f64 / 1e9, "s"),
    };
    let decimals = match value {
        ..10.0 if ns >= 1_000 => 2,
        ..100.0 if ns >= 1_000 => 1,
        _ => 0,
    };
    drop(write!(out, "{value:.decimals$}{unit}"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Entry;
    use tapir_parsers::host::{HostFacts, Process};

    fn shown(bytes: &[u8], width: usize) -> String {
        let mut out = Vec::new();
        visible(&mut out, bytes, width);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn text_fits_its_column_and_leaves_the_terminal_alone() {
        assert_eq!(shown(b"GET", 3), "GET");
        assert_eq!(shown(b"GETS", 3), "GE…");
        assert_eq!(shown("ééééé".as_bytes(), 4), "ééé…");
        assert_eq!(shown(b"a\x1b[2Jb\r\n", 20), "a·[2Jb··");
        assert_eq!(shown("a\u{202E}b".as_bytes(), 20), "a·b");
        assert_eq!(shown(&[b'x'; 5000], 8), "xxxxxxx…");
    }

    #[test]
    fn of_paths_the_end_is_shown() {
        let shown = |path: &str| {
            let mut out = Vec::new();
            visible_end(&mut out, path.as_bytes(), 8);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(shown("/run/php"), "/run/php");
        assert_eq!(shown("/run/redis.sock"), "…is.sock");
        assert_eq!(shown(""), "-");
    }

    #[test]
    fn processes_have_a_column_where_they_are_wanted() {
        let mut titles = [Vec::new(), Vec::new()];
        Table::new(120).write_titles(&mut titles[0]);
        Table::with_processes(120).write_titles(&mut titles[1]);
        let [plain, with] = titles.map(|bytes| String::from_utf8(bytes).unwrap());
        assert!(
            !plain.contains("PROCESS") && with.ends_with("PROCESS\n"),
            "{with}"
        );
    }

    #[test]
    fn a_table_grows_with_the_first_process() {
        let process = Process {
            pid: 7,
            comm: "nginx",
            ..Process::default()
        };
        let host = HostFacts {
            process: Some(process),
            ..HostFacts::default()
        };
        let (wire, of_host) = (Entry::default().bytes(), Entry::default().host(&host).bytes());
        let mut table = GrowingTable::default();
        let mut out = Vec::new();
        for entry in [&wire, &wire, &of_host, &wire, &of_host] {
            let view = RecordView::new(entry).unwrap();
            table.write_session(&Session::new(&view, TextLimits::default()), &mut out);
        }
        let text = String::from_utf8(out).unwrap();
        let what: Vec<_> = text
            .lines()
            .map(|line| {
                (
                    line.starts_with("TIME"),
                    line.ends_with("PROCESS"),
                    line.ends_with("nginx/7"),
                )
            })
            .collect();
        let (line, titles) = ((false, false, false), (true, false, false));
        let (with_process, of_nginx) = ((true, true, false), (false, false, true));
        assert_eq!(what, [titles, line, line, with_process, of_nginx, line, of_nginx]);
    }

    #[test]
    fn durations_have_three_figures() {
        let said = |ns| {
            let mut out = Vec::new();
            write_duration(&mut out, Some(ns));
            String::from_utf8(out).unwrap()
        };
        assert_eq!(said(0), "0ns");
        assert_eq!(said(999), "999ns");
        assert_eq!(said(1_234), "1.23µs");
        assert_eq!(said(45_678_901), "45.7ms");
        assert_eq!(said(345_678_901), "346ms");
        assert_eq!(said(60_000_000_000), "60.0s");
    }
}

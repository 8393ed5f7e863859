//! With plugins that are written here: their protocol is lines, `?id` asks and `!id` answers.

use crate::field::Field;
use crate::limits::PLUGIN_MISSES_MAX;
use crate::parser::Speaker;
use crate::plugin::{Call, Claim, Event, Info, Parsed, PluginHost, Plugins, Wanted};
use crate::testing::Script;
use std::sync::Arc;

/// Lines of one digit between a mark and a line end.
#[derive(Debug)]
struct Lines {
    framed: bool,
    /// No time for any call but the first.
    busy: bool,
}

impl PluginHost for Lines {
    fn for_lcore(&self) -> Box<dyn Plugins> {
        let Self { framed, busy } = *self;
        Box::new(Self { framed, busy })
    }
}

fn line(payload: &[u8]) -> Option<(u8, u32)> {
    match payload {
        [mark @ (b'?' | b'!'), digit @ b'0'..=b'9', b'\n', ..] => Some((*mark, u32::from(digit - b'0'))),
        _ => None,
    }
}

impl Plugins for Lines {
    fn wanted(&mut self) -> Option<Wanted> {
        let mut wanted = Wanted::default();
        wanted.add_checks(|_| true, &[]);
        Some(wanted)
    }

    fn check(&mut self, call: &Call<'_>) -> Option<Claim> {
        let (mark, _) = line(call.payload)?;
        Some(Claim {
            number: 200,
            speaker: if mark == b'?' {
                Speaker::Client
            } else {
                Speaker::Server
            },
            name: b"lines".iter().copied().collect(),
        })
    }

    fn parse(&mut self, call: &Call<'_>, number: u8, each: &mut dyn FnMut(&Info<'_>)) -> Parsed {
        assert_eq!(number, 200);
        if self.busy {
            return Parsed::Passed;
        }
        let Some((_, id)) = line(call.payload) else {
            return Parsed::Unknown;
        };
        each(&Info {
            request_id: Some(id),
            resource: b"line",
            ..Info::default()
        });
        Parsed::Read(self.framed.then_some(3))
    }

    fn enrich(&mut self, _: &Call<'_>, _: &Event<'_>, _: &mut dyn FnMut(&Info<'_>)) {}

    fn payload_bytes_max(&self) -> usize {
        1024
    }
}

fn script(framed: bool, busy: bool) -> Script {
    Script {
        plugins: Some(Arc::new(Lines { framed, busy })),
        ..Script::tcp(7000)
    }
}

#[test]
fn a_claimed_flow_has_records_of_its_own_name() {
    let told = script(false, false)
        .client("?1\n")
        .client("?2\n")
        .server("!2\n")
        .server("!1\n")
        .replay();
    let all: Vec<_> = told
        .iter()
        .map(|t| (t.proto, t.text(Field::Proto), t.kind, t.request_id))
        .collect();
    assert_eq!(
        all,
        [
            ("custom", "lines", "matched", Some(2)),
            ("custom", "lines", "matched", Some(1))
        ]
    );
}

#[test]
fn framed_messages_are_read_however_they_travel() {
    script(true, false)
        .client("?1\n?2\n?3\n")
        .server("!3\n!1\n!2\n")
        .client("?4\n")
        .server("!4\n")
        .check();
}

#[test]
fn a_flow_that_no_plugin_can_read_any_more_is_given_up() {
    let noise = || vec![b'x'; 2000];
    let script = (0..PLUGIN_MISSES_MAX + 9)
        .fold(script(false, false).client("?1\n").server("!1\n"), |s, _| {
            s.client(noise())
        });
    let told = script.client("?2\n").server("!2\n").replay();
    assert!(
        told.iter()
            .any(|t| t.kind == "matched" && t.request_id == Some(1))
    );
}

#[test]
fn what_nobody_has_time_for_passes() {
    let told = script(false, true).client("?1\n").server("!1\n").replay();
    assert!(told.is_empty());
}

#[test]
fn without_plugins_nothing_is_claimed() {
    let mut script = script(false, false).client("?1\n").server("!1\n");
    script.plugins = None;
    assert!(script.replay().is_empty());
}

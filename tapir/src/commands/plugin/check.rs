//! `tapir plugin check`.

use crate::failure::Failure;
use crate::output::to_stdout;
use crate::plugins::new_host;
use std::path::Path;
use tapir_parsers::plugin::l7;
use tapir_plugins::PluginSpec;
use tapir_plugins::metrics::Export;

/// Protocols whose messages plugins can enrich, with their numbers.
const MESSAGES: [(u8, &str); 4] = [
    (l7::NATS, "nats"),
    (l7::ZMTP, "zmtp"),
    (l7::DUBBO, "dubbo"),
    (l7::ROCKETMQ, "rocketmq"),
];

/// What plugins hand over records with.
const RECORDS: &str = "host_read_l7_protocol_info";

/// Loads the module at `file` and says what there is to say; fails when it would be refused.
pub(super) fn run(file: &Path) -> Result<(), Failure> {
    let failed = |reason: &dyn std::fmt::Display| Failure::operation(file.display(), reason);
    let module = std::fs::read(file).map_err(|e| failed(&e))?;
    let host = new_host()?;
    let examined = host.examine(&PluginSpec::new("plugin", file), &module);
    let (shape, refused) = examined.map_err(|e| failed(&e))?;
    to_stdout(|out| {
        writeln!(out, "size     {} bytes", module.len())?;
        writeln!(out, "memory   {} KiB at its start", shape.memory_bytes / 1024)?;
        for (module, name) in &shape.imports {
            let full = format!("{module}.{name}");
            let known = if shape.unknown.contains(&full) {
                "  no host has this"
            } else {
                ""
            };
            writeln!(out, "import   {full}{known}")?;
        }
        for name in &shape.exports {
            writeln!(out, "export   {name}")?;
        }
        for name in &shape.missing {
            writeln!(out, "missing  {name}")?;
        }
        for (_, hooks) in host.plugins() {
            for export in Export::ALL.iter().filter(|export| hooks.has(**export)) {
                writeln!(out, "hook     {}", export.name())?;
            }
            for (_, name) in MESSAGES.iter().filter(|(number, _)| hooks.wants_message(*number)) {
                writeln!(out, "message  {name}")?;
            }
        }
        // No module says which form its records have: each record tells, when it is handed over.
        let records = shape.imports.iter().any(|(_, name)| name == RECORDS);
        let dialect = match records {
            true => "as each record tells: 'tapir plugin run' shows it",
            false => "none: it hands over no records",
        };
        writeln!(out, "dialect  {dialect}")?;
        match &refused {
            None => writeln!(out, "verdict  it runs"),
            Some(_) => writeln!(out, "verdict  refused"),
        }
    })?;
    refused.map_or(Ok(()), |error| Err(failed(&error)))
}

//! `tapir plugin run`.

use super::{RunArgs, trace};
use crate::commands::decode;
use crate::failure::Failure;
use crate::{options, plugins};
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;
use tapir_parsers::plugin::PluginHost;
use tapir_plugins::PluginSpec;

/// Decodes the captures, with a line for every call.
pub(super) fn run(args: &RunArgs) -> Result<(), Failure> {
    let mut host = plugins::new_host()?.with_budget(None);
    if !args.quiet {
        host = host.with_trace(Arc::new(trace::print));
    }
    let name = args.file.file_stem().unwrap_or_default().to_string_lossy();
    let spec = PluginSpec {
        framed: args.framed,
        deadline: Duration::from_millis(args.deadline),
        ..PluginSpec::new(name, &args.file)
    };
    let failed = |reason: &dyn std::fmt::Display| Failure::operation(args.file.display(), reason);
    let module = std::fs::read(&args.file).map_err(|e| failed(&e))?;
    host.load_module(&spec, &module).map_err(|e| failed(&e))?;
    let host = Arc::new(host);
    let mut options = options::pipeline_from(None, &[])?;
    options.plugins = Some(Arc::clone(&host) as Arc<dyn PluginHost>);
    decode::run_with(
        &options,
        &decode::Args {
            files: args.captures.clone(),
            format: args.format,
            output: None,
            workers: NonZeroU16::MIN,
            protocols: Vec::new(),
            config: None,
        },
    )?;
    for plugin in host.metrics() {
        trace::print_metrics(&plugin);
    }
    Ok(())
}

//! `tapir config`: checks a configuration, or prints a commented example.

use super::protocol_names;
use crate::failure::Failure;
use crate::output::to_stdout;
use std::path::{Path, PathBuf};
use tapir_config::Config;

/// Arguments of `tapir config`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

/// What to do with configurations.
#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Read FILE and say everything that is wrong with it.
    Check {
        /// Configuration in TOML.
        file: PathBuf,
    },
    /// Print a complete, commented configuration with the defaults.
    Example,
}

/// Runs the chosen action.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    match &args.action {
        Action::Check { file } => check(file),
        Action::Example => to_stdout(|out| out.write_all(tapir_config::example().as_bytes())),
    }
}

/// Reads the configuration at `path`; what is wrong with it becomes one line each.
pub(crate) fn load(path: &Path) -> Result<Config, Failure> {
    Config::load(path, &protocol_names::names()).map_err(|problems| Failure::Operation(problems.to_string()))
}

fn check(path: &Path) -> Result<(), Failure> {
    let config = load(path)?;
    check_plugins(path, &config)?;
    let ports = match config.ports.len() {
        0 => "no ports, so it is good for `tapir decode` only".to_owned(),
        1 => "1 port".to_owned(),
        several => format!("{several} ports"),
    };
    to_stdout(|out| writeln!(out, "{}: valid; {ports}", path.display()))
}

/// Loads each plugin, as a run would: one that it would go without is a mistake, too.
#[cfg(feature = "plugins")]
fn check_plugins(path: &Path, config: &Config) -> Result<(), Failure> {
    let refused = crate::plugins::refused(config)?;
    let problem = |(index, error): (usize, tapir_plugins::LoadError)| tapir_config::Problem {
        file: Some(path.display().to_string()),
        line: None,
        key: format!("plugins[{index}].path"),
        value: config
            .plugins
            .get(index)
            .map(|plugin| format!("{:?}", plugin.path)),
        message: format!("a run would go without this plugin: {error}; try it with 'tapir plugin check'"),
    };
    let problems: Vec<_> = refused.into_iter().map(problem).collect();
    if problems.is_empty() {
        return Ok(());
    }
    Err(Failure::Operation(tapir_config::Problems(problems).to_string()))
}

/// A build without plugins can't say.
#[cfg(not(feature = "plugins"))]
fn check_plugins(_path: &Path, _config: &Config) -> Result<(), Failure> {
    Ok(())
}

//! docs/commands.md, made from the command line's own description.

use crate::cli::Cli;
use clap::{Arg, Command, CommandFactory};
use std::fmt::Write;

const HEAD: &str = "\
# Commands

<!-- Made from tapir/src: `UPDATE_DOCS=1 cargo test -p tapir` writes it anew. -->

Exit codes: 0 done, 1 the operation failed, 2 the command line is wrong. Records and tables go to standard output, all
else to standard error. A reader of standard output that goes away (`tapir decode … | head`) ends Tapir quietly with 0.
Colour is used on terminals only, and never where `NO_COLOR` is set.

`tapir completions bash > /etc/bash_completion.d/tapir` installs completions (also for fish, zsh, elvish, powershell),
`tapir man /usr/local/share/man/man1` the manual pages.
";

/// The page in Markdown.
fn commands() -> String {
    let mut root = Cli::command();
    root.build();
    let mut out = String::from(HEAD);
    arguments(&mut out, "tapir", &root);
    commands_below(&mut out, "tapir", &root);
    out
}

fn commands_below(out: &mut String, path: &str, parent: &Command) {
    for command in parent
        .get_subcommands()
        .filter(|command| !command.is_hide_set() && command.get_name() != "help")
    {
        let path = format!("{path} {}", command.get_name());
        arguments(out, &path, command);
        commands_below(out, &path, command);
    }
}

fn arguments(out: &mut String, path: &str, command: &Command) {
    let usage = command.clone().render_usage().to_string();
    let about = command
        .get_long_about()
        .or(command.get_about())
        .map(ToString::to_string)
        .unwrap_or_default();
    let mut lines = format!(
        "\n## `{path}`\n\n{about}\n\n```text\n{}\n```\n",
        usage.trim_start_matches("Usage: ")
    );
    // What every command takes is shown once, with `tapir` itself.
    let own = |argument: &&Arg| {
        let built_in = matches!(argument.get_id().as_str(), "help" | "version");
        !argument.is_hide_set() && !built_in && (path == "tapir" || !argument.is_global_set())
    };
    let rows: Vec<_> = command.get_arguments().filter(own).map(row).collect();
    if !rows.is_empty() {
        lines.push_str("\n| argument | | default |\n|---|---|---|\n");
        lines.push_str(&rows.concat());
    }
    out.push_str(&lines);
}

fn row(argument: &Arg) -> String {
    let takes_value = argument.get_action().takes_values();
    let value = argument
        .get_value_names()
        .unwrap_or_default()
        .first()
        .map(ToString::to_string)
        .unwrap_or_default();
    let mut names = Vec::new();
    if let Some(short) = argument.get_short() {
        names.push(format!("`-{short}`"));
    }
    match argument.get_long() {
        Some(long) if takes_value => names.push(format!("`--{long} {value}`")),
        Some(long) => names.push(format!("`--{long}`")),
        None => names.push(format!("`{value}`")),
    }
    let mut about = argument.get_help().map(ToString::to_string).unwrap_or_default();
    // The names of protocols are many, and change; `tapir protocols` lists them.
    let choices: Vec<_> = match argument.get_value_names() {
        Some([name]) if name.as_str() == "P" => Vec::new(),
        _ if !takes_value => Vec::new(),
        _ => argument
            .get_possible_values()
            .iter()
            .map(|value| format!("`{}`", value.get_name()))
            .collect(),
    };
    if !choices.is_empty() {
        let _ = write!(about, ": {}", choices.join(", "));
    }
    if let Some(variable) = argument.get_env() {
        let _ = write!(
            about,
            "; also from `{}` in the environment",
            variable.to_string_lossy()
        );
    }
    let default: Vec<_> = argument
        .get_default_values()
        .iter()
        .map(|value| format!("`{}`", value.display()))
        .collect();
    let default = if takes_value {
        default.join(" ")
    } else {
        String::new()
    };
    format!("| {} | {about} | {default} |\n", names.join(", "))
}

#[test]
fn the_page_is_current() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/commands.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, commands()).unwrap();
    }
    let page = std::fs::read_to_string(&path).unwrap();
    assert!(
        page == commands(),
        "docs/commands.md is not what UPDATE_DOCS=1 cargo test -p tapir would write"
    );
}

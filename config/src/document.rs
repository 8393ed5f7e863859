//! The example and the reference, made from what the sections say of themselves.

use crate::config::{Config, SectionDescription};
use crate::section::Key;
use std::fmt::Write;

const HEAD: &str = "\
# Tapir's configuration: every key with its default. Keys that have none stand behind a '#'.
# Only ports must be given; leave out whatever suits you as it is.
";

/// A complete configuration with comments: every key, with its default where it has one.
pub fn example() -> String {
    let mut out = String::from(HEAD);
    for section in Config::of_example().describe() {
        out.push('\n');
        for line in section.about {
            push(&mut out, format_args!("# {}", line.trim()));
        }
        let mark = if section.absent { "# " } else { "" };
        push(&mut out, format_args!("{mark}{}", header(&section)));
        for key in &section.keys {
            out.push('\n');
            for line in &key.about {
                push(&mut out, format_args!("# {line}"));
            }
            match &key.value {
                Some(value) => push(&mut out, format_args!("{mark}{} = {value}", key.name)),
                None => push(&mut out, format_args!("# {} = {}", key.name, key.example)),
            }
        }
    }
    out
}

/// The page of all keys, in Markdown: docs/configuration.md.
pub fn reference() -> String {
    let mut out = String::from(include_str!("reference_head.md"));
    for section in Config::default().describe() {
        push(&mut out, format_args!("\n## `{}`\n", header(&section)));
        push(
            &mut out,
            format_args!(
                "{}\n",
                section
                    .about
                    .iter()
                    .map(|line| line.trim())
                    .collect::<Vec<_>>()
                    .join("\n")
            ),
        );
        push(
            &mut out,
            format_args!("| key | accepts | default | |\n|---|---|---|---|"),
        );
        for key in &section.keys {
            push(&mut out, format_args!("{}", row(key)));
        }
    }
    out
}

fn header(section: &SectionDescription) -> String {
    if section.repeated {
        format!("[[{}]]", section.name)
    } else {
        format!("[{}]", section.name)
    }
}

fn row(key: &Key) -> String {
    let default = key
        .value
        .as_ref()
        .map_or("–".to_owned(), |value| format!("`{value}`"));
    // A bar would end the cell.
    let about = key.about.join(" ").replace('|', "\\|");
    format!("| `{}` | {} | {default} | {about} |", key.name, key.expected)
}

fn push(out: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{line}");
}

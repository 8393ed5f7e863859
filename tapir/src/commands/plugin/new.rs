//! `tapir plugin new`.

use super::{Language, NewArgs};
use crate::failure::Failure;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// A file of a new plugin: where it lies in its folder, and what is in it. `NAME` in either stands for the
/// plugin's name.
type Template = (&'static str, &'static str);

macro_rules! sdk {
    ($file:literal) => {
        include_str!(concat!("../../../../plugins/sdk/", $file))
    };
}

/// Speaks the example's protocol over loopback, for a first capture.
const TALK: Template = ("talk.py", sdk!("talk.py"));
const C: [Template; 2] = [
    ("NAME.c", sdk!("c/house.c")),
    ("tapir_plugin.h", sdk!("c/tapir_plugin.h")),
];
const ASSEMBLYSCRIPT: [Template; 2] = [
    ("NAME.ts", sdk!("assemblyscript/house.ts")),
    ("plugin.ts", sdk!("assemblyscript/plugin.ts")),
];
const RUST: [Template; 4] = [
    ("NAME.rs", sdk!("rust/house.rs")),
    ("tapir_plugin.rs", sdk!("rust/tapir_plugin.rs")),
    ("Cargo.toml", sdk!("rust/Cargo.toml")),
    (".cargo/config.toml", sdk!("rust/.cargo/config.toml")),
];

impl Language {
    const fn templates(self) -> &'static [Template] {
        match self {
            Self::C => &C,
            Self::Assemblyscript => &ASSEMBLYSCRIPT,
            Self::Rust => &RUST,
        }
    }

    /// What builds the plugin, in its folder.
    const fn build(self) -> &'static str {
        match self {
            Self::C => {
                "clang --target=wasm32 -O2 -nostdlib -ffreestanding -Wl,--no-entry -o NAME.wasm NAME.c"
            }
            Self::Assemblyscript => {
                "npx --package assemblyscript asc NAME.ts -O --runtime stub --exportStart _start --use abort= \
                 -o NAME.wasm"
            }
            Self::Rust => {
                "cargo build --release && cp target/wasm32-unknown-unknown/release/NAME.wasm NAME.wasm"
            }
        }
    }
}

/// Makes the folder, and says how to go on.
pub(super) fn run(args: &NewArgs) -> Result<(), Failure> {
    let name = args.name.as_str();
    let folder = Path::new(name);
    let failed = |path: &Path, e: &dyn std::fmt::Display| Failure::operation(path.display(), e);
    fs::create_dir(folder).map_err(|e| match e.kind() {
        ErrorKind::AlreadyExists => failed(folder, &"is there already: give another name, or go elsewhere"),
        _ => failed(folder, &e),
    })?;
    for (path, text) in args.language.templates().iter().chain([&TALK]) {
        let path = folder.join(path.replace("NAME", name));
        // In the examples the name stands in Cargo.toml alone; elsewhere `house` is a word like others.
        let text = if path.ends_with("Cargo.toml") {
            text.replace("house", name)
        } else {
            (*text).to_owned()
        };
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent).map_err(|e| failed(parent, &e))?;
        fs::write(&path, text).map_err(|e| failed(&path, &e))?;
    }
    crate::output::to_stdout(|out| {
        writeln!(
            out,
            "{name}: made; it reads the protocol of talk.py until you change it"
        )?;
        writeln!(out, "  cd {name}")?;
        writeln!(out, "  {}", args.language.build().replace("NAME", name))?;
        writeln!(out, "  tapir plugin check {name}.wasm")
    })
}

/// A name that files, crates and metrics can have.
pub(super) fn name(text: &str) -> Result<String, String> {
    let begins = text.starts_with(|c: char| c.is_ascii_lowercase());
    let rest = text
        .chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if begins && rest && text.len() <= 64 {
        Ok(text.to_owned())
    } else {
        Err("expected a lower-case letter, then letters, digits and '_', as in house".to_owned())
    }
}

//! Writing to stdout: colour where it is wanted, and a reader that goes away is no error.

use crate::failure::Failure;
use std::io::{self, IsTerminal, Write};

/// Writes through `write` to a buffered, locked stdout and flushes it.
pub(crate) fn to_stdout(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let mut stdout = io::BufWriter::new(io::stdout().lock());
    write(&mut stdout)
        .and_then(|()| stdout.flush())
        .map_err(|e| Failure::stdout(&e))
}

/// Whether stdout takes colour: a terminal, and `NO_COLOR` (no-color.org) not set to anything.
pub(crate) fn stdout_takes_colour() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    io::stdout().is_terminal() && !refused && !dumb
}

/// Writes rows with their columns aligned, two blanks apart. The last column is not padded.
pub(crate) fn write_columns<const N: usize>(out: &mut dyn Write, rows: &[[String; N]]) -> io::Result<()> {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for row in rows {
        let mut line = String::new();
        for (&width, cell) in widths.iter().zip(row) {
            line.push_str(&format!("{cell:width$}  "));
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut out = Vec::new();
        let row = |a: &str, b: &str| [a.to_owned(), b.to_owned()];
        write_columns(
            &mut out,
            &[row("name", "x"), row("p", "yy"), row("long name", "")],
        )
        .unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "name       x\np          yy\nlong name\n"
        );
    }
}

//! Functions of Go programs, stripped ones included.
//!
//! Every Go program carries a table of its functions for tracebacks and garbage collection (`.gopclntab`), which
//! `strip` leaves alone. Format: Go's runtime/symtab.go (`pcHeader`), debug/gosym/pclntab.go; of Go 1.18 and newer,
//! whose functions take arguments in registers. Everything is read with bounds: the file may be anything.

use super::elf::{self, Contents, Elf, Function};

/// `pcHeader.magic` of Go 1.18 and 1.20; what came before passes arguments on the stack, or stores other fields.
const MAGICS: [u32; 2] = [0xffff_fff0, 0xffff_fff1];
/// Where the table is: position-independent programs keep it among what the loader relocates.
const SECTIONS: [&str; 2] = [".gopclntab", ".data.rel.ro.gopclntab"];
/// How far behind the start of `.text` a C compiler's own code may push Go's.
const TEXT_SEARCH_BYTES: u64 = 1 << 20;
/// Functions begin at multiples of this.
const TEXT_ALIGN: u64 = 16;

/// What is found of Go in a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Go {
    /// It is no Go program.
    Absent,
    /// It is one of a Go that is not understood.
    Unknown,
    /// The functions that were asked for and are there.
    Functions(Vec<Function>),
}

/// Looks for functions by their full names.
pub(super) fn functions(contents: &Contents, elf: &Elf<'_>, names: &[&'static str]) -> Go {
    let Some((_, table)) = SECTIONS.iter().find_map(|name| elf::section(elf, name)) else {
        return Go::Absent;
    };
    let Some(table) = Table::new(table) else {
        return Go::Unknown;
    };
    let found = table.find(names);
    if found.is_empty() {
        return Go::Functions(Vec::new());
    }
    let Some(text) = text_start(contents, elf, &table, &found) else {
        return Go::Unknown;
    };
    let at = |f: &Found| Function {
        name: f.name.to_owned(),
        address: text + u64::from(f.start),
        len: u64::from(f.end - f.start),
    };
    Go::Functions(found.iter().map(at).collect())
}

/// Where the table's offsets count from. Go up to 1.25 stores it; later ones leave it to the loaded program. Go's code
/// is the start of `.text` unless a C linker has put something before it, so candidates are tried until all functions
/// begin as Go's functions do.
fn text_start(contents: &Contents, elf: &Elf<'_>, table: &Table<'_>, found: &[Found]) -> Option<u64> {
    let text = elf::section_address(elf, ".text")?;
    let shifted = (0..TEXT_SEARCH_BYTES / TEXT_ALIGN).map(|n| text + n * TEXT_ALIGN);
    let begins = |start: u64| {
        found.iter().all(|f| {
            elf::code(contents, elf, start + u64::from(f.start), PROLOGUE_BYTES).is_some_and(is_prologue)
        })
    };
    table
        .text_start
        .into_iter()
        .chain(shifted)
        .find(|start| begins(*start))
}

const PROLOGUE_BYTES: u64 = 16;

/// Whether a function of Go begins like this: it compares its stack with the goroutine's bound (r14+16), unless it
/// needs next to none, and no function that is asked for needs so little.
fn is_prologue(code: &[u8]) -> bool {
    // cmp rsp, [r14+16]; or lea r12, [rsp-n]; cmp r12, [r14+16], with n of one byte or four.
    let large = |lea: [u8; 4], len: usize| {
        code.starts_with(&lea)
            && code
                .get(len..)
                .is_some_and(|c| c.starts_with(&[0x4d, 0x3b, 0x66, 0x10]))
    };
    code.starts_with(&[0x49, 0x3b, 0x66, 0x10])
        || large([0x4c, 0x8d, 0x64, 0x24], 5)
        || large([0x4c, 0x8d, 0xa4, 0x24], 8)
}

/// A function, by offsets from the start of Go's code.
struct Found {
    name: &'static str,
    start: u32,
    end: u32,
}

/// `.gopclntab`.
struct Table<'a> {
    functions: usize,
    text_start: Option<u64>,
    names: &'a [u8],
    /// Pairs of start and offset of more, then what `offset` counts from.
    entries: &'a [u8],
}

/// Of an entry: two numbers of 32 bits.
const ENTRY_BYTES: usize = 8;

impl<'a> Table<'a> {
    fn new(bytes: &'a [u8]) -> Option<Self> {
        let word = |n: usize| u64_at(bytes, 8 + 8 * n);
        // Instructions of any length, pointers of eight bytes.
        let is_known = MAGICS.contains(&u32_at(bytes, 0)?) && bytes.get(4..8)? == [0, 0, 1, 8];
        if !is_known {
            return None;
        }
        let functions = usize::try_from(word(0)?).ok()?;
        let entries = bytes.get(usize::try_from(word(7)?).ok()?..)?;
        let entries_len = functions.checked_mul(ENTRY_BYTES)?.checked_add(4)?;
        (entries.len() >= entries_len).then_some(())?;
        Some(Self {
            functions,
            text_start: word(2).filter(|start| *start != 0),
            names: bytes.get(usize::try_from(word(3)?).ok()?..)?,
            entries,
        })
    }

    /// The functions of these names, in the table's order.
    fn find(&self, names: &[&'static str]) -> Vec<Found> {
        let places: Vec<(u32, &'static str)> = names
            .iter()
            .filter_map(|name| Some((self.place(name)?, *name)))
            .collect();
        if places.is_empty() {
            return Vec::new();
        }
        (0..self.functions)
            .filter_map(|n| {
                let at = n * ENTRY_BYTES;
                let more = u32_at(self.entries, at + 4)? as usize;
                // Of a function: its start again, then where its name is.
                let name_at = u32_at(self.entries, more.checked_add(4)?)?;
                let (_, name) = places.iter().find(|(place, _)| *place == name_at)?;
                let (start, end) = (u32_at(self.entries, at)?, u32_at(self.entries, at + ENTRY_BYTES)?);
                (start < end).then_some(Found { name, start, end })
            })
            .collect()
    }

    /// Where `name` stands among the names, each of which ends with a zero.
    fn place(&self, name: &str) -> Option<u32> {
        let framed = [b"\0", name.as_bytes(), b"\0"].concat();
        let at = memchr::memmem::find(self.names, &framed)? + 1;
        u32::try_from(at).ok()
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(8)?)?;
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 2] = ["crypto/tls.(*Conn).Read", "crypto/tls.(*Conn).Write"];

    /// A table of functions: name and start of each, and where the last one ends.
    fn table(functions: &[(&str, u32)], end: u32) -> Vec<u8> {
        const HEAD: usize = 8 + 8 * 8;
        let mut names = vec![0];
        let places: Vec<u32> = functions
            .iter()
            .map(|(name, _)| {
                let place = names.len() as u32;
                names.extend_from_slice(name.as_bytes());
                names.push(0);
                place
            })
            .collect();
        let entries_at = HEAD + names.len();
        let more_at = functions.len() * ENTRY_BYTES + 4;
        let mut bytes = MAGICS[1].to_le_bytes().to_vec();
        bytes.extend_from_slice(&[0, 0, 1, 8]);
        let words = [
            functions.len() as u64,
            0,
            0,
            HEAD as u64,
            0,
            0,
            0,
            entries_at as u64,
        ];
        bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        bytes.extend_from_slice(&names);
        for (n, (_, start)) in functions.iter().enumerate() {
            let more = (more_at + n * ENTRY_BYTES) as u32;
            bytes.extend(start.to_le_bytes().into_iter().chain(more.to_le_bytes()));
        }
        bytes.extend_from_slice(&end.to_le_bytes());
        for ((_, start), place) in functions.iter().zip(places) {
            bytes.extend(start.to_le_bytes().into_iter().chain(place.to_le_bytes()));
        }
        bytes
    }

    fn found(bytes: &[u8]) -> Vec<(&'static str, u32, u32)> {
        let found = Table::new(bytes)
            .map(|table| table.find(&NAMES))
            .unwrap_or_default();
        found.iter().map(|f| (f.name, f.start, f.end)).collect()
    }

    fn example() -> Vec<u8> {
        let functions = [
            ("runtime.text", 0),
            ("crypto/tls.(*Conn).Read", 64),
            ("crypto/tls.(*Conn).Read.deferwrap1", 320),
            ("x.crypto/tls.(*Conn).Write", 352),
            ("crypto/tls.(*Conn).Write", 416),
        ];
        table(&functions, 480)
    }

    #[test]
    fn functions_are_found_by_their_whole_names() {
        let expected = [(NAMES[0], 64, 320), (NAMES[1], 416, 480)];
        assert_eq!(found(&example()), expected);
    }

    #[test]
    fn other_formats_are_refused() {
        let mut older = example();
        older[0] = 0xfa;
        assert!(Table::new(&older).is_none());
        let mut narrow = example();
        narrow[7] = 4;
        assert!(Table::new(&narrow).is_none());
    }

    #[test]
    fn a_table_cut_or_broken_anywhere_is_read_without_a_panic() {
        let whole = example();
        for len in 0..whole.len() {
            found(&whole[..len]);
        }
        for at in 0..whole.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut broken = whole.clone();
                broken[at] = value;
                found(&broken);
            }
        }
    }

    #[test]
    fn functions_begin_by_comparing_the_stack() {
        assert!(is_prologue(&[0x49, 0x3b, 0x66, 0x10, 0x76]));
        assert!(is_prologue(&[
            0x4c, 0x8d, 0x64, 0x24, 0xe8, 0x4d, 0x3b, 0x66, 0x10
        ]));
        assert!(is_prologue(&[
            0x4c, 0x8d, 0xa4, 0x24, 0, 0xff, 0xff, 0xff, 0x4d, 0x3b, 0x66, 0x10
        ]));
        assert!(!is_prologue(&[0xcc; 16]));
        assert!(!is_prologue(&[]));
    }
}

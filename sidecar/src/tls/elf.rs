//! What a file of machine code says of itself: its functions, and where in the file they begin.
//!
//! Files are read piece by piece and never mapped: one that somebody truncates meanwhile costs an error, not the
//! process. Format: System V ABI, chapter 4 and 5, by the `object` crate.

use crate::limits::ELF_SECTION_BYTES_MAX;
use object::elf::{SHT_DYNSYM, SHT_SYMTAB, STT_FUNC, STT_GNU_IFUNC, Sym64};
use object::read::elf::{ElfFile64, ProgramHeader, SectionHeader, Sym};
use object::read::{ReadCache, ReadRef};
use object::{LittleEndian, Object, ObjectSection};
use std::fs::File;
use std::io::{Error, ErrorKind, Result};

/// Contents of a file, in pieces.
pub(super) type Contents = ReadCache<File>;
/// An ELF file of 64 bits.
pub(super) type Elf<'a> = ElfFile64<'a, LittleEndian, &'a Contents>;

/// Longer names than this are none that anybody asks for.
const NAME_BYTES_MAX: usize = 128;

/// A function that a file defines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Function {
    /// Its name.
    pub(super) name: String,
    /// Its address, as the file was linked.
    pub(super) address: u64,
    /// Its length, 0 where the file does not say.
    pub(super) len: u64,
}

/// Reads the headers of `contents`.
pub(super) fn open(contents: &Contents) -> Result<Elf<'_>> {
    let elf = Elf::parse(contents).map_err(invalid)?;
    if elf.architecture() == object::Architecture::X86_64 {
        Ok(elf)
    } else {
        Err(Error::new(ErrorKind::Unsupported, "not of this architecture"))
    }
}

fn invalid(error: object::Error) -> Error {
    Error::new(ErrorKind::InvalidData, error.to_string())
}

/// Where in the file the code at `address` lies: what a probe is attached by.
pub(super) fn file_offset(elf: &Elf<'_>, address: u64) -> Option<u64> {
    let endian = elf.endian();
    elf.elf_program_headers().iter().find_map(|header| {
        let start: u64 = header.p_vaddr(endian);
        let within = address.checked_sub(start)?;
        let executable = header.p_flags(endian) & object::elf::PF_X != 0;
        let loaded = header.p_type(endian) == object::elf::PT_LOAD;
        (loaded && executable && within < header.p_filesz(endian)).then(|| header.p_offset(endian) + within)
    })
}

/// The functions of both symbol tables that `wanted` picks by name.
pub(super) fn functions(elf: &Elf<'_>, contents: &Contents, wanted: impl Fn(&[u8]) -> bool) -> Vec<Function> {
    let mut found = Vec::new();
    for kind in [SHT_DYNSYM, SHT_SYMTAB] {
        // A table that can't be read is as good as none.
        let _ = functions_of(elf, contents, kind, &wanted, &mut found);
    }
    found
}

/// Adds those of one symbol table. Big programs have a million symbols: tables are read at once, and only names of
/// functions are looked at.
fn functions_of<'a>(
    elf: &Elf<'a>,
    contents: &'a Contents,
    kind: u32,
    wanted: &impl Fn(&[u8]) -> bool,
    found: &mut Vec<Function>,
) -> Option<()> {
    let endian = elf.endian();
    let sections = elf.elf_section_table();
    let table = sections.iter().find(|header| header.sh_type(endian) == kind)?;
    let names = sections.section(table.link(endian)).ok()?;
    if table.sh_size(endian).max(names.sh_size(endian)) > ELF_SECTION_BYTES_MAX {
        return None;
    }
    let symbols: &[Sym64<LittleEndian>] = table.data_as_array(endian, contents).ok()?;
    let names = names.data(endian, contents).ok()?;
    for symbol in symbols {
        if !matches!(symbol.st_type(), STT_FUNC | STT_GNU_IFUNC) || symbol.is_undefined(endian) {
            continue;
        }
        let Some(name) = names.get(symbol.st_name(endian) as usize..) else {
            continue;
        };
        let name = name.get(..NAME_BYTES_MAX).unwrap_or(name);
        let name = memchr::memchr(0, name)
            .and_then(|end| name.get(..end))
            .unwrap_or(name);
        if !wanted(name) || found.iter().any(|f| f.name.as_bytes() == name) {
            continue;
        }
        found.push(Function {
            name: String::from_utf8_lossy(name).into_owned(),
            address: symbol.st_value(endian),
            len: symbol.st_size(endian),
        });
    }
    Some(())
}

/// The bytes of the section `name`, and the address of the first; none where there is no such section, or none of
/// a length that is worth reading.
pub(super) fn section<'a>(elf: &Elf<'a>, name: &str) -> Option<(u64, &'a [u8])> {
    let section = elf.section_by_name(name)?;
    if section.size() > ELF_SECTION_BYTES_MAX {
        return None;
    }
    Some((section.address(), section.data().ok()?))
}

/// Where the section `name` begins.
pub(super) fn section_address(elf: &Elf<'_>, name: &str) -> Option<u64> {
    Some(elf.section_by_name(name)?.address())
}

/// `len` bytes of code at `address`.
pub(super) fn code<'a>(contents: &'a Contents, elf: &Elf<'a>, address: u64, len: u64) -> Option<&'a [u8]> {
    let offset = file_offset(elf, address)?;
    contents.read_bytes_at(offset, len).ok()
}

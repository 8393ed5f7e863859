//! What is known of TLS libraries: which of their functions say what, and how a file is known to hold one.

use super::elf::{self, Contents, Elf, Function};
use super::golang::{self, Go};
use super::returns;
use crate::limits::CODE_BYTES_MAX;
use std::fs::File;
use std::io::{Error, ErrorKind, Result};

/// A library whose calls are understood. The numbers are those of the kernel's events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Library {
    /// OpenSSL 1.1.0 and newer, LibreSSL; shared or linked in.
    OpenSsl = 1,
    /// BoringSSL and AWS-LC.
    BoringSsl = 2,
    /// GnuTLS.
    GnuTls = 3,
    /// Go's crypto/tls.
    Go = 4,
}

impl Library {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::OpenSsl, Self::BoringSsl, Self::GnuTls, Self::Go];

    /// As records name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::OpenSsl => "openssl",
            Self::BoringSsl => "boringssl",
            Self::GnuTls => "gnutls",
            Self::Go => "go",
        }
    }

    /// The library of that number.
    pub fn of(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|library| *library as u8 == number)
    }
}

/// Which program of the kernel side a probe runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Program {
    /// `tls_enter`: at a function's start.
    Enter,
    /// `tls_return`: when it has returned.
    Return,
    /// `tls_forget`: at the start of what frees an object.
    Forget,
    /// `tls_go_enter`: at the start of a Go function.
    GoEnter,
    /// `tls_go_return`: at each of its return instructions.
    GoReturn,
    /// `tls_loaded`: where the dynamic loader tells debuggers of a change.
    Loaded,
}

impl Program {
    /// All of them. What returns comes first: a call whose start alone is seen would stay open.
    pub const ALL: [Self; 6] = [
        Self::Return,
        Self::GoReturn,
        Self::Enter,
        Self::GoEnter,
        Self::Forget,
        Self::Loaded,
    ];
}

/// One place in a file where a program is to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// What runs there.
    pub program: Program,
    /// The function's name, for messages.
    pub function: &'static str,
    /// Where in the file.
    pub offset: u64,
    /// What the program is told: `enum tls_operation` and what stands beside it in bpf/tls.h.
    pub how: u64,
}

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inspection {
    /// The libraries in it, with calls that can be read.
    pub libraries: Vec<Library>,
    /// Where to look.
    pub probes: Vec<Probe>,
    /// It is a Go program that can't be read: too old, or of a format that is not known yet.
    pub unknown_go: bool,
}

// As in bpf/tls.h.
const OTHER: u64 = 0;
const READ: u64 = 1;
const WRITE: u64 = 2;
const SENDFILE: u64 = 3;
const COUNT_BY_POINTER: u64 = 0x100;
const RESULT_IS_INT: u64 = 0x200;
const COUNT_BY_FIFTH: u64 = 0x400;
const LIBRARY_SHIFT: u32 = 16;

/// Functions of C libraries that are probed at start and return.
const CALLS: &[(&str, u64)] = &[
    ("SSL_read", READ | RESULT_IS_INT),
    ("SSL_read_ex", READ | RESULT_IS_INT | COUNT_BY_POINTER),
    ("SSL_write", WRITE | RESULT_IS_INT),
    ("SSL_write_ex", WRITE | RESULT_IS_INT | COUNT_BY_POINTER),
    ("SSL_write_ex2", WRITE | RESULT_IS_INT | COUNT_BY_FIFTH),
    ("SSL_sendfile", SENDFILE),
    ("SSL_do_handshake", OTHER),
    ("SSL_connect", OTHER),
    ("SSL_accept", OTHER),
    ("SSL_peek", OTHER),
    ("SSL_peek_ex", OTHER),
    ("SSL_shutdown", OTHER),
    ("gnutls_record_recv", READ),
    ("gnutls_record_recv_seq", READ),
    ("gnutls_record_send", WRITE),
    ("gnutls_record_send2", WRITE),
    ("gnutls_handshake", OTHER),
    ("gnutls_bye", OTHER),
];
/// Functions that free an object.
const FORGET: &[&str] = &["SSL_free", "gnutls_deinit"];
const GO_CALLS: &[(&str, u64)] = &[
    ("crypto/tls.(*Conn).Read", READ),
    ("crypto/tls.(*Conn).Write", WRITE),
    ("crypto/tls.(*Conn).handshakeContext", OTHER),
];
/// What the dynamic loader calls after each change of what is mapped, for debuggers (glibc, musl).
const LOADED: &str = "_dl_debug_state";
/// How functions begin that only BoringSSL and what came of it have: one that its shared library offers, and one that its
/// `SSL_read` needs, which stays where a linker throws away what a program does not call.
const BORINGSSL_MARKS: [&str; 2] = ["SSL_CTX_set_grease_enabled", "_ZN4bssl17ssl_open_app_data"];

/// Looks into `file` for functions of TLS libraries. An error is one of reading; what is no machine code of this
/// architecture holds nothing.
pub fn inspect(file: File) -> Result<Inspection> {
    let contents = Contents::new(file);
    let elf = match elf::open(&contents) {
        Ok(elf) => elf,
        Err(error) if matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::Unsupported) => {
            return Ok(Inspection::default());
        }
        Err(error) => return Err(error),
    };
    let mut inspection = Inspection::default();
    inspect_c(&contents, &elf, &mut inspection);
    inspect_go(&contents, &elf, &mut inspection)?;
    Ok(inspection)
}

fn inspect_c(contents: &Contents, elf: &Elf<'_>, inspection: &mut Inspection) {
    let call = |name: &str| CALLS.iter().find(|(known, _)| *known == name);
    let forgets = |name: &str| FORGET.iter().find(|known| **known == name);
    // Most of a program's functions are told apart by their first byte.
    let is_wanted = |name: &[u8]| {
        matches!(
            name,
            [b'S', b'S', b'L', b'_', ..]
                | [b'g', b'n', b'u', b't', b'l', b's', ..]
                | [b'_', b'd', b'l', ..]
                | [b'_', b'Z', b'N', b'4', b'b', b's', b's', b'l', ..]
        ) && std::str::from_utf8(name).is_ok_and(|name| {
            name == LOADED || marks_boringssl(name) || call(name).is_some() || forgets(name).is_some()
        })
    };
    let functions = elf::functions(elf, contents, is_wanted);
    let has = |name: &str| functions.iter().any(|f| f.name == name);
    let is_boringssl = functions.iter().any(|f| marks_boringssl(&f.name));
    let ssl = match (has("SSL_read"), is_boringssl) {
        (false, _) => None,
        (true, false) => Some(Library::OpenSsl),
        (true, true) => Some(Library::BoringSsl),
    };
    let gnutls = has("gnutls_record_recv").then_some(Library::GnuTls);
    inspection.libraries.extend(ssl.into_iter().chain(gnutls));
    for function in &functions {
        let Some(offset) = elf::file_offset(elf, function.address) else {
            continue;
        };
        let library = if function.name.starts_with("gnutls") {
            gnutls
        } else {
            ssl
        };
        let mut probe = |program, function, how| {
            inspection.probes.push(Probe {
                program,
                function,
                offset,
                how,
            });
        };
        if function.name == LOADED {
            probe(Program::Loaded, LOADED, 0);
        } else if let (Some((name, how)), Some(library)) = (call(&function.name), library) {
            let how = how | u64::from(library as u8) << LIBRARY_SHIFT;
            probe(Program::Enter, name, how);
            probe(Program::Return, name, how);
        } else if let (Some(name), Some(_)) = (forgets(&function.name), library) {
            probe(Program::Forget, name, 0);
        }
    }
}

fn marks_boringssl(name: &str) -> bool {
    BORINGSSL_MARKS.iter().any(|mark| name.starts_with(mark))
}

fn inspect_go(contents: &Contents, elf: &Elf<'_>, inspection: &mut Inspection) -> Result<()> {
    let names: Vec<&'static str> = GO_CALLS.iter().map(|(name, _)| *name).collect();
    let functions = match golang::functions(contents, elf, &names) {
        Go::Absent => return Ok(()),
        Go::Unknown => {
            inspection.unknown_go = true;
            return Ok(());
        }
        Go::Functions(functions) => functions,
    };
    for (name, how) in GO_CALLS {
        let Some(function) = functions.iter().find(|f| f.name == *name) else {
            continue;
        };
        let how = how | u64::from(Library::Go as u8) << LIBRARY_SHIFT;
        let (start, returns) = go_places(contents, elf, function)?;
        let places = returns.into_iter().map(|at| (Program::GoReturn, start + at));
        for (program, offset) in [(Program::GoEnter, start)].into_iter().chain(places) {
            inspection.probes.push(Probe {
                program,
                function: name,
                offset,
                how,
            });
        }
        if !inspection.libraries.contains(&Library::Go) {
            inspection.libraries.push(Library::Go);
        }
    }
    Ok(())
}

/// Where a Go function begins in the file, and how far behind that it returns.
fn go_places(contents: &Contents, elf: &Elf<'_>, function: &Function) -> Result<(u64, Vec<u64>)> {
    let unreadable = || {
        Error::new(
            ErrorKind::InvalidData,
            format!("{} can't be read as code", function.name),
        )
    };
    let start = elf::file_offset(elf, function.address).ok_or_else(unreadable)?;
    let len = function.len.min(CODE_BYTES_MAX);
    let code = elf::code(contents, elf, function.address, len).ok_or_else(unreadable)?;
    let returns = returns::returns(code).ok_or_else(unreadable)?;
    Ok((start, returns))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};
    use std::process::Command;

    fn library(name: &str) -> PathBuf {
        let found = crate::tls::system_libraries();
        let file = found
            .into_iter()
            .find(|path| path.file_name().is_some_and(|n| n == name));
        file.unwrap_or_else(|| panic!("{name}: scripts/setup installs it"))
    }

    fn of(path: &Path) -> Inspection {
        inspect(File::open(path).unwrap()).unwrap()
    }

    fn functions(inspection: &Inspection, program: Program) -> BTreeSet<&'static str> {
        let probes = inspection.probes.iter().filter(|probe| probe.program == program);
        probes.map(|probe| probe.function).collect()
    }

    /// Where binutils says that functions begin; shared libraries of Debian are linked with offset = address in code.
    fn by_readelf(path: &Path, name: &str) -> u64 {
        let output = Command::new("readelf")
            .args(["-W", "--dyn-syms"])
            .arg(path)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let row = text.lines().find(|line| {
            line.split_whitespace()
                .nth(7)
                .is_some_and(|n| n.split('@').next() == Some(name))
        });
        u64::from_str_radix(row.unwrap().split_whitespace().nth(1).unwrap(), 16).unwrap()
    }

    #[test]
    fn openssl_of_the_system() {
        let path = library("libssl.so.3");
        let inspection = of(&path);
        assert_eq!(inspection.libraries, [Library::OpenSsl]);
        for name in [
            "SSL_read",
            "SSL_read_ex",
            "SSL_write",
            "SSL_write_ex",
            "SSL_do_handshake",
            "SSL_sendfile",
        ] {
            for program in [Program::Enter, Program::Return] {
                let is_it = |probe: &&Probe| probe.function == name && probe.program == program;
                let probe = inspection.probes.iter().find(is_it).unwrap();
                assert_eq!(probe.offset, by_readelf(&path, name), "{name}");
                assert_eq!(probe.how >> LIBRARY_SHIFT, 1);
            }
        }
        assert_eq!(
            functions(&inspection, Program::Forget),
            BTreeSet::from(["SSL_free"])
        );
        assert!(functions(&inspection, Program::GoEnter).is_empty());
    }

    #[test]
    fn gnutls_of_the_system() {
        let inspection = of(&library("libgnutls.so.30"));
        assert_eq!(inspection.libraries, [Library::GnuTls]);
        let calls = functions(&inspection, Program::Return);
        assert!(calls.is_superset(&BTreeSet::from([
            "gnutls_record_recv",
            "gnutls_record_send",
            "gnutls_handshake"
        ])));
        assert_eq!(
            functions(&inspection, Program::Forget),
            BTreeSet::from(["gnutls_deinit"])
        );
    }

    /// What a C compiler makes of these functions.
    fn compiled(functions: &[&str]) -> Inspection {
        let folder = tempfile::tempdir().unwrap();
        let (source, library) = (folder.path().join("library.c"), folder.path().join("library.so"));
        let text: String = functions
            .iter()
            .map(|name| format!("int {name}(void) {{ return 0; }}\n"))
            .collect();
        std::fs::write(&source, text).unwrap();
        let status = Command::new("cc")
            .args(["-shared", "-o"])
            .args([&library, &source])
            .status();
        assert!(status.unwrap().success());
        of(&library)
    }

    #[test]
    fn boringssl_is_known_by_what_it_alone_has() {
        let in_program =
            "_ZN4bssl17ssl_open_app_dataEPNS_7SSLImplEPNS_4SpanIhLm18446744073709551615EEEPmPhS3_";
        let libraries = |functions: &[&str]| compiled(functions).libraries;
        assert_eq!(libraries(&["SSL_read", "SSL_write"]), [Library::OpenSsl]);
        assert_eq!(libraries(&["SSL_read", in_program]), [Library::BoringSsl]);
        assert_eq!(
            libraries(&["SSL_CTX_set_grease_enabled", "SSL_read"]),
            [Library::BoringSsl]
        );
        assert_eq!(libraries(&[in_program]), []);
    }

    #[test]
    fn the_loader_tells_of_libraries() {
        let inspection = of(&library("ld-linux-x86-64.so.2"));
        assert_eq!(inspection.libraries, []);
        assert_eq!(functions(&inspection, Program::Loaded), BTreeSet::from([LOADED]));
    }

    #[test]
    fn what_only_uses_a_library_holds_none() {
        assert_eq!(of(Path::new("/usr/bin/openssl")), Inspection::default());
        assert_eq!(of(Path::new("/etc/passwd")), Inspection::default());
    }

    #[test]
    fn a_library_cut_anywhere_is_read_without_a_panic() {
        let whole = std::fs::read(library("libssl.so.3")).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("cut");
        for piece in (0..whole.len()).step_by(whole.len() / 200) {
            std::fs::write(&path, &whole[..piece]).unwrap();
            let _ = inspect(File::open(&path).unwrap());
        }
    }
}

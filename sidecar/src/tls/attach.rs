//! Puts probes into files: BPF programs at offsets of a file (uprobes).

use super::finder::Attach;
use super::library::{Probe, Program};
use crate::kernel::TlsPrograms;
use libbpf_rs::{ErrorKind, Link, ProgramMut, UprobeMultiOpts, UprobeOpts};
use std::fs::File;
use std::io::{Error, Result};
use std::os::fd::AsRawFd;

/// Any process.
const ANYBODY: i32 = -1;

/// The kernel's programs for TLS libraries, loaded.
pub struct Programs {
    loaded: TlsPrograms,
    many: Many,
}

/// Whether the kernel takes many places in one link (6.6 and newer). They are taken out together, tens of times faster
/// than one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Many {
    Untried,
    Yes,
    No,
}

impl Programs {
    /// These, in no file yet.
    pub fn new(loaded: TlsPrograms) -> Self {
        Self {
            loaded,
            many: Many::Untried,
        }
    }

    fn program(&self, program: Program) -> libbpf_rs::Result<ProgramMut<'_>> {
        let name = name(program);
        let mut programs = self.loaded.object.progs_mut();
        programs
            .find(|p| p.name() == name)
            .ok_or_else(|| libbpf_rs::Error::from_raw_os_error(2))
    }

    /// Finds out by trying.
    fn attach_first(
        &mut self,
        path: &str,
        program: Program,
        probes: &[&Probe],
    ) -> libbpf_rs::Result<Vec<Link>> {
        let attached = self.attach_many(path, program, probes);
        let is_unknown = |error: &libbpf_rs::Error| {
            matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported)
        };
        self.many = if attached.as_ref().is_err_and(is_unknown) {
            Many::No
        } else {
            Many::Yes
        };
        match self.many {
            Many::No => self.attach_each(path, program, probes),
            _ => attached,
        }
    }

    fn attach_many(&self, path: &str, program: Program, probes: &[&Probe]) -> libbpf_rs::Result<Vec<Link>> {
        let options = UprobeMultiOpts {
            offsets: probes.iter().map(|probe| probe.offset as usize).collect(),
            cookies: probes.iter().map(|probe| probe.how).collect(),
            retprobe: program == Program::Return,
            ..UprobeMultiOpts::default()
        };
        let link = self
            .program(program)?
            .attach_uprobe_multi_with_opts(ANYBODY, path, "", options)?;
        Ok(vec![link])
    }

    fn attach_each(&self, path: &str, program: Program, probes: &[&Probe]) -> libbpf_rs::Result<Vec<Link>> {
        let attach = |probe: &&Probe| {
            let options = UprobeOpts {
                cookie: probe.how,
                retprobe: program == Program::Return,
                ..UprobeOpts::default()
            };
            let offset = probe.offset as usize;
            self.program(program)?
                .attach_uprobe_with_opts(ANYBODY, path, offset, options)
        };
        probes.iter().map(attach).collect()
    }
}

impl Attach for Programs {
    type Link = Vec<Link>;

    fn attach(&mut self, file: &File, probes: &[Probe]) -> Result<Vec<Link>> {
        // The file itself, whatever its path leads to by now.
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        let mut links = Vec::new();
        for program in Program::ALL {
            let places: Vec<&Probe> = probes.iter().filter(|probe| probe.program == program).collect();
            if places.is_empty() {
                continue;
            }
            let attached = match self.many {
                Many::No => self.attach_each(&path, program, &places),
                Many::Yes => self.attach_many(&path, program, &places),
                Many::Untried => self.attach_first(&path, program, &places),
            };
            links.extend(attached.map_err(Error::other)?);
        }
        Ok(links)
    }
}

/// How many links are let go of at once.
const RELEASED_AT_ONCE: usize = 32;

/// Takes out many probes. The kernel waits for each link until no processor can be in its program any more, a grace
/// period of RCU: those who wait at the same time wait for the same one.
pub fn release(mut links: Vec<Link>) {
    while !links.is_empty() {
        let rest = links.split_off(links.len().min(RELEASED_AT_ONCE));
        std::thread::scope(|scope| {
            for link in links {
                scope.spawn(|| drop(link));
            }
        });
        links = rest;
    }
}

fn name(program: Program) -> &'static str {
    match program {
        Program::Enter => "tls_enter",
        Program::Return => "tls_return",
        Program::Forget => "tls_forget",
        Program::GoEnter => "tls_go_enter",
        Program::GoReturn => "tls_go_return",
        Program::Loaded => "tls_loaded",
    }
}

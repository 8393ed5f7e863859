//! Compiles the kernel's programs with clang, one object a file `bpf/NAME.bpf.c`.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    // Told by the build of libbpf-sys, which installs the headers of the libbpf that it links.
    let headers = env::var("DEP_BPF_INCLUDE")?;
    println!("cargo::rerun-if-changed=bpf");
    println!("cargo::rerun-if-env-changed=CLANG");
    println!("cargo::rerun-if-env-changed=LLVM_STRIP");
    let mut sources: Vec<PathBuf> = fs::read_dir("bpf")?
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<_>>()?;
    sources.sort();
    for source in sources.iter().filter(|path| is_program(path)) {
        compile(source, &out, &headers)?;
    }
    Ok(())
}

fn is_program(path: &Path) -> bool {
    path.to_str().is_some_and(|path| path.ends_with(".bpf.c"))
}

fn compile(source: &Path, out: &Path, headers: &str) -> Result<(), Box<dyn Error>> {
    let arch = match env::var("CARGO_CFG_TARGET_ARCH")?.as_str() {
        "x86_64" => "x86",
        "aarch64" => "arm64",
        other => return Err(format!("the sidecar knows nothing of the registers of {other}").into()),
    };
    let name = source.file_stem().ok_or("a source without a name")?;
    let object = out.join(name).with_extension("bpf.o");
    let triplet = format!("{}-linux-gnu", env::var("CARGO_CFG_TARGET_ARCH")?);
    run(Command::new(tool("CLANG", "clang"))
        .args(["-target", "bpf", "-mcpu=v3", "-O2", "-g", "-std=gnu11", "-c"])
        .args(["-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter"])
        .arg(format!("-D__TARGET_ARCH_{arch}"))
        .args(["-I", headers, "-idirafter"])
        // <linux/types.h> asks for <asm/types.h>, which Debian keeps by architecture.
        .arg(format!("/usr/include/{triplet}"))
        .arg(source)
        .arg("-o")
        .arg(&object))?;
    // BTF stays; DWARF, which no kernel reads, goes.
    run(Command::new(tool("LLVM_STRIP", "llvm-strip"))
        .arg("-g")
        .arg(&object))
}

fn tool(variable: &str, name: &str) -> String {
    env::var(variable).unwrap_or_else(|_| name.to_owned())
}

fn run(command: &mut Command) -> Result<(), Box<dyn Error>> {
    let status = command.status().map_err(|error| {
        format!(
            "{}: {error}; scripts/setup installs it",
            command.get_program().display()
        )
    })?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{command:?}: {status}").into())
    }
}

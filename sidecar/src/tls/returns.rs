//! Where a function returns.
//!
//! A return probe writes another return address on the stack, which ends a Go program as soon as its runtime moves or
//! walks that stack. So Go's functions are probed at their return instructions.

use iced_x86::{Code, Decoder, DecoderOptions, FlowControl, Instruction};

/// Offsets of the return instructions of `code`, which is one whole function of amd64 without data inside; none when
/// it can't be read to its end.
pub(super) fn returns(code: &[u8]) -> Option<Vec<u64>> {
    let mut decoder = Decoder::new(64, code, DecoderOptions::NONE);
    let mut instruction = Instruction::default();
    let mut found = Vec::new();
    while decoder.can_decode() {
        let offset = decoder.position() as u64;
        decoder.decode_out(&mut instruction);
        if instruction.code() == Code::INVALID {
            return None;
        }
        if instruction.flow_control() == FlowControl::Return {
            found.push(offset);
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::elf::{self, Contents};
    use std::collections::BTreeSet;
    use std::fs::File;
    use std::process::Command;

    #[test]
    fn a_byte_inside_an_instruction_is_no_return() {
        // mov eax, 0xc3c3c3c3; test al, 1; jz +1; ret; ret 8; int3
        let code = [
            0xb8, 0xc3, 0xc3, 0xc3, 0xc3, 0xa8, 1, 0x74, 1, 0xc3, 0xc2, 8, 0, 0xcc,
        ];
        assert_eq!(returns(&code), Some(vec![9, 10]));
    }

    #[test]
    fn code_that_ends_within_an_instruction_is_refused() {
        assert_eq!(returns(&[0xc3, 0xb8, 1]), None);
    }

    /// Every function of the system's OpenSSL, against what binutils reads.
    #[test]
    fn objdump_finds_the_same() {
        let path = "/lib/x86_64-linux-gnu/libssl.so.3";
        let output = Command::new("objdump")
            .args(["-d", "-j", ".text", "--no-show-raw-insn", path])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let mut theirs = BTreeSet::new();
        for line in text.lines() {
            let Some((address, instruction)) = line.split_once(":\t") else {
                continue;
            };
            let name = instruction
                .split_whitespace()
                .find(|word| !matches!(*word, "repz" | "bnd" | "notrack"));
            if matches!(name, Some("ret" | "retq")) {
                theirs.insert(u64::from_str_radix(address.trim(), 16).unwrap());
            }
        }
        let contents = Contents::new(File::open(path).unwrap());
        let elf = elf::open(&contents).unwrap();
        let functions = elf::functions(&elf, &contents, |_| true);
        let mut count = 0;
        for function in functions.iter().filter(|function| function.len > 0) {
            let code = elf::code(&contents, &elf, function.address, function.len).unwrap();
            let ours: BTreeSet<u64> = returns(code)
                .unwrap()
                .iter()
                .map(|at| function.address + at)
                .collect();
            let range = function.address..function.address + function.len;
            let expected: BTreeSet<u64> = theirs.range(range).copied().collect();
            assert_eq!(ours, expected, "{}", function.name);
            count += ours.len();
        }
        assert!(count > 500, "{count}");
    }
}

//! The kept corpora of the fuzz targets: written from scripts, replayed on stable.

#![allow(clippy::missing_panics_doc)] // A test that fails panics.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Writes a seed down where `TAPIR_FUZZ_SEEDS` names the folder of corpora, unless it is long: see
/// `scripts/fuzz`.
pub fn keep_seed(corpus: &str, name: &str, seed: &[u8]) {
    const BYTES_MAX: usize = 4096;
    let Ok(folder) = std::env::var("TAPIR_FUZZ_SEEDS") else {
        return;
    };
    if seed.len() <= BYTES_MAX {
        let mut hasher = DefaultHasher::new();
        seed.hash(&mut hasher);
        let path = format!("{folder}/{corpus}/{name}-{:016x}", hasher.finish());
        let written = std::fs::write(&path, seed);
        assert!(written.is_ok(), "{path}: {written:?}");
    }
}

/// Runs a fuzz target on the inputs of `corpus` (a folder in `fuzz/corpus`) and on `rounds` seeded
/// mutations of each. `TAPIR_FUZZ_SECONDS` makes it go on for so long, with other mutations in each round. An input that
/// fails is written to the folder of temporary files and named.
pub fn replay(target: &str, corpus: &str, rounds: u64, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    let corpus = files_in(&folder.join("corpus").join(corpus));
    assert!(!corpus.is_empty(), "no corpus for {target}");
    let tokens = dictionary(&folder.join("dict"));
    assert!(!tokens.is_empty(), "no dictionary");
    let time = std::env::var("TAPIR_FUZZ_SECONDS")
        .ok()
        .and_then(|seconds| seconds.parse().ok());
    let deadline = time.map(|seconds| Instant::now() + Duration::from_secs(seconds));

    for input in &corpus {
        run_one(target, run, input);
    }
    let mut count = corpus.len() as u64;
    for round in 0.. {
        if deadline.is_none() && round == rounds {
            break;
        }
        for (number, input) in corpus.iter().enumerate() {
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                println!("{target}: {count} inputs");
                return;
            }
            let mut mutation = Mutation::new(round << 32 | number as u64, input.clone());
            mutation.mutate(&corpus, &tokens);
            run_one(target, run, &mutation.input);
            count += 1;
        }
    }
    println!("{target}: {count} inputs");
}

fn run_one(target: &str, run: fn(&[u8]), input: &[u8]) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(input))) {
        let path = std::env::temp_dir().join(format!("tapir-fuzz-{target}-failure"));
        let written = std::fs::write(&path, input);
        println!("{target} fails on the input in {} ({written:?})", path.display());
        std::panic::resume_unwind(panic);
    }
}

/// The files of a folder that can be read, in the order of their names so that runs are the same.
fn files_in(folder: &Path) -> Vec<Vec<u8>> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths.iter().flat_map(std::fs::read).collect()
}

/// The tokens of every dictionary, in libFuzzer's format: `name="bytes with \xNN"` a line.
fn dictionary(folder: &Path) -> Vec<Vec<u8>> {
    let texts = files_in(folder);
    let lines = texts.iter().flat_map(|text| text.split(|byte| *byte == b'\n'));
    lines.filter_map(token).collect()
}

fn token(line: &[u8]) -> Option<Vec<u8>> {
    let line = line.trim_ascii();
    if line.first() == Some(&b'#') {
        return None;
    }
    let start = line.iter().position(|byte| *byte == b'"')? + 1;
    let mut rest = line.get(start..line.len().checked_sub(1)?)?;
    let mut token = Vec::new();
    loop {
        rest = match rest {
            [b'\\', b'x', high, low, rest @ ..] => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16).map(|digit| digit as u8);
                token.push(digit(high)? << 4 | digit(low)?);
                rest
            }
            [b'\\', plain, rest @ ..] | [plain, rest @ ..] => {
                token.push(*plain);
                rest
            }
            [] => return Some(token),
        };
    }
}

/// An input under change; the same number makes the same changes.
struct Mutation {
    state: u64,
    input: Vec<u8>,
}

impl Mutation {
    fn new(number: u64, input: Vec<u8>) -> Self {
        Self {
            state: number.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
            input,
        }
    }

    /// Knuth's 64-bit linear congruential generator; the high half is the good one.
    fn below(&mut self, bound: usize) -> usize {
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 33) as usize % bound.max(1)
    }

    /// Some changes of the kinds that libFuzzer makes.
    fn mutate(&mut self, corpus: &[Vec<u8>], tokens: &[Vec<u8>]) {
        for _ in 0..=self.below(6) {
            let at = self.below(self.input.len() + 1);
            let end = (at + 1 + self.below(32)).min(self.input.len());
            match self.below(8) {
                0 => {
                    let bit = self.below(8);
                    if let Some(byte) = self.input.get_mut(at) {
                        *byte ^= 1 << bit;
                    }
                }
                1 => {
                    let value = [0, 1, 0x7F, 0x80, 0xFE, 0xFF, b'\r', b'\n'][self.below(8)];
                    if let Some(byte) = self.input.get_mut(at) {
                        *byte = value;
                    }
                }
                2 => {
                    let token = tokens[self.below(tokens.len())].iter().copied();
                    self.input.splice(at..at, token);
                }
                3 => {
                    let token = &tokens[self.below(tokens.len())];
                    let end = (at + token.len()).min(self.input.len());
                    self.input.splice(at..end, token.iter().copied());
                }
                4 => drop(self.input.drain(at.min(end)..end)),
                5 => {
                    let copy = self.input[at.min(end)..end].to_vec();
                    self.input.splice(at..at, copy);
                }
                6 => {
                    let other = &corpus[self.below(corpus.len())];
                    let from = self.below(other.len() + 1);
                    self.input.truncate(at);
                    self.input.extend_from_slice(&other[from..]);
                }
                _ => self.input.truncate(at),
            }
        }
    }
}

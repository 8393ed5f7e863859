//! Compiled modules on disk, so that a start or a reload does not compile what was compiled before.
//!
//! Who can write compiled code to be loaded can do all that Tapir may do, and no check of its bytes helps
//! against that. So the folder must belong to whoever runs Tapir and be writable by nobody else, and so must
//! each file. What lies there is never needed: whatever is wrong with it, the module is compiled.

use crate::limits::{CACHE_FILE_BYTES_MAX, CACHE_FILES_MAX};
use sha2::{Digest, Sha256};
use std::collections::hash_map::DefaultHasher;
use std::fs::{self, File, OpenOptions};
use std::hash::{Hash, Hasher};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use wasmtime::{Engine, Module};

/// Write permission of group and others.
const OTHERS_WRITE: u32 = 0o022;
/// Ending of what this leaves.
const ENDING: &str = "cwasm";
/// Bytes of the digest that a file begins with.
const DIGEST_BYTES: usize = 32;

/// A folder of compiled modules.
#[derive(Debug)]
pub(crate) struct Cache {
    folder: PathBuf,
    /// Who runs this process.
    user: u32,
}

impl Cache {
    /// The folder, made if it is not there.
    ///
    /// # Errors
    /// When it can't be made or written, belongs to somebody else, or others may write there.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        // Whom a new file belongs to is who we are.
        let probe = folder.join(format!(".probe-{}", std::process::id()));
        let user = create(&probe).and_then(|file| Ok(file.metadata()?.uid()));
        fs::remove_file(&probe).ok();
        let cache = Self {
            folder: folder.to_owned(),
            user: user?,
        };
        if !cache.is_ours(&fs::metadata(folder)?) {
            let message = "it must belong to the user that Tapir runs as, and nobody else may write there";
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
        }
        Ok(cache)
    }

    /// The module that `bytes` are: as it was compiled before, or anew, and kept for the next time.
    pub(crate) fn compile(&self, engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Module> {
        let path = self.path(engine, bytes);
        if let Some(module) = self.read(engine, &path) {
            return Ok(module);
        }
        let module = Module::new(engine, bytes)?;
        let kept = module.serialize().map_err(io::Error::other);
        if let Err(error) = kept.and_then(|compiled| self.write(&path, &compiled)) {
            log::warn!("keeping a compiled plugin in {}: {error}", self.folder.display());
        }
        Ok(module)
    }

    /// Where the module is kept that this engine makes of these bytes.
    fn path(&self, engine: &Engine, bytes: &[u8]) -> PathBuf {
        let mut settings = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut settings);
        let mut digest = Sha256::new();
        digest.update(settings.finish().to_le_bytes());
        digest.update(bytes);
        let digest: String = digest
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        self.folder.join(format!("{digest}.{ENDING}"))
    }

    fn is_ours(&self, metadata: &fs::Metadata) -> bool {
        metadata.uid() == self.user && metadata.mode() & OTHERS_WRITE == 0
    }

    /// The compiled module in this file, if it is there, our own, and whole.
    fn read(&self, engine: &Engine, path: &Path) -> Option<Module> {
        let mut file = File::open(path).ok()?;
        let metadata = file.metadata().ok()?;
        let fits = metadata.is_file() && metadata.len() <= CACHE_FILE_BYTES_MAX;
        if !fits || !self.is_ours(&metadata) {
            log::warn!("{}: not used, since others may have written it", path.display());
            return None;
        }
        let mut content = Vec::new();
        file.read_to_end(&mut content).ok()?;
        let (digest, compiled) = content.split_at_checked(DIGEST_BYTES)?;
        // Cut short or damaged, which nobody has to mean.
        if Sha256::digest(compiled).as_slice() != digest {
            return None;
        }
        // What is used stays longest.
        file.set_modified(SystemTime::now()).ok();
        deserialize(engine, compiled)
    }

    fn write(&self, path: &Path, compiled: &[u8]) -> io::Result<()> {
        // Whole or not at all, for whoever starts at the same time.
        let unfinished = path.with_extension(format!("{}.new", std::process::id()));
        fs::remove_file(&unfinished).ok();
        let mut file = create(&unfinished)?;
        let written = file
            .write_all(Sha256::digest(compiled).as_slice())
            .and_then(|()| file.write_all(compiled))
            .and_then(|()| fs::rename(&unfinished, path));
        if written.is_err() {
            fs::remove_file(&unfinished).ok();
        }
        written.and_then(|()| self.tidy())
    }

    /// Removes what was used longest ago, beyond what is kept.
    fn tidy(&self) -> io::Result<()> {
        let mut kept: Vec<(SystemTime, PathBuf)> = fs::read_dir(&self.folder)?
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let path = entry.path();
                let used = entry.metadata().ok()?.modified().ok()?;
                path.extension()
                    .is_some_and(|is| is == ENDING)
                    .then_some((used, path))
            })
            .collect();
        kept.sort_unstable();
        let surplus = kept.len().saturating_sub(CACHE_FILES_MAX);
        kept.iter()
            .take(surplus)
            .try_for_each(|(_, path)| fs::remove_file(path))
    }
}

/// A new file that its owner alone may read and write.
fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

#[allow(unsafe_code)]
fn deserialize(engine: &Engine, compiled: &[u8]) -> Option<Module> {
    // SAFETY: these are bytes that `Module::serialize` gave: they lay in a file of ours, in a folder of ours,
    // where nobody else may write, and have the digest that was written with them. Whether they are of this
    // version and these settings of wasmtime, it looks itself.
    unsafe { Module::deserialize(engine, compiled) }.ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// A module that no compiler has to think about.
    const EMPTY: &[u8] = b"\0asm\x01\0\0\0";

    struct Place(PathBuf);

    impl Place {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("tapir-cache-{name}-{}", std::process::id()));
            fs::remove_dir_all(&path).ok();
            Self(path)
        }

        fn files(&self) -> Vec<PathBuf> {
            let entries = fs::read_dir(&self.0).unwrap();
            entries.map(|entry| entry.unwrap().path()).collect()
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).ok();
        }
    }

    fn allow(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_was_compiled_is_found_again() {
        let place = Place::new("again");
        let (engine, cache) = (Engine::default(), Cache::open(&place.0).unwrap());
        cache.compile(&engine, EMPTY).unwrap();
        let files = place.files();
        let [file] = &files[..] else { panic!("{files:?}") };
        assert_eq!(*file, cache.path(&engine, EMPTY));
        assert!(cache.read(&engine, file).is_some());
        assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o600);
        assert!(cache.compile(&engine, b"no module").is_err());
        assert_eq!(place.files().len(), 1);
    }

    #[test]
    fn what_is_damaged_or_of_another_engine_is_compiled_anew() {
        let place = Place::new("damaged");
        let (engine, cache) = (Engine::default(), Cache::open(&place.0).unwrap());
        cache.compile(&engine, EMPTY).unwrap();
        let file = cache.path(&engine, EMPTY);
        let good = fs::read(&file).unwrap();
        for at in [0, DIGEST_BYTES, good.len() - 1] {
            let mut bad = good.clone();
            bad[at] ^= 1;
            fs::write(&file, bad).unwrap();
            assert!(cache.read(&engine, &file).is_none(), "{at}");
            cache.compile(&engine, EMPTY).unwrap();
            assert_eq!(fs::read(&file).unwrap(), good, "{at}: not written anew");
        }
        for len in [0, 1, DIGEST_BYTES, good.len() - 1] {
            fs::write(&file, &good[..len]).unwrap();
            assert!(cache.read(&engine, &file).is_none(), "{len}");
        }
        fs::write(&file, &good).unwrap();
        let mut config = wasmtime::Config::new();
        config.epoch_interruption(true);
        let other = Engine::new(&config).unwrap();
        assert_ne!(cache.path(&other, EMPTY), file);
        assert!(cache.read(&other, &file).is_none());
    }

    #[test]
    fn what_others_may_write_is_not_trusted() {
        let place = Place::new("others");
        let (engine, cache) = (Engine::default(), Cache::open(&place.0).unwrap());
        cache.compile(&engine, EMPTY).unwrap();
        let file = cache.path(&engine, EMPTY);
        for mode in [0o620, 0o602] {
            allow(&file, mode);
            assert!(cache.read(&engine, &file).is_none(), "{mode:o}");
        }
        allow(&file, 0o600);
        assert!(cache.read(&engine, &file).is_some());
        // As if it were somebody else's.
        let stranger = Cache {
            user: cache.user + 1,
            ..cache
        };
        assert!(stranger.read(&engine, &file).is_none());
        for mode in [0o770, 0o707, 0o1777] {
            allow(&place.0, mode);
            let error = Cache::open(&place.0).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::PermissionDenied, "{mode:o}");
        }
    }

    #[test]
    fn a_folder_keeps_what_was_used_last() {
        let place = Place::new("tidy");
        let cache = Cache::open(&place.0).unwrap();
        let old = SystemTime::UNIX_EPOCH;
        for i in 0..CACHE_FILES_MAX {
            let path = place.0.join(format!("{i}.{ENDING}"));
            let file = create(&path).unwrap();
            let seconds = if i == 9 { 0 } else { i as u64 + 1 };
            file.set_modified(old + std::time::Duration::from_secs(seconds))
                .unwrap();
        }
        create(&place.0.join("of-somebody-else")).unwrap();
        cache.compile(&Engine::default(), EMPTY).unwrap();
        let files = place.files();
        assert_eq!(files.len(), CACHE_FILES_MAX + 1);
        // The one that was used longest ago.
        assert!(!files.contains(&place.0.join(format!("9.{ENDING}"))));
        assert!(files.contains(&cache.path(&Engine::default(), EMPTY)));
    }
}

//! Files of certificates and keys.

use crate::value::{Value, quoted};
use std::path::PathBuf;
use toml::de::DeValue;

/// Path of a file in PEM.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PemFile(pub PathBuf);

impl Value for PemFile {
    fn expected() -> String {
        "a path".to_owned()
    }

    fn example() -> String {
        quoted("/etc/tapir/tls.pem")
    }

    fn show(&self) -> Option<String> {
        Some(quoted(&self.0.to_string_lossy()))
    }

    fn parse(value: &DeValue<'_>) -> Option<Self> {
        let path = value.as_str().filter(|path| !path.is_empty())?;
        Some(Self(path.into()))
    }
}

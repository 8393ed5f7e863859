//! Protocols by name. Which there are is for whoever loads the configuration to say.

use super::Time;
use crate::reader::{At, unknown};
use crate::value::{Value, quoted};
use std::collections::BTreeMap;
use toml::Spanned;
use toml::de::DeValue;

/// Name of a protocol that Tapir reads.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProtocolName(String);

impl ProtocolName {
    /// A name that is known to be right.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// As `tapir protocols` lists it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Value for ProtocolName {
    fn expected() -> String {
        "a protocol's name (`tapir protocols` lists them)".to_owned()
    }

    fn example() -> String {
        quoted("dns")
    }

    fn show(&self) -> Option<String> {
        Some(quoted(&self.0))
    }

    fn parse(value: &DeValue<'_>) -> Option<Self> {
        String::parse(value).map(Self)
    }

    fn read(value: &Spanned<DeValue<'_>>, at: &mut At<'_, '_>) -> Option<Self> {
        let Some(name) = Self::parse(value.get_ref()) else {
            at.expected(&value.span(), &Self::expected());
            return None;
        };
        let known = at.findings.protocols;
        if known.contains(&name.as_str()) {
            return Some(name);
        }
        let message = unknown(name.as_str(), known, "`tapir protocols` lists the names");
        at.findings.refuse(&at.key, &value.span(), message);
        None
    }
}

/// How long requests wait for their responses, by protocol.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResponseTimeouts(BTreeMap<ProtocolName, ResponseTimeout>);

/// From 10 ms, below which a busy server looks dead, to an hour.
pub type ResponseTimeout = Time<10, 3_600_000>;

impl ResponseTimeouts {
    /// Protocols with their timeouts, in order of names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, ResponseTimeout)> {
        self.0.iter().map(|(name, timeout)| (name.as_str(), *timeout))
    }
}

impl Value for ResponseTimeouts {
    fn expected() -> String {
        format!("protocols' names, each with {}", ResponseTimeout::expected())
    }

    fn example() -> String {
        "{ mysql = \"5m\", postgresql = \"5m\" }".to_owned()
    }

    fn show(&self) -> Option<String> {
        if self.0.is_empty() {
            return Some("{}".to_owned());
        }
        let entries: Vec<_> = self
            .0
            .iter()
            .filter_map(|(name, timeout)| timeout.show().map(|timeout| format!("{} = {timeout}", name.0)))
            .collect();
        Some(format!("{{ {} }}", entries.join(", ")))
    }

    fn parse(value: &DeValue<'_>) -> Option<Self> {
        let entries = value.as_table()?.iter().map(|(name, timeout)| {
            let timeout = ResponseTimeout::parse(timeout.get_ref())?;
            Some((ProtocolName(name.get_ref().to_string()), timeout))
        });
        entries.collect::<Option<_>>().map(Self)
    }

    fn read(value: &Spanned<DeValue<'_>>, at: &mut At<'_, '_>) -> Option<Self> {
        let Some(table) = value.get_ref().as_table() else {
            at.example = Self::example();
            at.expected(&value.span(), &Self::expected());
            return None;
        };
        let mut timeouts = BTreeMap::new();
        let known = at.findings.protocols;
        for (name, timeout) in table {
            let key = format!("{}.{}", at.key, name.get_ref());
            if known.contains(&name.get_ref().as_ref()) {
                let mut entry = at.element(key, quoted("30s"));
                if let Some(timeout) = ResponseTimeout::read(timeout, &mut entry) {
                    timeouts.insert(ProtocolName(name.get_ref().to_string()), timeout);
                }
            } else {
                let message = unknown(name.get_ref(), known, "`tapir protocols` lists the names");
                at.findings.refuse(&key, &timeout.span(), message);
            }
        }
        Some(Self(timeouts))
    }
}

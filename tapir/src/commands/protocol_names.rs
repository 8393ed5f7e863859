//! Protocol names on the command line, taken from what the protocols declare.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use tapir_parsers::l7::{DECLARATIONS, Protocol};

/// Names of all protocols, in the order in which probes run.
pub(crate) fn names() -> Vec<&'static str> {
    DECLARATIONS.iter().map(|declaration| declaration.name).collect()
}

/// Reads a protocol's name; an unknown one is a usage error that lists them all.
pub(crate) fn parser() -> impl TypedValueParser<Value = Protocol> {
    PossibleValuesParser::new(names())
        .try_map(|name| Protocol::from_name(&name).ok_or("not a protocol: see `tapir protocols`"))
}

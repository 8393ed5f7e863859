//! The `tapir` command.
fn main() {}

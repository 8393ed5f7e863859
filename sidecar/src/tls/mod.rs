//! What applications hand to TLS libraries and get from them: finds the libraries and puts probes into them.
//!
//! * [`library`] knows which functions say what, and finds them in a file.
//! * [`finder`] knows which files processes use.
//! * [`attach`] puts the kernel's programs there.
//! * [`watch`] is the thread that does that for as long as the sidecar runs.
//! * [`why`] tells why a connection stays unread.

pub mod attach;
mod elf;
pub mod finder;
mod golang;
pub mod library;
mod maps;
mod returns;
mod system;
pub mod watch;
pub mod why;

pub use system::libraries as system_libraries;

//! Capture files: pcap (microseconds, nanoseconds, the "modified" variant) and pcapng.
//!
//! Sources: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.

mod error;
mod pcap;
mod pcapng;
mod reader;

pub use error::CaptureError;
pub use reader::{CaptureReader, CaptureSummary};

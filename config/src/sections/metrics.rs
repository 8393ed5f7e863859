//! `[metrics]`: what Prometheus reads.

use crate::section::section;
use std::net::SocketAddr;

section! {
    /// Counters and histograms over HTTP, for Prometheus.
    pub struct Metrics ["metrics"] {
        /// Address and port that serve /metrics. Left out, there are none.
        listen: Option<SocketAddr> = None,
    }
}

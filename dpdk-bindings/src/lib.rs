//! Safe DPDK types for Tapir: the one crate that speaks to libdpdk.

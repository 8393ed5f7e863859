//! Tapir's typed configuration.

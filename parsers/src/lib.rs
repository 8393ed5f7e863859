//! Wire and application protocols, inference and pairing: bytes in, facts out.

//! Drains the record rings: FlatBuffers, sinks, metrics.

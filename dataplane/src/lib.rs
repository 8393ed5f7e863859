//! Sources, flow table, TCP streams and the worker loop.

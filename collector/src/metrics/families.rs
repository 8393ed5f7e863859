//! The metrics that the collector itself makes. docs/metrics.md lists them; a test compares.

use super::{Family, MetricKind};

const fn counter(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Family {
    let kind = MetricKind::Counter;
    Family {
        name,
        kind,
        help,
        labels,
    }
}

const fn gauge(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Family {
    let kind = MetricKind::Gauge;
    Family {
        name,
        kind,
        help,
        labels,
    }
}

macro_rules! families {
    ($($constant:ident = $family:expr;)*) => {
        $(pub(crate) static $constant: Family = $family;)*

        /// Every family that the collector makes.
        pub static FAMILIES: &[&Family] = &[$(&$constant),*];
    };
}

families! {
    RECORDS = counter("tapir_records_total", &["proto", "kind", "status"], "Session records.");
    RESPONSE_TIME = Family {
        name: "tapir_response_time_seconds",
        kind: MetricKind::Histogram,
        help: "First byte of the response minus last byte of the request.",
        labels: &["proto", "status"],
    };
    REQUEST_BYTES = counter("tapir_request_bytes_total", &["proto"], "Bytes of requests on the wire.");
    RESPONSE_BYTES = counter("tapir_response_bytes_total", &["proto"], "Bytes of responses on the wire.");
    GAP_BYTES = counter(
        "tapir_gap_bytes_total", &["proto"], "Bytes of exchanges that were never seen (lost packets).");
    TRUNCATED = counter("tapir_records_truncated_total", &["proto"], "Records in which something was cut.");
    RECEIVED = counter(
        "tapir_collector_records_received_total", &["ring"], "Records taken out of an lcore's ring.");
    RING_WAITING = gauge("tapir_collector_ring_waiting_bytes", &["ring"], "Bytes of records in an lcore's ring.");
    RING_CAPACITY = gauge("tapir_collector_ring_capacity_bytes", &["ring"], "Bytes that an lcore's ring can hold.");
    RING_CORRUPT = counter(
        "tapir_collector_ring_corrupt_bytes_total", &["ring"], "Bytes in a ring that were no records: a bug.");
    SINK_OFFERED = counter("tapir_sink_records_offered_total", &["sink"], "Records handed to a sink.");
    SINK_DELIVERED = counter("tapir_sink_records_delivered_total", &["sink"], "Records that a sink delivered.");
    SINK_LOST = counter(
        "tapir_sink_records_lost_total", &["sink", "reason"], "Records that a sink could not deliver.");
    SINK_WAITING = gauge("tapir_sink_records_waiting", &["sink"], "Records in a sink's queue.");
    SINK_BYTES = counter("tapir_sink_bytes_delivered_total", &["sink"], "Bytes that a sink delivered.");
    SINK_RETRIES = counter("tapir_sink_retries_total", &["sink"], "Times that a sink tried a batch again.");
    SINK_GONE = gauge("tapir_sink_gone", &["sink"], "1 when a sink can take nothing any more.");
    SINK_ROTATIONS = counter("tapir_sink_rotations_total", &["sink"], "Files finished because full or old.");
    SINK_SUBSCRIBERS = gauge("tapir_sink_subscribers", &["sink"], "Subscribers connected.");
    SINK_SUBSCRIBED = counter("tapir_sink_subscribers_accepted_total", &["sink"], "Subscribers ever accepted.");
    SIDECARS = gauge("tapir_sidecars_connected", &["listener"], "Sidecars connected.");
    SIDECARS_ACCEPTED = counter("tapir_sidecars_accepted_total", &["listener"], "Sidecars ever admitted.");
    SIDECARS_ENDED = counter(
        "tapir_sidecars_ended_total", &["listener", "reason"], "Connections of sidecars that ended or were refused.");
    SIDECAR_BATCHES = counter(
        "tapir_sidecar_batches_received_total", &["listener"], "Batches taken over from sidecars.");
    SIDECAR_RECORDS = counter(
        "tapir_sidecar_records_received_total", &["listener"], "Records taken over from sidecars.");
    SIDECAR_BYTES = counter("tapir_sidecar_bytes_received_total", &["listener"], "Bytes of these.");
    JOIN_ENTERED = counter(
        "tapir_join_records_entered_total", &["source"], "Records of the wire and of sidecars that were to be joined.");
    JOIN_ALONE = counter(
        "tapir_join_records_alone_total", &["source"], "Records that found no other of their exchange.");
    JOIN_MERGED = counter(
        "tapir_join_records_merged_total", &[], "Records that became part of one made of several.");
    JOIN_JOINED = counter(
        "tapir_join_records_joined_total", &["rule"], "Records made of several, by what showed that these belong together.");
    JOIN_TOLD_AGAIN = counter(
        "tapir_join_records_told_again_total", &[], "Records of hosts that said again what was known.");
    JOIN_PUSHED_OUT = counter(
        "tapir_join_records_pushed_out_total", &[], "Records that left before their time: there was no more room.");
    JOIN_WAITING = gauge("tapir_join_records_waiting", &[], "Records that wait for others of their exchange.");
    SINK_CUT = counter(
        "tapir_sink_subscribers_cut_off_total", &["sink", "reason"], "Subscribers that were let go.");
}

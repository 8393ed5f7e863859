//! The text format of Prometheus, version 0.0.4: families together, HELP and TYPE before their points.

use super::{Family, MetricKind, MetricPoint, MetricValue};
use crate::json::unsigned;
use std::collections::BTreeMap;
use std::io::Write;

/// Collects points in any order and writes them out by family.
#[derive(Default)]
pub struct Exposition {
    families: BTreeMap<&'static str, (&'static Family, Vec<u8>)>,
}

impl Exposition {
    /// Nothing collected.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a value.
    pub fn add(&mut self, point: &MetricPoint<'_>) {
        self.line(point.family, "", point.labels, None, point.value);
    }

    /// Adds a count.
    pub(crate) fn count(&mut self, family: &'static Family, labels: &[&str], value: u64) {
        self.line(family, "", labels, None, MetricValue::Count(value));
    }

    /// Adds a histogram: `bounds_ns` are the upper bounds of `counts` but for the last, which has none.
    pub(crate) fn histogram(
        &mut self,
        family: &'static Family,
        labels: &[&str],
        bounds_ns: &[u64],
        counts: &[u64],
        sum_ns: u64,
    ) {
        let mut so_far = 0;
        for (index, count) in counts.iter().enumerate() {
            so_far += count;
            let bound = match bounds_ns.get(index) {
                Some(ns) => (*ns as f64 / 1e9).to_string(),
                None => "+Inf".to_owned(),
            };
            let value = MetricValue::Count(so_far);
            self.line(family, "_bucket", labels, Some(&bound), value);
        }
        self.line(family, "_count", labels, None, MetricValue::Count(so_far));
        self.line(
            family,
            "_sum",
            labels,
            None,
            MetricValue::Measure(sum_ns as f64 / 1e9),
        );
    }

    fn line(
        &mut self,
        family: &'static Family,
        suffix: &str,
        labels: &[&str],
        bound: Option<&str>,
        value: MetricValue,
    ) {
        let (_, out) = self
            .families
            .entry(family.name)
            .or_insert_with(|| (family, Vec::new()));
        out.extend_from_slice(family.name.as_bytes());
        out.extend_from_slice(suffix.as_bytes());
        let named = family
            .labels
            .iter()
            .zip(labels)
            .map(|(name, value)| (*name, *value));
        let mut is_first = true;
        for (name, value) in named.chain(bound.map(|bound| ("le", bound))) {
            out.push(if is_first { b'{' } else { b',' });
            is_first = false;
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"=\"");
            label_value(out, value);
            out.push(b'"');
        }
        if !is_first {
            out.push(b'}');
        }
        out.push(b' ');
        match value {
            MetricValue::Count(count) => unsigned(out, count),
            // Writing to a Vec can't fail.
            MetricValue::Measure(measure) => drop(write!(out, "{measure}")),
        }
        out.push(b'\n');
    }

    /// The whole text.
    pub fn render(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (family, points) in self.families.values() {
            let Family { name, help, kind, .. } = family;
            let kind: MetricKind = *kind;
            drop(writeln!(
                out,
                "# HELP {name} {help}\n# TYPE {name} {}",
                kind.name()
            ));
            out.extend_from_slice(points);
        }
        out
    }
}

fn label_value(out: &mut Vec<u8>, value: &str) {
    for byte in value.bytes() {
        match byte {
            b'\n' => out.extend_from_slice(b"\\n"),
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            _ => out.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static DEPTH: Family = Family {
        name: "tapir_depth_bytes",
        kind: MetricKind::Gauge,
        help: "How deep.",
        labels: &["where"],
    };
    static TIME: Family = Family {
        name: "tapir_time_seconds",
        kind: MetricKind::Histogram,
        help: "How long.",
        labels: &[],
    };

    #[test]
    fn text_of_the_format() {
        let mut exposition = Exposition::new();
        exposition.histogram(&TIME, &[], &[1_000, 2_500_000], &[1, 0, 2], 3_000_000_000);
        exposition.add(&MetricPoint {
            family: &DEPTH,
            labels: &["a\"b\\c\nd"],
            value: MetricValue::Measure(1.5),
        });
        exposition.count(&DEPTH, &["x"], 7);
        let want = concat!(
            "# HELP tapir_depth_bytes How deep.\n# TYPE tapir_depth_bytes gauge\n",
            "tapir_depth_bytes{where=\"a\\\"b\\\\c\\nd\"} 1.5\ntapir_depth_bytes{where=\"x\"} 7\n",
            "# HELP tapir_time_seconds How long.\n# TYPE tapir_time_seconds histogram\n",
            "tapir_time_seconds_bucket{le=\"0.000001\"} 1\ntapir_time_seconds_bucket{le=\"0.0025\"} 1\n",
            "tapir_time_seconds_bucket{le=\"+Inf\"} 3\ntapir_time_seconds_count 3\ntapir_time_seconds_sum 3\n",
        );
        assert_eq!(String::from_utf8(exposition.render()).unwrap(), want);
    }
}

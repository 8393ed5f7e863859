//! Which record is which expected one.

use serde_json::Value;

/// Fails unless `records` are the expected ones, no more and no less, in any order. What is expected of
/// one names the keys that matter; `null` stands for a key that must be absent.
pub(crate) fn exactly(records: &[Value], expected: &[Value]) {
    let mut left: Vec<&Value> = records.iter().collect();
    let mut missing = Vec::new();
    for wanted in expected {
        match left.iter().position(|record| fits(record, wanted)) {
            Some(at) => drop(left.remove(at)),
            None => missing.push(wanted),
        }
    }
    if missing.is_empty() && left.is_empty() {
        return;
    }
    let list = |values: &[&Value]| -> String {
        let shown = values.iter().take(20).map(|value| format!("  {value}\n"));
        shown.collect()
    };
    panic!(
        "{} records for {} expected; {} missing:\n{}{} unexpected:\n{}",
        records.len(),
        expected.len(),
        missing.len(),
        list(&missing),
        left.len(),
        list(&left)
    );
}

fn fits(record: &Value, wanted: &Value) -> bool {
    let keys = wanted.as_object().unwrap();
    keys.iter().all(|(key, value)| match (record.get(key), value) {
        (None, value) => value.is_null(),
        (Some(Value::Object(_)), Value::Object(_)) => fits(&record[key], value),
        (Some(found), value) => found == value,
    })
}

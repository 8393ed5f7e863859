//! Whether the accounts balance: packets in, records out, and every sink's own.
//!
//! Counters are read while traffic flows, so a difference may only be what is under way. An account is
//! looked at some times; it is out of balance when what it lacks is more than can be under way.

use crate::metrics::Ledger;
use crate::shared::Shared;
use serde_json::{Map, Value, json};
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tapir_parsers::record::HEADER_BYTES;

/// How often, and how far apart, the accounts are read before they are called out of balance.
const LOOKS: usize = 6;
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// One account: a total and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Account {
    /// What was received, made or offered.
    total: u64,
    /// What became of it, by name.
    parts: Vec<(String, u64)>,
    /// How much of it may be under way, besides what was added between two looks.
    under_way: u64,
}

impl Account {
    /// The total minus all parts: what is under way, or missing.
    fn difference(&self) -> i64 {
        let known: i128 = self.parts.iter().map(|(_, count)| i128::from(*count)).sum();
        let difference = i128::from(self.total) - known;
        difference.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
    }

    /// Whether it balances, given how it stood some time before.
    fn is_balanced(&self, before: &Self) -> bool {
        let moved = self.total.saturating_sub(before.total);
        let allowed = if moved == 0 { 0 } else { moved + self.under_way };
        self.difference().unsigned_abs() <= allowed
    }

    fn to_json(&self, balanced: bool) -> Value {
        let parts: Map<String, Value> = self
            .parts
            .iter()
            .map(|(name, count)| (name.clone(), json!(count)))
            .collect();
        json!({
            "balanced": balanced,
            "total": self.total,
            "parts": parts,
            "difference": self.difference(),
        })
    }
}

/// All accounts at one moment.
struct Look {
    packets: Account,
    records: Account,
    /// Where there are sidecars.
    join: Option<Account>,
    sinks: Vec<(String, Account)>,
}

impl Look {
    /// Reads downstream counters before those upstream: nothing may seem to come from nowhere.
    fn new(shared: &Shared) -> Self {
        let sinks = shared.sinks.iter().map(|(name, stats)| {
            let counts = stats.counts();
            let lost = crate::sink::LossReason::ALL
                .iter()
                .map(|reason| (format!("lost_{}", reason.name()), counts.lost_for(*reason)));
            let account = Account {
                total: counts.offered,
                parts: [
                    ("delivered".to_owned(), counts.delivered),
                    ("waiting".to_owned(), counts.waiting),
                ]
                .into_iter()
                .chain(lost)
                .collect(),
                under_way: counts.waiting,
            };
            (name.clone(), account)
        });
        let sinks = sinks.collect();
        let join = (!shared.ingest.is_empty()).then(|| join_account(shared));
        let waiting = shared.rings.iter().map(|ring| ring.waiting_bytes.load(Relaxed));
        let in_rings = waiting.sum::<u64>() / HEADER_BYTES as u64;
        let received = shared.received();
        let mut ledger = Ledger::default();
        for source in &shared.sources {
            source.account(&mut ledger);
        }
        let owned = |parts: std::collections::BTreeMap<&'static str, u64>| {
            parts.into_iter().map(|(name, count)| (name.to_owned(), count))
        };
        Self {
            sinks,
            join,
            packets: Account {
                total: ledger.packets_received,
                parts: owned(ledger.packets).collect(),
                under_way: 0,
            },
            records: Account {
                total: ledger.records_made,
                parts: [("received".to_owned(), received)]
                    .into_iter()
                    .chain(owned(ledger.records))
                    .collect(),
                under_way: in_rings,
            },
        }
    }

    fn accounts(&self) -> impl Iterator<Item = &Account> {
        let sinks = self.sinks.iter().map(|(_, account)| account);
        [&self.packets, &self.records]
            .into_iter()
            .chain(&self.join)
            .chain(sinks)
    }

    fn is_balanced(&self, before: &Self) -> bool {
        self.accounts()
            .zip(before.accounts())
            .all(|(now, then)| now.is_balanced(then))
    }

    fn to_json(&self, before: &Self) -> Value {
        let told = |now: &Account, then: &Account| now.to_json(now.is_balanced(then));
        let sinks: Map<String, Value> = self
            .sinks
            .iter()
            .zip(&before.sinks)
            .map(|((name, now), (_, then))| (name.clone(), told(now, then)))
            .collect();
        let mut accounts = json!({
            "balanced": self.is_balanced(before),
            "packets": told(&self.packets, &before.packets),
            "records": told(&self.records, &before.records),
            "sinks": sinks,
        });
        if let (Some(now), Some(then)) = (&self.join, &before.join) {
            accounts["join"] = told(now, then);
        }
        accounts
    }
}

/// What came from lcores and sidecars, and what became of it; records.
fn join_account(shared: &Shared) -> Account {
    let counts = shared.join.counts();
    let sidecars: u64 = shared
        .ingest
        .iter()
        .map(|(_, stats)| stats.counts().records)
        .sum();
    let parts = [
        ("alone_wire", counts.alone_wire),
        ("alone_host", counts.alone_host),
        ("merged", counts.merged),
        ("waiting", counts.waiting),
    ];
    Account {
        total: shared.received() + sidecars,
        parts: parts.map(|(name, count)| (name.to_owned(), count)).into(),
        // Read of sidecars and not yet taken out by the collector's thread.
        under_way: (counts.entered_wire + counts.entered_host).abs_diff(shared.received() + sidecars),
    }
}

/// The accounts as JSON. Takes up to some tens of milliseconds when they don't balance at once.
pub(crate) fn check(shared: &Shared) -> Value {
    let first = Look::new(shared);
    let mut now = Look::new(shared);
    for _ in 0..LOOKS {
        if now.is_balanced(&first) {
            break;
        }
        std::thread::sleep(BETWEEN_LOOKS);
        now = Look::new(shared);
    }
    now.to_json(&first)
}

//! What is counted of joining. Entered = left alone + merged + waiting, in records.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use tapir_parsers::field::Joined;

/// Written by the collector's thread alone, read by whoever exports them.
#[derive(Debug, Default)]
pub(crate) struct JoinCounters {
    entered: [AtomicU64; 2],
    alone: [AtomicU64; 2],
    merged: AtomicU64,
    joined: [AtomicU64; Joined::ALL.len()],
    told_again: AtomicU64,
    pushed_out: AtomicU64,
    /// Records that wait, each with those that were merged into it.
    waiting: AtomicU64,
}

/// What was counted at some moment; records unless it says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JoinCounts {
    /// Came in, from the wire.
    pub entered_wire: u64,
    /// Came in, from hosts.
    pub entered_host: u64,
    /// Went out as they came, from the wire.
    pub alone_wire: u64,
    /// Went out as they came, from hosts.
    pub alone_host: u64,
    /// Are part of a record that went out and was made of several.
    pub merged: u64,
    /// Records that went out and were made of several, by number of the rule.
    pub joined: [u64; Joined::ALL.len()],
    /// Said again what was known: they were merged without adding anything.
    pub told_again: u64,
    /// Went out before their time, since there was no more room.
    pub pushed_out: u64,
    /// Came in and did not go out yet.
    pub waiting: u64,
}

fn add(counter: &AtomicU64, count: u64) {
    counter.store(counter.load(Relaxed).wrapping_add(count), Relaxed);
}

impl JoinCounters {
    pub(super) fn entered(&self, wire: bool) {
        add(&self.entered[usize::from(!wire)], 1);
    }

    pub(super) fn left_alone(&self, wire: bool) {
        add(&self.alone[usize::from(!wire)], 1);
    }

    pub(super) fn left(&self, records: u64, wire: bool, rule: Option<Joined>) {
        if records > 1 {
            add(&self.merged, records);
        } else {
            self.left_alone(wire);
        }
        if let Some(rule) = rule {
            add(&self.joined[rule as usize], 1);
        }
        add(&self.waiting, records.wrapping_neg());
    }

    pub(super) fn begins_to_wait(&self) {
        add(&self.waiting, 1);
    }

    pub(super) fn told_again(&self) {
        add(&self.told_again, 1);
    }

    pub(super) fn pushed_out(&self) {
        add(&self.pushed_out, 1);
    }

    /// Reads all counters; those downstream first.
    pub(crate) fn counts(&self) -> JoinCounts {
        let get = |counter: &AtomicU64| counter.load(Relaxed);
        let [alone_wire, alone_host] = self.alone.each_ref().map(get);
        let merged = get(&self.merged);
        let waiting = get(&self.waiting);
        let [entered_wire, entered_host] = self.entered.each_ref().map(get);
        JoinCounts {
            entered_wire,
            entered_host,
            alone_wire,
            alone_host,
            merged,
            joined: self.joined.each_ref().map(get),
            told_again: get(&self.told_again),
            pushed_out: get(&self.pushed_out),
            waiting,
        }
    }
}

//! How fast: buckets that fill at a steady rate, one for each subscriber where it matters.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use super::subscriber;

/// So many a second, and so many at once after a while of quiet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rate {
    per_second: u64,
    at_once: u64,
}

impl Rate {
    /// So many a second, one at least; of those, whoever was quiet has as many at once as come
    /// together in `window` seconds.
    pub const fn new(per_second: usize, window: u64) -> Self {
        let per_second = if per_second == 0 { 1 } else { per_second as u64 };
        let window = if window == 0 { 1 } else { window };
        Self { per_second, at_once: per_second.saturating_mul(window) }
    }

    /// No more than so many within any second, one at least: a quarter of them at once, the rest as it
    /// comes.
    pub const fn within_a_second(count: usize) -> Self {
        let at_once = if count < 4 { 1 } else { count as u64 / 4 };
        let per_second = match (count as u64).saturating_sub(at_once) {
            0 => 1,
            rest => rest,
        };
        Self { per_second, at_once }
    }

    /// How long it takes until so many have come together.
    fn time_for(self, count: u64) -> Duration {
        let nanos = u128::from(count) * NANOS_PER_SECOND / u128::from(self.per_second);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

/// A bucket that fills at a steady rate until it is full.
///
/// What is in it need not be counted while time goes by: it is enough to know when it is full
/// again. Times are since any one moment, which the caller chooses.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bucket {
    full_at: Duration,
}

impl Bucket {
    /// Takes one out `now`, if there is one.
    pub fn take(&mut self, rate: Rate, now: Duration) -> bool {
        let full_at = self.full_at.max(now).saturating_add(rate.time_for(1));
        let is_there = full_at.saturating_sub(now) <= rate.time_for(rate.at_once);
        if is_there {
            self.full_at = full_at;
        }
        is_there
    }

    /// Takes so many out `now`, even if they are not there. Tells how long it takes until nothing is
    /// owed any more.
    pub fn owe(&mut self, rate: Rate, now: Duration, count: u64) -> Duration {
        self.full_at = self.full_at.max(now).saturating_add(rate.time_for(count));
        self.full_at.saturating_sub(now).saturating_sub(rate.time_for(rate.at_once))
    }

    /// Whether nothing is missing; such a bucket is as good as a new one.
    pub fn is_full(&self, now: Duration) -> bool {
        self.full_at <= now
    }
}

/// A bucket for each [`subscriber`].
#[derive(Debug, Default)]
pub struct Buckets {
    by_subscriber: HashMap<IpAddr, Bucket>,
    /// What all those share for whom there was no bucket left.
    rest: Bucket,
    /// When those that were full were thrown away last.
    swept: Duration,
}

impl Buckets {
    /// The bucket of whoever is at this address.
    pub fn of(&mut self, address: IpAddr, now: Duration) -> &mut Bucket {
        if BUCKETS_FEW < self.by_subscriber.len() && self.swept + SWEEP_EVERY <= now {
            self.by_subscriber.retain(|_, bucket| !bucket.is_full(now));
            self.swept = now;
        }
        let subscriber = subscriber(address);
        // Whoever has addresses without end must not have memory without end.
        if BUCKETS_MAX <= self.by_subscriber.len() && !self.by_subscriber.contains_key(&subscriber)
        {
            return &mut self.rest;
        }
        self.by_subscriber.entry(subscriber).or_default()
    }
}

const NANOS_PER_SECOND: u128 = 1_000_000_000;
/// Not worth a look.
const BUCKETS_FEW: usize = 256;
/// Looking through all of them takes a millisecond, which must not be spent on each connection of a
/// flood.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// Some three megabytes at most. Only those who took something a moment ago have a bucket.
const BUCKETS_MAX: usize = 65_536;

#[cfg(test)]
mod tests;

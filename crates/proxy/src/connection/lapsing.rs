use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use tokio::time::Instant;

/// What is held to be so for a while and then forgotten; no more of it than there is room for.
#[derive(Debug)]
pub(super) struct Lapsing<K> {
    until: HashMap<K, Instant>,
    lasts: Duration,
    room: usize,
}

impl<K: Eq + Hash> Lapsing<K> {
    /// An empty one: what is noted lasts so long, and beyond `room` nothing is noted until something
    /// has lapsed.
    pub(super) fn new(lasts: Duration, room: usize) -> Self {
        Self { until: HashMap::new(), lasts, room }
    }

    /// Whether it was noted and has not lapsed.
    #[expect(clippy::disallowed_methods, reason = "what is noted lapses")]
    pub(super) fn holds(&self, key: &K) -> bool {
        self.until.get(key).is_some_and(|until| Instant::now() < *until)
    }

    /// Notes it, from now on.
    #[expect(clippy::disallowed_methods, reason = "what is noted lapses")]
    pub(super) fn note(&mut self, key: K) {
        let now = Instant::now();
        if self.room <= self.until.len() {
            self.until.retain(|_, until| now < *until);
        }
        if self.until.len() < self.room {
            self.until.insert(key, now + self.lasts);
        }
    }

    /// Forgets what is of a kind, and tells how much of it there was.
    pub(super) fn forget(&mut self, is_it: impl Fn(&K) -> bool) -> usize {
        let before = self.until.len();
        self.until.retain(|key, _| !is_it(key));
        before - self.until.len()
    }
}

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::{OnceCell, Semaphore};

/// What was found, by key, for as long as it holds; asked by one, told to all who wait for it.
///
/// Bounded in number: a full cache first forgets what is stale, then some of the rest, which costs
/// a repeated look-up and nothing else.
#[derive(Debug)]
pub(crate) struct Cache<K, V> {
    entries: Mutex<HashMap<K, Arc<Entry<V>>>>,
    entries_max: usize,
    asking: Semaphore,
}

#[derive(Debug)]
struct Entry<V> {
    /// Set once the answer is there. Until then, one of those who wait is asking; if it gives up,
    /// the next one asks.
    found: OnceCell<Found<V>>,
}

#[derive(Debug)]
struct Found<V> {
    value: V,
    from: SystemTime,
    until: SystemTime,
}

impl<K: Clone + Eq + Hash, V: Clone> Cache<K, V> {
    /// A cache for so many answers, with so many questions in flight at a time. More than that
    /// wait, so that peers cannot make us flood others.
    pub(crate) fn new(entries_max: usize, asking_max: usize) -> Self {
        let asking = Semaphore::new(asking_max);
        Self { entries: Mutex::default(), entries_max, asking }
    }

    /// Tells what is known of `key` at that time, having asked if nothing is.
    ///
    /// `ask` returns what it found and until when that holds. Cancel-safe: who is asking may stop.
    pub(crate) async fn get<F>(&self, key: &K, at: SystemTime, ask: impl FnOnce() -> F) -> V
    where
        F: Future<Output = (V, SystemTime)>,
    {
        let entry = self.entry(key, at);
        let found = entry.found.get_or_init(|| async {
            // Never closed, so there is always a turn to wait for.
            let _turn = self.asking.acquire().await;
            let (value, until) = ask().await;
            Found { value, from: at, until: until.max(at + LIFETIME_MIN) }
        });
        found.await.value.clone()
    }

    /// What is known of `key` at that time without asking.
    pub(crate) fn recall(&self, key: &K, at: SystemTime) -> Option<V> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.get(key).filter(|it| it.holds(at))?;
        entry.found.get().map(|it| it.value.clone())
    }

    /// Forgets what was found of `key` before that time. Tells whether there was anything.
    pub(crate) fn forget(&self, key: &K, before: SystemTime) -> bool {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let is_old = |it: &Arc<Entry<V>>| it.found.get().is_some_and(|it| it.from < before);
        entries.get(key).is_some_and(is_old) && entries.remove(key).is_some()
    }

    /// How many answers there are, stale ones and those that are waited for included.
    pub(crate) fn len(&self) -> usize {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// What was found of `key` last, whether it holds still or not.
    pub(crate) fn last(&self, key: &K) -> Option<V> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.get(key)?.found.get().map(|it| it.value.clone())
    }

    /// Forgets what was found of some keys. Whoever is asking goes on, and finds out for himself
    /// alone. Tells how many there were.
    pub(crate) fn forget_each(&self, mut is_meant: impl FnMut(&K) -> bool) -> usize {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let before = entries.len();
        entries.retain(|key, _| !is_meant(key));
        before - entries.len()
    }

    fn entry(&self, key: &K, at: SystemTime) -> Arc<Entry<V>> {
        // Nothing panics with the lock in hand, and a cache may be short of an entry anyway.
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = entries.get(key).filter(|it| it.holds(at)) {
            return Arc::clone(entry);
        }
        if self.entries_max <= entries.len() {
            entries.retain(|_, entry| entry.holds(at));
            // Making room for several saves looking through all of them each time.
            let excess =
                (entries.len() + self.entries_max / 16 + 1).saturating_sub(self.entries_max);
            let unlucky: Vec<K> = entries.keys().take(excess).cloned().collect();
            for key in unlucky {
                entries.remove(&key);
            }
        }
        let entry = Arc::new(Entry { found: OnceCell::new() });
        entries.insert(key.clone(), Arc::clone(&entry));
        entry
    }
}

impl<V> Entry<V> {
    fn holds(&self, at: SystemTime) -> bool {
        // A clock set back makes what was found later unfit for earlier.
        self.found.get().is_none_or(|it| it.from <= at && at < it.until)
    }
}

/// Even what may not be kept is kept for those who ask at the same moment.
const LIFETIME_MIN: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;

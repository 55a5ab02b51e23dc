use std::collections::{HashMap, VecDeque};

use crate::binding::DomainPair;
use crate::stream::Stanza;

/// Stanzas that wait for a way out, pair by pair and in order (B-18).
///
/// How long one may wait is bounded by the search for its way out, which ends in a bounce.
#[derive(Debug)]
pub struct Queue {
    pairs: HashMap<DomainPair, Waiting>,
    bytes: usize,
    bounds: Bounds,
}

/// How much may wait.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Stanzas of one pair.
    pub pair_stanzas_max: usize,
    /// Bytes of one pair; a single stanza may be larger.
    pub pair_bytes_max: usize,
    /// Bytes in all.
    pub bytes_max: usize,
}

#[derive(Debug, Default)]
struct Waiting {
    stanzas: VecDeque<Stanza>,
    bytes: usize,
}

impl Queue {
    /// An empty queue.
    pub fn new(bounds: Bounds) -> Self {
        Self { pairs: HashMap::new(), bytes: 0, bounds }
    }

    /// Keeps a stanza behind those of its pair that wait already. Tells whether it is the first.
    ///
    /// # Errors
    /// There is no room; the stanza comes back.
    pub fn push(&mut self, stanza: Stanza) -> Result<bool, Stanza> {
        let size = stanza.bytes().len();
        let Bounds { pair_stanzas_max, pair_bytes_max, bytes_max } = self.bounds;
        let (count, bytes) =
            self.pairs.get(&stanza.pair).map_or((0, 0), |it| (it.stanzas.len(), it.bytes));
        let full = pair_stanzas_max <= count
            || (0 < count && pair_bytes_max < bytes + size)
            || bytes_max < self.bytes + size;
        if full {
            return Err(stanza);
        }
        self.bytes += size;
        let waiting = self.pairs.entry(stanza.pair.clone()).or_default();
        waiting.bytes += size;
        waiting.stanzas.push_back(stanza);
        Ok(count == 0)
    }

    /// Puts back stanzas that had left the queue, before those that wait: they were there first.
    /// There is always room for them, because they were ours already.
    pub fn put_back(&mut self, pair: &DomainPair, stanzas: Vec<Stanza>) {
        let waiting = self.pairs.entry(pair.clone()).or_default();
        for stanza in stanzas.into_iter().rev() {
            let size = stanza.bytes().len();
            waiting.bytes += size;
            self.bytes += size;
            waiting.stanzas.push_front(stanza);
        }
    }

    /// Takes all that waits of a pair.
    pub fn take(&mut self, pair: &DomainPair) -> VecDeque<Stanza> {
        let Some(waiting) = self.pairs.remove(pair) else {
            return VecDeque::new();
        };
        self.bytes -= waiting.bytes;
        waiting.stanzas
    }

    /// Whether any of `pair` waits.
    pub fn holds(&self, pair: &DomainPair) -> bool {
        self.pairs.contains_key(pair)
    }

    /// How many stanzas of `pair` wait.
    pub fn count(&self, pair: &DomainPair) -> usize {
        self.pairs.get(pair).map_or(0, |waiting| waiting.stanzas.len())
    }

    /// How many stanzas wait.
    pub fn len(&self) -> usize {
        self.pairs.values().map(|waiting| waiting.stanzas.len()).sum()
    }

    /// Whether none does.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// How many bytes wait.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The pairs that wait.
    pub fn pairs(&self) -> Vec<DomainPair> {
        self.pairs.keys().cloned().collect()
    }
}

#[cfg(test)]
mod tests;

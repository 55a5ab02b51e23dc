use std::collections::HashMap;
use std::time::SystemTime;

use ligase_verifier::Endpoint;

use crate::binding::{ConnectionId, DomainPair};
use crate::stream::{Rung, Setback};

/// What the last search for a way out met with, pair by pair, for whoever asks why there is none.
#[derive(Clone, Debug)]
pub struct Journal {
    climbs: HashMap<DomainPair, Entry>,
    pairs_max: usize,
    /// How many climbs there have been.
    count: u64,
}

#[derive(Clone, Debug)]
struct Entry {
    number: u64,
    climb: Climb,
}

/// One search, from its first step to its end.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Climb {
    /// When it began.
    pub began: SystemTime,
    /// What was tried: no more than [`Climb::STEPS_MAX`], the latest.
    pub steps: Vec<Step>,
    /// How many steps before those are not kept.
    pub left_out: u32,
    /// When it ended, and how; none while it is under way.
    pub end: Option<(SystemTime, Result<(), Setback>)>,
}

/// One rung at one place.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Step {
    /// When it was over.
    pub at: SystemTime,
    /// Where; none where that is our own server.
    pub endpoint: Option<Endpoint>,
    /// On which rung; none where it did not come to one, for want of an address.
    pub rung: Option<Rung>,
    /// The connection that was opened, none where there was one to share; or why there is none.
    pub outcome: Result<Option<ConnectionId>, Setback>,
}

impl Journal {
    /// An empty one that keeps the last climb of so many pairs.
    pub fn new(pairs_max: usize) -> Self {
        Self { climbs: HashMap::new(), pairs_max, count: 0 }
    }

    /// Notes that a search for `pair` begins. What is known of the one before is forgotten; and
    /// where that makes too many, so is the oldest of all.
    pub fn begin(&mut self, pair: &DomainPair, at: SystemTime) {
        if self.pairs_max <= self.climbs.len() && !self.climbs.contains_key(pair) {
            let oldest = self.climbs.iter().min_by_key(|(_, entry)| entry.number);
            if let Some(oldest) = oldest.map(|(pair, _)| pair.clone()) {
                self.climbs.remove(&oldest);
            }
        }
        self.count += 1;
        let climb = Climb { began: at, steps: Vec::new(), left_out: 0, end: None };
        self.climbs.insert(pair.clone(), Entry { number: self.count, climb });
    }

    /// Notes what became of a step of the search that is under way for `pair`.
    pub fn step(&mut self, pair: &DomainPair, step: Step) {
        let Some(climb) = self.open(pair) else {
            return;
        };
        if Climb::STEPS_MAX <= climb.steps.len() {
            climb.steps.remove(0);
            climb.left_out = climb.left_out.saturating_add(1);
        }
        climb.steps.push(step);
    }

    /// Notes how the search ended that is under way for `pair`, if one is.
    pub fn end(&mut self, pair: &DomainPair, at: SystemTime, result: Result<(), Setback>) {
        if let Some(climb) = self.open(pair) {
            climb.end = Some((at, result));
        }
    }

    /// The last search for `pair`.
    pub fn last(&self, pair: &DomainPair) -> Option<&Climb> {
        self.climbs.get(pair).map(|entry| &entry.climb)
    }

    fn open(&mut self, pair: &DomainPair) -> Option<&mut Climb> {
        let climb = self.climbs.get_mut(pair).map(|entry| &mut entry.climb);
        climb.filter(|climb| climb.end.is_none())
    }
}

impl Climb {
    /// More than one place takes, and few enough to read.
    pub const STEPS_MAX: usize = 8;
}

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use crate::stream::Rung;

/// Which rung each place was met on, so that the next connection neither begins with one that it
/// does not know, nor ends on one that is beneath it (B-04, M-06).
///
/// Times are since the process started.
#[derive(Clone, Debug)]
pub struct Memory<Place> {
    places: HashMap<Place, Met>,
    places_max: usize,
}

#[derive(Clone, Copy, Debug)]
struct Met {
    rung: Rung,
    at: Duration,
    /// How often in a row it has failed on that rung since.
    failures: u32,
}

/// What is remembered of a place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Recalled {
    /// The rung it was met on last, where it took no better one before.
    pub rung: Rung,
    /// How often in a row it has failed on that rung since.
    pub failures: u32,
}

impl<Place: Clone + Eq + Hash> Memory<Place> {
    /// One that remembers so many places.
    pub fn new(places_max: usize) -> Self {
        Self { places: HashMap::new(), places_max }
    }

    /// The rung to begin with, where `best` is the best that there is.
    ///
    /// What is remembered spares a vain attempt, and no more: the rungs on which nobody shows a
    /// certificate are never begun with, or an attacker who once broke the better ones would have us
    /// without them for as long as we remember.
    pub fn start(&self, place: &Place, best: Rung, now: Duration) -> Rung {
        let known = self.known(place, now).filter(|met| met.rung <= Rung::SenderCertificate);
        known.map_or(best, |met| met.rung.max(best))
    }

    /// The lowest rung that may be tried.
    ///
    /// A place that took a better rung lately takes it still, or somebody would have us believe that
    /// it does not. It is believed when it has failed often enough.
    pub fn floor(&self, place: &Place, now: Duration) -> Rung {
        let known = self.known(place, now).filter(|met| met.failures < FAILURES_MAX);
        match known.map(|met| met.rung) {
            Some(Rung::ServerName) => Rung::ServerName,
            // How we show ourselves there is for each of our domains to find out; in the clear it is
            // for none.
            Some(Rung::DomainName | Rung::SenderCertificate | Rung::Dialback) => Rung::Dialback,
            Some(Rung::Plain) | None => Rung::Plain,
        }
    }

    /// Notes that a place took a rung. If it is known to take a better one it still is: what one of
    /// our domains does not get, another may.
    pub fn took(&mut self, place: &Place, rung: Rung, now: Duration) {
        let better = self.known(place, now).filter(|met| met.failures < FAILURES_MAX);
        if better.is_some_and(|met| met.rung < rung) {
            return;
        }
        if self.places_max <= self.places.len() && !self.places.contains_key(place) {
            self.places.retain(|_, met| met.is_fresh(now));
            if self.places_max <= self.places.len() {
                self.make_room();
            }
        }
        self.places.insert(place.clone(), Met { rung, at: now, failures: 0 });
    }

    /// Forgets some: those first that took nothing better than the clear, which is what is tried of a
    /// place that nobody knows; then those that were met longest ago. Whoever has us meet many
    /// places must not have us forget at once which of the others may not be met in the clear.
    fn make_room(&mut self) {
        let mut all: Vec<_> = self.places.iter().map(|(place, met)| (*met, place)).collect();
        all.sort_by_key(|(met, _)| (met.rung != Rung::Plain, met.at));
        let excess = all.len().saturating_sub(self.places_max - self.places_max / 16);
        let excess = excess.max(1);
        let forgotten: Vec<_> = all.into_iter().take(excess).map(|(_, it)| it.clone()).collect();
        for place in forgotten {
            self.places.remove(&place);
        }
    }

    /// Notes that a place did not take a rung.
    pub fn failed(&mut self, place: &Place, rung: Rung) {
        if let Some(met) = self.places.get_mut(place).filter(|met| met.rung == rung) {
            met.failures = met.failures.saturating_add(1);
        }
    }

    /// Notes that a place has told that it takes streams between servers, so that it is asked again
    /// if it was thought not to.
    pub fn learn(&mut self, place: &Place) {
        if self.places.get(place).is_some_and(|met| met.rung != Rung::ServerName) {
            self.places.remove(place);
        }
    }

    /// What a place was met on lately.
    pub fn met(&self, place: &Place, now: Duration) -> Option<Rung> {
        self.known(place, now).map(|met| met.rung)
    }

    /// All that is remembered of a place, for people.
    pub fn recall(&self, place: &Place, now: Duration) -> Option<Recalled> {
        self.known(place, now).map(|met| Recalled { rung: met.rung, failures: met.failures })
    }

    /// How many places are remembered now.
    pub fn count(&self, now: Duration) -> usize {
        self.places.values().filter(|met| met.is_fresh(now)).count()
    }

    fn known(&self, place: &Place, now: Duration) -> Option<&Met> {
        self.places.get(place).filter(|met| met.is_fresh(now))
    }
}

impl Met {
    fn is_fresh(&self, now: Duration) -> bool {
        let lifetime = match self.rung {
            Rung::ServerName => KNOWN,
            Rung::DomainName | Rung::SenderCertificate | Rung::Dialback | Rung::Plain => UNKNOWN,
        };
        now < self.at + lifetime
    }
}

/// How long a place is known to take streams between servers (B-04).
const KNOWN: Duration = Duration::from_secs(24 * 3600);
/// How long one is known not to, or to take no better rung: it may learn any time.
const UNKNOWN: Duration = Duration::from_secs(3600);
/// How many failures in a row it takes to believe that a place has forgotten what it knew.
const FAILURES_MAX: u32 = 3;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, SystemTime};

use ligase_verifier::Domain;

use crate::binding::{DomainPair, Side};
use crate::net::subscriber;

/// Failures, each once for its reason and for whoever came, however often it comes back.
///
/// Whoever comes chooses the domains, and our users choose theirs: when there are too many, those
/// who have most of them lose one. Whoever came is told by the address, everybody else by the
/// parent of the names.
#[derive(Debug, Default)]
pub(super) struct Memory {
    known: HashMap<Key, Failure>,
    /// How many there have been.
    number: u64,
    /// How many had to go since there was room last.
    lost: u64,
}

/// What does not work: one direction of a pair, on one side of the proxy.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Subject {
    /// The domain of the two that is ours.
    pub(super) local: Domain,
    /// The other.
    pub(super) remote: Domain,
    /// The side of the far end that was not reached, or not let in.
    pub(super) side: Side,
    /// Whether stanzas would go towards our own server.
    pub(super) comes_in: bool,
}

/// Which failures are one. Nobody who comes can touch the entry of another: not what is told of
/// it, nor how long.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Key {
    subject: Subject,
    label: &'static str,
    from: Option<IpAddr>,
}

/// How it was met with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Met {
    /// Why it failed, of a closed set.
    pub(super) label: &'static str,
    /// The same in a sentence.
    pub(super) text: String,
    /// From where somebody came, if somebody did.
    pub(super) peer: Option<SocketAddr>,
    /// When.
    pub(super) at: SystemTime,
}

/// A failure that has not been mended since.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) subject: Subject,
    /// The last time.
    pub(super) last: Met,
    pub(super) first_at: SystemTime,
    pub(super) count: u64,
    number: u64,
}

impl Subject {
    /// What does not work when a pair does not pass on a side.
    pub(super) fn new(pair: &DomainPair, side: Side, comes_in: bool) -> Self {
        let (local, remote) = match comes_in {
            true => (pair.target.clone(), pair.sender.clone()),
            false => (pair.sender.clone(), pair.target.clone()),
        };
        Self { local, remote, side, comes_in }
    }
}

impl Met {
    /// Who came, as far as limits are concerned.
    fn from(&self) -> Option<IpAddr> {
        self.peer.map(|peer| subscriber(peer.ip()))
    }
}

impl Memory {
    /// Entries at a time, at some 400 bytes each: more than anybody reads.
    pub(super) const FAILURES_MAX: usize = 256;

    /// Notes that something did not work; tells whether that is news.
    pub(super) fn note(&mut self, subject: Subject, met: Met) -> bool {
        self.number += 1;
        let number = self.number;
        let key = Key { subject, label: met.label, from: met.from() };
        if let Some(known) = self.known.get_mut(&key) {
            // What is said twice on one connection happened once.
            let again = met.peer.is_some() && known.last.peer == met.peer;
            known.count += u64::from(!again);
            (known.last, known.number) = (met, number);
            return false;
        }
        if Self::FAILURES_MAX <= self.known.len() {
            self.forget(met.at);
        }
        if Self::FAILURES_MAX <= self.known.len()
            && let Some(crowded) = self.crowded()
        {
            self.known.remove(&crowded);
            self.lost += 1;
        }
        let subject = key.subject.clone();
        let failure = Failure { subject, first_at: met.at, last: met, count: 1, number };
        self.known.insert(key, failure);
        true
    }

    /// Notes that it works.
    pub(super) fn mend(&mut self, subject: &Subject) {
        self.known.retain(|key, _| key.subject != *subject);
        self.note_room();
    }

    /// Forgets what has not come back for long.
    pub(super) fn forget(&mut self, now: SystemTime) {
        self.known.retain(|_, failure| now < failure.last.at + KEPT);
        self.note_room();
    }

    pub(super) fn count(&self) -> usize {
        self.known.len()
    }

    /// How many had to go since there was room last.
    pub(super) fn lost(&self) -> u64 {
        self.lost
    }

    /// All of them, the latest first.
    pub(super) fn latest(&self) -> Vec<Failure> {
        let mut all: Vec<_> = self.known.values().cloned().collect();
        all.sort_by_key(|failure| std::cmp::Reverse(failure.number));
        all
    }

    fn note_room(&mut self) {
        if self.known.len() < Self::FAILURES_MAX {
            self.lost = 0;
        }
    }

    /// One of those that fill the list: of the direction that has more entries, and there of the
    /// greatest crowd, what did not come back, or else the oldest.
    fn crowded(&self) -> Option<Key> {
        let inbound = self.known.values().filter(|it| it.subject.comes_in).count();
        let comes_in = self.known.len() < inbound * 2;
        let mut sizes: HashMap<Crowd<'_>, usize> = HashMap::new();
        let of_way = || self.known.iter().filter(|(_, it)| it.subject.comes_in == comes_in);
        for (_, failure) in of_way() {
            *sizes.entry(failure.crowd()).or_default() += 1;
        }
        let most = sizes.values().max().copied()?;
        let crowded = |it: &Failure| sizes.get(&it.crowd()) == Some(&most);
        let first = of_way().filter(|(_, it)| crowded(it));
        let first = first.min_by_key(|(_, it)| (1 < it.count, it.number));
        first.map(|(key, _)| key.clone())
    }
}

/// Whoever an entry is due to, as far as limits are concerned.
#[derive(Debug, Eq, Hash, PartialEq)]
enum Crowd<'a> {
    /// Those who came from there.
    Subscriber(IpAddr),
    /// Whoever gives out the names below this one.
    Parent(&'a str),
}

impl Failure {
    fn crowd(&self) -> Crowd<'_> {
        let Subject { local, remote, side, .. } = &self.subject;
        match self.last.from() {
            Some(from) => Crowd::Subscriber(from),
            // A name that we do not host was chosen by whoever wrote to it.
            None if *side == Side::Backend && self.last.label == "host_unknown" => {
                Crowd::Parent(parent(local))
            }
            None => Crowd::Parent(parent(remote)),
        }
    }
}

/// The last two labels: about what is registered, and below which names cost nothing. Where three
/// are registered, strangers share a crowd, and lose no more than places in a full list.
pub(super) fn parent(domain: &Domain) -> &str {
    let name = domain.ascii();
    name.rmatch_indices('.').nth(1).and_then(|(dot, _)| name.get(dot + 1..)).unwrap_or(name)
}

/// How long what does not come back is told.
const KEPT: Duration = Duration::from_secs(24 * 3600);

#[cfg(test)]
mod tests;

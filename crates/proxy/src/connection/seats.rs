//! Seats: how much of what strangers have us do is done at a time, and who is next.
//!
//! Whatever is handed out in order of asking belongs to whoever asks most, and a share for each
//! address to whoever has most addresses. So what one may have becomes less as seats are taken: a
//! [`network`] has half as many as are free, and a [`subscriber`] in it half as many as the network
//! may still take. Whoever is new finds a seat at once, unless very many have come from very many
//! networks; and then those are next who have the fewest.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::net::{network, subscriber};

/// So many seats, and those who wait for one.
#[derive(Clone, Debug)]
pub(super) struct Seats(Arc<Mutex<Table<oneshot::Sender<Seat>>>>);

/// One that is taken, until this is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Seats,
    whose: Party,
}

/// Who asks, as far as seats are concerned.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
struct Party {
    subscriber: IpAddr,
    /// Whether a part of the seats is kept for such as this one.
    is_known: bool,
}

impl Seats {
    /// So many; one at least.
    pub(super) fn new(size: usize) -> Self {
        Self(Arc::new(Mutex::new(Table::new(size.max(1)))))
    }

    /// Takes one for somebody at this address. A quarter of the seats is only for who `is_known`: for
    /// what has been proven before.
    ///
    /// Waits as long as it takes. Cancel-safe.
    pub(super) async fn take(&self, address: IpAddr, is_known: bool) -> Seat {
        let whose = Party { subscriber: subscriber(address), is_known };
        let (give, given) = oneshot::channel();
        let asked = self.table().ask(whose, give);
        let Err(number) = asked else {
            return Seat { seats: self.clone(), whose };
        };
        let _place = Place { seats: self, whose, number };
        // Who waits is told in the end: nobody forgets them but they themselves.
        given.await.unwrap_or_else(|_| Seat { seats: self.clone(), whose })
    }

    fn hand_out(&self) {
        loop {
            let next = self.table().next();
            let Some((whose, give)) = next else { return };
            // Who has stopped waiting this very moment gives it back.
            drop(give.send(Seat { seats: self.clone(), whose }));
        }
    }

    fn table(&self) -> MutexGuard<'_, Table<oneshot::Sender<Seat>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.table().leave(self.whose);
        self.seats.hand_out();
    }
}

/// A place among those who wait.
struct Place<'a> {
    seats: &'a Seats,
    whose: Party,
    number: u64,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.seats.table().give_up(self.whose, self.number);
    }
}

/// Who has how many seats, and who waits.
#[derive(Debug)]
struct Table<W> {
    size: usize,
    taken: usize,
    by_network: HashMap<IpAddr, usize>,
    by_subscriber: HashMap<IpAddr, usize>,
    /// In the order in which they came; no party here is empty.
    waiting: HashMap<Party, BTreeMap<u64, W>>,
    /// How many have had to wait.
    count: u64,
}

impl<W> Table<W> {
    fn new(size: usize) -> Self {
        Self {
            size,
            taken: 0,
            by_network: HashMap::new(),
            by_subscriber: HashMap::new(),
            waiting: HashMap::new(),
            count: 0,
        }
    }

    /// Takes a seat and hands back who asked, or has them wait under a number.
    fn ask(&mut self, whose: Party, who: W) -> Result<W, u64> {
        // What keeps the first of a party waiting keeps the next one, too.
        if self.may(whose) {
            self.seat(whose);
            return Ok(who);
        }
        self.count += 1;
        self.waiting.entry(whose).or_default().insert(self.count, who);
        Err(self.count)
    }

    /// Takes a seat for whoever is next of those who wait.
    fn next(&mut self) -> Option<(Party, W)> {
        let rank = |whose: &Party, waiting: &BTreeMap<u64, W>| {
            let (in_network, own) = self.held(*whose);
            (in_network, own, waiting.keys().next().copied())
        };
        let waiting = self.waiting.iter().filter(|(whose, _)| self.may(**whose));
        let (whose, _) = waiting.min_by_key(|(whose, waiting)| rank(whose, waiting))?;
        let whose = *whose;
        let waiting = self.waiting.get_mut(&whose)?;
        let (_, who) = waiting.pop_first()?;
        if waiting.is_empty() {
            self.waiting.remove(&whose);
        }
        self.seat(whose);
        Some((whose, who))
    }

    fn leave(&mut self, whose: Party) {
        self.taken = self.taken.saturating_sub(1);
        less(&mut self.by_network, network(whose.subscriber));
        less(&mut self.by_subscriber, whose.subscriber);
    }

    fn give_up(&mut self, whose: Party, number: u64) {
        let Some(waiting) = self.waiting.get_mut(&whose) else { return };
        waiting.remove(&number);
        if waiting.is_empty() {
            self.waiting.remove(&whose);
        }
    }

    fn may(&self, whose: Party) -> bool {
        let kept = if whose.is_known { 0 } else { self.size / KNOWN_PART };
        let free = self.size.saturating_sub(kept).saturating_sub(self.taken);
        let (in_network, own) = self.held(whose);
        let room = free.div_ceil(2).saturating_sub(in_network);
        own < room.div_ceil(2)
    }

    /// What the network of a party has, and what its subscriber has.
    fn held(&self, whose: Party) -> (usize, usize) {
        let of = |held: &HashMap<IpAddr, usize>, key| held.get(&key).copied().unwrap_or_default();
        (of(&self.by_network, network(whose.subscriber)), of(&self.by_subscriber, whose.subscriber))
    }

    fn seat(&mut self, whose: Party) {
        self.taken += 1;
        *self.by_network.entry(network(whose.subscriber)).or_default() += 1;
        *self.by_subscriber.entry(whose.subscriber).or_default() += 1;
    }
}

fn less(held: &mut HashMap<IpAddr, usize>, key: IpAddr) {
    if let Some(count) = held.get_mut(&key) {
        *count -= 1;
        if *count == 0 {
            held.remove(&key);
        }
    }
}

/// Of so many seats one is kept for who is known.
const KNOWN_PART: usize = 4;

#[cfg(test)]
mod tests;

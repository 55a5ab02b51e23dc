use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;

use crate::net::subscriber;

/// How much of something that all share each [`subscriber`] may have at a time.
///
/// What is handed out in order of asking belongs to whoever asks most. Whoever has had a share
/// waits for that, and not in everybody's way.
#[derive(Debug)]
pub struct Shares {
    each: usize,
    by_subscriber: Mutex<HashMap<IpAddr, Arc<Semaphore>>>,
}

impl Shares {
    /// So many for each; one at least.
    pub fn new(each: usize) -> Self {
        let by_subscriber = Mutex::default();
        Self { each: each.max(1), by_subscriber }
    }

    /// The share of whoever connects from this address.
    pub fn of(&self, address: IpAddr) -> Arc<Semaphore> {
        let mut shares = self.by_subscriber.lock().unwrap_or_else(PoisonError::into_inner);
        if SUBSCRIBERS_MAX <= shares.len() {
            // Those who use theirs are no more than there are connections.
            shares.retain(|_, share| 1 < Arc::strong_count(share));
        }
        let share = shares
            .entry(subscriber(address))
            .or_insert_with(|| Arc::new(Semaphore::new(self.each)));
        Arc::clone(share)
    }
}

/// Subscribers that are remembered though they have nothing at the time.
const SUBSCRIBERS_MAX: usize = 4096;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How much memory connections hold together, and how much they may.
///
/// Counted is what grows by what far ends do: buffers, stanzas that wait, and what each connection
/// takes by being there. Sooner or later the kernel ends whoever takes too much, and with it everybody
/// who is served; so those who hold much are left alone before.
#[derive(Debug)]
pub struct Budget {
    held: AtomicUsize,
    most: usize,
}

/// What one of those who hold memory holds; given back when it is dropped.
#[derive(Debug)]
pub struct Share {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Budget {
    /// Nothing is held yet of so many bytes.
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { held: AtomicUsize::new(0), most })
    }

    /// A share in it, that nothing is held of yet.
    pub fn share(self: &Arc<Self>) -> Share {
        Share { budget: Arc::clone(self), bytes: 0 }
    }

    /// How many bytes are held.
    pub fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    /// How many may be.
    pub fn most(&self) -> usize {
        self.most
    }

    /// Whether nobody can be given any more.
    pub fn is_full(&self) -> bool {
        self.most <= self.held()
    }

    /// Whether some have to do without.
    pub fn is_scarce(&self) -> bool {
        self.most.saturating_sub(self.held()) < edge(self.most)
    }

    /// Whether there is some for a connection that holds so much already.
    pub fn suffices_for(&self, own: usize, authorized: bool) -> bool {
        suffices(self.held(), self.most, own, authorized)
    }
}

/// How much has to be left for nobody to do without.
fn edge(most: usize) -> usize {
    most / 4
}

/// Whether there is memory for one that holds `own` bytes of those that are `held`.
///
/// The less is left, the more go without, beginning with those who hold most; with nothing left, those
/// that are not authorized for anything, and of the others all but those who hold no more than anybody
/// does who is read without delay.
fn suffices(held: usize, all: usize, own: usize, authorized: bool) -> bool {
    let (left, edge) = (all.saturating_sub(held), edge(all));
    if edge <= left {
        return true;
    }
    let (most, least) = if authorized { (OWN_MAX, OWN_FEW) } else { (STRANGER_MAX, 0) };
    // Less than the edge, so the quotient is less than `most`.
    let allowed = (most as u128 * left as u128 / edge as u128) as usize;
    own <= allowed.max(least)
}

impl Share {
    /// So many bytes are held now.
    pub fn hold(&mut self, bytes: usize) {
        let held = &self.budget.held;
        if self.bytes < bytes {
            held.fetch_add(bytes - self.bytes, Ordering::Relaxed);
        } else {
            held.fetch_sub(self.bytes - bytes, Ordering::Relaxed);
        }
        self.bytes = bytes;
    }

    /// How many are held.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// What it is a share in.
    pub fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.hold(0);
    }
}

/// The most that any connection holds: a stanza that is read and what waits to be acknowledged.
const OWN_MAX: usize = 2 * 1024 * 1024;
/// What is held by one that brings one piece after the other: two reads, and what TLS needs.
const OWN_FEW: usize = 96 * 1024;
/// The most that one holds who is not authorized for anything.
const STRANGER_MAX: usize = 64 * 1024;

#[cfg(test)]
mod tests;

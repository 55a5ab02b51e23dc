//! Proofs end, also in the hands of those who do not look.

use std::time::SystemTime;

use ligase_verifier::{Endpoint, Presented};

use super::{Step, Tables};
use crate::binding::{ConnectionId, Finding, Name};
use crate::connection::driver::Order;
use crate::connection::event::Facts;
use crate::stream::{Action, Input, Loss, Way};

/// A connection on which a proof has ended, as far as it takes to look at it again.
#[derive(Debug)]
pub struct Ended {
    /// What it is.
    pub facts: Facts,
    /// The place that we dialed, where we did.
    pub endpoint: Option<Endpoint>,
    /// What the far end presented.
    pub presented: Option<Presented>,
}

impl Tables {
    /// Has all proofs looked at again: what they were made by does not count any more.
    pub fn doubt(&self) {
        self.lock().doubted = true;
        self.sooner.notify_one();
    }

    /// Waits until there is more to look at than was known: most often a proof that ends sooner than
    /// all others. Cancel-safe.
    pub async fn sooner(&self) {
        self.sooner.notified().await;
    }

    /// The proofs that have ended by now. Each has to be [`renewed`](Self::renewed).
    pub fn take_ended(&self, now: SystemTime) -> Vec<(Ended, Name)> {
        let mut inner = self.lock();
        let doubted = std::mem::take(&mut inner.doubted);
        let last = inner.table.last_end().filter(|_| doubted);
        let ended = inner.table.take_ended(last.unwrap_or(now).max(now));
        let known = |(id, name)| {
            let entry = inner.entries.get(&id)?;
            let (endpoint, presented) = (entry.endpoint.clone(), entry.presented.clone());
            Some((Ended { facts: entry.facts, endpoint, presented }, name))
        };
        ended.into_iter().filter_map(known).collect()
    }

    /// Tells a connection what was found when a proof was looked at again. One that does not listen
    /// loses it, and with it what its outbox still has for that domain.
    pub fn renewed(&self, id: ConnectionId, name: Name, finding: Finding) -> Step {
        let (mut step, mut inner) = (Step::default(), self.lock());
        let order = Order::say(Input::Renewed(name.clone(), finding));
        if inner.entries.get(&id).is_some_and(|entry| entry.orders.try_send(order).is_err()) {
            let exits = inner.table.row(id).into_iter().flat_map(|row| &row.exits);
            let lost: Vec<_> = exits
                .filter(|it| !name.is_server() && it.target == *name.domain())
                .cloned()
                .collect();
            inner.table.disprove(id, &name);
            for pair in lost {
                inner.take_back(id, &pair, &mut step);
                step.actions.push_back(Action::Lost(pair, Way::Outbound, Loss::ProofEnded));
            }
        }
        step
    }
}

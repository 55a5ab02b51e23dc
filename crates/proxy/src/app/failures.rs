//! What does not work, why, and what to do about it: told until it works again.

mod memory;
mod pace;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use ligase_verifier::Domain;
use serde_json::{Value, json};
use tracing::info;

use self::memory::{Failure, Memory, Met, Subject};
use self::pace::Pace;
use super::explain::advice::{advice, advice_about_caller, name};
use super::views::timestamp;
use crate::binding::Side;
use crate::connection::event::Event;
use crate::stream::Setback;

/// Remembers what failed and has not worked since.
#[derive(Debug, Default)]
pub(super) struct Failures {
    memory: Mutex<Memory>,
    pace: Mutex<Pace>,
}

impl Failures {
    /// Takes note of an event. Returns what to do about it, where that is news and we were to reach
    /// somebody, unless too much is news at once: who comes and is refused has other lines, which
    /// have a limit.
    pub(super) fn see(&self, event: &Event, at: SystemTime) -> Option<Cure> {
        if let Event::Failed { pair, side, setback } = event {
            // That we are about to end is nobody's fault.
            if *setback != Setback::Draining {
                let subject = Subject::new(pair, *side, *side == Side::Backend);
                let (side, label) = (*side, setback.label());
                let met = Met { label, text: setback.text(), peer: None, at };
                let is_news = self.lock().note(subject.clone(), met);
                let is_told = is_news && self.admits(label, &subject.remote, at);
                return is_told.then_some(Cure { subject, side, label });
            }
        } else if let Event::Refused { facts, pair, denial } = event {
            let comes_in = facts.side == Side::Public;
            let subject = Subject::new(pair, facts.side, comes_in);
            let peer = comes_in.then_some(facts.peer);
            let met = Met { label: denial.label(), text: denial.text(), peer, at };
            self.lock().note(subject, met);
        } else if let Event::Bound { facts, pair, comes, .. } = event {
            let comes_in = (facts.side == Side::Public) == *comes;
            self.lock().mend(&Subject::new(pair, facts.side, comes_in));
        }
        None
    }

    /// How many there are.
    pub(super) fn count(&self, at: SystemTime) -> usize {
        let mut memory = self.lock();
        memory.forget(at);
        memory.count()
    }

    /// The latest, so many at most, as JSON: `failures`, and how many are `left_out`.
    pub(super) fn told(&self, at: SystemTime, most: usize) -> (Value, u64) {
        let (mut kept, lost) = {
            let mut memory = self.lock();
            memory.forget(at);
            (memory.latest(), memory.lost())
        };
        let more = u64::try_from(kept.len().saturating_sub(most)).unwrap_or(u64::MAX);
        kept.truncate(most);
        (kept.iter().map(told).collect(), lost.saturating_add(more))
    }

    /// All of them, for the admin port.
    pub(super) fn show(&self, at: SystemTime) -> Value {
        let (failures, left_out) = self.told(at, Memory::FAILURES_MAX);
        json!({"version": VERSION, "failures": failures, "left_out": left_out})
    }

    fn admits(&self, reason: &'static str, remote: &Domain, at: SystemTime) -> bool {
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        pace.admits(reason, remote, at)
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What to do about a failure that was not known before.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Cure {
    subject: Subject,
    side: Side,
    label: &'static str,
}

impl Cure {
    /// Tells it to the log.
    pub(super) fn tell(&self) {
        let Subject { local, remote, .. } = &self.subject;
        let advice = name(advice(self.side, self.label), local, remote);
        info!(
            target: "ligase::establish",
            side = self.side.as_str(),
            local = local.ascii(),
            remote = remote.ascii(),
            reason = self.label,
            advice,
            "what to do about it"
        );
    }
}

fn told(failure: &Failure) -> Value {
    let Failure { subject, last, first_at, count, .. } = failure;
    let Subject { local, remote, side, comes_in } = subject;
    let advice = match (side, comes_in) {
        (Side::Public, true) => advice_about_caller(last.label),
        (Side::Public, false) | (Side::Backend, _) => advice(*side, last.label),
    };
    json!({
        "first_at": timestamp(*first_at),
        "last_at": timestamp(last.at),
        "count": count,
        "local": local.as_str(),
        "remote": remote.as_str(),
        "direction": if *comes_in { "inbound" } else { "outbound" },
        "side": side.as_str(),
        "reason": {"label": last.label, "text": last.text},
        "advice": name(advice, local, remote),
        "peer_address": last.peer.map(|peer| peer.to_string()),
    })
}

/// Of the form. One that lacks or renames a field would be another.
const VERSION: u32 = 1;

#[cfg(test)]
mod tests;

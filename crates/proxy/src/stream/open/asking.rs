//! The initiating server's part of dialback: we want to send as one of our domains.

use std::time::Duration;

use super::super::Loss;
use super::{
    Action, Condition, Dialback, Domain, DomainPair, Open, Part, Role, Setback, Table, Tidings,
    Violation, Way, Word,
};
use crate::binding::Decision;

/// A pair that we asked for (`<db:result/>`).
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// How many answers are due.
    due: u32,
    /// When it was first asked for.
    since: Duration,
    /// Whether one answer has granted it; then nobody waits for the others.
    granted: bool,
}

impl Open {
    /// Asks for `pair`, once its target is proven for this connection (I-02).
    pub(super) fn on_ask(&mut self, pair: DomainPair, table: &mut Table, out: &mut Vec<Action>) {
        if self.leaving || !self.goes(Way::Outbound) {
            out.push(Action::Tell(Tidings::Failed(pair, Setback::Draining)));
        } else if table.row(self.id).is_some_and(|row| row.exits.contains(&pair)) {
            out.push(Action::Tell(Tidings::Bound(pair)));
        } else if self.may_ask_at_once(&pair, table) {
            self.request(&pair, table, out);
        } else {
            let target = pair.target.clone();
            let judged = self.wants.iter().any(|other| other.target == target);
            self.wants.insert(pair);
            if !judged {
                out.push(Action::Judge(target.into(), self.presented.clone()));
            }
        }
    }

    /// Whether the far end is known to speak for the target. On a stream that it opened, a key does
    /// not tell.
    fn may_ask_at_once(&self, pair: &DomainPair, table: &Table) -> bool {
        table.row(self.id).is_some_and(|row| match self.way {
            Way::Outbound => row.speaks_for(&pair.target).is_some(),
            Way::Inbound => row.has_shown(&pair.target),
        })
    }

    /// Goes on with what waited for a target to be proven.
    pub(super) fn on_target_found(
        &mut self,
        domain: &Domain,
        decision: Decision,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) {
        let (ready, wants) = std::mem::take(&mut self.wants)
            .into_iter()
            .partition(|pair: &DomainPair| pair.target == *domain);
        self.wants = wants;
        if ready.is_empty() {
            // An answer that nobody waits for proves nothing.
            return;
        }
        match decision {
            Decision::Bind(grounds) => {
                table.prove(self.id, domain.clone(), grounds);
                for pair in ready {
                    self.request(&pair, table, out);
                }
            }
            // Another domain may share this connection only if its own proof says so (B-03).
            Decision::AskAuthority(reason) => {
                for pair in ready {
                    let setback = reason.map_or(Setback::Pointless, Setback::Unproven);
                    out.push(Action::Tell(Tidings::Failed(pair, setback)));
                }
            }
            Decision::Refuse(reason) | Decision::TryLater(reason) => {
                for pair in ready {
                    let setback = Setback::Unproven(reason);
                    out.push(Action::Tell(Tidings::Failed(pair, setback)));
                }
            }
        }
    }

    /// Asks for a pair, or has it wait in line behind others whose answers are due (N-09).
    pub(in super::super) fn request(
        &mut self,
        pair: &DomainPair,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) {
        if ASKS_MAX <= self.awaited().count() && !self.asks.contains_key(pair) {
            if !self.line.contains(pair) {
                self.line.push_back(pair.clone());
            }
        } else {
            self.send_request(pair, table, out);
        }
    }

    /// Asks for those who stand in line, as far as answers have come.
    pub(super) fn advance_line(&mut self, table: &mut Table, out: &mut Vec<Action>) {
        while self.awaited().count() < ASKS_MAX
            && let Some(pair) = self.line.pop_front()
        {
            match self.may_ask_at_once(&pair, table) {
                true => self.send_request(&pair, table, out),
                false => self.on_ask(pair, table, out),
            }
        }
    }

    /// What has been asked for and not been granted.
    fn awaited(&self) -> impl Iterator<Item = &Asked> {
        self.asks.values().filter(|asked| !asked.granted)
    }

    /// Sends `<db:result/>` with a key for the stream as it is now (E-02).
    fn send_request(&mut self, pair: &DomainPair, table: &mut Table, out: &mut Vec<Action>) {
        let Some(stream) = &self.stream else {
            // Without an id a key would be good for any stream (B-14).
            let setback = Setback::Broken(Condition::UndefinedCondition);
            out.push(Action::Tell(Tidings::Failed(pair.clone(), setback)));
            return;
        };
        table.ask(pair, self.id);
        let asked = self.asks.entry(pair.clone()).or_insert(Asked {
            due: 0,
            since: self.at,
            granted: false,
        });
        asked.due += 1;
        let key = self.terms.keys.make(pair, stream);
        let request = Dialback { part: Part::Result, pair: pair.clone(), word: Word::Request(key) };
        out.push(Action::Send(request.to_xml()));
        out.push(Action::SetTimer(self.patience(table)));
    }

    /// How long nothing has to happen: until the eldest request is overdue (E-07), or else until the
    /// stream has been of no use for too long.
    pub(in super::super) fn patience(&self, table: &Table) -> Duration {
        let bounds = &self.terms.bounds;
        let carries = table.row(self.id).is_some_and(crate::binding::Row::is_authorized);
        let awaited = self.asks.values().filter(|asked| !asked.granted);
        match awaited.map(|asked| asked.since).min() {
            Some(since) => (since + bounds.answer).saturating_sub(self.at),
            None if carries => self.glance(),
            None => bounds.step,
        }
    }

    /// Gives up requests that the far end took too long over (E-07).
    pub(super) fn give_up_overdue(&mut self, out: &mut Vec<Action>) {
        let (at, patience) = (self.at, self.terms.bounds.answer);
        let overdue = self.asks.extract_if(|_, asked| asked.since + patience <= at);
        for (pair, _) in overdue.filter(|(_, asked)| !asked.granted) {
            out.push(Action::Tell(Tidings::Failed(pair, Setback::TimedOut)));
        }
    }

    /// Takes an answer to a request, or what looks like one.
    pub(super) fn on_answer(
        &mut self,
        pair: &DomainPair,
        word: Word,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) {
        if !self.is_due(pair) {
            // Nobody asked, so nothing is granted (E-03); but a right may be taken back (E-16).
            let revoked = word != Word::Valid && table.shut_out(pair, self.id);
            out.push(if revoked {
                Action::Lost(pair.clone(), Way::Outbound, Loss::PeerRevoked)
            } else {
                Action::Count(Violation::DialbackUnsolicited)
            });
            return;
        }
        let valid = match &word {
            Word::Valid => Some(true),
            Word::Invalid => Some(false),
            Word::Error(_) | Word::Request(_) | Word::Unknown => None,
        };
        out.push(Action::Answered(Role::Initiating, valid));
        let setback = match word {
            Word::Valid
                if self.terms.allows(pair, Way::Outbound)
                    && table.let_out(pair, self.id).is_ok() =>
            {
                if let Some(asked) = self.asks.get_mut(pair) {
                    asked.granted = true;
                }
                self.granted(pair, table, out);
                self.advance_line(table, out);
                out.push(Action::SetTimer(self.patience(table)));
                return;
            }
            Word::Invalid => Setback::Invalid,
            Word::Error(error) => Setback::Refused(error),
            Word::Valid | Word::Request(_) | Word::Unknown => Setback::Pointless,
        };
        table.shut_out(pair, self.id);
        if setback == Setback::Invalid && !self.far.dna {
            // Most end the stream with it, so nobody else is asked for on it (E-05).
            self.far.errors = false;
            table.set_far(self.id, self.far);
        }
        out.push(Action::Tell(Tidings::Failed(pair.clone(), setback)));
        self.advance_line(table, out);
        out.push(Action::SetTimer(self.patience(table)));
    }

    /// Whether somebody waits for an answer.
    pub(super) fn is_asking(&self) -> bool {
        !self.wants.is_empty() || !self.line.is_empty()
    }

    /// Whether somebody waits for an answer about `pair`.
    pub(super) fn awaits(&self, pair: &DomainPair) -> bool {
        self.asks.get(pair).is_some_and(|asked| !asked.granted)
    }

    /// Strikes one answer off those due for `pair`; tells whether one was.
    fn is_due(&mut self, pair: &DomainPair) -> bool {
        let Some(asked) = self.asks.get_mut(pair) else {
            return false;
        };
        asked.due -= 1;
        if asked.due == 0 {
            self.asks.remove(pair);
        }
        true
    }

    /// Nothing that was asked for will be answered any more (E-07).
    pub(in super::super) fn fail_asks(&mut self, setback: &Setback, out: &mut Vec<Action>) {
        let asked = std::mem::take(&mut self.asks).into_iter();
        let asked = asked.filter(|(_, asked)| !asked.granted).map(|it| it.0);
        let wanted = std::mem::take(&mut self.wants).into_iter();
        for pair in asked.chain(wanted).chain(std::mem::take(&mut self.line)) {
            out.push(Action::Tell(Tidings::Failed(pair, setback.clone())));
        }
    }
}

/// How many answers may be due at a time: as many as those who are asked bear (H-07, N-09).
const ASKS_MAX: usize = 16;

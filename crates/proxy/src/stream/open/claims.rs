//! The receiving server's part of dialback: somebody wants to send as a domain.

use super::super::{Answer, Denial, DialbackError, Loss};
use super::{
    Action, Condition, Dialback, Domain, DomainPair, Finding, Name, Open, Part, Setback, Side,
    StreamError, Table, Violation, Way, Word, one_way,
};
use crate::binding::{Decision, Grounds, Row, decide};

/// A request that is not answered yet (`<db:result/>`).
#[derive(Clone, Debug)]
pub(super) struct Claim {
    /// The key, for the sender's authoritative server to judge; empty where there was none.
    key: String,
    /// How many answers are owed: equal requests share one investigation (E-13).
    requests: u32,
    stage: Stage,
}

/// What a claim waits for.
#[derive(Clone, Debug)]
enum Stage {
    /// What the certificate proves.
    Judging,
    /// What the authoritative server says about the key.
    Asking,
    /// A way out on the other side.
    Reaching(Grounds),
}

impl Open {
    /// Begins to find out whether the far end may send as the pair's sender (E-08 to E-13).
    pub(super) fn on_claim(
        &mut self,
        dialback: &Dialback,
        key: String,
        table: &Table,
        out: &mut Vec<Action>,
    ) -> Result<(), StreamError> {
        if !self.goes(Way::Inbound) {
            return Err(one_way());
        }
        let pair = &dialback.pair;
        if !self.terms.may_send(&pair.sender) && self.terms.side == Side::Backend {
            out.push(refused(pair, Denial::FromStranger));
            return Err(Condition::InvalidFrom
                .because("our server speaks for a domain that is not hosted")
                .blame(Violation::BackendFrom));
        }
        if let Some((denial, violation)) = self.objection(pair, table) {
            out.push(refused(pair, denial));
            out.push(Action::Count(violation));
            if violation == Violation::StreamTlsRequired {
                out.push(Action::Barred(self.terms.level(Some(&pair.sender))));
            }
            let word = Word::Error(Some(denial.to_peer()));
            out.push(Action::Send(dialback.answer(word).to_xml()));
            return Ok(());
        }
        if let Some(claim) = self.claims.get_mut(pair) {
            claim.requests += 1;
            return Ok(());
        }
        let judged = self.claims.iter().any(|(earlier, claim)| {
            earlier.sender == pair.sender && matches!(claim.stage, Stage::Judging)
        });
        self.claims.insert(pair.clone(), Claim { key, requests: 1, stage: Stage::Judging });
        if !judged {
            out.push(Action::Judge(pair.sender.clone().into(), self.presented.clone()));
        }
        // one server verifies our key for the opposite pair only after this one is granted,
        // unless it is asked once more while this one is pending.
        if self.terms.side == Side::Backend
            && let Some(asking) = table.asking(Side::Backend, &pair.reversed())
        {
            out.push(Action::Repeat(asking, pair.reversed()));
        }
        Ok(())
    }

    /// Why a pair is refused without a further look.
    fn objection(&self, pair: &DomainPair, table: &Table) -> Option<(Denial, Violation)> {
        let bounds = &self.terms.bounds;
        let level = self.terms.level(Some(&pair.sender));
        let open: u32 = self.claims.values().map(|claim| claim.requests).sum();
        if self.terms.is_domestic(pair) || !self.terms.may_receive(&pair.target) {
            Some(match self.terms.side {
                Side::Public => (Denial::NotHosted, Violation::DialbackNotHosted),
                Side::Backend => (Denial::ToHosted, Violation::BackendTo),
            })
        } else if !self.terms.may_send(&pair.sender) {
            // Nobody out there may be one of us (B-19).
            Some((Denial::FromHosted, Violation::DialbackFromHosted))
        } else if !self.secured && !level.allows_plaintext() {
            Some((Denial::Plaintext, Violation::StreamTlsRequired))
        } else if self.overdue && !table.row(self.id).is_some_and(Row::is_authorized) {
            Some((Denial::TooMany, Violation::LimitPreauth))
        } else if bounds.claims_max <= open as usize {
            Some((Denial::TooMany, Violation::DialbackLimit))
        } else if self.is_one_too_many(pair, table) {
            Some((Denial::TooMany, Violation::PairLimit))
        } else {
            None
        }
    }

    /// Whether the connection has as many pairs as it may without this one (H-07). Those that are
    /// being looked at have a place; whoever has one may ask again, and loses nothing by it.
    fn is_one_too_many(&self, pair: &DomainPair, table: &Table) -> bool {
        let row = table.row(self.id);
        let is_carried = |pair: &DomainPair| row.is_some_and(|row| row.entrances.contains(pair));
        if is_carried(pair) || self.claims.contains_key(pair) {
            return false;
        }
        let carried = row.map_or(0, |row| row.entrances.len());
        let coming = self.claims.keys().filter(|it| !is_carried(it)).count();
        self.terms.bounds.pairs_max <= carried + coming
    }

    pub(super) fn on_found(
        &mut self,
        domain: &Domain,
        finding: Finding,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) -> Result<(), StreamError> {
        let decision = decide(finding, self.terms.level(Some(domain)));
        let refused = matches!(decision, Decision::Refuse(_));
        if refused && table.is_proven(self.id, domain) {
            // Looking again has shown that it should never have been let in (E-13, E-18).
            self.lose(&domain.clone().into(), Loss::ProofFailed, table, out);
        }
        let judging = |(pair, claim): (&DomainPair, &Claim)| {
            let waits = refused || matches!(claim.stage, Stage::Judging);
            (pair.sender == *domain && waits).then(|| pair.clone())
        };
        let pairs: Vec<_> = self.claims.iter().filter_map(judging).collect();
        for pair in pairs {
            self.on_decision(&pair, decision.clone(), table, out);
        }
        self.on_target_found(domain, decision, table, out);
        Ok(())
    }

    fn on_decision(
        &mut self,
        pair: &DomainPair,
        decision: Decision,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) {
        let Some(claim) = self.claims.get_mut(pair) else {
            return;
        };
        match decision {
            Decision::Bind(grounds) => {
                if let Grounds::Proven(_) = grounds {
                    // Our own server may ask for the opposite pair first, and that may leave by
                    // this connection.
                    table.prove(self.id, pair.sender.clone(), grounds.clone());
                }
                claim.stage = Stage::Reaching(grounds);
                out.push(Action::Reach(pair.clone()));
            }
            Decision::AskAuthority(reason) => match &self.stream {
                Some(stream) if !claim.key.is_empty() => {
                    claim.stage = Stage::Asking;
                    let key = claim.key.clone();
                    out.push(Action::AskAuthority(pair.clone(), stream.clone(), key));
                }
                _ => {
                    let label = reason.map(|reason| reason.finding.label());
                    out.extend(label.and_then(Violation::read).map(Action::Count));
                    self.revoke(pair, table);
                    out.extend(reason.map(|it| refused(pair, Denial::Unproven(it))));
                    self.deny(pair, DialbackError::NotAuthorized, out);
                }
            },
            Decision::Refuse(reason) => {
                out.extend(Violation::read(reason.finding.label()).map(Action::Count));
                self.refuse(pair, Denial::Unproven(reason), out);
            }
            // What was granted earlier stays: whoever can starve us of evidence could end it.
            Decision::TryLater(reason) => {
                out.extend(Violation::read(reason.finding.label()).map(Action::Count));
                self.refuse(pair, Denial::Undetermined(reason), out);
            }
        }
    }

    pub(super) fn on_authority(
        &mut self,
        pair: &DomainPair,
        answer: Answer,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) -> Result<(), StreamError> {
        let Some(claim) = self.claims.get_mut(pair) else {
            return Ok(());
        };
        if !matches!(claim.stage, Stage::Asking) {
            return Ok(());
        }
        match answer {
            Answer::Valid => {
                claim.stage = Stage::Reaching(Grounds::Dialback);
                out.push(Action::Reach(pair.clone()));
            }
            Answer::Invalid => {
                out.push(Action::Count(self.key_violation()));
                self.revoke(pair, table);
                let others = table.row(self.id).is_some_and(|row| !row.entrances.is_empty());
                if others || 1 < self.claims.len() {
                    self.refuse(pair, Denial::Forged, out);
                } else {
                    // A forged key on a stream of one pair ends the stream (E-21).
                    out.push(refused(pair, Denial::Forged));
                    self.answer(pair, &Word::Invalid, out);
                    out.push(Action::Close(None));
                }
            }
            Answer::Unknown(error) => self.refuse(pair, Denial::Unasked(error), out),
        }
        Ok(())
    }

    pub(super) fn on_reached(
        &mut self,
        pair: &DomainPair,
        result: Result<(), Setback>,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) -> Result<(), StreamError> {
        let Some(Stage::Reaching(grounds)) = self.claims.get(pair).map(|claim| &claim.stage) else {
            return Ok(());
        };
        // The terms may be others than when it was asked for.
        let by_dialback = self.terms.side == Side::Public && *grounds == Grounds::Dialback;
        let level = self.terms.level(Some(&pair.sender));
        let barred = if !self.terms.allows(pair, Way::Inbound) {
            Some(Denial::NotHosted)
        } else if by_dialback && !level.allows_dialback()
            || !self.secured && !level.allows_plaintext()
        {
            Some(Denial::Policy)
        } else {
            None
        };
        match result {
            Ok(()) if let Some(denial) = barred => {
                self.refuse(pair, denial, out);
                Ok(())
            }
            Ok(()) => {
                // Bind, then answer: what follows the answer on the wire is never refused (E-12).
                table.prove(self.id, pair.sender.clone(), grounds.clone());
                if !self.grant(pair, table, out) {
                    return Err(StreamError::bug());
                }
                self.answer(pair, &Word::Valid, out);
                out.push(Action::SetTimer(self.patience(table)));
                Ok(())
            }
            Err(setback) => match self.terms.side {
                Side::Public => {
                    self.disprove_unused(pair, table);
                    self.deny(pair, setback.to_peer(), out);
                    Ok(())
                }
                Side::Backend => self.tell_backend(pair, &setback, table, out),
            },
        }
    }

    /// Denies what was requested by that name, but for what is being judged right now.
    pub(super) fn deny_decided(&mut self, name: &Name, out: &mut Vec<Action>) {
        let Name::Service(domain) = name else {
            return;
        };
        let decided = |(pair, claim): (&DomainPair, &Claim)| {
            let decided = !matches!(claim.stage, Stage::Judging);
            (pair.sender == *domain && decided).then(|| pair.clone())
        };
        let pairs: Vec<_> = self.claims.iter().filter_map(decided).collect();
        for pair in pairs {
            self.deny(&pair, DialbackError::NotAuthorized, out);
        }
    }

    /// Tells our own server why a pair cannot leave, in the form that carries the cause to its
    /// users: the text of a stream error. Pairs that share the stream are spared.
    fn tell_backend(
        &mut self,
        pair: &DomainPair,
        setback: &Setback,
        table: &Table,
        out: &mut Vec<Action>,
    ) -> Result<(), StreamError> {
        let others = table.row(self.id).is_some_and(|row| !row.entrances.is_empty());
        if others || 1 < self.claims.len() {
            self.deny(pair, setback.to_own(), out);
            return Ok(());
        }
        Err(Condition::RemoteConnectionFailed
            .because("no way out for the only pair of the stream")
            .saying(setback.text()))
    }

    /// Takes back what was granted for the pair earlier, now that nobody vouches for it any more.
    fn revoke(&self, pair: &DomainPair, table: &mut Table) {
        table.shut_in(pair, self.id);
    }

    /// Forgets that the pair's sender was proven, if that has come to nothing: a peer may have more
    /// domains than anybody wants to hear from.
    fn disprove_unused(&self, pair: &DomainPair, table: &mut Table) {
        let domain = &pair.sender;
        let claimed = self.claims.keys().any(|it| it != pair && it.sender == *domain);
        let mut asked = self.asks.keys().chain(&self.line).chain(&self.wants);
        let asked = asked.any(|it| it.target == *domain);
        let carried = table.row(self.id).is_some_and(|row| {
            row.entrances.iter().any(|it| it.sender == *domain)
                || row.exits.iter().any(|it| it.target == *domain)
        });
        if !claimed && !asked && !carried {
            table.disprove(self.id, &domain.clone().into());
        }
    }

    /// Denies it for a reason that nobody else tells the operator.
    fn refuse(&mut self, pair: &DomainPair, denial: Denial, out: &mut Vec<Action>) {
        out.push(refused(pair, denial));
        self.deny(pair, denial.to_peer(), out);
    }

    fn deny(&mut self, pair: &DomainPair, error: DialbackError, out: &mut Vec<Action>) {
        self.answer(pair, &Word::Error(Some(error)), out);
    }

    /// Answers every request that shared this investigation, unless our half of the stream has ended.
    fn answer(&mut self, pair: &DomainPair, word: &Word, out: &mut Vec<Action>) {
        let Some(claim) = self.claims.remove(pair).filter(|_| !self.leaving) else {
            return;
        };
        let answer = Dialback { part: Part::Result, pair: pair.reversed(), word: word.clone() };
        let xml = answer.to_xml();
        out.extend((0..claim.requests).map(|_| Action::Send(xml.clone())));
    }
}

fn refused(pair: &DomainPair, denial: Denial) -> Action {
    Action::Refused(pair.clone(), denial)
}

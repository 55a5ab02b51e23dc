//! Proofs end. What was found when one was looked at again keeps its pairs, or takes them back.

use ligase_verifier::Reason;

use super::super::{DialbackError, Loss};
use super::{
    Action, Condition, Dialback, Domain, DomainPair, Finding, Open, Part, StreamError, Table,
    Tidings, Violation, Way, Word,
};
use crate::binding::{Decision, Grounds, Level, decide};

impl Open {
    /// Goes by what the verifier says now, not by what it said when the stream was opened (F-51).
    ///
    /// # Errors
    /// The far end speaks for nobody any more (F-50).
    pub(super) fn on_renewed(
        &mut self,
        domain: &Domain,
        finding: Finding,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) -> Result<(), StreamError> {
        let held = table.row(self.id).and_then(|row| row.names.get(domain)).map(Grounds::as_str);
        let (reason, loss) = match (renewed(finding, self.terms.level(Some(domain))), held) {
            (Ok(grounds), Some(held)) => {
                let differs = grounds.as_str() != held;
                table.prove(self.id, domain.clone(), grounds);
                let pairs = self.pairs_of(domain, table).into_iter().filter(|_| differs);
                out.extend(pairs.map(|pair| Action::Tell(Tidings::Bound(pair))));
                return Ok(());
            }
            (Ok(_), None) => return Ok(()),
            (Err(ended), _) => ended,
        };
        // What was found before is worth nothing to those who still wait for it, either.
        self.deny_decided(domain, out);
        if held.is_none() {
            return Ok(());
        }
        let violation = reason.and_then(|reason| Violation::read(reason.finding.label()));
        out.extend(violation.map(Action::Count));
        let lost = self.lose(domain, loss, table, out);
        if self.leaving {
            return Ok(());
        }
        if table.row(self.id).is_none_or(|row| row.names.is_empty()) {
            return Err(Condition::Reset.because("the proof of the only domain has ended"));
        }
        // Others share the stream, so it goes on without this one (E-15).
        let lost = lost.into_iter().filter(|pair| !self.claims.contains_key(pair));
        for pair in lost.filter(|_| self.way == Way::Inbound) {
            let word = Word::Error(Some(DialbackError::NotAuthorized));
            let revocation = Dialback { part: Part::Result, pair: pair.reversed(), word };
            out.push(Action::Send(revocation.to_xml()));
        }
        Ok(())
    }

    /// Takes back that the far end speaks for `domain`, and every pair that rested on that; returns
    /// them.
    pub(super) fn lose(
        &self,
        domain: &Domain,
        loss: Loss,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) -> Vec<DomainPair> {
        let lost = self.pairs_of(domain, table);
        table.disprove(self.id, domain);
        out.extend(lost.iter().map(|pair| Action::Lost(pair.clone(), loss)));
        lost
    }

    /// The pairs that the stream carries because the far end speaks for `domain`.
    fn pairs_of(&self, domain: &Domain, table: &Table) -> Vec<DomainPair> {
        let Some(row) = table.row(self.id) else {
            return Vec::new();
        };
        match self.way {
            Way::Inbound => {
                row.entrances.iter().filter(|it| it.sender == *domain).cloned().collect()
            }
            Way::Outbound => row.exits.iter().filter(|it| it.target == *domain).cloned().collect(),
        }
    }
}

/// What a domain's place in the table rests on from now on, or why it has none any more.
pub(in super::super) fn renewed(
    finding: Finding,
    level: Level,
) -> Result<Grounds, (Option<Reason>, Loss)> {
    match decide(finding, level) {
        Decision::Bind(grounds) => Ok(grounds),
        Decision::TryLater(reason) => Err((Some(reason), Loss::ProofEnded)),
        Decision::Refuse(reason) => Err((Some(reason), Loss::ProofFailed)),
        // Dialback may do instead, but it takes a key that only the far end can send.
        Decision::AskAuthority(reason) => Err((reason, Loss::ProofFailed)),
    }
}

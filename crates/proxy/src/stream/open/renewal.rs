//! Proofs end. What was found when one was looked at again keeps its pairs, or takes them back.

use ligase_verifier::Reason;

use super::super::{DialbackError, Loss};
use super::rights::Rights;
use super::{Action, Condition, Finding, Name, Open, StreamError, Table, Tidings, Violation};
use crate::binding::{Decision, Grounds, Level, decide};

impl Open {
    /// Goes by what the verifier says now, not by what it said when the stream was opened (F-51).
    ///
    /// # Errors
    /// The far end speaks for nobody any more, or is not the server that it was (F-50).
    pub(super) fn on_renewed(
        &mut self,
        name: &Name,
        finding: Finding,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) -> Result<(), StreamError> {
        let held = table.row(self.id).and_then(|row| row.names.get(name)).map(Grounds::as_str);
        let (reason, loss) = match (renewed(finding, self.terms.level(Some(name.domain()))), held) {
            (Ok(grounds), Some(held)) => {
                let differs = grounds.as_str() != held;
                table.prove(self.id, name.clone(), grounds);
                let Rights { entrances, exits } = self.rights_of(name, table);
                let pairs = entrances.into_iter().chain(exits).filter(|_| differs);
                out.extend(pairs.map(|pair| Action::Tell(Tidings::Bound(pair))));
                return Ok(());
            }
            (Ok(_), None) => return Ok(()),
            (Err(ended), _) => ended,
        };
        // What was found before is worth nothing to those who still wait for it, either.
        self.deny_decided(name, out);
        if held.is_none() {
            return Ok(());
        }
        let violation = reason.and_then(|reason| Violation::read(reason.finding.label()));
        out.extend(violation.map(Action::Count));
        let lost = self.lose(name, loss, table, out);
        if self.leaving {
            return Ok(());
        }
        if name.is_server() || table.row(self.id).is_none_or(|row| row.names.is_empty()) {
            return Err(Condition::Reset.because("the proof of the only name has ended"));
        }
        // Others share the stream, so it goes on without this one (E-15).
        for pair in lost.entrances.iter().filter(|it| !self.claims.contains_key(it)) {
            self.tell_revoked(pair, DialbackError::NotAuthorized, out);
        }
        Ok(())
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

//! The operator may change what is insisted on while a stream is open (E-18).

use std::sync::Arc;

use super::super::{DialbackError, Loss, Terms};
use super::{
    Action, Condition, Dialback, DomainPair, Open, Part, Side, StreamError, Table, Way, Word,
};
use crate::binding::Grounds;

impl Open {
    /// Goes on by other terms. What they do not allow is taken back.
    ///
    /// # Errors
    /// Nothing is left of what the stream was for.
    pub(super) fn on_terms(
        &mut self,
        terms: Arc<Terms>,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) -> Result<(), StreamError> {
        self.terms = terms;
        let gone = self.no_longer_ours(table);
        for pair in &gone {
            let had = match self.way {
                Way::Inbound => table.shut_in(pair, self.id),
                Way::Outbound => table.shut_out(pair, self.id),
            };
            out.extend(had.then(|| Action::Lost(pair.clone(), Loss::HostRemoved)));
        }
        let mut barred = Vec::new();
        for domain in self.too_weak(table) {
            barred.extend(self.lose(&domain, Loss::PeerBlocked, table, out));
        }
        if self.leaving || gone.is_empty() && barred.is_empty() {
            return Ok(());
        }
        let used = |row: &crate::binding::Row| !row.entrances.is_empty() || !row.exits.is_empty();
        if !table.row(self.id).is_some_and(used) {
            let condition = match barred.is_empty() {
                true => Condition::HostGone,
                false => Condition::PolicyViolation,
            };
            return Err(condition.because("the configuration allows none of its pairs any more"));
        }
        // Others share the stream, so it goes on without these (E-15).
        if self.way == Way::Inbound {
            let gone = gone.into_iter().map(|pair| (pair, DialbackError::ItemNotFound));
            let barred = barred.into_iter().map(|pair| (pair, DialbackError::PolicyViolation));
            for (pair, error) in gone.chain(barred) {
                let (pair, word) = (pair.reversed(), Word::Error(Some(error)));
                let revocation = Dialback { part: Part::Result, pair, word };
                out.push(Action::Send(revocation.to_xml()));
            }
        }
        Ok(())
    }

    /// Pairs of the stream of which no end is a domain of our own server any more, or both are.
    fn no_longer_ours(&self, table: &Table) -> Vec<DomainPair> {
        let Some(row) = table.row(self.id) else {
            return Vec::new();
        };
        let pairs = match self.way {
            Way::Inbound => &row.entrances,
            Way::Outbound => &row.exits,
        };
        let gone = |pair: &&DomainPair| !self.terms.allows(pair, self.way);
        pairs.iter().filter(gone).cloned().collect()
    }

    /// Domains that the far end speaks for on weaker grounds than are asked of them now.
    fn too_weak(&self, table: &Table) -> Vec<ligase_verifier::Domain> {
        let Some(row) = table.row(self.id).filter(|row| row.side == Side::Public) else {
            return Vec::new();
        };
        let names = row.names.iter().filter(|(domain, grounds)| {
            let level = self.terms.level(Some(domain));
            let by_dialback = matches!(grounds, Grounds::Dialback);
            by_dialback && !level.allows_dialback() || !self.secured && !level.allows_plaintext()
        });
        names.map(|(domain, _)| domain.clone()).collect()
    }
}

impl Terms {
    /// Whether a pair is one of ours and one of theirs, on a stream that was opened that way.
    pub(in super::super) fn allows(&self, pair: &DomainPair, way: Way) -> bool {
        let DomainPair { sender, target } = pair;
        match way {
            Way::Inbound => self.may_send(sender) && self.may_receive(target),
            Way::Outbound => self.may_receive(sender) && self.may_send(target),
        }
    }
}

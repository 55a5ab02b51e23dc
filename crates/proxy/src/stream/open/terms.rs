//! The operator may change what is insisted on while a stream is open (E-18).

use std::collections::HashSet;
use std::sync::Arc;

use ligase_verifier::Domain;

use super::super::{DialbackError, Loss, Terms};
use super::rights::Rights;
use super::{Action, Condition, DomainPair, Name, Open, Side, StreamError, Table, Way};
use crate::binding::{Grounds, Hosted, Row};

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
        let before = std::mem::replace(&mut self.terms, terms);
        let gone = self.no_longer_ours(&before.hosted, table);
        for pair in &gone.entrances {
            table.shut_in(pair, self.id);
            self.note_revoked(pair.clone());
        }
        for pair in &gone.exits {
            table.shut_out(pair, self.id);
        }
        out.extend(gone.actions(Loss::HostRemoved));
        let before = out.len();
        let mut barred = Vec::new();
        for name in self.too_weak(table) {
            barred.extend(self.lose(&name, Loss::PeerBlocked, table, out).entrances);
        }
        let is_barred = before < out.len();
        let is_gone = !gone.entrances.is_empty() || !gone.exits.is_empty();
        if self.leaving || !is_gone && !is_barred {
            return Ok(());
        }
        if !table.row(self.id).is_some_and(Row::is_authorized) {
            let condition = match is_barred {
                false => Condition::HostGone,
                true => Condition::PolicyViolation,
            };
            return Err(condition.because("the configuration allows none of its pairs any more"));
        }
        // Others share the stream, so it goes on without these (E-15).
        for pair in &gone.entrances {
            self.tell_revoked(pair, DialbackError::ItemNotFound, out);
        }
        for pair in &barred {
            self.tell_revoked(pair, DialbackError::PolicyViolation, out);
        }
        Ok(())
    }

    /// Pairs of the stream of which no end is a domain of our own server any more, or both are; and
    /// on streams of our own servers, those of domains that have moved to another.
    ///
    /// What our own server is still to hear was taken while it was its own, and nobody could tell the
    /// sender otherwise any more: a way to it stays until it is of no use, and no peer brings more.
    fn no_longer_ours(&self, before: &Hosted, table: &Table) -> Rights {
        let Some(row) = table.row(self.id) else {
            return Rights::default();
        };
        let (side, hosted) = (self.terms.side, &self.terms.hosted);
        let leads_home = self.way == Way::Outbound && side == Side::Backend;
        let has_moved = |domain: &Domain| {
            let homes = before.home(domain).zip(hosted.home(domain));
            side == Side::Backend && homes.is_some_and(|(before, now)| before != now)
        };
        let gone = |pairs: &HashSet<DomainPair>, way| -> Vec<_> {
            let is_gone = |pair: &&DomainPair| {
                let ours = if way == Way::Inbound { &pair.sender } else { &pair.target };
                has_moved(ours) || !leads_home && !self.terms.allows(pair, way)
            };
            pairs.iter().filter(is_gone).cloned().collect()
        };
        let (entrances, exits) = (&row.entrances, &row.exits);
        Rights { entrances: gone(entrances, Way::Inbound), exits: gone(exits, Way::Outbound) }
    }

    /// Names that the far end goes by on weaker grounds than are asked of them now.
    fn too_weak(&self, table: &Table) -> Vec<Name> {
        let Some(row) = table.row(self.id).filter(|row| row.side == Side::Public) else {
            return Vec::new();
        };
        let names = row.names.iter().filter(|(name, grounds)| {
            let level = self.terms.level(Some(name.domain()));
            let by_dialback = matches!(grounds, Grounds::Dialback);
            by_dialback && !level.allows_dialback() || !self.secured && !level.allows_plaintext()
        });
        names.map(|(name, _)| name.clone()).collect()
    }
}

impl Terms {
    /// Whether a server of ours wants to reach itself by us.
    pub(in super::super) fn is_domestic(&self, pair: &DomainPair) -> bool {
        self.side == Side::Backend && self.hosted.is_domestic(pair)
    }

    /// Whether a pair that goes that way is one of ours and one of theirs.
    pub(in super::super) fn allows(&self, pair: &DomainPair, way: Way) -> bool {
        let DomainPair { sender, target } = pair;
        let fits = match way {
            Way::Inbound => self.may_send(sender) && self.may_receive(target),
            Way::Outbound => self.may_receive(sender) && self.may_send(target),
        };
        fits && !self.is_domestic(pair)
    }
}

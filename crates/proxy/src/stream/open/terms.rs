//! The operator may change what is insisted on while a stream is open (E-18).

use std::collections::HashSet;
use std::sync::Arc;

use ligase_verifier::Domain;

use super::super::{DialbackError, Loss, Terms};
use super::rights::Rights;
use super::{Action, Condition, DomainPair, Name, Open, Side, StreamError, Table, Way};
use crate::binding::{Grounds, Row};

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
        if self.is_about_the_moved(&before, table) {
            return Err(Condition::Reset.because("a domain is at home on another server now"));
        }
        let gone = self.no_longer_ours(table);
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
            self.tell_revoked(pair, DialbackError::NotAuthorized, out);
        }
        for pair in &barred {
            self.tell_revoked(pair, DialbackError::PolicyViolation, out);
        }
        Ok(())
    }

    /// Whether a domain of ours that has moved to another server has to do with this stream, which is
    /// one with its old server: proven there, granted, asked for or claimed. Whatever is known here
    /// of whom it is at home with was found out at its old home.
    fn is_about_the_moved(&self, before: &Terms, table: &Table) -> bool {
        if self.terms.side == Side::Public {
            return false;
        }
        let row = table.row(self.id);
        let names = row.into_iter().flat_map(|row| row.names.keys()).map(Name::domain);
        let pairs = row.into_iter().flat_map(|row| row.entrances.iter().chain(&row.exits));
        let pending = self.claims.keys().chain(self.asks.keys()).chain(&self.wants);
        let pairs = pairs.chain(pending);
        let ends = pairs.flat_map(|pair| [&pair.sender, &pair.target]);
        names.chain(ends).any(|domain| self.terms.has_moved(domain, before))
    }

    /// Pairs of the stream of which no end is a domain of our own server any more, or both are.
    ///
    /// What our own server is still to hear was taken while it was its own, and nobody could tell the
    /// sender otherwise any more: a way to it stays until it is of no use, and no peer brings more.
    fn no_longer_ours(&self, table: &Table) -> Rights {
        let leads_home = self.way == Way::Outbound && self.terms.side == Side::Backend;
        let Some(row) = table.row(self.id).filter(|_| !leads_home) else {
            return Rights::default();
        };
        let gone = |pairs: &HashSet<DomainPair>, way| -> Vec<_> {
            pairs.iter().filter(|pair| !self.terms.allows(pair, way)).cloned().collect()
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
    /// Whether a domain of our own servers is at home on another than it was by these terms.
    pub(in super::super) fn has_moved(&self, domain: &Domain, before: &Self) -> bool {
        let homes = before.hosted.home(domain).zip(self.hosted.home(domain));
        self.side == Side::Backend && homes.is_some_and(|(before, now)| before != now)
    }

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

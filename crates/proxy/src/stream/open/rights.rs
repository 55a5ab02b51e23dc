//! Rights: what follows from one that is granted, and how one is taken back.

use super::super::{Action, Dialback, DialbackError, Loss, Part, Tidings, Word};
use super::{DomainPair, Finding, Open, Table, Way};
use crate::binding::{Decision, Name, decide};

/// The pairs that a stream carries because the far end speaks for a domain.
#[derive(Debug, Default)]
pub(super) struct Rights {
    /// Those that it brings in.
    pub(super) entrances: Vec<DomainPair>,
    /// Those that it takes out.
    pub(super) exits: Vec<DomainPair>,
}

impl Rights {
    /// That all of them are taken back.
    pub(super) fn actions(&self, loss: Loss) -> impl Iterator<Item = Action> {
        let lost = move |pair: &DomainPair, way| Action::Lost(pair.clone(), way, loss);
        let comes = self.entrances.iter().map(move |it| lost(it, Way::Inbound));
        comes.chain(self.exits.iter().map(move |it| lost(it, Way::Outbound)))
    }
}

impl Open {
    /// The pair may leave by this connection: tells those who wait for it.
    ///
    /// With bidi the opposite pair may come in by it, because the one who granted this has been
    /// proven for its target (L-04), and may be as large as what any stream brings that carries a
    /// pair. What comes is kept until our own server has taken a stream for it.
    pub(in super::super) fn granted(
        &self,
        pair: &DomainPair,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) {
        out.push(Action::Tell(Tidings::Bound(pair.clone())));
        let inverse = pair.reversed();
        let had = table.row(self.id).is_some_and(|row| row.entrances.contains(&inverse));
        let may = self.far.bidi && !had && self.terms.allows(&inverse, Way::Inbound);
        table.stand_by(pair);
        if may && table.let_in(&inverse, self.id).is_ok() {
            out.push(Action::Trust);
            out.push(Action::Tell(Tidings::Bound(inverse)));
        }
    }

    /// The pair may come in by this connection. With bidi the opposite pair may leave by it (L-04).
    ///
    /// A key says that a domain wants to send on the stream, and not that it is at the other end of
    /// it: who stands in between can hand a key on. So what goes to a domain leaves by the stream only
    /// where the far end itself was proven.
    ///
    /// Whoever knows channels is asked for that one when it is wanted: our own server is told that
    /// its stanzas are taken when the other end can take them, and not before. Where the other end
    /// has said so on another connection, this one stands by for it (D-04, L-08).
    pub(in super::super) fn grant(
        &self,
        pair: &DomainPair,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) -> bool {
        if table.let_in(pair, self.id).is_err() {
            return false;
        }
        out.push(Action::Trust);
        out.push(Action::Tell(Tidings::Bound(pair.clone())));
        self.grant_inverse(pair, table, out);
        true
    }

    pub(in super::super) fn grant_inverse(
        &self,
        pair: &DomainPair,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) {
        let inverse = pair.reversed();
        let is_new = table
            .row(self.id)
            .is_some_and(|row| row.has_shown(&inverse.target) && !row.exits.contains(&inverse));
        let is_granted = !self.far.dna || table.exit(&inverse).is_some();
        let is_implied = self.far.bidi && is_granted && is_new;
        let may_pass = is_implied && self.terms.allows(&inverse, Way::Outbound);
        if may_pass && table.let_out(&inverse, self.id).is_ok() {
            out.push(Action::Tell(Tidings::Bound(inverse)));
        }
    }

    /// What was found out about the far end's own name. On a stream between servers that is enough
    /// for the two servers to speak to each other (D-08).
    pub(super) fn on_server_found(
        &self,
        server: ligase_verifier::Domain,
        found: Finding,
        table: &mut Table,
    ) {
        let level = self.terms.level(Some(&server));
        if let Decision::Bind(grounds) = decide(found, level) {
            table.prove(self.id, Name::Server(server.clone()), grounds);
            // It cannot fail: it was proven a line ago.
            let _ = table.admit(self.id, &server);
        }
    }

    /// The pairs that the stream carries because the far end speaks for the domain of `name`.
    pub(super) fn rights_of(&self, name: &Name, table: &Table) -> Rights {
        let (Some(row), Name::Service(domain)) = (table.row(self.id), name) else {
            return Rights::default();
        };
        let entrances = row.entrances.iter().filter(|it| it.sender == *domain);
        let exits = row.exits.iter().filter(|it| it.target == *domain);
        Rights { entrances: entrances.cloned().collect(), exits: exits.cloned().collect() }
    }

    /// Takes back that the far end goes by `name`, and every pair that rested on that; returns them.
    pub(super) fn lose(
        &mut self,
        name: &Name,
        loss: Loss,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) -> Rights {
        let lost = self.rights_of(name, table);
        table.disprove(self.id, name);
        out.extend(lost.actions(loss));
        for pair in &lost.entrances {
            self.note_revoked(pair.clone());
        }
        lost
    }

    /// Takes back the right to bring a pair in that our own server does not take any more (E-18).
    pub(super) fn on_withdraw(
        &mut self,
        pair: &DomainPair,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) {
        if table.shut_in(pair, self.id) && !self.leaving {
            self.note_revoked(pair.clone());
            out.push(Action::Lost(pair.clone(), Way::Inbound, Loss::HostRemoved));
            self.tell_revoked(pair, DialbackError::NotAuthorized, out);
        }
    }

    /// Tells the far end that a right is gone which it had been granted (E-15).
    ///
    /// With `error` for those who know dialback; those who know channels know `invalid` for it.
    pub(super) fn tell_revoked(
        &self,
        pair: &DomainPair,
        error: DialbackError,
        out: &mut Vec<Action>,
    ) {
        let word = if self.far.dna { Word::Invalid } else { Word::Error(Some(error)) };
        let revocation = Dialback { part: Part::Result, pair: pair.reversed(), word };
        out.push(Action::Send(revocation.to_xml()));
    }
}

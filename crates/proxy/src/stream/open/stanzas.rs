//! Stanzas: where they go, and what becomes of those that may not pass.

use std::collections::VecDeque;
use std::time::Duration;

use ligase_verifier::Domain;

use super::super::{Action, Condition, Loss, Stanza, StanzaError, StreamError, Violation};
use super::{Open, Side, Way};
use crate::binding::{DomainPair, Passage, Row, Table};

impl Open {
    pub(super) fn on_stanza(
        &mut self,
        stanza: Stanza,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) -> Result<(), StreamError> {
        self.count_stanza();
        if self.terms.side == Side::Backend && stanza.is_refusal() {
            // The far end's proxy would take a user's words for ours, and the pair's right for lost.
            out.push(Action::Count(Violation::BackendProtocol));
            return Ok(());
        }
        match table.passage(&stanza.pair, self.id) {
            Passage::Forbidden => return self.on_stray(stanza, table, out),
            Passage::Exit(_) | Passage::Wait if stanza.is_excessive() => {
                // Its sender hears of it, and nobody else does (P-14).
                out.push(Action::Bounce(stanza, StanzaError::TooLarge));
            }
            Passage::Exit(exit) => {
                self.heed(&stanza, table, out);
                out.push(Action::Forward(exit, stanza));
            }
            Passage::Wait => {
                self.heed(&stanza, table, out);
                out.push(Action::Hold(stanza));
            }
        }
        Ok(())
    }

    /// Takes a refusal of one of our stanzas for what it says besides: that the pair has lost its
    /// right on this connection, and has to ask again (E-16). Tells whether it was one.
    ///
    /// It is heeded once in a while only: where the far end passes on what its users write, they can
    /// write such an error as well, and each costs a question.
    fn heed(&mut self, stanza: &Stanza, table: &mut Table, out: &mut Vec<Action>) -> bool {
        if !self.far.dna || !stanza.is_refusal() {
            return false;
        }
        let ours = stanza.pair.reversed();
        if was_lately(&mut self.heeded, &ours, self.at) {
            return false;
        }
        let lost = table.shut_out(&ours, self.id);
        if lost {
            remember(&mut self.heeded, &ours, self.at);
            out.push(Action::Lost(ours, Way::Outbound, Loss::PeerRevoked));
        }
        lost
    }

    /// A stanza of a pair that this connection may not bring in: one between the servers
    /// themselves, the refusal of one of ours, or one to be discarded.
    fn on_stray(
        &mut self,
        stanza: Stanza,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) -> Result<(), StreamError> {
        let row = table.row(self.id);
        let server = row.and_then(|row| row.server.as_ref());
        if server == Some(&stanza.pair.sender) && stanza.pair.target == self.terms.server_name {
            // It wants to know whether we live, and any answer will do (XEP-0199 §4.2); that we have
            // ended our half of the stream is one.
            let answer = stanza.bounce("service-unavailable", "cancel", None);
            let answer = answer.filter(|_| !self.leaving);
            out.extend(answer.map(|it| Action::Send(it.to_text())));
            return Ok(());
        }
        if self.heed(&stanza, table, out) {
            // It tells one of our users that a stanza of theirs came to nothing.
            out.push(match table.way_out(&stanza.pair) {
                Passage::Exit(exit) => Action::Forward(exit, stanza),
                Passage::Wait | Passage::Forbidden => Action::Hold(stanza),
            });
            return Ok(());
        }
        self.on_forbidden(stanza, table, out)
    }

    /// Discards a stanza (E-14).
    ///
    /// A far end that may not speak for its sender is not answered as that sender: a reply to a
    /// forged one would make us the forger's tool. Our own server hears of it where the sender is
    /// its own, and so does whoever knows what it means, on the connection that it came by.
    fn on_forbidden(
        &mut self,
        stanza: Stanza,
        table: &Table,
        out: &mut Vec<Action>,
    ) -> Result<(), StreamError> {
        let authorized = table.row(self.id).is_some_and(Row::is_authorized);
        // Forgiven where its sender can be told: whoever cannot shall hear that the stream ends.
        let may_tell = self.far.dna || table.exit(&stanza.pair.reversed()).is_some();
        let revoked = self.was_revoked(&stanza.pair) && may_tell;
        let violation = match (self.way, self.terms.side) {
            _ if revoked => Violation::PairRevoked,
            (Way::Outbound, _) if !self.far.bidi => Violation::PairInverse,
            (Way::Inbound, _) if !authorized => {
                return Err(Condition::NotAuthorized
                    .because("a stanza before any pair was authorized")
                    .blame(Violation::StreamPreauthStanza));
            }
            (_, Side::Backend) => Violation::BackendFrom,
            (_, Side::Public) if table.has_entrance(&stanza.pair) => Violation::PairWrongConnection,
            (Way::Outbound, Side::Public) => Violation::PairInverse,
            (Way::Inbound, Side::Public) => Violation::PairUnauthorized,
        };
        if !revoked {
            self.strike(&stanza.pair, violation)?;
        }
        out.push(Action::Count(violation));
        if self.terms.side == Side::Backend && self.way == Way::Inbound {
            if !self.is_its_own(&stanza.pair.sender, table) {
                return Ok(());
            }
            out.push(Action::Bounce(stanza, StanzaError::NotAuthorized));
        } else if self.far.bidi && self.far.dna && !self.leaving {
            out.extend(stanza.refuse().map(|it| Action::Send(it.to_text())));
        } else if revoked {
            // Its sender was proven when it sent it, and there is a way to tell.
            out.push(Action::Bounce(stanza, StanzaError::NotAuthorized));
        }
        Ok(())
    }

    /// Whether a domain is at home on the server of ours that this stream is with, as far as that is
    /// known: one server is not answered as another's domain.
    fn is_its_own(&self, sender: &Domain, table: &Table) -> bool {
        let hosted = &self.terms.hosted;
        let row = table.row(self.id);
        let mut names = row.into_iter().flat_map(|row| row.names.keys());
        !hosted.are_apart()
            || hosted
                .home(sender)
                .is_some_and(|home| names.any(|name| hosted.home(name.domain()) == Some(home)))
    }

    fn strike(&mut self, pair: &DomainPair, violation: Violation) -> Result<(), StreamError> {
        self.strikes.retain(|earlier| self.at.saturating_sub(*earlier) < STRIKES_WITHIN);
        self.strikes.push(self.at);
        if self.strikes.len() <= STRIKES_MAX {
            return Ok(());
        }
        let condition = if self.terms.may_receive(&pair.target) {
            Condition::InvalidFrom
        } else {
            Condition::HostUnknown
        };
        Err(condition.because("stanzas of unauthorized pairs").blame(violation))
    }

    /// Notes that a right was taken back just now.
    pub(super) fn note_revoked(&mut self, pair: DomainPair) {
        remember(&mut self.revoked, &pair, self.at);
    }

    fn was_revoked(&mut self, pair: &DomainPair) -> bool {
        was_lately(&mut self.revoked, pair, self.at)
    }
}

/// Pairs to which something has happened of late, and when.
pub(super) type Lately = VecDeque<(Duration, DomainPair)>;

fn remember(lately: &mut Lately, pair: &DomainPair, at: Duration) {
    while REVOKED_MAX <= lately.len() {
        lately.pop_front();
    }
    lately.push_back((at, pair.clone()));
}

fn was_lately(lately: &mut Lately, pair: &DomainPair, at: Duration) -> bool {
    while lately.front().is_some_and(|(since, _)| *since + IN_FLIGHT < at) {
        lately.pop_front();
    }
    lately.iter().any(|(_, it)| it == pair)
}

/// How many stanzas of unauthorized pairs are forgiven, and within what time (E-14): more is an
/// attempt.
pub(super) const STRIKES_MAX: usize = 10;
const STRIKES_WITHIN: Duration = Duration::from_secs(60);

/// How long stanzas may be on their way that were sent before the far end heard of a revocation
/// (E-17).
const IN_FLIGHT: Duration = Duration::from_secs(10);

/// Revocations that are remembered for that long; a domain that is lost takes its pairs with it, and
/// one of ours seldom has more peers than that on one connection.
const REVOKED_MAX: usize = 4096;

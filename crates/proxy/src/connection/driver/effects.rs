//! What actions come to: handshakes, look-ups, word to those who wait, the end.

use std::collections::VecDeque;
use std::sync::Arc;

use ligase_verifier::{Domain, Presented, Transport};
use tokio::time::{Instant, timeout};

use super::{Driver, Found, Machine};
use crate::binding::{DomainPair, Grounds, Name, Row, Side};
use crate::connection::event::{Ending, Event};
use crate::stream::{
    Action, Condition, Header, Input, Setback, StreamError, Tidings, Unsecured, Violation,
};
use crate::tls;

impl Driver {
    pub(super) fn judge(&mut self, name: Name, presented: Option<Presented>) {
        let (rooms, facts) = (Arc::clone(&self.rooms), self.facts);
        let endpoint = self.endpoint.clone();
        self.answers.spawn(async move {
            let finding = rooms.judge(facts, &name, endpoint, presented, false).await;
            Input::Found(name, finding)
        });
    }

    /// Shakes hands, unless plaintext has come where the handshake had to begin: an attacker's
    /// words would then pass for the peer's (B-07).
    pub(super) async fn start_tls(&mut self, addressed: Option<Domain>) -> Input {
        if !self.wire.incoming.is_empty() {
            self.broke(Violation::StreamPlaintextAfterStartTls);
            // COMPAT: some send a line end after the element; it is counted and forgotten.
            if !self.wire.incoming.iter().all(u8::is_ascii_whitespace) {
                self.wire.give_up();
                return NOT_SECURED;
            }
            self.wire.incoming.clear();
        }
        let direct = self.facts.transport == Some(Transport::DirectTls);
        let patience = match self.machine {
            Machine::Receiving(_) => {
                // What they have been given in all is not given anew (C-08).
                let left = self.timer.deadline().saturating_duration_since(now());
                self.settings.handshake_receiving.min(left)
            }
            Machine::Initiating(_) => self.settings.handshake_initiating,
        };
        if !self.rooms.may_shake_hands(&self.facts) {
            self.broke(Violation::TlsFlood);
            self.wire.give_up();
            return NOT_SECURED;
        }
        let local = self.local.clone();
        // With TLSA records, the certificate is asked for by the name at which they stand (RFC 7671
        // §10.2); otherwise by the domain that it is to speak for.
        let addressed = self.base.clone().or(addressed);
        let Some(handshake) = self.rooms.handshake(self.facts, addressed, local) else {
            return NOT_SECURED;
        };
        let wire = &mut self.wire;
        let begun = now();
        let shaken = timeout(patience, async {
            wire.flush().await?;
            wire.start_tls(handshake).await
        });
        let shaken = shaken.await;
        let (facts, version) = (self.facts, self.wire.version());
        (self.rooms.tell)(Event::Shaken { facts, version, took: begun.elapsed() });
        let violation = match shaken {
            Ok(Ok(presented)) => {
                let how = if direct { Transport::DirectTls } else { Transport::StartTls };
                self.facts.transport = Some(how);
                self.rooms.tables.secured(self.facts.id, how, presented.clone());
                (self.rooms.tell)(Event::Settled(self.facts));
                return Input::Secured(presented);
            }
            Ok(Err(error)) if tls::is_unrecognized(&error) => {
                return Input::NotSecured(Unsecured::Unrecognized);
            }
            Ok(Err(error)) if tls::is_left(&error) => return Input::NotSecured(Unsecured::Left),
            Ok(Err(error)) => tls::violation(&error),
            Err(_) => {
                self.broke(Violation::TlsTimeout);
                return Input::NotSecured(Unsecured::Left);
            }
        };
        if let Some(violation) = violation {
            self.broke(violation);
        }
        NOT_SECURED
    }

    /// Says something, and tells of it if it is a stream header to a peer.
    pub(super) fn say(&mut self, text: &str) {
        if self.facts.side == Side::Public && Header::is_in(text) {
            let mode = self.rooms.tables.look(|table| table.row(self.facts.id).map(|it| it.mode));
            // One that is closed already is told why under a header, too.
            (self.rooms.tell)(Event::Headed(self.facts, mode.unwrap_or_default()));
        }
        self.wire.say(text);
    }

    /// Takes note of how much the far end says that it has taken.
    pub(super) fn acknowledged(&mut self, count: u32) -> VecDeque<Action> {
        if !self.wire.acknowledge(count) {
            let error = Condition::UndefinedCondition
                .because("more was acknowledged than was sent")
                .blame(Violation::StreamManagementProtocol);
            return self.step(Input::Refuse(error));
        }
        if let Some(took) = self.wire.round_trip() {
            (self.rooms.tell)(Event::Acknowledged(took));
        }
        VecDeque::new()
    }

    /// Adds up what has gone over the wire, for how long it has not been read, and how fast it was.
    pub(super) fn tally(&mut self) {
        let (is_blocked, now) = (!self.full.is_empty(), now());
        self.meter.read(&self.wire.totals, is_blocked, now, &self.rooms.flow);
        self.pace.read(&self.wire.totals, now);
        let held = self.wire.held() + self.reader.held();
        self.held.hold(held + size_of::<Self>() + FIXED);
    }

    /// Whether the far end is authorized for anything.
    pub(super) fn is_authorized(&self) -> bool {
        self.rooms.tables.look(|table| table.row(self.facts.id).is_some_and(Row::is_authorized))
    }

    pub(super) fn tell(&mut self, tidings: Tidings) {
        match tidings {
            Tidings::Bound(pair) => {
                self.bound(&pair);
                self.answer(&pair, &Ok(()));
            }
            Tidings::Failed(pair, setback) => self.answer(&pair, &Err(setback)),
            Tidings::Verified(answer) => {
                let _ = self.errand.take().map(|waits| waits.send(Found::Answer(answer)));
            }
            Tidings::Seen(presented) => {
                let _ = self.errand.take().map(|waits| waits.send(Found::Leaf(presented)));
            }
        }
    }

    pub(super) fn answer(&mut self, pair: &DomainPair, result: &Result<(), Setback>) {
        for waits in self.waiting.remove(pair).into_iter().flatten() {
            let _ = waits.send(result.clone());
        }
    }

    pub(super) fn bound(&self, pair: &DomainPair) {
        // One end of the pair is the far end's; the other is ours, and nobody has to prove it to us.
        let known = self.rooms.tables.look(|table| {
            let row = table.row(self.facts.id)?;
            let (sender, target) = (row.speaks_for(&pair.sender), row.speaks_for(&pair.target));
            let grounds = sender.or(target).map(Grounds::as_str)?;
            Some((sender.is_some(), row.mode, grounds))
        });
        if let Some((comes, mode, grounds)) = known {
            let (facts, pair, took) = (self.facts, pair.clone(), self.opened.elapsed());
            (self.rooms.tell)(Event::Bound { facts, pair, comes, mode, grounds, took });
        }
    }

    pub(super) fn broke(&self, violation: Violation) {
        (self.rooms.tell)(Event::Broke {
            violation,
            side: self.facts.side,
            connection: Some(self.facts.id),
            peer: Some(self.facts.peer),
        });
    }

    /// Says our last words, while the far end may still have some.
    pub(super) fn end(&mut self, error: &StreamError) {
        self.wire.say(&error.to_xml());
        self.wire.say("</stream:stream>");
        self.ended = true;
    }

    pub(super) async fn close(&mut self, error: Option<StreamError>) -> Ending {
        let ending = match &error {
            Some(error) => Ending::Refused(error.condition, error.because),
            // We have had our last words, which is how we end all streams when we do.
            None if self.ended => Ending::Drained,
            None => Ending::Closed,
        };
        if let Some(error) = error {
            if let Some(violation) = error.violation {
                self.broke(violation);
            }
            if !self.ended {
                self.wire.say(&error.to_xml());
            }
        }
        if !self.ended {
            self.wire.say("</stream:stream>");
        }
        let _ = timeout(FAREWELL, self.wire.finish()).await;
        ending
    }

    pub(super) fn limits(&self) -> crate::stream::Limits {
        if self.trusted { self.settings.limits_after } else { self.settings.limits_before }
    }

    pub(super) fn set_timer(&mut self, patience: std::time::Duration) {
        self.timer.as_mut().reset(now() + patience);
    }

    pub(super) fn touch(&mut self) {
        self.moved = now();
        self.outbox.touch(self.rooms.elapsed());
    }
}

#[expect(clippy::disallowed_methods, reason = "a driver is where the clock is read")]
pub(super) fn now() -> Instant {
    Instant::now()
}

/// What a connection holds besides: its task, its machine and its place in the tables.
const FIXED: usize = 2 * 1024;

/// A handshake that failed by more than our name for the far end or its absence.
const NOT_SECURED: Input = Input::NotSecured(Unsecured::Failed);

/// How long our last words may take (P-13).
const FAREWELL: std::time::Duration = std::time::Duration::from_secs(5);

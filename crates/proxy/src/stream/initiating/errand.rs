//! What the stream was opened for: to be let in, by SASL or by dialback, or to ask about a key.

use std::sync::Arc;

use ligase_verifier::Presented;

use super::{Errand, Initiating, Rung, Stage, State};
use crate::binding::{Grounds, Name, Side, StreamId, Table};
use crate::stream::features::request_bidi;
use crate::stream::open::{Negotiated, Open, Way};
use crate::stream::{
    Action, Answer, Authorization, Condition, Dialback, DialbackError, Features, Frame, Input,
    Part, Setback, StreamError, Tidings, Unsecured, Violation, Word, ns,
};

impl Initiating {
    /// Notes what the far end has told of itself.
    pub(super) fn learn(&mut self, features: Features, table: &mut Table) {
        // COMPAT: after SASL not every server repeats what it said before.
        self.far.errors |= features.errors;
        self.far.dna |= features.dna;
        table.set_far(self.id, self.far);
    }

    pub(super) fn on_plain_features(
        &mut self,
        features: Features,
        id: Option<StreamId>,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) -> Result<State, StreamError> {
        let wanted = self.terms.tls && self.attempt.rung != Rung::Plain;
        let plaintext = self.terms.level(Some(&self.remote())).allows_plaintext();
        if wanted && (features.start_tls || !plaintext) {
            // Asked for even where it is not offered: an attacker may have taken the offer out
            // (RFC 7590 §3.1).
            out.push(Action::Send(format!("<starttls xmlns='{}'/>", ns::TLS)));
            return Ok(State::ExpectProceed);
        }
        self.go_on_plain(id, table, out)
    }

    /// There is no TLS, or somebody on the way has it look so (RFC 7590 §3.1).
    pub(super) fn give_up_in_the_clear(&self, out: &mut Vec<Action>) -> State {
        if !self.terms.level(Some(&self.remote())).allows_plaintext() {
            out.push(Action::Count(Violation::StreamTlsRequired));
        }
        self.give_up(Setback::Plaintext, out)
    }

    /// Goes on in the clear, where policy lets us (B-06).
    pub(super) fn go_on_plain(
        &mut self,
        id: Option<StreamId>,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) -> Result<State, StreamError> {
        if !self.terms.level(Some(&self.remote())).allows_plaintext() {
            return Ok(self.give_up_in_the_clear(out));
        }
        if self.terms.side == Side::Public {
            table.prove(self.id, self.remote(), Grounds::Dialback);
        }
        self.ask(None, id, table, out)
    }

    pub(super) fn on_features(
        &mut self,
        features: Features,
        presented: Presented,
        id: Option<StreamId>,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) -> Result<State, StreamError> {
        match &self.attempt.errand {
            Errand::Carry(_) => (),
            Errand::Verify(..) => return self.ask(Some(presented), id, table, out),
            // Whoever does not take our certificate has to ask about our keys on a stream of its own;
            // if we took its certificate, that stream would wait for the very answer.
            Errand::Look(_) if !features.external => {
                return Ok(self.give_up(Setback::Sasl, out));
            }
            Errand::Look(_) => {
                out.push(Action::Tell(Tidings::Seen(presented)));
                out.push(Action::Close(None));
                return Ok(State::Closed);
            }
        }
        if features.bidi && self.terms.channels.bidi {
            // After TLS, and before anything is asked for (XEP-0288 §2.2).
            out.push(Action::Send(request_bidi(features.dna)));
            self.far.bidi = true;
            table.set_far(self.id, self.far);
        }
        let external = features.external && self.attempt.rung < Rung::Dialback;
        if self.attempt.rung == Rung::DomainName && !external && self.attempt.better {
            // With the domain's own certificate we are known for what we are (draft §7).
            return Ok(self.give_up(Setback::Sasl, out));
        }
        // A server that proved nothing gets no more than dialback, and has to earn that.
        if external && !(self.weak && features.dialback) {
            out.push(Action::Send(Authorization::request(self.own())));
            out.push(Action::SetTimer(self.terms.bounds.answer));
            return Ok(State::ExpectSasl(presented, id));
        }
        self.ask(Some(presented), id, table, out)
    }

    /// Does the errand by dialback.
    pub(super) fn ask(
        &mut self,
        presented: Option<Presented>,
        id: Option<StreamId>,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) -> Result<State, StreamError> {
        out.push(Action::SetTimer(self.terms.bounds.answer));
        match self.attempt.errand.clone() {
            // Without an id a key would be good for any stream (B-14).
            Errand::Carry(_) if id.is_none() => {
                Err(Condition::UndefinedCondition.because("a stream without an id"))
            }
            Errand::Carry(pair) => {
                let mut open = self.open(presented, id, out);
                open.request(&pair, table, out);
                Ok(State::Open(Box::new(open)))
            }
            Errand::Verify(pair, stream, key) => {
                let verify = Dialback {
                    part: Part::Verify(stream),
                    pair: pair.reversed(),
                    word: Word::Request(key),
                };
                out.push(Action::Send(verify.to_xml()));
                Ok(State::ExpectVerified)
            }
            // There is nothing to see on a stream that is not encrypted.
            Errand::Look(_) => Ok(self.give_up(Setback::Plaintext, out)),
        }
    }

    /// The stream begins anew, now as one that is authenticated (RFC 6120 §6.4.6).
    pub(super) fn on_success(&self, presented: Presented, out: &mut Vec<Action>) -> State {
        out.push(Action::Restart);
        out.push(self.header());
        out.push(Action::SetTimer(self.terms.bounds.step));
        State::ExpectHeader(Stage::Authenticated(presented))
    }

    pub(super) fn on_authenticated(
        &mut self,
        features: Features,
        presented: Presented,
        id: Option<StreamId>,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) -> Result<State, StreamError> {
        let Errand::Carry(pair) = self.attempt.errand.clone() else {
            return Err(StreamError::bug());
        };
        out.push(Action::Trust);
        if self.attempt.server.is_some() {
            // The servers know each other; now for the pair (K-09).
            let Some(_) = id else {
                return Err(Condition::UndefinedCondition.because("a stream without an id"));
            };
            let mut open = self.open(Some(presented), id, out);
            open.ask_for_acknowledgments(features.management, out);
            open.request(&pair, table, out);
            return Ok(State::Open(Box::new(open)));
        }
        if table.let_out(&pair, self.id).is_err() {
            return Err(StreamError::bug());
        }
        let mut open = self.open(Some(presented), id, out);
        open.ask_for_acknowledgments(features.management, out);
        open.granted(&pair, table, out);
        out.push(Action::SetTimer(open.patience(table)));
        Ok(State::Open(Box::new(open)))
    }

    pub(super) fn open(
        &self,
        presented: Option<Presented>,
        stream: Option<StreamId>,
        out: &mut Vec<Action>,
    ) -> Open {
        if let Some(server) = &self.attempt.server {
            // Nothing waits for it: what the stream is for, the domains prove.
            out.push(Action::Judge(Name::Server(server.clone()), presented.clone()));
        }
        let secured = presented.is_some();
        let (way, far, at) = (Way::Outbound, self.far, self.at);
        let negotiated = Negotiated { way, stream, secured, presented, far, at };
        Open::new(self.id, Arc::clone(&self.terms), negotiated)
    }

    /// What a handshake that came to nothing says of the far end.
    pub(super) fn unsecured(&self, why: Unsecured) -> Setback {
        match why {
            Unsecured::Unrecognized => Setback::Unrecognized,
            // COMPAT: what stands before a server and knows only its domains' names may hang up over
            // any other, without an alert (M-02).
            Unsecured::Left if self.attempt.server.is_some() => Setback::Stream(None),
            Unsecured::Left | Unsecured::Failed => Setback::Handshake,
        }
    }

    /// Goes on with a stream that is open.
    pub(super) fn on_open(
        &self,
        mut open: Box<Open>,
        input: Input,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) -> Result<State, StreamError> {
        let ends = matches!(input, Input::Frame(Frame::Close | Frame::Error(_)));
        let before = out.len();
        open.handle(input, self.at, table, out)?;
        if self.denied && ends {
            // COMPAT: who does not believe our certificate may hang up over it, whatever we say then
            // (RFC 6120 §6.4.5). It is still the certificate that was refused (M-03).
            for action in out.iter_mut().skip(before) {
                if let Action::Tell(Tidings::Failed(_, setback @ Setback::Stream(_))) = action {
                    *setback = Setback::Sasl;
                }
            }
        }
        Ok(State::Open(open))
    }

    /// Takes the answer of an authoritative server, if it is the answer to what we asked (E-20).
    pub(super) fn on_verified(&self, dialback: Dialback, out: &mut Vec<Action>) -> State {
        let Errand::Verify(pair, stream, _) = &self.attempt.errand else {
            return State::Closed;
        };
        let ours = dialback.pair == *pair && dialback.part == Part::Verify(stream.clone());
        let answer = match dialback.word {
            Word::Valid if ours => Answer::Valid,
            Word::Invalid if ours => Answer::Invalid,
            Word::Error(_) if ours => Answer::Unknown(DialbackError::RemoteServerNotFound),
            Word::Valid | Word::Invalid | Word::Error(_) | Word::Request(_) | Word::Unknown => {
                out.push(Action::Count(Violation::DialbackUnsolicited));
                return State::ExpectVerified;
            }
        };
        out.push(Action::Tell(Tidings::Verified(answer)));
        out.push(Action::Close(None));
        State::Closed
    }
}

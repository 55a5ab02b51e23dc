mod attempt;
mod errand;

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use ligase_verifier::{Domain, Presented};

pub use self::attempt::{Attempt, Errand, Rung};
use super::open::renewal::renewed;
use super::open::{Open, Way};
use super::{
    Action, Answer, Condition, DialbackError, Frame, Header, Input, Setback, StreamError, Terms,
    Tidings, Violation,
};
use crate::binding::{
    ConnectionId, Decision, Far, Finding, Grounds, Mode, Name, Side, StreamId, Table, decide,
};

/// A stream that we opened, from its first byte to its last.
#[derive(Clone, Debug)]
pub struct Initiating {
    id: ConnectionId,
    terms: Arc<Terms>,
    attempt: Attempt,
    /// What the far end has told of itself on the stream as it is now.
    far: Far,
    state: State,
    /// Whether the far end's certificate proves nothing, and policy lets dialback do.
    weak: bool,
    /// Whether the far end did not believe our certificate (SASL).
    denied: bool,
    /// Other terms that came during the negotiation, for what comes after it.
    terms_after: Option<Arc<Terms>>,
    /// The time of the last input.
    at: Duration,
}

/// Where the stream stands.
#[derive(Clone, Debug)]
enum State {
    ExpectHeader(Stage),
    ExpectFeatures(Stage, Option<StreamId>),
    /// The far end does not answer by the name of the server that we asked for, and has to say why.
    ExpectRefusal,
    ExpectProceed,
    ExpectSecured,
    /// The verifier has to say whether the far end is whom we wanted.
    Judge(Presented),
    ExpectSasl(Presented, Option<StreamId>),
    ExpectVerified,
    Open(Box<Open>),
    Closed,
}

/// How far the stream has come when a header or features are due.
#[derive(Clone, Debug)]
enum Stage {
    Plain,
    Secured(Presented),
    Authenticated(Presented),
}

impl Initiating {
    /// A stream on a fresh connection.
    pub fn new(
        id: ConnectionId,
        terms: Arc<Terms>,
        attempt: Attempt,
        table: &mut Table,
    ) -> (Self, Vec<Action>) {
        table.open(id, terms.side);
        let direct_tls = attempt.direct_tls;
        let mut stream = Self {
            id,
            terms,
            attempt,
            far: Far::default(),
            state: State::Closed,
            weak: false,
            denied: false,
            terms_after: None,
            at: Duration::ZERO,
        };
        if stream.attempt.server.is_some() {
            table.set_mode(id, Mode::ServerName);
        }
        if stream.terms.side == Side::Backend {
            table.prove(id, stream.remote(), Grounds::Configured);
        }
        let mut out = vec![Action::SetTimer(stream.terms.bounds.step)];
        stream.state = if direct_tls {
            out.push(Action::StartTls(Some(stream.addressed())));
            State::ExpectSecured
        } else {
            out.push(stream.header());
            State::ExpectHeader(Stage::Plain)
        };
        (stream, out)
    }

    /// The domain that we want to speak to.
    fn remote(&self) -> Domain {
        match &self.attempt.errand {
            Errand::Carry(pair) | Errand::Look(pair) => pair.target.clone(),
            Errand::Verify(pair, ..) => pair.sender.clone(),
        }
    }

    /// Whom the stream is addressed to.
    fn addressed(&self) -> Domain {
        self.attempt.server.clone().unwrap_or_else(|| self.remote())
    }

    /// In whose name we speak on the stream.
    fn own(&self) -> &Domain {
        match &self.attempt.errand {
            _ if self.attempt.server.is_some() => &self.terms.server_name,
            Errand::Carry(pair) | Errand::Look(pair) => &pair.sender,
            Errand::Verify(pair, ..) => &pair.target,
        }
    }

    fn header(&self) -> Action {
        let (from, to) = (Some(self.own().clone()), Some(self.addressed()));
        Action::Send(Header { from, to, id: None, version_1: true }.to_xml())
    }

    /// Advances the stream by one input. `at` is the time since the process started.
    pub fn handle(&mut self, input: Input, at: Duration, table: &mut Table, out: &mut Vec<Action>) {
        self.at = at;
        let state = mem::replace(&mut self.state, State::Closed);
        let negotiating = !matches!(state, State::Open(_) | State::Closed);
        self.state = self.step(state, input, table, out).unwrap_or_else(|error| {
            if negotiating {
                out.push(self.failed(Setback::Broken(error.condition)));
            }
            out.push(Action::Close(Some(error)));
            State::Closed
        });
        if let (State::Open(_), Some(terms)) = (&self.state, self.terms_after.take()) {
            return self.handle(Input::Terms(terms), at, table, out);
        }
        if matches!(out.last(), Some(Action::Close(_))) {
            if let State::Open(open) = &mut self.state {
                let last = out.pop();
                open.fail_asks(&Setback::Stream(None), out);
                out.extend(last);
            }
            self.state = State::Closed;
            table.close(self.id);
        }
    }

    fn step(
        &mut self,
        state: State,
        input: Input,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) -> Result<State, StreamError> {
        match (state, input) {
            (State::Closed, _) => Ok(State::Closed),
            (State::Open(open), input) => self.on_open(open, input, table, out),
            (_, Input::Refuse(error)) => Err(error),
            (state, Input::Terms(terms)) => Ok(self.on_terms(state, terms, out)),
            (state, Input::Renewed(of, found)) => Ok(self.on_renewed(state, of, found, table, out)),
            (State::ExpectHeader(stage), Input::Frame(Frame::Header(header))) => {
                self.on_header(stage, header, table, out)
            }
            (State::ExpectFeatures(stage, id), Input::Frame(Frame::Features(features))) => {
                self.learn(features, table);
                match stage {
                    Stage::Plain => self.on_plain_features(features, id, table, out),
                    Stage::Secured(presented) => {
                        self.on_features(features, presented, id, table, out)
                    }
                    Stage::Authenticated(presented) => {
                        self.on_authenticated(features, presented, id, table, out)
                    }
                }
            }
            (State::ExpectProceed, Input::Frame(Frame::Proceed)) => {
                out.push(Action::StartTls(Some(self.addressed())));
                Ok(State::ExpectSecured)
            }
            (State::ExpectProceed, Input::Frame(Frame::TlsFailure)) => {
                Ok(self.give_up_in_the_clear(out))
            }
            (State::ExpectSecured, Input::NotSecured(why)) => {
                Ok(self.give_up(self.unsecured(why), out))
            }
            (State::ExpectSecured, Input::Secured(presented)) => self.on_secured(presented, out),
            (State::Judge(presented), Input::Found(Name::Service(_), finding)) => {
                Ok(self.on_found(presented, finding, table, out))
            }
            (State::ExpectSasl(presented, _), Input::Frame(Frame::Success)) => {
                Ok(self.on_success(presented, out))
            }
            (State::ExpectSasl(presented, id), Input::Frame(Frame::SaslFailure)) => {
                // COMPAT: servers that want clientAuth in our certificate refuse it here, and take
                // our key on the same stream (K-06, XEP-0178 §3 step 11b).
                self.denied = true;
                self.ask(Some(presented), id, table, out)
            }
            (State::ExpectVerified, Input::Frame(Frame::Dialback(dialback))) => {
                Ok(self.on_verified(dialback, out))
            }
            (State::ExpectSasl(..), Input::Frame(Frame::Close | Frame::Error(_))) => {
                Ok(self.give_up(Setback::Sasl, out))
            }
            (_, Input::Frame(Frame::Error(condition))) => {
                Ok(self.give_up(Setback::Stream(condition), out))
            }
            (State::ExpectRefusal, Input::Frame(_) | Input::TimedOut { .. }) => {
                Err(another_answered())
            }
            (_, Input::Frame(Frame::Close)) => Ok(self.give_up(Setback::Stream(None), out)),
            (state, input) => self.on_other(state, input, out),
        }
    }

    /// What may come at any time, and what nobody waits for.
    fn on_other(
        &self,
        state: State,
        input: Input,
        out: &mut Vec<Action>,
    ) -> Result<State, StreamError> {
        match input {
            Input::TimedOut { .. } => Ok(self.give_up(Setback::TimedOut, out)),
            Input::Drain => Ok(self.give_up(Setback::Draining, out)),
            Input::Frame(Frame::Unknown) => Ok(state),
            Input::Frame(_) => Err(StreamError::out_of_turn()),
            Input::Ask(pair) => {
                out.push(Action::Tell(Tidings::Failed(pair, Setback::Pointless)));
                Ok(state)
            }
            Input::Found(..)
            | Input::Authority(..)
            | Input::Reached(..)
            | Input::Repeat(_)
            | Input::Withdraw(_) => Ok(state),
            Input::Refuse(error) => Err(error),
            Input::Secured(_) | Input::NotSecured(_) | Input::Renewed(..) | Input::Terms(_) => {
                Err(StreamError::misdriven())
            }
        }
    }

    fn on_header(
        &mut self,
        stage: Stage,
        header: Header,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) -> Result<State, StreamError> {
        // COMPAT: pre-1.0 servers name nobody in their answer, or their domain whoever was addressed.
        // A server may also answer as another domain that it was proven for (B-13).
        let known = |from: &Domain| {
            [self.addressed(), self.remote()].contains(from) || table.is_proven(self.id, from)
        };
        if !header.from.as_ref().is_none_or(known) {
            // Who does not know itself by the name of a server says so by one that it does know (RFC
            // 6120 §4.9.1.2). That error, and nothing else, is believed (M-02).
            return match (&self.attempt.server, stage) {
                (Some(_), Stage::Plain | Stage::Secured(_)) => Ok(State::ExpectRefusal),
                (Some(_), Stage::Authenticated(_)) | (None, _) => Err(another_answered()),
            };
        }
        table.set_stream(self.id, header.id.clone());
        if header.version_1 {
            return Ok(State::ExpectFeatures(stage, header.id));
        }
        table.set_mode(self.id, Mode::Legacy);
        match stage {
            Stage::Plain => self.go_on_plain(header.id, table, out),
            Stage::Secured(presented) | Stage::Authenticated(presented) => {
                self.ask(Some(presented), header.id, table, out)
            }
        }
    }

    fn on_secured(
        &mut self,
        presented: Option<Presented>,
        out: &mut Vec<Action>,
    ) -> Result<State, StreamError> {
        let Some(presented) = presented else {
            return Err(Condition::NotAuthorized.because("a TLS server without a certificate"));
        };
        self.far = Far::default();
        out.push(Action::Restart);
        out.push(Action::SetTimer(self.terms.bounds.step));
        if self.terms.side == Side::Backend {
            // The operator told us where our server is; what it presents, nobody has to vouch for.
            out.push(self.header());
            return Ok(State::ExpectHeader(Stage::Secured(presented)));
        }
        // What we look up has limits of its own, and is not the far end's to hurry.
        out.push(Action::SetTimer(self.terms.bounds.answer));
        out.push(Action::Judge(self.remote().into(), Some(presented.clone())));
        Ok(State::Judge(presented))
    }

    fn on_found(
        &mut self,
        presented: Presented,
        finding: Finding,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) -> State {
        let remote = self.remote();
        match decide(finding, self.terms.level(Some(&remote))) {
            Decision::Bind(grounds) => table.prove(self.id, remote, grounds),
            Decision::AskAuthority(_) => {
                self.weak = true;
                table.prove(self.id, remote, Grounds::Dialback);
            }
            Decision::Refuse(reason) | Decision::TryLater(reason) => {
                out.extend(Violation::read(reason.finding.label()).map(Action::Count));
                return self.give_up(Setback::Unproven(reason), out);
            }
        }
        out.push(self.header());
        out.push(Action::SetTimer(self.terms.bounds.step));
        State::ExpectHeader(Stage::Secured(presented))
    }

    fn on_terms(&mut self, state: State, terms: Arc<Terms>, out: &mut Vec<Action>) -> State {
        let errand = &self.attempt.errand;
        let (Errand::Carry(pair) | Errand::Look(pair) | Errand::Verify(pair, ..)) = errand;
        let ours = match errand {
            Errand::Verify(..) => terms.allows(&pair.reversed(), Way::Outbound),
            Errand::Carry(_) | Errand::Look(_) => terms.allows(pair, Way::Outbound),
        };
        if !ours {
            return self.give_up(Setback::Pointless, out);
        }
        // This is its old home.
        if [&pair.sender, &pair.target].iter().any(|it| terms.has_moved(it, &self.terms)) {
            return self.give_up(Setback::Stream(None), out);
        }
        self.terms_after = Some(terms);
        state
    }

    /// A proof may end before the stream is open.
    fn on_renewed(
        &mut self,
        state: State,
        name: Name,
        finding: Finding,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) -> State {
        match renewed(finding, self.terms.level(Some(name.domain()))) {
            _ if table.row(self.id).is_none_or(|row| !row.names.contains_key(&name)) => state,
            Ok(grounds) => {
                table.prove(self.id, name, grounds);
                state
            }
            Err((reason, _)) => {
                self.give_up(reason.map_or(Setback::Pointless, Setback::Unproven), out)
            }
        }
    }

    fn give_up(&self, setback: Setback, out: &mut Vec<Action>) -> State {
        out.push(self.failed(setback));
        out.push(Action::Close(None));
        State::Closed
    }

    fn failed(&self, setback: Setback) -> Action {
        Action::Tell(match &self.attempt.errand {
            Errand::Carry(pair) | Errand::Look(pair) => Tidings::Failed(pair.clone(), setback),
            Errand::Verify(..) => {
                let refused = matches!(setback, Setback::Stream(_) | Setback::Refused(_));
                Tidings::Verified(Answer::Unknown(if refused {
                    DialbackError::RemoteServerNotFound
                } else {
                    DialbackError::RemoteServerTimeout
                }))
            }
        })
    }
}

fn another_answered() -> StreamError {
    Condition::InvalidFrom.because("another domain answered").blame(Violation::StreamIdentityChange)
}

#[cfg(test)]
mod tests;

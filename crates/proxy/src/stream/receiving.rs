mod authentication;
mod greeting;

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use ligase_verifier::{Domain, Presented};

use super::open::renewal::renewed;
use super::open::{Open, Way};
use super::{
    Action, Condition, Frame, Header, Ids, Input, Setback, StreamError, Terms, Tidings, Violation,
    ns,
};
use crate::binding::{ConnectionId, DomainPair, Far, Finding, Name, Row, Side, StreamId, Table};

/// A stream that the far end opened, from its first byte to its last.
#[derive(Clone, Debug)]
pub struct Receiving {
    id: ConnectionId,
    terms: Arc<Terms>,
    ids: Ids,
    state: State,
    /// Whether our header has been sent on the stream as it is now.
    greeted: bool,
    /// Elements taken before the far end was authorized for anything.
    elements: u32,
    /// SASL failures so far.
    failures: u32,
    /// What the far end has told of itself since TLS came up.
    far: Far,
    /// What came while an answer was awaited, in order; bounded like all that comes before
    /// authorization.
    early: VecDeque<Frame>,
}

/// Where the stream stands. Each state holds what is known by then, and no more.
#[derive(Clone, Debug)]
enum State {
    ExpectHeader(Stage),
    ExpectSecured,
    /// The verifier has to say whether EXTERNAL may be offered.
    Judge(Greeting, Presented),
    Open(Box<Open>, Offered),
    /// EXTERNAL was accepted, if only there is a way out for the pair.
    Admit(DomainPair, Option<Presented>),
    Closed,
}

/// What is known when a header is due.
#[derive(Clone, Debug)]
enum Stage {
    Plain,
    Secured(Option<Presented>),
    Authenticated(DomainPair, Option<Presented>),
}

/// The far end's header and the id of our answer.
#[derive(Clone, Debug)]
struct Greeting {
    header: Header,
    stream: StreamId,
}

/// What the far end may still negotiate on an open stream.
#[derive(Clone, Debug, Default)]
struct Offered {
    /// STARTTLS, for the domain that it wants to speak to.
    start_tls: Option<Option<Domain>>,
    /// EXTERNAL, for this pair; of servers, where the stream is between servers.
    external: Option<DomainPair>,
    /// One stream for both directions (XEP-0288).
    bidi: bool,
}

impl Receiving {
    /// A stream whose first byte is due; `direct_tls` where that byte begins a TLS handshake
    /// (XEP-0368).
    pub fn new(
        id: ConnectionId,
        terms: Arc<Terms>,
        ids: Ids,
        direct_tls: bool,
        table: &mut Table,
    ) -> (Self, Vec<Action>) {
        table.open(id, terms.side);
        let mut out = vec![Action::SetTimer(terms.bounds.preauth)];
        let state = if direct_tls {
            out.push(Action::StartTls(None));
            State::ExpectSecured
        } else {
            State::ExpectHeader(Stage::Plain)
        };
        let early = VecDeque::new();
        let (greeted, elements, failures, far) = (false, 0, 0, Far::default());
        let stream = Self { id, terms, ids, state, greeted, elements, failures, far, early };
        (stream, out)
    }

    /// Advances the stream by one input. `at` is the time since the process started.
    pub fn handle(&mut self, input: Input, at: Duration, table: &mut Table, out: &mut Vec<Action>) {
        self.advance(input, at, table, out);
        // What came early is heard as soon as nothing is awaited any more.
        while !matches!(self.state, State::Judge(..) | State::Admit(..) | State::Closed)
            && let Some(frame) = self.early.pop_front()
        {
            // It was counted when it came.
            self.elements = self.elements.saturating_sub(1);
            self.advance(Input::Frame(frame), at, table, out);
        }
    }

    fn advance(&mut self, input: Input, at: Duration, table: &mut Table, out: &mut Vec<Action>) {
        let state = mem::replace(&mut self.state, State::Closed);
        self.state = self.step(state, input, at, table, out).unwrap_or_else(|error| {
            self.greet_anyway(out);
            out.push(Action::Close(Some(error)));
            State::Closed
        });
        if matches!(out.last(), Some(Action::Close(_))) {
            self.state = State::Closed;
            table.close(self.id);
        }
    }

    fn step(
        &mut self,
        state: State,
        input: Input,
        at: Duration,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) -> Result<State, StreamError> {
        self.count(&state, &input, table)?;
        let before = Arc::clone(&self.terms);
        if let Input::Terms(terms) = &input {
            self.terms = Arc::clone(terms);
        }
        match (state, input) {
            (State::Closed, _) => Ok(State::Closed),
            (State::Open(open, offered), Input::Frame(Frame::StartTls)) if !open.is_leaving() => {
                Ok(self.on_start_tls(offered, out))
            }
            (State::Open(open, offered), Input::Frame(Frame::Auth(auth))) if !open.is_leaving() => {
                self.on_auth(open, offered, &auth, table, out)
            }
            (State::Open(open, offered), Input::Frame(Frame::Bidi(dna))) if !open.is_leaving() => {
                Ok(self.on_bidi(open, offered, dna, table, out))
            }
            (State::Open(mut open, offered), input) => {
                open.handle(input, at, table, out)?;
                Ok(State::Open(open, offered))
            }
            (_, Input::Refuse(error)) => Err(error),
            (state, Input::Terms(_)) if self.may_go_on(&state, &before) => Ok(state),
            (_, Input::Terms(_)) => {
                Err(Condition::Reset.because("the configuration changed during the negotiation"))
            }
            (state, Input::Renewed(name, finding)) => {
                self.on_renewed(name, finding, table)?;
                Ok(state)
            }
            (_, Input::Frame(Frame::Close | Frame::Error(_)))
            | (State::ExpectSecured, Input::NotSecured(_)) => {
                out.push(Action::Close(None));
                Ok(State::Closed)
            }
            (_, Input::Drain) => Err(Condition::SystemShutdown.because("we are about to end")),
            (State::ExpectHeader(stage), Input::Frame(Frame::Header(header))) => {
                self.on_header(stage, header, table, out)
            }
            (State::ExpectSecured, Input::Secured(presented)) => {
                Ok(self.on_secured(presented, table, out))
            }
            // An answer about another name, or from before TLS, says nothing about this one.
            (State::Judge(greeting, presented), Input::Found(name, finding))
                if self.claimed(&greeting.header).as_ref() == Some(&name) =>
            {
                self.on_found(greeting, presented, &name, finding, table, out)
            }
            (State::Admit(pair, presented), Input::Reached(reached, result)) if pair == reached => {
                self.on_reached(pair, presented, result, table, out)
            }
            // What is awaited comes within a limit of its own.
            (state @ (State::Judge(..) | State::Admit(..)), Input::TimedOut { .. }) => {
                out.push(Action::SetTimer(self.terms.bounds.step));
                Ok(state)
            }
            (state @ (State::Judge(..) | State::Admit(..)), Input::Frame(frame)) => {
                self.early.push_back(frame);
                Ok(state)
            }
            (state, input) => on_other(state, input, out),
        }
    }

    /// Whether the terms that came during the negotiation allow what it is about.
    fn may_go_on(&self, state: &State, before: &Terms) -> bool {
        let has_moved = |domain: &Domain| self.terms.has_moved(domain, before);
        match state {
            State::Admit(pair, _) | State::ExpectHeader(Stage::Authenticated(pair, _)) => {
                !has_moved(&pair.sender)
                    && (self.terms.allows(pair, Way::Inbound) || self.is_to_us(&pair.target))
            }
            State::Judge(Greeting { header: Header { from, to, .. }, .. }, _) => {
                from.as_ref().is_none_or(|from| self.terms.may_send(from) && !has_moved(from))
                    && to.as_ref().is_none_or(|to| {
                        self.terms.may_receive(to) || *to == self.terms.server_name
                    })
            }
            State::ExpectHeader(_) | State::ExpectSecured | State::Open(..) | State::Closed => true,
        }
    }

    /// A proof may end before the stream is open.
    fn on_renewed(
        &self,
        name: Name,
        finding: Finding,
        table: &mut Table,
    ) -> Result<(), StreamError> {
        if table.row(self.id).is_none_or(|row| !row.names.contains_key(&name)) {
            return Ok(());
        }
        let grounds = renewed(finding, self.terms.level(Some(name.domain())))
            .map_err(|_| Condition::Reset.because("a proof ended during the negotiation"))?;
        table.prove(self.id, name, grounds);
        Ok(())
    }

    /// Counts what a far end says that is not authorized for anything yet (C-08).
    fn count(&mut self, state: &State, input: &Input, table: &Table) -> Result<(), StreamError> {
        let counts = matches!(input, Input::Frame(_)) && !matches!(state, State::Closed);
        if !counts || self.is_authorized(table) {
            return Ok(());
        }
        self.elements += 1;
        if self.terms.bounds.preauth_elements_max < self.elements {
            return Err(Condition::PolicyViolation
                .because("too many elements before authorization")
                .blame(Violation::LimitPreauth));
        }
        Ok(())
    }

    /// Everything said before TLS came up is forgotten, and so is what was granted for it
    /// (RFC 6120 §5.4.3.3).
    fn on_secured(
        &mut self,
        presented: Option<Presented>,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) -> State {
        table.close(self.id);
        table.open(self.id, self.terms.side);
        self.greeted = false;
        self.far = Far::default();
        out.push(Action::Restart);
        State::ExpectHeader(Stage::Secured(presented))
    }

    /// Whether the far end is authorized for anything.
    fn is_authorized(&self, table: &Table) -> bool {
        table.row(self.id).is_some_and(Row::is_authorized)
    }

    /// Whether a stream to this name is one to us, from server to server.
    fn is_to_us(&self, to: &Domain) -> bool {
        self.terms.takes_servers() && *to == self.terms.server_name
    }

    /// Both may ask and send from now on, if the far end says so in time (XEP-0288 §2.2).
    fn on_bidi(
        &mut self,
        mut open: Box<Open>,
        mut offered: Offered,
        dna: bool,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) -> State {
        if offered.bidi && !self.is_authorized(table) && !open.has_claims() {
            offered.bidi = false;
            self.far = Far { errors: true, bidi: true, dna, ..Far::default() };
            open.set_bidi(self.far, table);
        } else {
            // Too late it changes nothing (L-02).
            out.push(Action::Count(Violation::StreamOrder));
        }
        State::Open(open, offered)
    }

    fn on_start_tls(&self, offered: Offered, out: &mut Vec<Action>) -> State {
        let Some(to) = offered.start_tls else {
            // Not offered: in TLS already, or never.
            let violation = match self.terms.side {
                Side::Public => Violation::StreamOrder,
                Side::Backend => Violation::BackendProtocol,
            };
            out.push(Action::Count(violation));
            out.push(Action::Send(format!("<failure xmlns='{}'/>", ns::TLS)));
            out.push(Action::Close(None));
            return State::Closed;
        };
        out.push(Action::Send(format!("<proceed xmlns='{}'/>", ns::TLS)));
        out.push(Action::StartTls(to));
        State::ExpectSecured
    }
}

/// What may come at any time, and what nobody waits for.
fn on_other(state: State, input: Input, out: &mut Vec<Action>) -> Result<State, StreamError> {
    match input {
        Input::TimedOut { .. } => Err(Condition::ConnectionTimeout
            .because("the negotiation took too long")
            .blame(Violation::LimitPreauth)),
        Input::Frame(_) => Err(StreamError::out_of_turn()),
        Input::Ask(pair) => {
            out.push(Action::Tell(Tidings::Failed(pair, Setback::Pointless)));
            Ok(state)
        }
        // An answer that nobody waits for any more, or what is not for us yet.
        Input::Found(..)
        | Input::Authority(..)
        | Input::Reached(..)
        | Input::Repeat(_)
        | Input::Withdraw(_) => Ok(state),
        Input::Refuse(_)
        | Input::Drain
        | Input::Renewed(..)
        | Input::Terms(_)
        | Input::Secured(_)
        | Input::NotSecured(_) => Err(StreamError::misdriven()),
    }
}

#[cfg(test)]
mod tests;

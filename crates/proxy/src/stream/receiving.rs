use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use ligase_verifier::{Domain, Presented};

use super::open::{Negotiated, Open, Way};
use super::sasl::SUCCESS;
use super::{
    Action, Authorization, Condition, Frame, Header, Ids, Input, Offer, SaslError, Setback,
    StreamError, Terms, Tidings, Violation, ns,
};
use crate::binding::{ConnectionId, Decision, DomainPair, Finding, Side, StreamId, Table, decide};

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
    Open(Open, Offered),
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
    /// EXTERNAL, for this pair.
    external: Option<DomainPair>,
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
        let stream = Self {
            id,
            terms,
            ids,
            state,
            greeted: false,
            elements: 0,
            failures: 0,
            early,
        };
        (stream, out)
    }

    /// Advances the stream by one input. `at` is the time since the process started.
    pub fn handle(&mut self, input: Input, at: Duration, table: &mut Table, out: &mut Vec<Action>) {
        self.advance(input, at, table, out);
        // What came early is heard as soon as nothing is awaited any more.
        while !matches!(
            self.state,
            State::Judge(..) | State::Admit(..) | State::Closed
        ) && let Some(frame) = self.early.pop_front()
        {
            // It was counted when it came.
            self.elements = self.elements.saturating_sub(1);
            self.advance(Input::Frame(frame), at, table, out);
        }
    }

    fn advance(&mut self, input: Input, at: Duration, table: &mut Table, out: &mut Vec<Action>) {
        let state = mem::replace(&mut self.state, State::Closed);
        self.state = self
            .step(state, input, at, table, out)
            .unwrap_or_else(|error| {
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
        self.count(&input, table)?;
        match (state, input) {
            (State::Closed, _) => Ok(State::Closed),
            (State::Open(open, offered), Input::Frame(Frame::StartTls)) if !open.is_leaving() => {
                Ok(self.on_start_tls(offered, out))
            }
            (State::Open(open, offered), Input::Frame(Frame::Auth(auth))) if !open.is_leaving() => {
                self.check_order(&open, table)?;
                self.on_auth(open, offered, &auth, table, out)
            }
            (State::Open(mut open, offered), input) => {
                open.handle(input, at, table, out)?;
                Ok(State::Open(open, offered))
            }
            (_, Input::Refuse(error)) => Err(error),
            (_, Input::Frame(Frame::Close | Frame::Error(_))) => {
                out.push(Action::Close(None));
                Ok(State::Closed)
            }
            (_, Input::Drain) => Err(Condition::SystemShutdown.because("we are about to end")),
            (State::ExpectHeader(stage), Input::Frame(Frame::Header(header))) => {
                self.on_header(stage, header, out)
            }
            (State::ExpectSecured, Input::Secured(presented)) => {
                Ok(self.on_secured(presented, table, out))
            }
            (State::ExpectSecured, Input::NotSecured) => {
                out.push(Action::Close(None));
                Ok(State::Closed)
            }
            // An answer about another name, or from before TLS, says nothing about this one.
            (State::Judge(greeting, presented), Input::Found(domain, finding))
                if greeting.header.from.as_ref() == Some(&domain) =>
            {
                Ok(self.on_found(greeting, presented, finding, table, out))
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
            (_, Input::TimedOut { .. }) => Err(Condition::ConnectionTimeout
                .because("the negotiation took too long")
                .blame(Violation::LimitPreauth)),
            (_, Input::Frame(_)) => Err(Condition::UnsupportedStanzaType
                .because("an element out of turn")
                .blame(Violation::StreamOrder)),
            // An answer that nobody waits for any more.
            (state, Input::Found(..) | Input::Authority(..) | Input::Reached(..)) => Ok(state),
            (state, Input::Ask(_) | Input::Repeat(_)) => Ok(state),
            (_, Input::Secured(_) | Input::NotSecured) => {
                Err(Condition::InternalServerError.because("driver out of turn; a bug of ours"))
            }
        }
    }

    /// Counts what a far end says that is not authorized for anything yet (C-08).
    fn count(&mut self, input: &Input, table: &Table) -> Result<(), StreamError> {
        let counts = matches!(input, Input::Frame(_));
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
        out.push(Action::Restart);
        State::ExpectHeader(Stage::Secured(presented))
    }

    /// Whether the far end is authorized for anything.
    fn is_authorized(&self, table: &Table) -> bool {
        table
            .row(self.id)
            .is_some_and(|row| !row.entrances.is_empty())
    }

    /// SASL comes before anything is granted or asked for by dialback, and succeeds once. What comes
    /// while its outcome is awaited is kept, which only has a limit before authorization.
    fn check_order(&self, open: &Open, table: &Table) -> Result<(), StreamError> {
        if self.is_authorized(table) || open.has_claims() {
            return Err(Condition::UnsupportedStanzaType
                .because("SASL on a stream that is authorized, or about to be")
                .blame(Violation::SaslOrder));
        }
        Ok(())
    }

    fn on_header(
        &mut self,
        stage: Stage,
        header: Header,
        out: &mut Vec<Action>,
    ) -> Result<State, StreamError> {
        self.check_names(&stage, &header)?;
        let stream = self.ids.issue();
        let answer = header.answer(&self.terms.server_name, stream.clone());
        out.push(Action::Send(answer.to_xml()));
        self.greeted = true;
        let greeting = Greeting { header, stream };
        match stage {
            Stage::Plain => self.open_plain(greeting, out),
            Stage::Secured(presented) => Ok(self.open_secured(greeting, presented, out)),
            Stage::Authenticated(_, presented) => {
                out.push(Action::SetTimer(self.terms.bounds.idle));
                Ok(self.open(greeting, presented, None, out))
            }
        }
    }

    /// Who may say what name in a header (B-19, C-01, C-04, R-07).
    fn check_names(&self, stage: &Stage, header: &Header) -> Result<(), StreamError> {
        if let Stage::Authenticated(pair, _) = stage {
            let same = header.from.as_ref() == Some(&pair.sender)
                && header.to.as_ref() == Some(&pair.target);
            return same.then_some(()).ok_or_else(|| {
                Condition::InvalidFrom
                    .because("another name after authentication")
                    .blame(Violation::StreamIdentityChange)
            });
        }
        let known = |to: &Domain| self.terms.may_receive(to) || *to == self.terms.server_name;
        let backend = self.terms.side == Side::Backend;
        if !header.to.as_ref().is_none_or(known) {
            let violation = if backend {
                Violation::BackendTo
            } else {
                Violation::StreamHostUnknown
            };
            return Err(Condition::HostUnknown
                .because("the target domain is not for us to receive")
                .blame(violation));
        }
        if !header
            .from
            .as_ref()
            .is_none_or(|from| self.terms.may_send(from))
        {
            let violation = if backend {
                Violation::BackendFrom
            } else {
                Violation::DialbackFromHosted
            };
            return Err(Condition::InvalidFrom
                .because("the sender domain cannot be on this side")
                .blame(violation));
        }
        Ok(())
    }

    fn open_plain(
        &mut self,
        greeting: Greeting,
        out: &mut Vec<Action>,
    ) -> Result<State, StreamError> {
        let plaintext = self
            .terms
            .level(greeting.header.from.as_ref())
            .allows_plaintext();
        if greeting.header.version_1 {
            let start_tls = self.terms.tls.then_some(!plaintext);
            let offer = Offer {
                start_tls,
                external: false,
                dialback: true,
            };
            out.push(Action::Send(offer.to_xml()));
        } else if !plaintext {
            return Err(Condition::PolicyViolation
                .because("a stream before XMPP 1.0 cannot be encrypted")
                .blame(Violation::StreamTlsRequired));
        }
        let start_tls = self.terms.tls.then(|| greeting.header.to.clone());
        let negotiated = Negotiated {
            way: Way::Inbound,
            stream: Some(greeting.stream),
            secured: false,
            presented: None,
            at: Duration::ZERO,
        };
        let open = Open::new(self.id, Arc::clone(&self.terms), negotiated);
        Ok(State::Open(
            open,
            Offered {
                start_tls,
                external: None,
            },
        ))
    }

    /// EXTERNAL is offered only where the certificate proves the name, so that has to be known
    /// first (K-01).
    fn open_secured(
        &mut self,
        greeting: Greeting,
        presented: Option<Presented>,
        out: &mut Vec<Action>,
    ) -> State {
        let Header {
            from,
            to,
            version_1,
            ..
        } = &greeting.header;
        let target = to.as_ref().filter(|to| self.terms.may_receive(to));
        match (from, target, presented) {
            (Some(from), Some(_), Some(presented)) if *version_1 => {
                out.push(Action::Judge(from.clone(), Some(presented.clone())));
                State::Judge(greeting, presented)
            }
            (_, _, presented) => self.open(greeting, presented, None, out),
        }
    }

    fn on_found(
        &mut self,
        greeting: Greeting,
        presented: Presented,
        finding: Finding,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) -> State {
        let Header {
            from: Some(from),
            to: Some(to),
            ..
        } = greeting.header.clone()
        else {
            return self.open(greeting, Some(presented), None, out);
        };
        let external = match decide(finding, self.terms.level(Some(&from))) {
            Decision::Bind(grounds) => {
                table.prove(self.id, from.clone(), grounds);
                Some(DomainPair::new(from, to))
            }
            // The peer may still ask by dialback, and hear there why not.
            Decision::AskAuthority(_) | Decision::Refuse(_) | Decision::TryLater(_) => None,
        };
        self.open(greeting, Some(presented), external, out)
    }

    /// Offers what is left to negotiate on a secured stream.
    fn open(
        &mut self,
        greeting: Greeting,
        presented: Option<Presented>,
        external: Option<DomainPair>,
        out: &mut Vec<Action>,
    ) -> State {
        if greeting.header.version_1 {
            let offer = Offer {
                start_tls: None,
                external: external.is_some(),
                dialback: true,
            };
            out.push(Action::Send(offer.to_xml()));
        }
        let stream = Some(greeting.stream);
        let negotiated = Negotiated {
            way: Way::Inbound,
            stream,
            secured: true,
            presented,
            at: Duration::ZERO,
        };
        let open = Open::new(self.id, Arc::clone(&self.terms), negotiated);
        State::Open(
            open,
            Offered {
                start_tls: None,
                external,
            },
        )
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

    fn on_auth(
        &mut self,
        open: Open,
        mut offered: Offered,
        auth: &Authorization,
        table: &Table,
        out: &mut Vec<Action>,
    ) -> Result<State, StreamError> {
        // Looking again may have shown since that the name is not the far end's.
        let still = |pair: &DomainPair| table.is_proven(self.id, &pair.sender);
        offered.external = offered.external.filter(still);
        let checked = if open.is_secured() {
            auth.check(offered.external.as_ref().map(|pair| &pair.sender))
        } else {
            let violation = Some(Violation::SaslOrder);
            Err(SaslError {
                condition: "encryption-required",
                violation,
            })
        };
        match (checked, offered.external) {
            (Ok(()), Some(pair)) => {
                out.push(Action::Reach(pair.clone()));
                Ok(State::Admit(pair, open.into_presented()))
            }
            (checked, external) => {
                let error = checked.err().unwrap_or(NOT_AUTHORIZED);
                self.fail_sasl(error, out)?;
                Ok(State::Open(
                    open,
                    Offered {
                        external,
                        start_tls: offered.start_tls,
                    },
                ))
            }
        }
    }

    /// Answers `<failure/>`; the stream lives on for dialback, but not for ever (K-05).
    fn fail_sasl(&mut self, error: SaslError, out: &mut Vec<Action>) -> Result<(), StreamError> {
        self.failures += 1;
        out.extend(error.violation.map(Action::Count));
        out.push(Action::Send(error.to_xml()));
        if SASL_FAILURES_MAX < self.failures {
            return Err(Condition::PolicyViolation.because("too many SASL failures"));
        }
        Ok(())
    }

    fn on_reached(
        &mut self,
        pair: DomainPair,
        presented: Option<Presented>,
        result: Result<(), Setback>,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) -> Result<State, StreamError> {
        match result {
            Ok(()) => {
                // Bind, then answer (E-12). The name was proven when EXTERNAL was offered.
                if table.let_in(&pair, self.id).is_err() {
                    return Err(Condition::InternalServerError.because("a bug of ours"));
                }
                out.push(Action::Trust);
                out.push(Action::Tell(Tidings::Bound(pair.clone())));
                out.push(Action::Send(SUCCESS.to_owned()));
                self.greeted = false;
                out.push(Action::Restart);
                out.push(Action::SetTimer(self.terms.bounds.preauth));
                Ok(State::ExpectHeader(Stage::Authenticated(pair, presented)))
            }
            Err(setback) => {
                let condition = match self.terms.side {
                    Side::Backend => Condition::RemoteConnectionFailed,
                    Side::Public if setback.to_peer() == super::DialbackError::ItemNotFound => {
                        Condition::HostUnknown
                    }
                    Side::Public => Condition::ResourceConstraint,
                };
                let error = condition.because("no way out for the only pair of the stream");
                Err(match self.terms.side {
                    // Our own server shows the text to its users.
                    Side::Backend => error.saying(setback.text()),
                    Side::Public => error,
                })
            }
        }
    }

    /// A stream error needs a stream, so ours is opened if it is not (RFC 6120 §4.9.1.2).
    fn greet_anyway(&mut self, out: &mut Vec<Action>) {
        if self.greeted {
            return;
        }
        self.greeted = true;
        let header = Header {
            from: Some(self.terms.server_name.clone()),
            to: None,
            id: Some(self.ids.issue()),
            version_1: true,
        };
        out.push(Action::Send(header.to_xml()));
    }
}

/// COMPAT: initiators that fail once may offer another identity, few do so twice (RFC 6120 §6.4.5).
const SASL_FAILURES_MAX: u32 = 3;

const NOT_AUTHORIZED: SaslError = SaslError {
    condition: "not-authorized",
    violation: Some(Violation::SaslOrder),
};

#[cfg(test)]
mod tests;

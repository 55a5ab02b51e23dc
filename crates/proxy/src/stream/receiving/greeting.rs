//! Headers and features: who speaks to whom, and what is offered to them.

use std::sync::Arc;
use std::time::Duration;

use ligase_verifier::{Domain, Presented};

use super::{Greeting, Offered, Receiving, Stage, State};
use crate::binding::{Decision, DomainPair, Finding, Side, Table, decide};
use crate::stream::open::{Negotiated, Open, Way};
use crate::stream::{Action, Condition, Header, Offer, StreamError, Violation};

impl Receiving {
    pub(super) fn on_header(
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
    pub(super) fn check_names(&self, stage: &Stage, header: &Header) -> Result<(), StreamError> {
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
            let violation =
                if backend { Violation::BackendTo } else { Violation::StreamHostUnknown };
            return Err(Condition::HostUnknown
                .because("the target domain is not for us to receive")
                .blame(violation));
        }
        if !header.from.as_ref().is_none_or(|from| self.terms.may_send(from)) {
            let violation =
                if backend { Violation::BackendFrom } else { Violation::DialbackFromHosted };
            return Err(Condition::InvalidFrom
                .because("the sender domain cannot be on this side")
                .blame(violation));
        }
        Ok(())
    }

    pub(super) fn open_plain(
        &mut self,
        greeting: Greeting,
        out: &mut Vec<Action>,
    ) -> Result<State, StreamError> {
        let plaintext = self.terms.level(greeting.header.from.as_ref()).allows_plaintext();
        if greeting.header.version_1 {
            let start_tls = self.terms.tls.then_some(!plaintext);
            let offer = Offer { start_tls, external: false, dialback: true };
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
        Ok(State::Open(Box::new(open), Offered { start_tls, external: None }))
    }

    /// EXTERNAL is offered only where the certificate proves the name, so that has to be known
    /// first (K-01).
    pub(super) fn open_secured(
        &mut self,
        greeting: Greeting,
        presented: Option<Presented>,
        out: &mut Vec<Action>,
    ) -> State {
        let Header { from, to, version_1, .. } = &greeting.header;
        let target = to.as_ref().filter(|to| self.terms.may_receive(to));
        match (from, target, presented) {
            (Some(from), Some(_), Some(presented)) if *version_1 => {
                out.push(Action::Judge(from.clone(), Some(presented.clone())));
                State::Judge(greeting, presented)
            }
            (_, _, presented) => self.open(greeting, presented, None, out),
        }
    }

    pub(super) fn on_found(
        &mut self,
        greeting: Greeting,
        presented: Presented,
        finding: Finding,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) -> State {
        let Header { from: Some(from), to: Some(to), .. } = greeting.header.clone() else {
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
    pub(super) fn open(
        &mut self,
        greeting: Greeting,
        presented: Option<Presented>,
        external: Option<DomainPair>,
        out: &mut Vec<Action>,
    ) -> State {
        if greeting.header.version_1 {
            let offer = Offer { start_tls: None, external: external.is_some(), dialback: true };
            out.push(Action::Send(offer.to_xml()));
        }
        let stream = Some(greeting.stream);
        let negotiated =
            Negotiated { way: Way::Inbound, stream, secured: true, presented, at: Duration::ZERO };
        let open = Open::new(self.id, Arc::clone(&self.terms), negotiated);
        State::Open(Box::new(open), Offered { start_tls: None, external })
    }

    /// A stream error needs a stream, so ours is opened if it is not (RFC 6120 §4.9.1.2).
    pub(super) fn greet_anyway(&mut self, out: &mut Vec<Action>) {
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

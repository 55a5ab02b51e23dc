//! Headers and features: who speaks to whom, and what is offered to them.

use std::sync::Arc;
use std::time::Duration;

use ligase_verifier::{Domain, Finding as Found, Presented, Verdict};

use super::{Greeting, Offered, Receiving, Stage, State};
use crate::binding::{
    Decision, DomainPair, Far, Finding, Mode, Name, Side, StreamId, Table, decide,
};
use crate::stream::open::{Negotiated, Open, Way};
use crate::stream::{Action, Condition, Denial, Dna, Header, Offer, StreamError, Violation};

impl Receiving {
    pub(super) fn on_header(
        &mut self,
        stage: Stage,
        header: Header,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) -> Result<State, StreamError> {
        let checked = self.check_names(&stage, &header);
        out.extend(checked.as_ref().err().and_then(|error| misnamed(error, &header)));
        checked?;
        table.set_mode(self.id, self.mode(&header));
        let stream = self.ids.issue();
        let answer = header.answer(&self.terms.server_name, stream.clone());
        out.push(Action::Send(answer.to_xml()));
        self.greeted = true;
        let greeting = Greeting { header, stream };
        match stage {
            Stage::Plain => self.open_plain(greeting, out),
            Stage::Secured(presented) => self.open_secured(greeting, presented, table, out),
            Stage::Authenticated(pair, presented) => {
                out.push(Action::SetTimer(self.terms.bounds.idle));
                Ok(self.open_authenticated(greeting, &pair, presented, table, out))
            }
        }
    }

    fn mode(&self, header: &Header) -> Mode {
        match (header.version_1, &header.to) {
            (false, _) => Mode::Legacy,
            (true, Some(to)) if self.is_to_us(to) => Mode::ServerName,
            (true, _) => Mode::DomainName,
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
        let is_domestic = || {
            let pair = header.from.clone().zip(header.to.clone());
            pair.is_some_and(|(from, to)| self.terms.is_domestic(&DomainPair::new(from, to)))
        };
        if !header.to.as_ref().is_none_or(known) || is_domestic() {
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
        let level = self.terms.level(greeting.header.from.as_ref());
        let plaintext = level.allows_plaintext();
        if greeting.header.version_1 {
            let start_tls = self.terms.tls.then_some(!plaintext);
            let offer = Offer { start_tls, ..Offer::default() };
            out.push(Action::Send(offer.to_xml()));
        } else if !plaintext {
            out.push(Action::Barred(level));
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
            far: Far::default(),
            at: Duration::ZERO,
        };
        let open = Open::new(self.id, Arc::clone(&self.terms), negotiated);
        Ok(State::Open(Box::new(open), Offered { start_tls, ..Offered::default() }))
    }

    /// What the far end says it is, where its certificate may prove it.
    pub(super) fn claimed(&self, header: &Header) -> Option<Name> {
        let (from, to) = (header.from.clone()?, header.to.as_ref()?);
        if !header.version_1 {
            None
        } else if self.is_to_us(to) {
            Some(Name::Server(from))
        } else {
            self.terms.may_receive(to).then_some(Name::Service(from))
        }
    }

    /// EXTERNAL is offered only where the certificate proves the name, so that has to be known
    /// first (K-01).
    pub(super) fn open_secured(
        &mut self,
        greeting: Greeting,
        presented: Option<Presented>,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) -> Result<State, StreamError> {
        match (self.claimed(&greeting.header), presented) {
            (Some(name), Some(presented)) => {
                out.push(Action::Judge(name, Some(presented.clone())));
                Ok(State::Judge(greeting, presented))
            }
            (Some(Name::Server(_)), None) => Err(not_that_server(Violation::CertNone)),
            (_, presented) => Ok(self.open(greeting, presented, None, table, out)),
        }
    }

    pub(super) fn on_found(
        &mut self,
        greeting: Greeting,
        presented: Presented,
        name: &Name,
        finding: Finding,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) -> Result<State, StreamError> {
        let Some(to) = greeting.header.to.clone() else {
            return Ok(self.open(greeting, Some(presented), None, table, out));
        };
        if name.is_server() {
            check_server(&finding)?;
        }
        let external = match decide(finding, self.terms.level(Some(name.domain()))) {
            Decision::Bind(grounds) => {
                table.prove(self.id, name.clone(), grounds);
                Some(DomainPair::new(name.domain().clone(), to))
            }
            // The peer may still ask by dialback, and hear there why not.
            Decision::AskAuthority(_) => None,
            Decision::Refuse(reason) | Decision::TryLater(reason) => {
                let pair = DomainPair::new(name.domain().clone(), to);
                let denial = Denial::Unproven(reason);
                out.extend((!name.is_server()).then_some(Action::Refused(pair, denial)));
                None
            }
        };
        Ok(self.open(greeting, Some(presented), external, table, out))
    }

    /// Offers what is left to negotiate on a secured stream.
    pub(super) fn open(
        &mut self,
        greeting: Greeting,
        presented: Option<Presented>,
        external: Option<DomainPair>,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) -> State {
        let bidi = greeting.header.version_1 && self.terms.channels.bidi;
        if greeting.header.version_1 {
            let knows = bidi || self.terms.takes_servers();
            let dna = knows.then_some(Dna {
                server: &self.terms.server_name,
                server_names: self.terms.takes_servers(),
                prooftypes: &self.terms.channels.prooftypes,
            });
            let external = external.is_some();
            let offer = Offer { external, bidi, dna, ..Offer::default() };
            out.push(Action::Send(offer.to_xml()));
        }
        let open = self.opened(greeting.stream, presented, table);
        State::Open(Box::new(open), Offered { start_tls: None, external, bidi })
    }

    /// The stream as it goes on after SASL: nothing is left to negotiate.
    fn open_authenticated(
        &mut self,
        greeting: Greeting,
        pair: &DomainPair,
        presented: Option<Presented>,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) -> State {
        if greeting.header.version_1 {
            let management = self.terms.side == Side::Public;
            out.push(Action::Send(Offer { management, ..Offer::default() }.to_xml()));
        }
        let mut open = self.opened(greeting.stream, presented, table);
        open.offer_acknowledgments();
        if !self.is_to_us(&pair.target) {
            open.grant_inverse(pair, table, out);
        }
        State::Open(Box::new(open), Offered::default())
    }

    fn opened(&self, stream: StreamId, presented: Option<Presented>, table: &mut Table) -> Open {
        let (way, stream, far, at) = (Way::Inbound, Some(stream), self.far, Duration::ZERO);
        let negotiated = Negotiated { way, stream, secured: true, presented, far, at };
        let mut open = Open::new(self.id, Arc::clone(&self.terms), negotiated);
        if self.far.bidi {
            open.set_bidi(self.far, table);
        }
        open
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

/// What is told of a header that names whom it must not, where it names a pair.
fn misnamed(error: &StreamError, header: &Header) -> Option<Action> {
    let denials = [
        (Violation::StreamHostUnknown, Denial::NotHosted),
        (Violation::DialbackFromHosted, Denial::FromHosted),
        (Violation::BackendTo, Denial::ToHosted),
        (Violation::BackendFrom, Denial::FromStranger),
    ];
    let denial = denials.into_iter().find(|(violation, _)| error.violation == Some(*violation))?.1;
    let pair = DomainPair::new(header.from.clone()?, header.to.clone()?);
    Some(Action::Refused(pair, denial))
}

/// A far end whose certificate says that it is another server, or that contradicts what that server
/// publishes, is not heard any further (C-06). One that nobody vouches for is granted nothing by it;
/// the domains that it serves may still prove themselves.
fn check_server(finding: &Finding) -> Result<(), StreamError> {
    let (Finding::Verdict(Verdict::Unproven(reason)) | Finding::Verdict(Verdict::Refuted(reason))) =
        finding
    else {
        return Ok(());
    };
    let refuted = matches!(finding, Finding::Verdict(Verdict::Refuted(_)));
    if !refuted && reason.finding != Found::WrongName {
        return Ok(());
    }
    let violation = Violation::read(reason.finding.label());
    Err(not_that_server(violation.unwrap_or(Violation::CertName)))
}

fn not_that_server(violation: Violation) -> StreamError {
    Condition::NotAuthorized.because("the far end is not the server that it says").blame(violation)
}

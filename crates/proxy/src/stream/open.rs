pub(super) mod acknowledging;
mod asking;
mod claims;
pub(super) mod renewal;
mod rights;
mod stanzas;
mod terms;
mod waiting;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use ligase_verifier::{Domain, Presented};

use self::acknowledging::Agreed;
use self::asking::Asked;
use self::claims::Claim;
use self::stanzas::Lately;
use super::{
    Action, Condition, Dialback, Frame, Input, Part, Role, Setback, StreamError, Terms, Tidings,
    Violation, Word,
};
use crate::binding::{ConnectionId, DomainPair, Far, Finding, Name, Side, StreamId, Table};

/// A stream on which both may speak: claims and verdicts, asking and being asked, stanzas.
///
/// It is the same on either side of the proxy and whoever opened it; only the terms differ.
#[derive(Clone, Debug)]
pub(super) struct Open {
    id: ConnectionId,
    terms: Arc<Terms>,
    /// Who we are on it: the far end opened it, or we did.
    way: Way,
    /// The id of the stream, by whoever received it.
    stream: Option<StreamId>,
    /// Whether TLS is up.
    secured: bool,
    presented: Option<Presented>,
    /// What the far end knows and does.
    far: Far,
    /// Requests of the far end that are not answered yet.
    claims: HashMap<DomainPair, Claim>,
    /// Pairs we asked for, and whose answers are due.
    asks: HashMap<DomainPair, Asked>,
    /// Pairs we want to ask for once their target is proven.
    wants: HashSet<DomainPair>,
    /// Pairs we want to ask for once others have been answered, in order (N-09).
    line: VecDeque<DomainPair>,
    /// Stanzas that came for pairs without a right, of late.
    strikes: Vec<Duration>,
    /// Pairs whose right we took back, and when: what was on its way then is no offense (E-17).
    revoked: Lately,
    /// Pairs whose right the far end took back by refusing a stanza, and when.
    heeded: Lately,
    /// Whether stanzas are acknowledged.
    agreed: Agreed,
    leaving: bool,
    /// Whether the far end should have been authorized for something by now, and is not.
    overdue: bool,
    /// The time of the last input.
    at: Duration,
}

/// Which way a stream was opened, or a stanza goes; without bidi (XEP-0288) the two are the same.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Way {
    /// From the far end to us.
    Inbound,
    /// From us to the far end.
    Outbound,
}

/// What an open stream needs to know of its negotiation.
#[derive(Clone, Debug)]
pub(super) struct Negotiated {
    pub(super) way: Way,
    pub(super) stream: Option<StreamId>,
    pub(super) secured: bool,
    pub(super) presented: Option<Presented>,
    pub(super) far: Far,
    /// The time, since the process started.
    pub(super) at: Duration,
}

impl Open {
    pub(super) fn new(id: ConnectionId, terms: Arc<Terms>, with: Negotiated) -> Self {
        let Negotiated { way, stream, secured, presented, far, at } = with;
        Self {
            id,
            terms,
            way,
            stream,
            secured,
            presented,
            far,
            claims: HashMap::new(),
            asks: HashMap::new(),
            wants: HashSet::new(),
            line: VecDeque::new(),
            strikes: Vec::new(),
            revoked: Lately::new(),
            heeded: Lately::new(),
            agreed: Agreed::Nothing,
            leaving: false,
            overdue: false,
            at,
        }
    }

    pub(super) fn is_secured(&self) -> bool {
        self.secured
    }

    /// Whether requests of the far end are open.
    pub(super) fn has_claims(&self) -> bool {
        !self.claims.is_empty()
    }

    /// Both may ask and send from now on (XEP-0288). What is asked on it is asked for this stream.
    pub(super) fn set_bidi(&mut self, far: Far, table: &mut Table) {
        self.far = far;
        table.set_far(self.id, far);
        table.set_stream(self.id, self.stream.clone());
    }

    /// Whether pairs may go this way on the stream.
    fn goes(&self, way: Way) -> bool {
        self.far.bidi || self.way == way
    }

    /// Whether our half of the stream has ended.
    pub(super) fn is_leaving(&self) -> bool {
        self.leaving
    }

    /// What the far end presented, once the stream is left for another.
    pub(super) fn into_presented(self) -> Option<Presented> {
        self.presented
    }

    /// Advances the stream by one input.
    ///
    /// # Errors
    /// The stream cannot go on.
    pub(super) fn handle(
        &mut self,
        input: Input,
        at: Duration,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) -> Result<(), StreamError> {
        self.at = at;
        let result = self.step(input, table, out);
        if let Err(error) = &result {
            self.fail_asks(&Setback::Broken(error.condition), out);
        }
        result
    }

    fn step(
        &mut self,
        input: Input,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) -> Result<(), StreamError> {
        match input {
            Input::Frame(Frame::Stanza(stanza)) => self.on_stanza(stanza, table, out),
            Input::Frame(Frame::Dialback(dialback)) if !self.leaving => {
                self.on_dialback(dialback, table, out)
            }
            Input::Frame(Frame::Management(said)) => {
                self.on_management(said, table, out);
                Ok(())
            }
            Input::Frame(Frame::Error(condition)) => {
                self.acknowledge(out);
                self.fail_asks(&Setback::Stream(condition), out);
                out.push(Action::Close(None));
                Ok(())
            }
            Input::Frame(Frame::Close) => {
                self.acknowledge(out);
                self.fail_asks(&Setback::Stream(None), out);
                out.push(Action::Close(None));
                Ok(())
            }
            Input::Frame(Frame::Unknown) => {
                out.push(Action::Count(Violation::StreamElement));
                self.refuse_unknown(table)
            }
            Input::Frame(_) if self.leaving => Ok(()),
            Input::Frame(_) => Err(StreamError::out_of_turn()),
            // Nothing follows our closing tag, so nothing is granted any more.
            Input::Found(..) | Input::Authority(..) | Input::Reached(..) if self.leaving => Ok(()),
            Input::Renewed(name, finding) => self.on_renewed(&name, finding, table, out),
            Input::Terms(terms) => self.on_terms(terms, table, out),
            Input::Found(Name::Server(server), finding) => {
                self.on_server_found(server, finding, table);
                Ok(())
            }
            Input::Found(Name::Service(domain), finding) => {
                self.on_found(&domain, finding, table, out)
            }
            Input::Authority(pair, answer) => self.on_authority(&pair, answer, table, out),
            Input::Reached(pair, result) => self.on_reached(&pair, result, table, out),
            Input::Withdraw(pair) => {
                self.on_withdraw(&pair, table, out);
                Ok(())
            }
            Input::Ask(pair) => {
                self.on_ask(pair, table, out);
                Ok(())
            }
            Input::Repeat(pair) => {
                if self.awaits(&pair) {
                    self.request(&pair, table, out);
                }
                Ok(())
            }
            Input::TimedOut { quiet } => self.on_timeout(quiet, table, out),
            Input::Drain => {
                self.on_drain(out);
                Ok(())
            }
            Input::Refuse(error) => Err(error),
            Input::Secured(_) | Input::NotSecured(_) => Err(StreamError::misdriven()),
        }
    }

    fn on_dialback(
        &mut self,
        dialback: Dialback,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) -> Result<(), StreamError> {
        match (&dialback.part, &dialback.word) {
            (Part::Result, Word::Request(key)) => {
                let key = key.clone();
                self.on_claim(&dialback, key, table, out)
            }
            (Part::Verify(stream), Word::Request(key)) => {
                let word = self.authenticate(&dialback.pair, stream, key, table, out)?;
                out.push(Action::Send(dialback.answer(word).to_xml()));
                Ok(())
            }
            (Part::Result, Word::Unknown) => {
                out.push(Action::Count(Violation::DialbackType));
                let error = Some(super::DialbackError::BadRequest);
                out.push(Action::Send(dialback.answer(Word::Error(error)).to_xml()));
                Ok(())
            }
            (Part::Result, Word::Valid | Word::Invalid | Word::Error(_)) => {
                self.on_answer(&dialback.pair.reversed(), dialback.word, table, out);
                Ok(())
            }
            // Answers about keys come on streams that were opened to ask for them, and nowhere
            // else: whoever volunteers one wants to vouch for a stranger (XEP-0220 §3.1).
            (Part::Verify(_), _) => {
                out.push(Action::Count(Violation::DialbackUnsolicited));
                Ok(())
            }
        }
    }

    /// Answers, as authoritative server, whether a key is ours (E-19).
    ///
    /// It is only while the stream it was made for is alive and the pair was asked for on it: a
    /// key that somebody kept is worth nothing. Where several processes share a secret, the stream
    /// may be another's, and the key alone has to tell (E-19).
    fn authenticate(
        &self,
        pair: &DomainPair,
        stream: &StreamId,
        key: &str,
        table: &Table,
        out: &mut Vec<Action>,
    ) -> Result<Word, StreamError> {
        if !self.goes(Way::Inbound) {
            return Err(one_way());
        }
        if !self.terms.may_receive(&pair.target) {
            out.push(Action::Count(Violation::DialbackNotHosted));
            return Ok(Word::Error(Some(super::DialbackError::ItemNotFound)));
        }
        let asked = pair.reversed();
        // Both are looked at whatever the first one says, so that time tells nothing (L06).
        let ours = self.terms.keys.is_ours(&asked, stream, key);
        let pending =
            self.terms.keys.are_shared() || table.is_asked(self.terms.side, stream, &asked);
        out.push(Action::Answered(Role::Authoritative, Some(pending && ours)));
        Ok(match (pending, ours) {
            (true, true) => Word::Valid,
            (true, false) => {
                out.push(Action::Count(self.key_violation()));
                Word::Invalid
            }
            (false, _) => {
                out.push(Action::Count(Violation::DialbackNoPending));
                Word::Invalid
            }
        })
    }

    fn key_violation(&self) -> Violation {
        match self.terms.side {
            Side::Public => Violation::DialbackKey,
            Side::Backend => Violation::BackendKey,
        }
    }

    /// What we do not know is ignored once the far end is authorized for something; before, it is
    /// out of place (O-04, C-08).
    fn refuse_unknown(&self, table: &Table) -> Result<(), StreamError> {
        let known = table.row(self.id).is_some_and(crate::binding::Row::is_authorized);
        if known || self.way == Way::Outbound || self.leaving {
            return Ok(());
        }
        Err(Condition::UnsupportedStanzaType.because("an element that we do not know"))
    }

    /// Says that we are about to end, and listens until the far end has ended its own half
    /// (P-09, P-13): what it sent before it heard us is still delivered.
    fn on_drain(&mut self, out: &mut Vec<Action>) {
        if self.leaving {
            return;
        }
        self.acknowledge(out);
        self.leaving = true;
        self.fail_asks(&Setback::Draining, out);
        let error = Condition::SystemShutdown.because("we are about to end");
        out.push(Action::End(error));
        out.push(Action::SetTimer(FAREWELL));
    }
}

/// A request on a stream that its sender may not make requests on (E-08).
fn one_way() -> StreamError {
    Condition::UnsupportedStanzaType
        .because("a request on a stream that is not bidirectional")
        .blame(Violation::DialbackDirection)
}

/// How long we wait for the far end to end its half of a stream (P-13).
const FAREWELL: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests;

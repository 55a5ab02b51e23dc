//! SASL EXTERNAL: the one mechanism, for the one pair that the header names (XEP-0178).

use ligase_verifier::Presented;

use super::{Offered, Receiving, Stage, State};
use crate::binding::{DomainPair, Side, Table};
use crate::stream::open::{Open, Way};
use crate::stream::sasl::SUCCESS;
use crate::stream::{
    Action, Authorization, Condition, DialbackError, SaslError, Setback, StreamError, Tidings,
    Violation,
};

impl Receiving {
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

    pub(super) fn on_auth(
        &mut self,
        open: Box<Open>,
        mut offered: Offered,
        auth: &Authorization,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) -> Result<State, StreamError> {
        self.check_order(&open, table)?;
        // Looking again may have shown since that the name is not the far end's.
        let still = |pair: &DomainPair| match self.is_to_us(&pair.target) {
            true => table.row(self.id).is_some_and(|row| row.is_server(&pair.sender)),
            false => {
                table.is_proven(self.id, &pair.sender) && self.terms.allows(pair, Way::Inbound)
            }
        };
        offered.external = offered.external.filter(still);
        let checked = if open.is_secured() {
            auth.check(offered.external.as_ref().map(|pair| &pair.sender))
        } else {
            let violation = Some(Violation::SaslOrder);
            Err(SaslError { condition: "encryption-required", violation })
        };
        match (checked, offered.external) {
            // Between the servers there is nothing to reach: pairs come later (K-09).
            (Ok(()), Some(pair)) if self.is_to_us(&pair.target) => {
                if table.admit(self.id, &pair.sender).is_err() {
                    return Err(StreamError::bug());
                }
                out.push(Action::Trust);
                Ok(self.succeed(pair, open.into_presented(), out))
            }
            (Ok(()), Some(pair)) => {
                out.push(Action::Reach(pair.clone()));
                Ok(State::Admit(pair, open.into_presented()))
            }
            (checked, external) => {
                let error = checked.err().unwrap_or(NOT_AUTHORIZED);
                self.fail_sasl(error, out)?;
                Ok(State::Open(open, Offered { external, ..offered }))
            }
        }
    }

    /// Answers `<failure/>`; the stream lives on for dialback, but not for ever (K-05).
    pub(super) fn fail_sasl(
        &mut self,
        error: SaslError,
        out: &mut Vec<Action>,
    ) -> Result<(), StreamError> {
        self.failures += 1;
        out.extend(error.violation.map(Action::Count));
        out.push(Action::Send(error.to_xml()));
        if SASL_FAILURES_MAX < self.failures {
            return Err(Condition::PolicyViolation.because("too many SASL failures"));
        }
        Ok(())
    }

    pub(super) fn on_reached(
        &mut self,
        pair: DomainPair,
        presented: Option<Presented>,
        result: Result<(), Setback>,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) -> Result<State, StreamError> {
        match result {
            Ok(()) => {
                // Bind, then answer (E-12). The name was proven when EXTERNAL was offered. The
                // opposite pair follows when the stream is open again (L-04).
                if table.let_in(&pair, self.id).is_err() {
                    return Err(StreamError::bug());
                }
                out.push(Action::Trust);
                out.push(Action::Tell(Tidings::Bound(pair.clone())));
                Ok(self.succeed(pair, presented, out))
            }
            Err(setback) => {
                let condition = match self.terms.side {
                    Side::Backend => Condition::RemoteConnectionFailed,
                    Side::Public if setback.to_peer() == DialbackError::ItemNotFound => {
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
}

impl Receiving {
    /// Says so; the stream begins anew, authenticated (RFC 6120 §6.4.6).
    fn succeed(
        &mut self,
        pair: DomainPair,
        presented: Option<Presented>,
        out: &mut Vec<Action>,
    ) -> State {
        out.push(Action::Send(SUCCESS.to_owned()));
        self.greeted = false;
        out.push(Action::Restart);
        out.push(Action::SetTimer(self.terms.bounds.preauth));
        State::ExpectHeader(Stage::Authenticated(pair, presented))
    }
}

/// COMPAT: initiators that fail once may offer another identity, few do so twice (RFC 6120 §6.4.5).
const SASL_FAILURES_MAX: u32 = 3;

const NOT_AUTHORIZED: SaslError =
    SaslError { condition: "not-authorized", violation: Some(Violation::SaslOrder) };

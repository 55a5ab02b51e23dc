use std::fmt;

use crate::evidence::{Evidence, Published};
use crate::gather::{Failure, Security};
use crate::{Finding, Prooftype, Verdict};

/// Something that the verifier met with, for those who count.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Observation {
    /// DNS was asked. This is how far the answer can be trusted, or why there is none.
    LookedUp(Result<Security, Failure>),
    /// A certificate was held against a domain's TLSA records.
    Compared(Comparison),
    /// A web server was asked for a POSH document. There was one, or none, for this reason if there
    /// is a reason.
    Fetched(Result<(), Option<Finding>>),
}

/// What came of holding a certificate against a domain's TLSA records.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Comparison {
    /// A record allows it.
    Match,
    /// There are records, and none allows it.
    Mismatch,
    /// There are none, provably.
    Absent,
    /// There may be some, but the domain is not delegated securely, so they would prove nothing.
    Insecure,
    /// There are some, of kinds that prove nothing.
    Unusable,
    /// They could not be read, or were forged.
    Failed,
}

impl Comparison {
    /// What a verdict for which TLSA records were asked says of them.
    pub(crate) fn of(verdict: &Verdict, evidence: &Evidence) -> Self {
        let dane = Some(Prooftype::Dane);
        match verdict {
            Verdict::Proven(it) if Some(it.prooftype()) == dane => return Self::Match,
            Verdict::Refuted(it) if it.prooftype == dane => {
                return match it.finding == Finding::TlsaMismatch {
                    true => Self::Mismatch,
                    false => Self::Failed,
                };
            }
            Verdict::Undetermined(_) => return Self::Failed,
            Verdict::Proven(_) | Verdict::Refuted(_) | Verdict::Unproven(_) => (),
        }
        match &evidence.endpoints {
            Published::Bogus(_) | Published::Unreachable(_) => return Self::Failed,
            Published::Here(..) | Published::Absent => (),
        }
        let here = |it: &Published<_>| matches!(it, Published::Here(..));
        match evidence.tlsa.as_slice() {
            [] => Self::Insecure,
            found if found.iter().any(|it| here(&it.records)) => Self::Unusable,
            _ => Self::Absent,
        }
    }
}

/// Whoever is told.
pub(crate) struct Observer(pub(crate) Box<dyn Fn(Observation) + Send + Sync>);

impl Observer {
    pub(crate) fn tell(&self, observation: Observation) {
        (self.0)(observation);
    }
}

impl Default for Observer {
    fn default() -> Self {
        Self(Box::new(|_| ()))
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observer").finish_non_exhaustive()
    }
}

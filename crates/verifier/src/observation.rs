use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use crate::evidence::{Evidence, Published};
use crate::gather::{Failure, Security};
use crate::{Finding, Prooftype, Verdict};

/// Something that the verifier met with, for those who count.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Observation {
    /// A DNS server was asked.
    Queried(Exchange),
    /// There was a DNS question; this tells whether the answer was remembered, or another was waiting
    /// for it already.
    Recalled(bool),
    /// DNS was asked. This is how far the answer can be trusted, or why there is none.
    LookedUp(Result<Security, Failure>),
    /// A certificate was held against a domain's TLSA records.
    Compared(Comparison),
    /// A web server was asked for a POSH document. There was one, or none, for this reason if there
    /// is a reason. It took so long.
    Fetched(Result<(), Option<Finding>>, Duration),
}

/// One query to one DNS server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Exchange {
    /// What it was asked for.
    pub asked: Asked,
    /// What it answered.
    pub reply: Reply,
    /// How long that took, or how long we waited.
    pub took: Duration,
}

/// The type of the records that a DNS server is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Asked {
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
    /// Where a service is.
    Srv,
    /// What a TLS server may present.
    Tlsa,
    /// The keys of a zone.
    Dnskey,
    /// Which of those the zone above vouches for.
    Ds,
    /// Anything else.
    Other,
}

/// What a DNS server answered (RFC 1035 §4.1.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reply {
    /// NOERROR: the name exists, the records perhaps not.
    NoError,
    /// NXDOMAIN: it does not.
    NoName,
    /// SERVFAIL: it could not find out, or found that the signatures do not hold.
    Failure,
    /// REFUSED: it does not answer us.
    Refused,
    /// Nothing, until we gave up.
    Nothing,
    /// Something else, or nothing because it could not be reached.
    Other,
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

/// Whoever is told; nobody, until somebody wants to be.
#[derive(Default)]
pub(crate) struct Observer(OnceLock<Tell>);

type Tell = Box<dyn Fn(Observation) + Send + Sync>;

impl Observer {
    /// Tells this one from now on, unless there is another.
    pub(crate) fn listen(&self, tell: impl Fn(Observation) + Send + Sync + 'static) {
        let _ = self.0.set(Box::new(tell));
    }

    pub(crate) fn tell(&self, observation: Observation) {
        if let Some(tell) = self.0.get() {
            tell(observation);
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observer").finish_non_exhaustive()
    }
}

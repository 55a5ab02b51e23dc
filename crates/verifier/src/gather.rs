//! What can be looked up about a domain, and which of it a request needs.

pub(crate) mod resolver;

use std::fmt;
use std::future::{Future, poll_fn};
use std::net::IpAddr;
use std::pin::Pin;
use std::task::Poll;
use std::time::SystemTime;

use crate::evidence::Tlsa;
use crate::{Finding, Unresolved};

/// DNS as the verifier sees it: a question goes in, an answer with its security comes out.
///
/// There is one in the program, which asks the network, and others in tests, which know the
/// answers by heart.
pub trait Lookup: fmt::Debug + Send + Sync {
    /// Looks up records, at a time that is now in all but tests.
    fn look_up<'a>(&'a self, question: &'a Question, at: SystemTime) -> Pending<'a, Answer>;
}

/// An answer on its way.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What DNS is asked.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Question {
    /// The owner name: lower-case ASCII, complete, without the final dot.
    pub name: String,
    /// The type of its records.
    pub kind: Kind,
}

/// A type of DNS record.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Kind {
    /// Where a service is (RFC 2782).
    Srv,
    /// An IPv4 address.
    A,
    /// An IPv6 address (RFC 3596).
    Aaaa,
    /// What a TLS server may present (RFC 6698).
    Tlsa,
}

/// What DNS answers: records, perhaps none; or that we could not find out.
pub type Answer = Result<Records, Failure>;

/// All records of one name and type, or the knowledge that there are none.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Records {
    /// The records; none if it is known that none exist.
    pub data: Vec<Data>,
    /// How far to trust the records, or their absence: the least of all aliases on the way.
    pub security: Security,
    /// The name at which the aliases ended, written like the question's.
    pub owner: String,
    /// When this is to be asked again.
    pub expires: SystemTime,
}

/// One DNS record.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Data {
    /// A service's place (RFC 2782).
    Srv {
        /// Lower is tried first.
        priority: u16,
        /// Share among those of the same priority.
        weight: u16,
        /// TCP port.
        port: u16,
        /// Host, written like a question's name; empty if the service is decidedly not offered.
        target: String,
    },
    /// An address.
    Address(IpAddr),
    /// What a TLS server may present.
    Tlsa(Tlsa),
}

/// How far DNS data can be trusted (RFC 4035 §4.3). What is bogus is no data.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Security {
    /// Its owner does not sign it, and the owner of the zone above says so.
    Insecure,
    /// It is signed, from the trust anchor down.
    Secure,
}

/// Why DNS could not be asked. None of these is an absence.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Failure {
    /// The answer failed its signature.
    Bogus,
    /// No server gave an answer.
    Failed,
    /// It took longer than we wait.
    TimedOut,
}

impl Failure {
    /// What this means for a verdict.
    pub(crate) fn finding(self) -> Finding {
        match self {
            Self::Bogus => Finding::DnsBogus,
            Self::Failed => Finding::DnsFailure,
            Self::TimedOut => Finding::DnsLimit,
        }
    }
}

impl From<Failure> for Unresolved {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Bogus => Self::Bogus,
            Failure::Failed => Self::Failed,
            Failure::TimedOut => Self::TimedOut,
        }
    }
}

/// Waits for all of some futures, and returns what they return, in their order.
///
/// Each is asked again whenever one makes progress, so there should not be many.
pub(crate) async fn all<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut pending: Vec<_> = futures.into_iter().map(|it| Some(Box::pin(it))).collect();
    let mut done: Vec<Option<F::Output>> = pending.iter().map(|_| None).collect();
    poll_fn(|context| {
        for (pending, done) in pending.iter_mut().zip(&mut done) {
            if let Some(future) = pending
                && let Poll::Ready(output) = future.as_mut().poll(context)
            {
                (*pending, *done) = (None, Some(output));
            }
        }
        match pending.iter().all(Option::is_none) {
            true => Poll::Ready(done.iter_mut().filter_map(Option::take).collect()),
            false => Poll::Pending,
        }
    })
    .await
}

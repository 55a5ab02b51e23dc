//! What can be looked up about a domain, and which of it a request needs.

mod facts;
mod hosts;
mod https;
pub(crate) mod network;
pub(crate) mod posh;
mod resolver;
mod timed;
mod unsigned;
mod url;

use std::fmt;
use std::future::{Future, poll_fn};
use std::net::IpAddr;
use std::pin::Pin;
use std::task::Poll;
use std::time::{Duration, SystemTime};

use crate::delegation::{Delegation, fallback, order};
use crate::evidence::{Evidence, Published, Tlsa, TlsaAt};
use crate::{Domain, Endpoint, Finding, Request, Service, Unresolved};

pub use self::facts::Facts;
pub use self::https::{FetchFailure, Page};
pub(crate) use self::timed::Timed;
pub use self::unsigned::Unsigned;
pub use self::url::Url;

/// DNS and the web as the verifier sees them: a question goes in, an answer with its security
/// comes out.
///
/// There is one in the program, which asks the network, and others in tests, which know the
/// answers by heart.
pub trait Lookup: fmt::Debug + Send + Sync {
    /// Looks up records, at a time that is now in all but tests.
    fn look_up<'a>(&'a self, question: &'a Question, at: SystemTime) -> Pending<'a, Answer>;

    /// Gets a page from its host at this address, which has been found allowed, and at no other.
    fn fetch<'a>(
        &'a self,
        url: &'a Url,
        address: IpAddr,
    ) -> Pending<'a, Result<Page, FetchFailure>>;
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

/// Where a domain says where its service is, by STARTTLS and by direct TLS.
pub(crate) fn places(domain: &Domain, service: Service) -> [Question; 2] {
    [service.label(), service.direct_tls_label()]
        .map(|label| Question { name: format!("{label}._tcp.{}", domain.ascii()), kind: Kind::Srv })
}

/// What the SRV records of both names of a service say, and until when.
///
/// When one of the two answers is missing, so is the whole: what an attacker kept from us may have
/// been the better half.
async fn delegation(
    lookup: &dyn Lookup,
    domain: &Domain,
    service: Service,
    at: SystemTime,
) -> Result<(Delegation, SystemTime), Failure> {
    let [starttls, direct_tls] = places(domain, service);
    let (starttls, direct_tls) =
        tokio::join!(lookup.look_up(&starttls, at), lookup.look_up(&direct_tls, at));
    let (starttls, direct_tls) = match (starttls, direct_tls) {
        (Ok(starttls), Ok(direct_tls)) => (starttls, direct_tls),
        (Err(Failure::Bogus), _) | (_, Err(Failure::Bogus)) => return Err(Failure::Bogus),
        (Err(failure), _) | (_, Err(failure)) => return Err(failure),
    };
    let expires = starttls.expires.min(direct_tls.expires);
    Ok((Delegation::read(&starttls, &direct_tls), expires))
}

/// Where a domain's service is, in the order to try.
pub(crate) async fn endpoints(
    lookup: &dyn Lookup,
    domain: &Domain,
    service: Service,
    at: SystemTime,
    draw: impl FnMut(u32) -> u32,
) -> Result<Vec<Endpoint>, Unresolved> {
    match delegation(lookup, domain, service, at).await?.0 {
        Delegation::Offered(offers) if offers.is_empty() => Err(Unresolved::NotFound),
        Delegation::Offered(offers) => Ok(order(offers, draw)),
        Delegation::Declined => Err(Unresolved::Declined),
        Delegation::Unpublished => Ok(vec![fallback(domain, service)]),
    }
}

/// The addresses of a host that may be connected to, families in turn.
pub(crate) async fn addresses(
    lookup: &dyn Lookup,
    host: &Domain,
    at: SystemTime,
    allows: impl Fn(IpAddr) -> bool,
) -> Result<Vec<IpAddr>, Unresolved> {
    let found = hosts::addresses(lookup, host, at).await?.addresses;
    if found.is_empty() {
        return Err(Unresolved::NotFound);
    }
    let allowed: Vec<IpAddr> = found.into_iter().filter(|it| allows(*it)).collect();
    match allowed.is_empty() {
        true => Err(Unresolved::Forbidden),
        false => Ok(hosts::interleave(&allowed)),
    }
}

/// The TLSA records of one endpoint; none if it is not a secure one.
pub(crate) async fn tlsa(
    lookup: &dyn Lookup,
    endpoint: &Endpoint,
    at: SystemTime,
) -> Option<TlsaAt> {
    match endpoint.secure {
        true => Some(hosts::tlsa_at(lookup, endpoint, at).await),
        false => None,
    }
}

/// Everything in DNS that a request is judged by.
pub(crate) async fn gather(lookup: &dyn Lookup, request: &Request, wants_dane: bool) -> Evidence {
    if request.is_server_name {
        return gather_server(lookup, request, wants_dane).await;
    }
    let found = delegation(lookup, &request.domain, request.service, request.at).await;
    let endpoints: Published<Vec<Endpoint>> = match found {
        Ok((Delegation::Offered(offers), expires)) => {
            Published::Here(offers.into_iter().map(|it| it.endpoint).collect(), expires)
        }
        Ok((Delegation::Declined | Delegation::Unpublished, _)) => Published::Absent,
        Err(Failure::Bogus) => Published::Bogus(Finding::DnsBogus),
        Err(failure) => Published::Unreachable(failure.finding()),
    };
    let tlsa = match &endpoints {
        Published::Here(endpoints, _) if wants_dane => {
            hosts::tlsa(lookup, request, endpoints).await
        }
        Published::Here(..)
        | Published::Absent
        | Published::Bogus(_)
        | Published::Unreachable(_) => Vec::new(),
    };
    Evidence { endpoints, tlsa, posh: Published::Absent }
}

/// Everything in DNS that the name of a server is judged by: what stands at the port where we met
/// it, or at the service's own port if it came to us.
async fn gather_server(lookup: &dyn Lookup, request: &Request, wants_dane: bool) -> Evidence {
    let port = request.endpoint.as_ref().map_or_else(|| request.service.port(), |met| met.port);
    // Nobody delegates a server's name to it, so nobody's signature is missing.
    let itself = Endpoint { secure: true, port, ..fallback(&request.domain, request.service) };
    let tlsa = match wants_dane {
        true => vec![hosts::tlsa_at(lookup, &itself, request.at).await],
        false => Vec::new(),
    };
    let endpoints = Published::Here(vec![itself], request.at + SERVER_NAME_LIFETIME);
    Evidence { endpoints, tlsa, posh: Published::Absent }
}

/// Until the name of a server is looked at again that has no records which say how long they hold.
const SERVER_NAME_LIFETIME: Duration = Duration::from_secs(3600);

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

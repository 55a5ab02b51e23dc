use std::net::IpAddr;
use std::time::SystemTime;

use super::{Answer, Data, Failure, Kind, Lookup, Question, Records, Security, all};
use crate::delegation::ENDPOINTS_MAX;
use crate::evidence::{Published, Tlsa, TlsaAt};
use crate::{Domain, Endpoint, Finding, Request};

/// The addresses of a host.
#[derive(Debug)]
pub(super) struct Addresses {
    /// All of both families, IPv6 first; none if it is known that none exist.
    pub(super) addresses: Vec<IpAddr>,
    /// How far to trust them: the least of both families.
    security: Security,
    /// What the host is an alias of, if it securely is one.
    canonical: Option<Domain>,
    pub(super) expires: SystemTime,
}

/// Looks up both families of a host's addresses.
///
/// Where one of them cannot be had, the other will do; but none is not taken for an answer then.
pub(super) async fn addresses(
    lookup: &dyn Lookup,
    host: &Domain,
    at: SystemTime,
) -> Result<Addresses, Failure> {
    let [v6, v4] = questions(host);
    let (v6, v4) = tokio::join!(lookup.look_up(&v6, at), lookup.look_up(&v4, at));
    both(host, v6, v4, at)
}

/// What is asked about a host: its IPv6 addresses, and its IPv4 addresses.
pub(super) fn questions(host: &Domain) -> [Question; 2] {
    [Kind::Aaaa, Kind::A].map(|kind| Question { name: host.ascii().to_owned(), kind })
}

/// The addresses of both families. If one half is refused the other alone is used, but that a half
/// failed is never taken for its being empty.
pub(super) fn both(
    host: &Domain,
    v6: Answer,
    v4: Answer,
    at: SystemTime,
) -> Result<Addresses, Failure> {
    let halves = [&v6, &v4];
    let failed = halves.iter().filter_map(|it| it.as_ref().err()).max_by_key(|it| severity(**it));
    let found: Vec<&Records> = halves.iter().filter_map(|it| it.as_ref().ok()).collect();
    let addresses: Vec<IpAddr> = found.iter().flat_map(|it| &it.data).filter_map(address).collect();
    if let (Some(failure), true) = (failed, addresses.is_empty()) {
        return Err(*failure);
    }

    let security = found.iter().map(|it| it.security).min().unwrap_or(Security::Insecure);
    let named = found.iter().find(|it| !it.data.is_empty()).or_else(|| found.first());
    let canonical = named
        .filter(|it| security == Security::Secure && it.owner != host.ascii())
        .and_then(|it| it.owner.parse().ok());
    let expires = found.iter().map(|it| it.expires).min().unwrap_or(at);
    Ok(Addresses { addresses, security, canonical, expires })
}

/// What was forged weighs more than what was lost.
fn severity(failure: Failure) -> u8 {
    match failure {
        Failure::Bogus => 2,
        Failure::Failed => 1,
        Failure::TimedOut => 0,
    }
}

fn address(data: &Data) -> Option<IpAddr> {
    match data {
        Data::Address(address) => Some(*address),
        Data::Srv { .. } | Data::Tlsa(_) => None,
    }
}

/// Puts the families in turn, IPv6 first, so that the lack of one costs one attempt (RFC 8305).
pub(super) fn interleave(addresses: &[IpAddr]) -> Vec<IpAddr> {
    let mut v6 = addresses.iter().filter(|it| it.is_ipv6());
    let mut v4 = addresses.iter().filter(|it| it.is_ipv4());
    let mut ordered = Vec::new();
    while ordered.len() < addresses.len().min(ADDRESSES_MAX) {
        ordered.extend(v6.next());
        ordered.extend(v4.next());
    }
    ordered.truncate(ADDRESSES_MAX);
    ordered
}

/// Looks for TLSA records at the endpoint that the request is about, or, if the peer connected to
/// us or its endpoint is no longer the domain's, at all of the domain's.
///
/// Only secure endpoints count (RFC 7673 §3.1).
pub(super) async fn tlsa(
    lookup: &dyn Lookup,
    request: &Request,
    endpoints: &[Endpoint],
) -> Vec<TlsaAt> {
    let mut asked: Vec<&Endpoint> = Vec::new();
    for endpoint in endpoints.iter().filter(|it| it.secure) {
        if !asked.iter().any(|it| it.is_at(endpoint)) {
            asked.push(endpoint);
        }
    }
    let met = request.endpoint.as_ref();
    if let Some(met) = asked.iter().find(|it| met.is_some_and(|met| it.is_at(met))) {
        asked = vec![met];
    }
    asked.truncate(ENDPOINTS_MAX);
    let mut found = Vec::with_capacity(asked.len());
    // A domain with many hosts, which may all tarry, leaves turns to others.
    for few in asked.chunks(ENDPOINTS_AT_ONCE) {
        let few = few.iter().map(|it| tlsa_at(lookup, it, request.at));
        found.extend(all(few.collect()).await);
    }
    found
}

/// Looks for the TLSA records of one secure endpoint (RFC 7673 §3.2 to §3.4).
pub(super) async fn tlsa_at(lookup: &dyn Lookup, endpoint: &Endpoint, at: SystemTime) -> TlsaAt {
    let target = &endpoint.target;
    let found =
        |base: &Domain, records| TlsaAt { endpoint: endpoint.clone(), base: base.clone(), records };
    let addresses = match addresses(lookup, target, at).await {
        Ok(addresses) if addresses.security == Security::Secure => addresses,
        // Whoever can forge the address need not care for the certificate (RFC 7673 §3.2).
        Ok(_) => return found(target, Published::Absent),
        Err(failure) => return found(target, unknown(failure)),
    };
    // What the target is an alias of comes first, then the target itself (RFC 7671 §7).
    for base in addresses.canonical.iter().chain([target]) {
        let name = format!("_{}._tcp.{}", endpoint.port, base.ascii());
        match lookup.look_up(&Question { name, kind: Kind::Tlsa }, at).await {
            Err(failure) => return found(base, unknown(failure)),
            Ok(answer) if answer.security == Security::Secure && !answer.data.is_empty() => {
                let records = answer.data.into_iter().filter_map(record).collect();
                let expires = answer.expires.min(addresses.expires);
                return found(base, Published::Here(records, expires));
            }
            Ok(_) => (),
        }
    }
    found(target, Published::Absent)
}

fn unknown<T>(failure: Failure) -> Published<T> {
    match failure {
        Failure::Bogus => Published::Bogus(Finding::DnsBogus),
        Failure::Failed | Failure::TimedOut => Published::Unreachable(failure.finding()),
    }
}

fn record(data: Data) -> Option<Tlsa> {
    match data {
        Data::Tlsa(tlsa) => Some(tlsa),
        Data::Srv { .. } | Data::Address(_) => None,
    }
}

/// How many addresses of a host are worth trying.
const ADDRESSES_MAX: usize = 16;

/// Endpoints that are asked about at a time, by two or three questions each. Most domains have one.
const ENDPOINTS_AT_ONCE: usize = 4;

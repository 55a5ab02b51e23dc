//! What a peer presented, weighed against what the domain has published. Nothing here waits, reads
//! a clock or touches the network.

pub(crate) mod dane;
mod pkix;
mod posh;

use std::time::{Duration, SystemTime};

use self::dane::Ruling;
use crate::evidence::{Evidence, Published};
use crate::roots::Roots;
use crate::{Association, Domain, Endpoint, Finding, Prooftype, Reason, Request, Verdict};

/// What an evaluation is made by, besides the request and the evidence.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    /// The prooftypes that count.
    pub(crate) prooftypes: Vec<Prooftype>,
    /// The usages of TLSA records that count.
    pub(crate) tlsa_usages: Vec<u8>,
    /// The authorities that count for PKIX.
    pub(crate) roots: Roots,
}

impl Terms {
    /// Tells whether a prooftype counts.
    pub(crate) fn asks(&self, prooftype: Prooftype) -> bool {
        self.prooftypes.contains(&prooftype)
    }
}

/// Weighs what the domain has published against what its peer presented.
///
/// DANE is asked first and has the last word wherever it is deployed: a domain that publishes TLSA
/// records has told us which certificates to accept, and a certificate outside them is refused
/// even if a public authority vouches for it (RFC 7671 §4.1). Where it is not deployed, PKIX or
/// POSH will do, and the lack of either proves nothing.
pub(crate) fn evaluate(request: &Request, evidence: &Evidence, terms: &Terms) -> Verdict {
    let because = |prooftype, finding| Reason { prooftype, finding };
    match evidence.endpoints {
        // Whoever forges where a domain lives may forge all else about it (RFC 7673 §3.1).
        Published::Bogus(finding) => return Verdict::Refuted(because(None, finding)),
        // What we could not look up may be what refutes the peer.
        Published::Unreachable(finding) if terms.asks(Prooftype::Dane) => {
            return Verdict::Undetermined(because(None, finding));
        }
        Published::Unreachable(_) | Published::Here(..) | Published::Absent => (),
    }
    let Some(presented) = &request.presented else {
        return Verdict::Unproven(because(None, Finding::NoCertificate));
    };
    let proven = |prooftype, expires: SystemTime| {
        Verdict::Proven(Association::witness(request.domain.clone(), prooftype, expires))
    };

    let ruling = match terms.asks(Prooftype::Dane) {
        true => dane::rule(presented, request, evidence, terms),
        false => Ruling::Silent,
    };
    let dane = Some(Prooftype::Dane);
    match ruling {
        Ruling::Allowed(expires) => return proven(Prooftype::Dane, expires),
        Ruling::Forbidden => return Verdict::Refuted(because(dane, Finding::TlsaMismatch)),
        Ruling::Forged(finding) => return Verdict::Refuted(because(dane, finding)),
        Ruling::Unread(finding) => return Verdict::Undetermined(because(dane, finding)),
        Ruling::Silent => (),
    }

    let mut why = match terms.asks(Prooftype::Posh) {
        true => because(Some(Prooftype::Posh), Finding::PoshUnavailable),
        false => because(dane, Finding::NoTlsa),
    };
    if terms.asks(Prooftype::Pkix) {
        match pkix::judge(presented, &References::of(request, evidence), terms) {
            Ok(expires) => return proven(Prooftype::Pkix, expires),
            Err(finding) => why = because(Some(Prooftype::Pkix), finding),
        }
    }
    if terms.asks(Prooftype::Posh) {
        match posh::judge(presented, &evidence.posh, request.at) {
            Ok(expires) => return proven(Prooftype::Posh, expires),
            // Who publishes fingerprints wants to be known by them, so that is what to mend.
            Err(Some(finding)) => why = because(Some(Prooftype::Posh), finding),
            Err(None) => (),
        }
    }
    Verdict::Unproven(why)
}

/// The names that a certificate may be known by, listed before anyone looks at it
/// (RFC 9525 §6.2, RFC 7673 §4.1).
#[derive(Clone, Debug)]
struct References<'a> {
    request: &'a Request,
    /// Hosts that the domain has securely delegated its service to, as far as we are connected to
    /// them; and when that must be asked again.
    hosts: Vec<&'a Domain>,
    hosts_expire: SystemTime,
}

impl<'a> References<'a> {
    fn of(request: &'a Request, evidence: &'a Evidence) -> Self {
        let (endpoints, hosts_expire) = match &evidence.endpoints {
            Published::Here(endpoints, expires) => {
                (endpoints.as_slice(), proof_expires(request, *expires))
            }
            Published::Absent | Published::Bogus(_) | Published::Unreachable(_) => {
                ([].as_slice(), request.at)
            }
        };
        // A peer that connected to us has no port there, so any of its hosts may be meant.
        let is_meant =
            |it: &&Endpoint| it.secure && request.endpoint.as_ref().is_none_or(|met| met.is_at(it));
        let hosts = endpoints.iter().filter(is_meant).map(|it| &it.target).collect();
        Self { request, hosts, hosts_expire }
    }
}

/// When a proof that rests on DNS is to be sought again.
///
/// A record may live for less time than it takes to ask again; what it proves holds at least for
/// [`DNS_PROOF_LIFETIME_MIN`], so that nobody can make us spend all our time on asking.
fn proof_expires(request: &Request, records_expire: SystemTime) -> SystemTime {
    records_expire.max(request.at + DNS_PROOF_LIFETIME_MIN)
}

/// Fifteen times a minute is as often as a connection is worth asking about.
const DNS_PROOF_LIFETIME_MIN: Duration = Duration::from_secs(4);

//! What a peer presented, weighed against what the domain has published. Nothing here waits, reads
//! a clock or touches the network.

mod pkix;

use std::time::SystemTime;

use crate::evidence::{Evidence, Published};
use crate::roots::Roots;
use crate::{Association, Domain, Endpoint, Finding, Prooftype, Reason, Request, Verdict};

/// What an evaluation is made by, besides the request and the evidence.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    /// The prooftypes that count.
    pub(crate) prooftypes: Vec<Prooftype>,
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
    let names = References::of(request, evidence);
    match pkix::judge(presented, &names, terms) {
        Ok(expires) => Verdict::Proven(Association::witness(
            request.domain.clone(),
            Prooftype::Pkix,
            expires,
        )),
        Err(finding) => Verdict::Unproven(because(Some(Prooftype::Pkix), finding)),
    }
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
            Published::Here(endpoints, expires) => (endpoints.as_slice(), *expires),
            Published::Absent | Published::Bogus(_) | Published::Unreachable(_) => {
                ([].as_slice(), request.at)
            }
        };
        // A peer that connected to us has no port there, so any of its hosts may be meant.
        let is_meant =
            |it: &&Endpoint| it.secure && request.endpoint.as_ref().is_none_or(|met| met.is_at(it));
        let hosts = endpoints
            .iter()
            .filter(is_meant)
            .map(|it| &it.target)
            .collect();
        Self {
            request,
            hosts,
            hosts_expire,
        }
    }
}

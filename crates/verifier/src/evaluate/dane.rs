//! TLSA records against what was presented (RFC 6698, RFC 7671, RFC 7673).

mod shown;

use std::time::SystemTime;

use rustls::pki_types::{CertificateDer, Der, TrustAnchor};
use x509_parser::prelude::{FromDer, X509Certificate};

use self::shown::{Candidate, Shown};
use super::pkix::{self, Path};
use super::{References, Terms, proof_expires};
use crate::evidence::{Evidence, Published, Tlsa, TlsaAt};
use crate::presented::Presented;
use crate::{Finding, Request, Role};

/// What TLSA records say about a certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Ruling {
    /// It is one of those they allow, until then.
    Allowed(SystemTime),
    /// It is none of those they allow, and they allow no others.
    Forbidden,
    /// Some were forged.
    Forged(Finding),
    /// We could not read all of them, and those we read do not allow it.
    Unread(Finding),
    /// They do not apply.
    Silent,
}

/// Reads the records that count for a request.
pub(super) fn rule(
    presented: &Presented,
    request: &Request,
    evidence: &Evidence,
    terms: &Terms,
) -> Ruling {
    let Published::Here(endpoints, endpoints_expire) = &evidence.endpoints else {
        return Ruling::Silent;
    };
    let mut ruling = Ruling::Silent;
    let mut deciding = Vec::new();
    let shown = Shown::new(presented, request, terms);
    for found in &evidence.tlsa {
        match &found.records {
            Published::Here(records, expires) => {
                let mut usable = usable(records, request.role, terms).peekable();
                if usable.peek().is_none() {
                    continue;
                }
                let expires = proof_expires(request, *expires.min(endpoints_expire));
                let question = Question { shown: &shown, found, expires };
                if let Some(expires) = usable.find_map(|it| question.matches(it)) {
                    return Ruling::Allowed(expires);
                }
                deciding.push(&found.endpoint);
            }
            Published::Bogus(finding) => ruling = Ruling::Forged(*finding),
            Published::Unreachable(finding) if ruling == Ruling::Silent => {
                ruling = Ruling::Unread(*finding);
            }
            Published::Unreachable(_) | Published::Absent => (),
        }
    }

    // The endpoint that we met is bound by its own records alone. A peer that connected to us may
    // be at any of the domain's, so the records bind it only if there is none without them.
    let is_met = |it: &TlsaAt| request.endpoint.as_ref().is_some_and(|met| met.is_at(&it.endpoint));
    let is_bound = match evidence.tlsa.iter().any(is_met) {
        true => !deciding.is_empty(),
        false => {
            !endpoints.is_empty()
                && endpoints.iter().all(|it| it.secure && deciding.iter().any(|at| at.is_at(it)))
        }
    };
    match ruling == Ruling::Silent && is_bound {
        true => Ruling::Forbidden,
        false => ruling,
    }
}

/// Tells whether any record among these could ever match a TLS server's certificate.
pub(crate) fn has_usable(records: &[Tlsa], terms: &Terms) -> bool {
    usable(records, Role::Receiving, terms).next().is_some()
}

/// The records that count: of a kind that is defined and asked for, not cut short, and, of several
/// digests of one thing, the strongest (RFC 7671 §9).
fn usable<'a>(records: &'a [Tlsa], role: Role, terms: &'a Terms) -> impl Iterator<Item = &'a Tlsa> {
    // That TLSA records speak of TLS clients is said in no RFC; where a domain gives out its own
    // certificates they can be meant for nobody else, where it constrains public authorities they
    // can.
    let is_meant = move |it: &Tlsa| role == Role::Receiving || DANE_TA <= it.usage;
    let is_usable =
        move |it: &&Tlsa| is_sound(it) && is_meant(it) && terms.tlsa_usages.contains(&it.usage);
    let strong = move |of: &Tlsa| {
        let same = |it: &&Tlsa| it.usage == of.usage && it.selector == of.selector;
        records.iter().filter(is_usable).any(|it| same(&it) && it.matching == SHA_512)
    };
    records.iter().filter(is_usable).filter(move |it| it.matching != SHA_256 || !strong(it))
}

/// Tells whether a record is of a kind that is defined, and not cut short.
fn is_sound(record: &Tlsa) -> bool {
    let is_whole = match record.matching {
        // One certificate or key, and all of it. Whether it makes sense does not matter.
        FULL => pkix::content(&record.data).is_some(),
        SHA_256 => record.data.len() == 32,
        SHA_512 => record.data.len() == 64,
        _ => false,
    };
    is_whole && record.usage <= DANE_EE && record.selector <= PUBLIC_KEY
}

/// One endpoint's records, and what they are held against.
struct Question<'a> {
    shown: &'a Shown<'a>,
    found: &'a TlsaAt,
    expires: SystemTime,
}

impl Question<'_> {
    /// Tells until when a record allows what was presented, if it does.
    fn matches(&self, record: &Tlsa) -> Option<SystemTime> {
        let leaf = &self.shown.leaf;
        match record.usage {
            PKIX_TA => self.constrained_by(record),
            PKIX_EE if leaf.is_match(record) => self.name(self.shown.public()?),
            DANE_TA => self.anchored_at(record),
            // The domain itself has said that this is its certificate; what else it says, about
            // names, dates and authorities, does not matter (RFC 7671 §5.1).
            DANE_EE if leaf.is_match(record) => Some(self.expires),
            _ => None,
        }
    }

    /// Tells until when a path proves one of our names: the host's, under the name where its
    /// records were found, and the domain's (RFC 7671 §10.2, RFC 7673 §4.1).
    fn name(&self, path: &Path) -> Option<SystemTime> {
        let names = References {
            request: self.shown.request,
            hosts: vec![&self.found.base, &self.found.endpoint.target],
            hosts_expire: self.expires,
        };
        Some(path.name(self.shown.presented, &names).ok()?.min(self.expires))
    }

    /// Usage 0: public authorities vouch, and this is one on the way (RFC 7671 §5.4).
    fn constrained_by(&self, record: &Tlsa) -> Option<SystemTime> {
        let path = self.shown.public()?;
        let expires = self.name(path)?;
        if self.shown.vouching(path).any(|it| it.is_match(record)) {
            return Some(expires);
        }
        // Our own root may be lower than the one meant, which is then higher up what was sent.
        let higher = self.shown.others().iter().filter(|it| it.is_match(record));
        let expires_there = higher.filter_map(|it| self.authority(it)).max()?;
        Some(expires.min(expires_there))
    }

    /// Usage 2: the domain names its own authority, which must be shown or be in the record.
    fn anchored_at(&self, record: &Tlsa) -> Option<SystemTime> {
        let mut shown = self.shown.others().iter().filter(|it| it.is_match(record)).peekable();
        // What the authority says of itself, such as its dates, is not passed over by taking its
        // key from the record.
        if shown.peek().is_some() {
            return shown.filter_map(|it| self.authority(it)).max();
        }
        match (record.selector, record.matching) {
            (CERTIFICATE, FULL) if self.shown.may_search() => {
                let der = CertificateDer::from(record.data.as_slice());
                let (path, until) = self.shown.below_certificate(&der)?;
                Some(self.name(&path)?.min(until))
            }
            (PUBLIC_KEY, FULL) if self.shown.may_search() => self.key(&record.data),
            _ => None,
        }
    }

    /// Tells until when an authority that was shown vouches, if it does.
    fn authority(&self, candidate: &Candidate<'_>) -> Option<SystemTime> {
        let (path, until) = self.shown.below(candidate)?;
        Some(self.name(path)?.min(until))
    }

    /// Tells until when an authority with this key vouches, if it does. Its name is that of
    /// whoever issued one of the certificates shown.
    fn key(&self, spki: &[u8]) -> Option<SystemTime> {
        let key = pkix::content(spki)?;
        let issuers = self.shown.presented.chain().iter().filter_map(|it| {
            let (_, certificate) = X509Certificate::from_der(it).ok()?;
            Some(pkix::content(certificate.issuer().as_raw())?.to_vec())
        });
        let mut issuers: Vec<Vec<u8>> = issuers.collect();
        issuers.sort_unstable();
        issuers.dedup();
        let anchors: Vec<TrustAnchor<'_>> = issuers
            .into_iter()
            .map(|subject| TrustAnchor {
                subject: Der::from(subject),
                subject_public_key_info: Der::from(key),
                name_constraints: None,
            })
            .collect();
        self.name(&self.shown.find(&anchors).ok()?)
    }
}

const PKIX_TA: u8 = 0;
const PKIX_EE: u8 = 1;
const DANE_TA: u8 = 2;
const DANE_EE: u8 = 3;

const CERTIFICATE: u8 = 0;
const PUBLIC_KEY: u8 = 1;

const FULL: u8 = 0;
const SHA_256: u8 = 1;
const SHA_512: u8 = 2;

#[cfg(test)]
mod tests;

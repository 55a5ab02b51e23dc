//! Certificate paths to trusted authorities, and the names at their ends (RFC 6120 §13.7.1).

use std::time::SystemTime;

use rustls::pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{
    ALL_VERIFICATION_ALGS, EndEntityCert, Error, ExtendedKeyUsageValidator, KeyPurposeIdIter,
    KeyUsage, RequiredEkuNotFoundContext, RevocationOptionsBuilder, UnknownStatusPolicy,
    VerifiedPath,
};
use x509_parser::asn1_rs::{Any, Tag};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::{References, Terms};
use crate::roots::Roots;
use crate::{Finding, Presented, Request, Service, presented};

/// Tells until when authorities that we trust vouch that what was presented belongs to one of the
/// names, or why they do not.
pub(super) fn judge(
    presented: &Presented,
    names: &References<'_>,
    terms: &Terms,
) -> Result<SystemTime, Finding> {
    let path = Path::find(presented, terms.roots.anchors(), names.request, &terms.roots)?;
    path.name(presented, names)
}

/// A sound path from a leaf to a trusted authority.
pub(super) struct Path {
    /// When its first certificate expires.
    expires: SystemTime,
    /// Whether one of its authorities may vouch for some names only.
    is_constrained: bool,
    /// The authorities between leaf and root, in DER.
    pub(super) authorities: Vec<CertificateDer<'static>>,
    /// The subject and key of the root.
    pub(super) anchor: TrustAnchor<'static>,
}

impl Path {
    /// Finds a path from what was presented to one of the anchors.
    ///
    /// The order of the other certificates does not matter, nor do superfluous ones (RFC 6120 §13.7.2).
    pub(super) fn find(
        presented: &Presented,
        anchors: &[TrustAnchor<'_>],
        request: &Request,
        roots: &Roots,
    ) -> Result<Self, Finding> {
        let since_1970 = request.at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let leaf = EndEntityCert::try_from(presented.leaf()).map_err(|it| finding(&it))?;
        let lists: Vec<_> = roots.revocations().iter().collect();
        // A list that does not know an authority says nothing about it (RFC 6120 §13.7.2).
        let revocation = RevocationOptionsBuilder::new(&lists)
            .ok()
            .map(|options| options.with_status_policy(UnknownStatusPolicy::Allow).build());
        let candidates = few_of_a_name(presented.chain().get(1..).unwrap_or_default());
        let path = leaf
            .verify_for_usage(
                ALL_VERIFICATION_ALGS,
                anchors,
                &candidates,
                UnixTime::since_unix_epoch(since_1970),
                TlsUsage(request.service),
                revocation,
                Some(&key_usage_allows),
            )
            .map_err(|error| finding(&error))?;
        Self::describe(&path, presented).ok_or(Finding::MalformedCertificate)
    }

    fn describe(path: &VerifiedPath<'_>, presented: &Presented) -> Option<Self> {
        let anchor = path.anchor();
        let mut found = Self {
            expires: presented.not_after()?,
            is_constrained: anchor.name_constraints.is_some(),
            authorities: Vec::new(),
            anchor: anchor.to_owned(),
        };
        for authority in path.intermediate_certificates() {
            let der = authority.der();
            let (_, parsed) = X509Certificate::from_der(&der).ok()?;
            let (_, not_after) = presented::validity(&parsed)?;
            found.expires = found.expires.min(not_after);
            found.is_constrained |= !matches!(parsed.name_constraints(), Ok(None));
            found.authorities.push(der.clone().into_owned());
        }
        Some(found)
    }

    /// Tells until when the path proves one of the names; not at all if it proves others.
    pub(super) fn name(
        &self,
        presented: &Presented,
        names: &References<'_>,
    ) -> Result<SystemTime, Finding> {
        let (found, service) = (presented.names(), names.request.service);
        // Constraints on DNS names do not reach the names that only XMPP knows (RFC 5280
        // §4.2.1.10), so an authority that has them could vouch for anybody by those.
        let is_domain = |name| match self.is_constrained {
            true => found.name_by_dns(name),
            false => found.name(name, service),
        };
        let is_host = |name| match self.is_constrained {
            true => found.name_by_dns(name),
            false => found.name_host(name, service),
        };
        if !names.request.is_server_name && is_domain(&names.request.domain) {
            Ok(self.expires)
        } else if names.hosts.iter().any(|it| is_host(it)) {
            Ok(self.expires.min(names.hosts_expire))
        } else {
            Err(Finding::WrongName)
        }
    }
}

/// Extended key usages that will do for a service.
///
/// Public authorities no longer issue certificates for TLS clients, so between servers either TLS
/// usage is good for either end; to its users a service is a TLS server and nothing else.
struct TlsUsage(Service);

impl ExtendedKeyUsageValidator for TlsUsage {
    fn validate(&self, found: KeyPurposeIdIter<'_, '_>) -> Result<(), Error> {
        let mut is_restricted = false;
        for purpose in found {
            is_restricted = true;
            let purpose = purpose?.to_decoded_oid();
            let is_client = purpose == KeyUsage::CLIENT_AUTH_REPR;
            let is_server = purpose == KeyUsage::SERVER_AUTH_REPR;
            if is_server || purpose == ANY_USAGE || is_client && self.0 == Service::Server {
                return Ok(());
            }
        }
        match is_restricted {
            false => Ok(()),
            true => Err(Error::RequiredEkuNotFoundContext(RequiredEkuNotFoundContext {
                required: KeyUsage::server_auth(),
                present: Vec::new(),
            })),
        }
    }
}

/// Refuses paths on which a key does what its certificate does not allow (RFC 5280 §4.2.1.3).
fn key_usage_allows(path: &VerifiedPath<'_>) -> Result<(), Error> {
    let leaf = path.end_entity().der();
    let (_, leaf) = X509Certificate::from_der(&leaf).map_err(|_| Error::BadDer)?;
    if let Some(usage) = leaf.key_usage().map_err(|_| Error::BadDer)? {
        let usage = usage.value;
        if !usage.digital_signature() && !usage.key_agreement() && !usage.key_encipherment() {
            return Err(Error::RequiredEkuNotFoundContext(RequiredEkuNotFoundContext {
                required: KeyUsage::server_auth(),
                present: Vec::new(),
            }));
        }
    }
    for authority in path.intermediate_certificates() {
        let der = authority.der();
        let (_, authority) = X509Certificate::from_der(&der).map_err(|_| Error::BadDer)?;
        let usage = authority.key_usage().map_err(|_| Error::BadDer)?;
        if usage.is_some_and(|it| !it.value.key_cert_sign()) {
            return Err(Error::EndEntityUsedAsCa);
        }
    }
    Ok(())
}

/// Candidates without most of those that have one name.
///
/// The search follows names, so that sixteen of one name that sign one another keep it busy for
/// longer than a hundred handshakes take.
fn few_of_a_name<'a>(candidates: &'a [CertificateDer<'static>]) -> Vec<CertificateDer<'a>> {
    let mut subjects: Vec<Vec<u8>> = Vec::new();
    let mut is_wanted = |it: &&CertificateDer<'static>| {
        let Ok((_, parsed)) = X509Certificate::from_der(it) else {
            return false;
        };
        let subject = parsed.subject().as_raw();
        let known = subjects.iter().filter(|its| *its == subject).count();
        subjects.push(subject.to_vec());
        known < NAMESAKES_MAX
    };
    candidates
        .iter()
        .filter(|it| is_wanted(it))
        .map(|it| CertificateDer::from(it.as_ref()))
        .collect()
}

/// The content of a DER sequence, without its header.
pub(super) fn content(sequence: &[u8]) -> Option<&[u8]> {
    let (rest, sequence) = Any::from_der(sequence).ok()?;
    let is_whole = rest.is_empty() && sequence.tag() == Tag::Sequence;
    is_whole.then_some(sequence.data)
}

/// Why there is no path, for people who have to mend it.
#[expect(clippy::wildcard_enum_match_arm, reason = "everything else means that there is no path")]
fn finding(error: &Error) -> Finding {
    match error {
        Error::CertExpired { .. } | Error::CertNotValidYet { .. } => Finding::Expired,
        Error::RequiredEkuNotFoundContext(_) | Error::EmptyEkuExtension => Finding::WrongUsage,
        Error::NameConstraintViolation
        | Error::PathLenConstraintViolated
        | Error::MaximumNameConstraintComparisonsExceeded => Finding::ConstrainedAuthority,
        Error::CertRevoked => Finding::Revoked,
        Error::BadDer
        | Error::BadDerTime
        | Error::ExtensionValueInvalid
        | Error::InvalidCertValidity
        | Error::InvalidSerialNumber
        | Error::MalformedDnsIdentifier
        | Error::MalformedExtensions
        | Error::MalformedNameConstraint
        | Error::TrailingData(_)
        | Error::UnsupportedCertVersion
        | Error::UnsupportedCriticalExtension => Finding::MalformedCertificate,
        _ => Finding::UntrustedChain,
    }
}

/// Certificates of one authority that are looked at: an old and a new one, and one by another
/// authority.
const NAMESAKES_MAX: usize = 3;

/// anyExtendedKeyUsage (RFC 5280 §4.2.1.12).
const ANY_USAGE: [usize; 5] = [2, 5, 29, 37, 0];

#[cfg(test)]
mod tests;

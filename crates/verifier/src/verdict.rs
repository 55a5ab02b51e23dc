use std::fmt;

use crate::{Association, Prooftype};

/// What we found when we asked whether a peer speaks for a domain.
///
/// The four cases mirror the four states of DNSSEC data (RFC 4035 §4.3), and for the same reason:
/// "there is no proof", "the proof is false" and "we could not look" call for different acts.
#[must_use = "a verdict that nobody reads lets the peer in unproven"]
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// The peer speaks for the domain.
    Proven(Association),
    /// Nothing that the domain has published, and no authority, vouches for this peer.
    Unproven(Reason),
    /// The domain publishes proof that this peer contradicts, or that was forged on the way.
    Refuted(Reason),
    /// We could not find out. An attacker on the path can bring this about at will.
    Undetermined(Reason),
}

/// Why an association was not proven.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Reason {
    /// The prooftype that settled the matter, if one did.
    pub prooftype: Option<Prooftype>,
    /// What it found.
    pub finding: Finding,
}

/// Everything that may keep an association from being proven, for metrics and people.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Finding {
    /// The peer presented no certificate.
    NoCertificate,
    /// No path of sound signatures leads to a trusted root.
    UntrustedChain,
    /// A certificate of the path is outside its validity dates.
    Expired,
    /// The certificate names somebody else.
    WrongName,
    /// The certificate is for another purpose (RFC 5280 §4.2.1.12).
    WrongUsage,
    /// The certificate cannot be read.
    MalformedCertificate,
    /// An authority of the path may not vouch for this name (RFC 5280 §4.2.1.10).
    ConstrainedAuthority,
    /// The certificate was revoked.
    Revoked,
    /// Secure TLSA records exist, and the certificate is none of those they allow.
    TlsaMismatch,
    /// There is no secure and usable TLSA record, and no other prooftype was to be asked.
    NoTlsa,
    /// DNS data failed its signature (RFC 4035 §4.3, bogus).
    DnsBogus,
    /// DNS could not be asked.
    DnsFailure,
    /// DNS took more time or work than we are willing to spend.
    DnsLimit,
    /// DNS points at an address that is nobody's on the Internet.
    ForbiddenTarget,
    /// The POSH document could not be fetched.
    PoshUnavailable,
    /// The POSH server's own certificate is not that of its host.
    PoshUntrusted,
    /// The POSH server redirects to where we do not follow.
    PoshRedirect,
    /// The POSH document is none.
    PoshMalformed,
    /// The POSH document is larger than we read.
    PoshTooLarge,
    /// The POSH document has no lifetime, or the certificate's is over.
    PoshExpired,
    /// The POSH server is at an address that we do not connect to on a peer's behalf.
    PoshForbiddenTarget,
    /// The POSH document names other certificates.
    PoshMismatch,
}

impl Finding {
    /// All of them.
    pub const ALL: [Self; 22] = [
        Self::NoCertificate,
        Self::UntrustedChain,
        Self::Expired,
        Self::WrongName,
        Self::WrongUsage,
        Self::MalformedCertificate,
        Self::ConstrainedAuthority,
        Self::Revoked,
        Self::TlsaMismatch,
        Self::NoTlsa,
        Self::DnsBogus,
        Self::DnsFailure,
        Self::DnsLimit,
        Self::ForbiddenTarget,
        Self::PoshUnavailable,
        Self::PoshUntrusted,
        Self::PoshRedirect,
        Self::PoshMalformed,
        Self::PoshTooLarge,
        Self::PoshExpired,
        Self::PoshForbiddenTarget,
        Self::PoshMismatch,
    ];

    /// The finding as metrics and logs name it: one of a closed list.
    pub fn label(self) -> &'static str {
        match self {
            Self::NoCertificate => "cert.none",
            Self::UntrustedChain => "cert.chain",
            Self::Expired => "cert.expired",
            Self::WrongName => "cert.name",
            Self::WrongUsage => "cert.eku",
            Self::MalformedCertificate => "cert.malformed",
            Self::ConstrainedAuthority => "cert.constraint",
            Self::Revoked => "cert.revoked",
            Self::TlsaMismatch => "dane.mismatch",
            Self::NoTlsa => "dane.none",
            Self::DnsBogus => "dns.bogus",
            Self::DnsFailure => "dns.failure",
            Self::DnsLimit => "dns.limit",
            Self::ForbiddenTarget => "dns.forbidden_target",
            Self::PoshUnavailable => "posh.http",
            Self::PoshUntrusted => "posh.tls",
            Self::PoshRedirect => "posh.redirect",
            Self::PoshMalformed => "posh.json",
            Self::PoshTooLarge => "posh.size",
            Self::PoshExpired => "posh.expired",
            Self::PoshForbiddenTarget => "posh.ssrf",
            Self::PoshMismatch => "posh.mismatch",
        }
    }

    /// The finding as a sentence without its full stop, for people.
    pub fn text(self) -> &'static str {
        match self {
            Self::NoCertificate => "the peer presented no certificate",
            Self::UntrustedChain => "no trusted authority vouches for the certificate",
            Self::Expired => "a certificate is expired or not yet valid",
            Self::WrongName => "the certificate does not name the domain",
            Self::WrongUsage => "the certificate is not meant for TLS",
            Self::MalformedCertificate => "the certificate cannot be read",
            Self::ConstrainedAuthority => "the authority may not vouch for this name",
            Self::Revoked => "the certificate was revoked",
            Self::TlsaMismatch => "the certificate matches none of the domain's TLSA records",
            Self::NoTlsa => "the domain publishes no secure and usable TLSA record",
            Self::DnsBogus => "DNS data failed DNSSEC validation",
            Self::DnsFailure => "DNS could not be asked",
            Self::DnsLimit => "DNS took too much time or work",
            Self::ForbiddenTarget => "DNS points at an address that peers may not send us to",
            Self::PoshUnavailable => "no POSH document could be fetched",
            Self::PoshUntrusted => "the web server's certificate is not to be trusted",
            Self::PoshRedirect => "the web server redirects to where we do not follow",
            Self::PoshMalformed => "the POSH document is malformed",
            Self::PoshTooLarge => "the POSH document is too large",
            Self::PoshExpired => "the POSH document or the certificate has expired",
            Self::PoshForbiddenTarget => "the web server is at an address we do not connect to",
            Self::PoshMismatch => "the certificate matches none of the POSH fingerprints",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.prooftype {
            Some(prooftype) => write!(f, "{prooftype}: {}", self.finding.text()),
            None => f.write_str(self.finding.text()),
        }
    }
}

#[cfg(test)]
mod tests;

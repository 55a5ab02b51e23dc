use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_lc_rs::digest::{SHA256, digest};
use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::{Domain, Finding, Names, Service};

/// The certificates a peer presented, not yet believed (RFC 9525 §1.8, "presented identifier").
///
/// The handshake that carried them has shown that the peer holds the key of the first one, and
/// nothing else. Cloning a `Presented` copies no certificate.
#[derive(Clone)]
pub struct Presented(Arc<Chain>);

struct Chain {
    certificates: Vec<CertificateDer<'static>>,
    sha256: [u8; 32],
    leaf: Leaf,
}

/// What can be read from the leaf. All of it is absent when it cannot be parsed.
#[derive(Default)]
struct Leaf {
    names: Names,
    validity: Option<(SystemTime, SystemTime)>,
    spki: Option<Vec<u8>>,
}

impl Presented {
    /// Takes the chain of a finished handshake, leaf first; `None` when there is no certificate.
    pub fn new(mut chain: Vec<CertificateDer<'static>>) -> Option<Self> {
        chain.truncate(CHAIN_MAX);
        let first = chain.first()?;
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(digest(&SHA256, first).as_ref());
        let leaf = Leaf::read(first).unwrap_or_default();
        Some(Self(Arc::new(Chain { certificates: chain, sha256, leaf })))
    }

    /// All certificates as they were sent, leaf first, at most 16.
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.0.certificates
    }

    /// The certificate whose key the peer holds.
    pub fn leaf(&self) -> &CertificateDer<'static> {
        // `new` let no empty chain pass.
        &self.0.certificates[0]
    }

    /// The SHA-256 digest of the leaf's DER encoding.
    pub fn sha256(&self) -> [u8; 32] {
        self.0.sha256
    }

    /// The identifiers in the leaf, none of them verified. None if it cannot be read.
    pub fn names(&self) -> &Names {
        &self.0.leaf.names
    }

    /// When the leaf expires by its own word.
    pub fn not_after(&self) -> Option<SystemTime> {
        self.0.leaf.validity.map(|(_, not_after)| not_after)
    }

    /// Tells until when the leaf is valid by its own word, if it is at that time.
    pub(crate) fn valid_until(&self, at: SystemTime) -> Result<SystemTime, Finding> {
        match self.0.leaf.validity {
            None => Err(Finding::MalformedCertificate),
            Some((from, until)) if from <= at && at <= until => Ok(until),
            Some(_) => Err(Finding::Expired),
        }
    }

    /// Tells whether the leaf claims to be `domain`'s, which anybody's certificate may.
    pub fn is_for(&self, domain: &Domain, service: Service) -> bool {
        self.names().name(domain, service)
    }

    /// The leaf's whole SubjectPublicKeyInfo in DER, with its outer header (RFC 6698 §2.1.2).
    pub fn spki(&self) -> Option<&[u8]> {
        self.0.leaf.spki.as_deref()
    }
}

impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presented")
            .field("names", self.names())
            .field("certificates", &self.chain().len())
            .finish()
    }
}

/// Two peers that presented the same bytes presented the same thing.
impl PartialEq for Presented {
    fn eq(&self, other: &Self) -> bool {
        self.chain() == other.chain()
    }
}

impl Eq for Presented {}

impl Leaf {
    fn read(der: &CertificateDer<'_>) -> Option<Self> {
        let (rest, certificate) = X509Certificate::from_der(der).ok()?;
        if !rest.is_empty() {
            return None;
        }
        Some(Self {
            names: Names::read(&certificate),
            validity: validity(&certificate),
            spki: Some(certificate.tbs_certificate.subject_pki.raw.to_vec()),
        })
    }
}

impl Names {
    fn read(certificate: &X509Certificate<'_>) -> Self {
        let mut names = Self::default();
        // Two such extensions, or one that cannot be parsed, name nobody.
        let Ok(Some(found)) = certificate.subject_alternative_name() else {
            return names;
        };
        for name in found.value.general_names.iter().take(NAMES_MAX) {
            // No other form names an XMPP service (RFC 6120 §13.7.1.2).
            if let GeneralName::DNSName(name) = name {
                names.dns.push((*name).to_owned());
            } else if let GeneralName::OtherName(oid, value) = name {
                let text = |tag| other_name(value, tag).map(str::to_owned);
                match oid.to_id_string().as_str() {
                    ON_DNS_SRV => names.srv.extend(text(IA5_STRING)),
                    ON_XMPP_ADDR => names.xmpp.extend(text(UTF8_STRING)),
                    _ => (),
                }
            }
        }
        names
    }
}

/// A certificate's first and last second of validity.
pub(crate) fn validity(certificate: &X509Certificate<'_>) -> Option<(SystemTime, SystemTime)> {
    let time = |seconds: i64| {
        let since_1970 = Duration::from_secs(seconds.try_into().ok()?);
        SystemTime::UNIX_EPOCH.checked_add(since_1970)
    };
    let validity = certificate.validity();
    Some((time(validity.not_before.timestamp())?, time(validity.not_after.timestamp())?))
}

/// Reads the text of an otherName: `[0] EXPLICIT` around a string with the given tag.
fn other_name(value: &[u8], tag: u8) -> Option<&str> {
    let (outer, rest) = unwrap(value, EXPLICIT_0)?;
    let (text, inner_rest) = unwrap(outer, tag)?;
    let whole = rest.is_empty() && inner_rest.is_empty();
    let text = str::from_utf8(text).ok().filter(|_| whole)?;
    (tag != IA5_STRING || text.is_ascii()).then_some(text)
}

/// Splits DER into the content of its first value, if that has the given tag, and what follows.
fn unwrap(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, rest) = der.split_first()?;
    let (length, rest) = rest.split_first()?;
    let (length, rest) = match *length {
        short @ 0..=0x7f => (usize::from(short), rest),
        // No name is longer than two octets can say.
        0x81 => rest.split_first().map(|(it, rest)| (usize::from(*it), rest))?,
        0x82 => {
            let (it, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*it)), rest)
        }
        _ => return None,
    };
    (*found == tag).then(|| rest.split_at_checked(length))?
}

/// id-on-dnsSRV (RFC 4985 §2).
const ON_DNS_SRV: &str = "1.3.6.1.5.5.7.8.7";

/// id-on-xmppAddr (RFC 6120 §13.7.1.4).
const ON_XMPP_ADDR: &str = "1.3.6.1.5.5.7.8.5";

const EXPLICIT_0: u8 = 0xa0;
const UTF8_STRING: u8 = 0x0c;
const IA5_STRING: u8 = 0x16;

/// Paths in use have four certificates; beyond this there is only work to be made for us.
const CHAIN_MAX: usize = 16;

/// A hoster's certificate may list all of its domains, but no path limits what a peer may list.
const NAMES_MAX: usize = 4096;

#[cfg(test)]
mod tests;

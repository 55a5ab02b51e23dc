//! Our certificates by name, reread when they change.

mod public_key;
mod texts;
mod usage;

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use arc_swap::ArcSwap;
use ligase_verifier::{Domain, Presented};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

pub use public_key::public_key;
pub(super) use texts::read;
use texts::{Digest, Texts};
use usage::is_for_servers_alone;

/// Where one certificate is kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Files {
    /// The certificate and its intermediates, in PEM, leaf first.
    pub chain: PathBuf,
    /// Its private key, in PEM: PKCS#8, PKCS#1 or SEC1, not encrypted.
    pub key: PathBuf,
}

/// One certificate of ours.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Where it was read from.
    pub files: Files,
    /// The domains it names, in A-labels, a wildcard as `*.capulet.example`.
    pub names: Vec<String>,
    /// When it expires.
    pub not_after: SystemTime,
    /// The SHA-256 digest of the leaf's DER encoding.
    pub sha256: [u8; 32],
    /// The chain and the key that goes with it, ready for use.
    pub certificate: Arc<CertifiedKey>,
}

/// All certificates of ours, by the names in them.
///
/// Reading never waits, not even for [`reload`](Self::reload).
#[derive(Debug)]
pub struct Identities {
    held: ArcSwap<Held>,
    provider: Arc<CryptoProvider>,
}

/// What stands until the next reload. Never empty.
#[derive(Debug)]
struct Held {
    list: Arc<[Identity]>,
    /// From a name to its place in the list; of several certificates for one, the first listed.
    by_name: HashMap<String, usize>,
    digest: Digest,
}

/// What a reload came to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reloaded {
    /// The files hold something else than before, which is now in use.
    Changed,
    /// They hold the same.
    Unchanged,
}

/// Which file is wrong, and how.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Error {
    /// The file at fault.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What may be wrong with a file that should hold a certificate or a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Problem {
    /// No file is named at all.
    NoneNamed,
    /// It cannot be read.
    Unreadable(io::ErrorKind),
    /// It cannot be written.
    Unwritable(io::ErrorKind),
    /// It is longer than [`FILE_MAX`].
    TooLong,
    /// There is no certificate in it.
    NoCertificate,
    /// A certificate in it cannot be parsed.
    BadCertificate,
    /// No domain is named in its first certificate.
    NoName,
    /// There is no private key in it, or none that we can use.
    NoKey,
    /// The key in it is not that of the certificate.
    OtherKey,
    /// Its certificate has expired.
    Expired,
    /// A certificate could not be made from it.
    CannotSign,
}

impl Identities {
    /// Reads certificates and their keys. The first is the default: it is shown to whoever asks
    /// for a name that none of them has.
    ///
    /// An expired certificate is in use all the same: DANE-EE, POSH and dialback do not ask.
    ///
    /// # Errors
    /// When a file cannot be used, or there is none.
    pub fn load(files: Vec<Files>) -> Result<Self, Error> {
        let provider = super::provider();
        let held = Held::read(files, &provider)?;
        Ok(Self { held: ArcSwap::from_pointee(held), provider })
    }

    /// Reads all files again, through whatever symbolic links lead to them now.
    ///
    /// # Errors
    /// When a file cannot be used; then all certificates stay as they were.
    pub fn reload(&self) -> Result<Reloaded, Error> {
        let held = self.held.load();
        self.replace(held.list.iter().map(|it| it.files.clone()).collect())
    }

    /// Takes the certificates in these files in place of all others.
    ///
    /// # Errors
    /// When a file cannot be used; then all certificates stay as they were.
    pub fn replace(&self, files: Vec<Files>) -> Result<Reloaded, Error> {
        let next = Held::read(files, &self.provider)?;
        if next.digest == self.held.load().digest {
            return Ok(Reloaded::Unchanged);
        }
        self.held.store(Arc::new(next));
        Ok(Reloaded::Changed)
    }

    /// The certificate to show whoever asks for this name: one that has it, else one with a
    /// wildcard for it, else the first.
    pub fn for_name(&self, name: &str) -> Arc<CertifiedKey> {
        self.held.load().shown(name).certificate.clone()
    }

    /// What is known of the certificate to show whoever asks for this name.
    pub fn shown(&self, name: &str) -> Identity {
        self.held.load().shown(name).clone()
    }

    /// The certificate to show when speaking for this domain (B-10).
    pub fn for_domain(&self, domain: &Domain) -> Arc<CertifiedKey> {
        self.for_name(domain.ascii())
    }

    /// Whether one of our certificates names this domain.
    pub fn names(&self, domain: &Domain) -> bool {
        self.held.load().find(domain.ascii()).is_some()
    }

    /// Whether what is shown for a domain is meant for TLS servers and not for clients (RFC 5280
    /// §4.2.1.12), as what public authorities sign today is.
    pub fn is_for_servers_alone(&self, domain: &Domain) -> bool {
        self.for_domain(domain).cert.first().is_some_and(|leaf| is_for_servers_alone(leaf))
    }

    /// All of them, in the order listed.
    pub fn list(&self) -> Arc<[Identity]> {
        Arc::clone(&self.held.load().list)
    }

    /// When the first of them expires.
    pub fn earliest_expiry(&self) -> SystemTime {
        let held = self.held.load();
        let expiries = held.list.iter().map(|it| it.not_after);
        expiries.min().unwrap_or(SystemTime::UNIX_EPOCH)
    }
}

impl Held {
    /// Files that are being replaced may be read half old and half new, which looks like a key
    /// that does not fit. So an error counts only if the files still say the same.
    fn read(files: Vec<Files>, provider: &CryptoProvider) -> Result<Self, Error> {
        let mut texts = Texts::read(&files)?;
        for _ in 1..READINGS_MAX {
            match Self::parse(&files, &texts, provider) {
                Ok(held) => return Ok(held),
                Err(error) => {
                    let again = Texts::read(&files)?;
                    if again.digest == texts.digest {
                        return Err(error);
                    }
                    texts = again;
                }
            }
        }
        Self::parse(&files, &texts, provider)
    }

    fn parse(files: &[Files], texts: &Texts, provider: &CryptoProvider) -> Result<Self, Error> {
        let pairs = files.iter().zip(&texts.pairs);
        let list = pairs
            .map(|(files, (chain, key))| Identity::parse(files, chain, key, provider))
            .collect::<Result<Vec<_>, _>>()?;
        if list.is_empty() {
            return Err(Problem::NoneNamed.of(Path::new("")));
        }
        let mut by_name = HashMap::new();
        for (place, identity) in list.iter().enumerate() {
            for name in &identity.names {
                by_name.entry(name.clone()).or_insert(place);
            }
        }
        Ok(Self { list: list.into(), by_name, digest: texts.digest })
    }

    fn shown(&self, name: &str) -> &Identity {
        &self.list[self.find(name).unwrap_or(DEFAULT)]
    }

    /// The place of the certificate for a name: exact, else by a wildcard for its first label.
    fn find(&self, name: &str) -> Option<usize> {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        if let Some(place) = self.by_name.get(&name) {
            return Some(*place);
        }
        let (_, parent) = name.split_once('.')?;
        self.by_name.get(&format!("*.{parent}")).copied()
    }
}

impl Identity {
    /// Whether it names this domain, given in A-labels, itself or by a wildcard.
    pub fn is_for(&self, domain: &str) -> bool {
        is_named(&self.names, domain)
    }

    fn parse(
        files: &Files,
        chain: &[u8],
        key: &[u8],
        provider: &CryptoProvider,
    ) -> Result<Self, Error> {
        let certificates = certificates(chain).map_err(|it| it.of(&files.chain))?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| Problem::NoKey.of(&files.key))?;
        let presented = Presented::new(certificates.clone())
            .ok_or_else(|| Problem::NoCertificate.of(&files.chain))?;
        let not_after =
            presented.not_after().ok_or_else(|| Problem::BadCertificate.of(&files.chain))?;
        let names = names(&presented);
        if names.is_empty() {
            return Err(Problem::NoName.of(&files.chain));
        }
        let certificate = CertifiedKey::from_der(certificates, key, provider).map_err(|error| {
            if matches!(error, rustls::Error::InconsistentKeys(_)) {
                Problem::OtherKey.of(&files.key)
            } else if matches!(error, rustls::Error::InvalidCertificate(_)) {
                Problem::BadCertificate.of(&files.chain)
            } else {
                Problem::NoKey.of(&files.key)
            }
        })?;
        Ok(Self {
            files: files.clone(),
            names,
            not_after,
            sha256: presented.sha256(),
            certificate: Arc::new(certificate),
        })
    }
}

/// All certificates in a PEM file, in the order they stand there.
///
/// # Errors
/// When there is none, or one is damaged.
pub(super) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Problem> {
    let found = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| Problem::BadCertificate)?;
    if found.is_empty() {
        return Err(Problem::NoCertificate);
    }
    Ok(found)
}

/// Whether one of the names of certificates is this domain, given in A-labels, or a wildcard for it.
pub fn is_named(names: &[String], domain: &str) -> bool {
    let parent = domain.split_once('.').map(|(_, parent)| parent);
    let matches = |it: &String| it == domain || parent.is_some() && it.strip_prefix("*.") == parent;
    names.iter().any(matches)
}

/// The domains that a certificate names, in whichever of the three ways, each once.
fn names(presented: &Presented) -> Vec<String> {
    let found = presented.names();
    let services = found.srv.iter().filter_map(|it| {
        let (service, name) = it.split_once('.')?;
        Some(name).filter(|_| service.eq_ignore_ascii_case(SERVICE))
    });
    let mut names: Vec<String> = Vec::new();
    for name in found.dns.iter().map(String::as_str).chain(services) {
        let (star, domain) = match name.strip_prefix("*.") {
            Some(parent) => ("*.", parent),
            None => ("", name),
        };
        if let Ok(domain) = domain.parse::<Domain>() {
            names.push(format!("{star}{}", domain.ascii()));
        }
    }
    let addresses = found.xmpp.iter().flat_map(|it| it.parse::<Domain>());
    names.extend(addresses.map(|domain| domain.ascii().to_owned()));
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

impl Problem {
    /// This problem, with this file.
    pub(super) fn of(self, path: &Path) -> Error {
        Error { path: path.to_owned(), problem: self }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoneNamed => f.write_str("name at least one certificate"),
            Self::Unreadable(kind) => write!(f, "cannot be read: {kind}: name a file that ligase may read"),
            Self::Unwritable(kind) => write!(f, "cannot be written: {kind}: name one that ligase may write"),
            Self::TooLong => write!(f, "is longer than {FILE_MAX} bytes: name another"),
            Self::NoCertificate => f.write_str("has no certificate in it: write a PEM chain, leaf first"),
            Self::BadCertificate => f.write_str("has a damaged certificate in it: write it again"),
            Self::NoName => f.write_str("its first certificate names no domain: write the server's own first"),
            Self::NoKey => f.write_str("has no private key in it that can be used: write one in PEM, not encrypted"),
            Self::OtherKey => f.write_str("is not the key of the certificate: name the one that it was made with"),
            Self::Expired => f.write_str("its certificate has expired: remove it and its key, and the next start makes others"),
            Self::CannotSign => f.write_str("no certificate can be signed with it: write an ECDSA or RSA key"),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.problem)
    }
}

impl std::error::Error for Error {}

/// The first one listed.
const DEFAULT: usize = 0;

/// How SRV-IDs begin that are meant for us (RFC 6120 §13.7.1.2.1).
const SERVICE: &str = "_xmpp-server";

/// A certificate for thousands of domains fits; a wrong path to something endless does no harm.
pub const FILE_MAX: u64 = 1 << 20;

/// How often files that change under our hands are read: a rename or two takes no longer.
const READINGS_MAX: u32 = 3;

#[cfg(test)]
mod tests;

//! What our own domains are to publish, so that peers find them and can prove them.

use std::path::PathBuf;
use std::time::SystemTime;

use aws_lc_rs::digest::{SHA256, digest};
use ligase_verifier::{Domain, Presented};
use serde_json::Value;

use crate::config::{CertificateFiles, Public};
use crate::posh;
use crate::tls::identity::{self, Identities, Identity};

/// What the records are made from, all of it read.
#[derive(Debug)]
pub(crate) struct Sources<'a> {
    pub(crate) server_name: Domain,
    pub(crate) public: Public,
    /// Those whose records are wanted.
    pub(crate) domains: Vec<Domain>,
    pub(crate) identities: &'a Identities,
    pub(crate) next_keys: &'a [NextKey],
}

/// A key that will follow the one of a certificate.
#[derive(Debug)]
pub(crate) struct NextKey {
    /// Its whole SubjectPublicKeyInfo, in DER.
    pub(crate) public: Vec<u8>,
    /// The file with the certificate that holds the key before it.
    pub(crate) chain: PathBuf,
}

/// What is to be published.
#[derive(Debug)]
pub(crate) struct Published {
    /// The target of all SRV records, and the TLSA base domain (RFC 7671 §7).
    pub(crate) server_name: Domain,
    /// The POSH document of our own name, which others refer to.
    pub(crate) document: Value,
    /// The ports of the TLSA records, each once.
    pub(crate) ports: Vec<u16>,
    /// The keys of the TLSA records, each once. A peer may ask for any name, so that all keys that
    /// we may show belong there.
    pub(crate) keys: Vec<Pinned>,
    /// The hosted domains.
    pub(crate) hosted: Vec<Tenant>,
}

/// A key that is ours, or will be.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Pinned {
    /// The SHA-256 of its SubjectPublicKeyInfo, in lower-case hexadecimal.
    pub(crate) sha256: String,
    /// Whether it is to be used only later.
    pub(crate) is_next: bool,
    /// The file with the certificate that holds it, or the key before it.
    pub(crate) chain: PathBuf,
}

/// A hosted domain.
#[derive(Debug)]
pub(crate) struct Tenant {
    pub(crate) domain: Domain,
    pub(crate) services: [Service; 2],
    pub(crate) certificate: Shown,
    /// Its POSH document.
    pub(crate) document: Value,
    /// What may be served in the document's place: a reference to that of our own name.
    pub(crate) reference: Option<Value>,
}

/// One SRV record.
#[derive(Debug)]
pub(crate) struct Service {
    /// Its name below the domain, without underscores: `xmpp-server`.
    pub(crate) service: &'static str,
    pub(crate) port: u16,
}

/// The certificate that a domain is served with.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) chain: PathBuf,
    pub(crate) names: Vec<String>,
    pub(crate) not_after: SystemTime,
    /// The SHA-256 of the leaf, in lower-case hexadecimal.
    pub(crate) sha256: String,
    /// Whether one of the names is the domain's.
    pub(crate) is_for: bool,
}

impl NextKey {
    /// Reads those that the configuration names.
    ///
    /// # Errors
    /// Which key of the configuration names a file that cannot be used, and why.
    pub(crate) fn read(
        certificates: &[CertificateFiles],
    ) -> Result<Vec<Self>, (String, identity::Error)> {
        let named = certificates.iter().enumerate();
        let named = named.filter_map(|(index, it)| Some((index, it, it.next_key.as_ref()?)));
        let each = named.map(|(index, certificate, path)| {
            let public = identity::public_key(path)
                .map_err(|error| (format!("certificates[{index}].next_key"), error))?;
            Ok(Self { public, chain: certificate.chain.clone() })
        });
        each.collect()
    }
}

impl Published {
    /// What follows from the sources.
    pub(crate) fn new(sources: &Sources<'_>) -> Self {
        let Sources { server_name, public, domains, identities, next_keys } = sources;
        let mut ports = vec![public.starttls, public.direct_tls];
        ports.dedup();
        Self {
            server_name: server_name.clone(),
            document: posh::fingerprints(identities, server_name, server_name),
            ports,
            keys: keys(identities, next_keys),
            hosted: domains.iter().map(|domain| Tenant::new(domain.clone(), sources)).collect(),
        }
    }
}

impl Tenant {
    fn new(domain: Domain, sources: &Sources<'_>) -> Self {
        let Sources { server_name, public, identities, .. } = sources;
        let Public { starttls, direct_tls } = *public;
        Self {
            services: [
                Service { service: "xmpp-server", port: starttls },
                Service { service: "xmpps-server", port: direct_tls },
            ],
            certificate: Shown::new(identities.shown(domain.ascii()), &domain),
            document: posh::fingerprints(identities, server_name, &domain),
            reference: posh::reference(identities, server_name, &domain),
            domain,
        }
    }
}

impl Service {
    /// The SRV data for this target (RFC 2782). Both services are equal: a peer takes the one that
    /// it knows.
    pub(crate) fn data(&self, target: &Domain) -> String {
        format!("{PRIORITY} {WEIGHT} {} {}.", self.port, target.ascii())
    }
}

impl Pinned {
    fn new(public: &[u8], is_next: bool, chain: PathBuf) -> Self {
        Self { sha256: hex(digest(&SHA256, public).as_ref()), is_next, chain }
    }

    /// The TLSA data: DANE-EE, public key, SHA-256 (RFC 7671 §5.1).
    pub(crate) fn data(&self) -> String {
        format!("3 1 1 {}", self.sha256)
    }
}

impl Shown {
    fn new(identity: Identity, domain: &Domain) -> Self {
        Self {
            is_for: identity.is_for(domain.ascii()),
            chain: identity.files.chain,
            names: identity.names,
            not_after: identity.not_after,
            sha256: hex(&identity.sha256),
        }
    }
}

/// The keys in use first, then those to come.
fn keys(identities: &Identities, next_keys: &[NextKey]) -> Vec<Pinned> {
    let list = identities.list();
    let current = list.iter().filter_map(|it| {
        let presented = Presented::new(it.certificate.cert.clone())?;
        Some(Pinned::new(presented.spki()?, false, it.files.chain.clone()))
    });
    let next = next_keys.iter().map(|it| Pinned::new(&it.public, true, it.chain.clone()));
    let mut keys: Vec<Pinned> = Vec::new();
    for key in current.chain(next) {
        if !keys.iter().any(|it| it.sha256 == key.sha256) {
            keys.push(key);
        }
    }
    keys
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Where a service is to be found, below a domain.
pub(crate) fn service_name(service: &str, domain: &Domain) -> String {
    format!("_{service}._tcp.{}", domain.ascii())
}

/// Where the keys of a port are to be found (RFC 6698 §3).
pub(crate) fn key_name(port: u16, server_name: &Domain) -> String {
    format!("_{port}._tcp.{}", server_name.ascii())
}

/// A record as zone files have it (RFC 1035 §5).
pub(crate) fn line(name: &str, kind: &str, data: &str) -> String {
    format!("{name}. {TTL} IN {kind} {data}")
}

/// Seconds. What changes is old news an hour later; a new key is announced for longer than that
/// before it is used.
pub(crate) const TTL: u32 = 3_600;

/// There is one target.
pub(crate) const PRIORITY: u16 = 0;
pub(crate) const WEIGHT: u16 = 5;

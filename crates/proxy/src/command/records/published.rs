use std::path::PathBuf;
use std::time::SystemTime;

use aws_lc_rs::digest::{SHA256, digest};
use ligase_verifier::{Domain, Presented};
use serde_json::Value;

use crate::config::Public;
use crate::posh;
use crate::tls::identity::{Identities, Identity};

/// What the records are made from, all of it read.
#[derive(Debug)]
pub(super) struct Sources {
    pub(super) server_name: Domain,
    pub(super) public: Public,
    /// Those whose records are wanted.
    pub(super) domains: Vec<Domain>,
    pub(super) identities: Identities,
    pub(super) next_keys: Vec<NextKey>,
}

/// A key that will follow the one of a certificate.
#[derive(Debug)]
pub(super) struct NextKey {
    /// Its whole SubjectPublicKeyInfo, in DER.
    pub(super) public: Vec<u8>,
    /// The file with the certificate that holds the key before it.
    pub(super) chain: PathBuf,
}

/// What is to be published.
#[derive(Debug)]
pub(super) struct Published {
    /// The target of all SRV records, and the TLSA base domain (RFC 7671 §7).
    pub(super) server_name: Domain,
    /// The POSH document of our own name, which others refer to.
    pub(super) document: Value,
    /// The ports of the TLSA records, each once.
    pub(super) ports: Vec<u16>,
    /// The keys of the TLSA records, each once. A peer may ask for any name, so that all keys that
    /// we may show belong there.
    pub(super) keys: Vec<Pinned>,
    /// The hosted domains.
    pub(super) hosted: Vec<Tenant>,
}

/// A key that is ours, or will be.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Pinned {
    /// The SHA-256 of its SubjectPublicKeyInfo, in lower-case hexadecimal.
    pub(super) sha256: String,
    /// Whether it is to be used only later.
    pub(super) is_next: bool,
    /// The file with the certificate that holds it, or the key before it.
    pub(super) chain: PathBuf,
}

/// A hosted domain.
#[derive(Debug)]
pub(super) struct Tenant {
    pub(super) domain: Domain,
    pub(super) services: [Service; 2],
    pub(super) certificate: Shown,
    /// Its POSH document.
    pub(super) document: Value,
    /// What may be served in the document's place: a reference to that of our own name.
    pub(super) reference: Option<Value>,
}

/// One SRV record.
#[derive(Debug)]
pub(super) struct Service {
    /// Its name below the domain, without underscores: `xmpp-server`.
    pub(super) service: &'static str,
    pub(super) port: u16,
}

/// The certificate that a domain is served with.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) chain: PathBuf,
    pub(super) names: Vec<String>,
    pub(super) not_after: SystemTime,
    /// The SHA-256 of the leaf, in lower-case hexadecimal.
    pub(super) sha256: String,
    /// Whether one of the names is the domain's.
    pub(super) is_for: bool,
}

impl Published {
    /// What follows from the sources.
    pub(super) fn new(sources: &Sources) -> Self {
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
    fn new(domain: Domain, sources: &Sources) -> Self {
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
    pub(super) fn data(&self, target: &Domain) -> String {
        format!("{PRIORITY} {WEIGHT} {} {}.", self.port, target.ascii())
    }
}

impl Pinned {
    fn new(public: &[u8], is_next: bool, chain: PathBuf) -> Self {
        Self { sha256: hex(digest(&SHA256, public).as_ref()), is_next, chain }
    }

    /// The TLSA data: DANE-EE, public key, SHA-256 (RFC 7671 §5.1).
    pub(super) fn data(&self) -> String {
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
pub(super) fn service_name(service: &str, domain: &Domain) -> String {
    format!("_{service}._tcp.{}", domain.ascii())
}

/// Where the keys of a port are to be found (RFC 6698 §3).
pub(super) fn key_name(port: u16, server_name: &Domain) -> String {
    format!("_{port}._tcp.{}", server_name.ascii())
}

/// Seconds. What changes is old news an hour later; a new key is announced for longer than that
/// before it is used.
pub(super) const TTL: u32 = 3_600;

/// There is one target.
pub(super) const PRIORITY: u16 = 0;
pub(super) const WEIGHT: u16 = 5;

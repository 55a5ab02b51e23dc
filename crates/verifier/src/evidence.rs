use std::time::SystemTime;

use crate::{Domain, Endpoint, Finding};

/// What a domain has published about who may speak for it, as far as one request needs it.
///
/// Evidence depends on the domain and on where it was met, never on the certificate presented;
/// each fact carries how far to trust it and when it goes stale, and none is ever an error.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// Where the domain's service is offered, by SRV records. Not the fallback of RFC 6120 §3.2.2.
    pub endpoints: Published<Vec<Endpoint>>,
    /// What was found of TLSA at each endpoint that counts. Those not asked about are missing.
    pub tlsa: Vec<TlsaAt>,
    /// Fingerprints from the domain's web server.
    pub posh: Published<Vec<Fingerprint>>,
}

/// One published fact, or the reason there is none.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Published<T> {
    /// It is published, and holds until the time given.
    Here(T, SystemTime),
    /// We know that it is not published, or not in a way we may trust.
    Absent,
    /// It failed its proof, for this reason. Somebody may have forged it.
    Bogus(Finding),
    /// We could not look, for this reason. That is no absence.
    Unreachable(Finding),
}

/// The TLSA records of one endpoint of a domain (RFC 7673 §3.3).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TlsaAt {
    /// The endpoint: a secure one, or its records would count for nothing.
    pub endpoint: Endpoint,
    /// The name under which the records were found: the target, or what it is an alias of
    /// (RFC 7671 §7).
    pub base: Domain,
    /// The records. Here only if they, the SRV records and the addresses are all secure.
    pub records: Published<Vec<Tlsa>>,
}

/// What TLSA records an endpoint has, and so what its server has to do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Pins {
    /// There are none, or none that may be trusted.
    None,
    /// There are some, and none that counts. Whoever publishes them has TLS, which is not to be done
    /// without (RFC 7673 §4.1, F-21).
    Unusable,
    /// There are some that count, under this name, which is the one to ask for in SNI
    /// (RFC 7671 §10.2, RFC 7673 §3.4).
    At(Domain),
}

/// A TLSA record, as published (RFC 6698 §2.1).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Tlsa {
    /// Certificate usage: 0 to 3 are defined.
    pub usage: u8,
    /// Selector: 0, the whole certificate; 1, its public key.
    pub selector: u8,
    /// Matching type: 0, the data itself; 1, SHA-256; 2, SHA-512.
    pub matching: u8,
    /// Certificate association data.
    pub data: Vec<u8>,
}

/// What a certificate must hash to, by one descriptor of a POSH document (RFC 7711 §3.1). At least
/// one of them is set, and all that are must match.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Fingerprint {
    /// SHA-256 of the leaf.
    pub sha256: Option<[u8; 32]>,
    /// SHA-512 of the leaf.
    pub sha512: Option<[u8; 64]>,
}

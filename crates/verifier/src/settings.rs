use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::Prooftype;

/// What a verifier is set up with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Settings {
    /// Who is asked about DNS.
    pub servers: Servers,
    /// Who checks DNSSEC signatures.
    pub dnssec: Dnssec,
    /// A file with DNSKEY or DS records of the zones that validation starts at; without it, the
    /// root of the public DNS.
    pub trust_anchor: Option<PathBuf>,
    /// Which certificate authorities count.
    pub roots: RootSource,
    /// A PEM file of certificate revocation lists.
    pub revocations: Option<PathBuf>,
    /// Which prooftypes count.
    pub prooftypes: Vec<Prooftype>,
    /// Which usages of TLSA records count (RFC 6698 §2.1.1); others are as good as none.
    pub tlsa_usages: Vec<u8>,
    /// The port at which POSH documents are fetched.
    pub posh_port: u16,
    /// Where peers may send us.
    pub reach: Reach,
    /// How much time and memory is spent.
    pub limits: Limits,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            servers: Servers::System,
            dnssec: Dnssec::Validate,
            trust_anchor: None,
            roots: RootSource::System,
            revocations: None,
            prooftypes: vec![Prooftype::Dane, Prooftype::Posh, Prooftype::Pkix],
            tlsa_usages: vec![0, 1, 2, 3],
            posh_port: 443,
            reach: Reach::default(),
            limits: Limits::default(),
        }
    }
}

/// Who is asked about DNS.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Servers {
    /// The servers that the system is set up with.
    System,
    /// These, in order.
    These(Vec<SocketAddr>),
}

/// Who checks DNSSEC signatures.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Dnssec {
    /// We do; the servers are not trusted.
    Validate,
    /// The servers do, and say so by the AD bit (RFC 4035 §3.2.3). Only those on loopback are
    /// believed, since anybody between us and another could set it.
    TrustAd,
    /// Nobody: everything is insecure, and DANE proves nothing.
    Off,
}

/// Which certificate authorities count.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RootSource {
    /// Those that the system trusts.
    System,
    /// Those in a PEM file, and no others.
    File(PathBuf),
}

/// Which addresses peers may send us to by what they publish. Addresses that are nobody's, such as
/// 0.0.0.0 and multicast, are out of reach in any case.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Reach {
    /// Whether loopback and link-local addresses may be connected to. Only a test laboratory wants
    /// that: there are our own services, and the metadata service of the cloud.
    pub loopback: bool,
    /// Whether POSH documents may be fetched from private networks (RFC 1918, RFC 4193, RFC 6598).
    /// XMPP servers may be there in any case.
    pub private_web: bool,
    /// Addresses that are never connected to, such as our own.
    pub own: Vec<IpAddr>,
}

/// How much time and memory the verifier spends. Each is a limit on what peers can make us do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// How long one DNS question may take, all its parts, aliases and signatures included.
    pub lookup_patience: Duration,
    /// How long all DNS questions of one verification may take together.
    pub gather_patience: Duration,
    /// How long it may take to fetch a POSH document, with all its redirects.
    pub posh_patience: Duration,
    /// How long a POSH document is believed at most; never more than a week.
    pub posh_lifetime_max: Duration,
    /// How long it is remembered that there is no sound POSH document.
    pub posh_absence_lifetime: Duration,
    /// How many DNS answers are remembered.
    pub answers_max: usize,
    /// How many POSH documents, or the lack of them, are remembered.
    pub documents_max: usize,
    /// How long an answer is remembered at most, whatever its TTL.
    pub answer_lifetime_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // Shorter than any stream negotiation; long enough for two tries.
            lookup_patience: Duration::from_secs(4),
            // Records, then addresses, then TLSA, each a little late.
            gather_patience: Duration::from_secs(8),
            // Shorter than any stream negotiation, longer than a slow web server.
            posh_patience: Duration::from_secs(10),
            posh_lifetime_max: Duration::from_secs(24 * 3600),
            // Long enough not to burden web servers that have none, short enough to set one up.
            posh_absence_lifetime: Duration::from_secs(300),
            // A few answers for each of some thousands of peers; 8 KiB each at most, usually 200
            // bytes.
            answers_max: 8192,
            // One for each peer that nobody else vouches for; 25 KiB each at most.
            documents_max: 1024,
            // Nobody should have to wait longer for a change that a record's owner regrets.
            answer_lifetime_max: Duration::from_secs(3600),
        }
    }
}

/// Why a verifier cannot be set up.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SetupError {
    /// There is no DNS server to ask.
    NoServers,
    /// The trust anchor file cannot be read, or has no usable record.
    TrustAnchor(PathBuf),
    /// The file of certificate authorities cannot be read, or has none.
    Roots(PathBuf),
    /// The file of revocation lists cannot be read.
    Revocations(PathBuf),
    /// The resolver cannot be built.
    Resolver,
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoServers => f.write_str("there is no DNS server to ask: name one by IP:PORT"),
            Self::TrustAnchor(path) => {
                let path = path.display();
                write!(f, "{path} has no usable DNSKEY or DS record: write the root's, one a line")
            }
            Self::Roots(path) => {
                let path = path.display();
                write!(f, "{path} has no usable certificate: write those of authorities, in PEM")
            }
            Self::Revocations(path) => {
                let path = path.display();
                write!(f, "{path} is no list of revoked certificates: write CRLs in PEM")
            }
            Self::Resolver => {
                f.write_str("the resolver cannot be set up: name DNS servers by IP:PORT")
            }
        }
    }
}

impl std::error::Error for SetupError {}

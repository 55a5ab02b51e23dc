//! What the operator asked for, once it has been found to make sense.
//!
//! A [`Config`] can be acted on without further checking: every value has been parsed, every limit
//! lies within its bounds and no two rooms want the same address. What the files that it names
//! contain is looked at by [`Config::inspect`], because they change while the program runs.

mod backends;
mod checks;
mod doors;
mod file;
mod inspect;
mod limits;
mod policy;
mod read;
mod relays;
mod values;

use std::collections::BTreeSet;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use ligase_verifier::{Domain, Prooftype};
use zeroize::Zeroizing;

use crate::binding::Policy;

pub use backends::{Backend, Hosts};
pub use inspect::{Findings, verifier_key};
pub use limits::{Limit, Limits};
pub use read::Overrides;

/// A configuration that can be acted on without further checking.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Config {
    /// Our own name: on server-name streams, in the certificate and in the SRV records.
    pub server_name: Domain,
    /// Certificates and their keys; never empty, and the first is the one shown by default.
    pub certificates: Vec<CertificateFiles>,
    /// The servers that we stand in front of; never empty, and usually one.
    pub backends: Vec<Backend>,
    /// How they are met.
    pub backend: BackendSide,
    /// How the backend's own connections find their way to us.
    pub capture: Capture,
    /// Where DNS answers send our own servers.
    pub steer: SocketAddr,
    /// Where we listen.
    pub listen: Listen,
    /// By which ports peers reach us.
    pub public: Public,
    /// Which load balancers say for whom they come.
    pub proxy_protocol: ProxyProtocol,
    /// Where we look up what peers have published.
    pub resolver: Resolver,
    /// Who vouches for certificates (PKIX).
    pub roots: Roots,
    /// A PEM file of certificate revocation lists.
    pub revocations: Option<PathBuf>,
    /// The port at which web servers keep POSH documents; another than 443 only in a laboratory.
    pub posh_port: u16,
    /// What connections to peers may carry.
    pub channels: Channels,
    /// What peers must show.
    pub policy: Policy,
    /// The prooftypes that count; never empty, in the order written.
    pub prooftypes: Vec<Prooftype>,
    /// The usages of TLSA records that count, by number; others are as good as none.
    pub tlsa_usages: Vec<u8>,
    /// What dialback keys are made from, when several replicas must share it.
    pub dialback_secret: Option<DialbackSecret>,
    /// How much of everything.
    pub limits: Limits,
    /// How long streams may take to finish when we are asked to end.
    pub drain: Duration,
    /// How often our own records are looked at; never, if none.
    pub self_check: Option<Duration>,
    /// What is logged, and how it looks.
    pub log: Log,
}

impl Config {
    /// The domains that our own servers serve; `None` where only they know.
    pub fn domains(&self) -> Option<BTreeSet<&Domain>> {
        let auto = self.backends.iter().any(|it| it.hosts == Hosts::Auto);
        (!auto).then(|| self.backends.iter().flat_map(Backend::domains).collect())
    }
}

/// Where a certificate chain and its private key are kept, both PEM.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CertificateFiles {
    /// The chain, leaf first.
    pub chain: PathBuf,
    /// The private key.
    pub key: PathBuf,
    /// The private key of the certificate that will follow this one. It is used for nothing but to
    /// be announced beforehand (RFC 7671 §8.1).
    pub next_key: Option<PathBuf>,
}

/// How our own servers and we meet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BackendSide {
    /// Where they connect from, if they are not on this host; empty: only from where they are.
    pub networks: Vec<IpNet>,
    /// Whether streams between them and us are encrypted.
    pub tls: BackendTls,
    /// The authority that signs what we show to them, and to nobody else.
    pub local_ca: LocalCaFiles,
    /// Whether pairs of several peers share a stream to one, where it understands dialback errors.
    pub share_streams: bool,
}

/// What makes a connection to a peer a channel for many pairs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Channels {
    /// Streams between servers, each by its own name (draft-ietf-xmpp-dna-01).
    pub server_names: bool,
    /// One stream for both directions (XEP-0288).
    pub bidi: bool,
}

/// Where the local authority is kept; both files are made on first start.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LocalCaFiles {
    /// Its certificate: what the backend's trust store gets.
    pub certificate: PathBuf,
    /// Its private key, which nobody else gets.
    pub key: PathBuf,
}

/// Defines an enum whose variants have one fixed spelling each in the file.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// As it is written.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

words! {
    /// Whether streams between the backend and us are encrypted.
    BackendTls {
        /// Whatever the backend asks for.
        Auto = "auto",
        /// Never.
        Off = "off",
        /// Always; a backend that will not is not talked to.
        Required = "required",
    }
}

words! {
    /// How far DNSSEC is relied upon.
    Dnssec {
        /// We validate every signature ourselves.
        Validate = "validate",
        /// We believe the resolver's AD bit: sound only over a path that nobody else can write to.
        TrustAd = "trust-ad",
        /// Nothing is believed to be secure, so DANE proves nothing.
        Off = "off",
    }
}

words! {
    /// How much is logged.
    LogLevel {
        /// What needs somebody's hands.
        Error = "error",
        /// What needs somebody's eyes.
        Warn = "warn",
        /// A line for each pair that is authenticated and each connection that ends.
        Info = "info",
        /// Every decision.
        Debug = "debug",
        /// Every step.
        Trace = "trace",
    }
}

words! {
    /// How a log line looks.
    LogFormat {
        /// For people.
        Plain = "plain",
        /// One JSON object a line.
        Json = "json",
    }
}

/// How the backend's own connections find their way to us.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Capture {
    /// By the answers of the resolver that the backend asks.
    Dns,
    /// By netfilter rules, which spare the traffic of this user: ours.
    Redirect {
        /// The user that we run as.
        uid: u32,
        /// The user that a resolver on this machine runs as, which we ask.
        resolver_uid: Option<u32>,
    },
    /// The operator has told the backend where to connect to.
    Explicit,
}

impl Capture {
    /// The word that is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Redirect { .. } => "redirect",
            Self::Explicit => "explicit",
        }
    }
}

/// Where we listen. No two of these can collide.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Listen {
    /// For peers, STARTTLS and direct TLS alike; never empty.
    pub federation: Vec<SocketAddr>,
    /// For the backend; never empty.
    pub backend: Vec<SocketAddr>,
    /// For the backend's DNS queries, by UDP and TCP; never empty with [`Capture::Dns`].
    pub dns: Vec<SocketAddr>,
    /// For those who fetch POSH documents; usually empty.
    pub posh: Vec<SocketAddr>,
    /// For operators and their tools; empty when there is no admin port.
    pub admin: Vec<SocketAddr>,
}

impl Listen {
    /// Whether our own servers may be on other hosts.
    pub fn is_backend_exposed(&self) -> bool {
        self.backend.iter().any(|it| !it.ip().to_canonical().is_loopback())
    }
}

/// By which ports peers reach [`Listen::federation`], as our SRV records are to tell them. Zero
/// where nobody can know: the system chooses the port that is listened at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Public {
    /// To begin with STARTTLS.
    pub starttls: u16,
    /// To begin with TLS (XEP-0368).
    pub direct_tls: u16,
}

/// Which load balancers say for whom they come to [`Listen::federation`] (the PROXY protocol).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProxyProtocol {
    /// The networks that they are in; whoever else says such a thing is not heard.
    pub trusted: Vec<IpNet>,
    /// Whether whoever is there has to say it.
    pub required: bool,
}

/// Where we look up what peers have published.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Resolver {
    /// Whom we ask.
    pub servers: ResolverServers,
    /// Whom our own servers' other questions are passed on to, and who knows those servers' names.
    pub forward: ResolverServers,
    /// How far DNSSEC is relied upon.
    pub dnssec: Dnssec,
    /// A file with the root's DNSKEY or DS records, instead of the IANA root.
    pub trust_anchor: Option<PathBuf>,
    /// Whether peers may be at loopback and link-local addresses, which only a laboratory wants:
    /// there are our own services.
    pub allow_loopback: bool,
}

/// Whom we ask.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ResolverServers {
    /// Those that `/etc/resolv.conf` names.
    System,
    /// These, in this order; never empty, and never our own DNS listener.
    Listed(Vec<SocketAddr>),
}

/// Who vouches for certificates (PKIX).
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Roots {
    /// Whom this machine trusts.
    System,
    /// Whose certificates this PEM file holds.
    File(PathBuf),
}

/// What dialback keys are made from (XEP-0185).
#[derive(Clone, Eq, PartialEq)]
pub struct DialbackSecret {
    /// The file that both were read from: the current one on its first line, then the previous.
    pub file: PathBuf,
    /// What new keys are made from.
    pub current: Zeroizing<Vec<u8>>,
    /// What keys may still be made from while replicas change over.
    pub previous: Option<Zeroizing<Vec<u8>>>,
}

/// A secret has no business in a log.
impl fmt::Debug for DialbackSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DialbackSecret").field("file", &self.file).finish_non_exhaustive()
    }
}

/// What is logged, and how it looks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Log {
    /// How much.
    pub level: LogLevel,
    /// How it looks.
    pub format: LogFormat,
}

/// Where the configuration is wrong, and how.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Error {
    /// The key at fault, as the operator wrote it: `limits.depth`, `certificates[0].key`.
    pub key: String,
    /// What is wrong with it.
    pub problem: String,
}

impl Error {
    fn at(key: impl Into<String>, problem: impl fmt::Display) -> Self {
        Self { key: key.into(), problem: problem.to_string() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.problem)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests;

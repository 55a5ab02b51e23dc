use std::net::{AddrParseError, IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::ValueEnum;

/// What to check, and how.
#[derive(clap::Args, Clone, Debug, Eq, PartialEq)]
pub struct Check {
    /// The domains
    #[arg(value_name = "DOMAIN", required_unless_present = "domains_file")]
    pub domains: Vec<String>,

    /// Tell also whether each domain and this one would believe each other
    #[arg(long, value_name = "DOMAIN", conflicts_with = "dns_only")]
    pub peer: Option<String>,

    /// Which service of the domains
    #[arg(long, value_enum, default_value_t, value_name = "SERVICE")]
    pub service: CheckService,

    /// Ask whom the proxy asks, and trust whom it trusts, by its configuration file: with `capture:
    /// dns` the system's resolver is the proxy itself
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["resolver", "trust_anchor", "roots", "posh_port"]
    )]
    pub config: Option<PathBuf>,

    /// A DNS server to ask instead of the system's; may be repeated
    #[arg(long, value_name = "IP:PORT", value_parser = server)]
    pub resolver: Vec<SocketAddr>,

    /// Root DNSKEY or DS records to start validation at instead of the public root's
    #[arg(long, value_name = "FILE")]
    pub trust_anchor: Option<PathBuf>,

    /// Certificate authorities in PEM to trust instead of the system's
    #[arg(long, value_name = "FILE")]
    pub roots: Option<PathBuf>,

    /// The port at which POSH documents are fetched
    #[arg(long, value_name = "N", default_value_t = 443)]
    pub posh_port: u16,

    /// A file with more domains, one a line; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub domains_file: Option<PathBuf>,

    /// Ask DNS and connect to nobody
    #[arg(long)]
    pub dns_only: bool,

    /// How to print what was found
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: CheckOutput,

    /// What has to prove every domain, whatever else does; may be repeated
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WHAT")]
    pub require: Vec<Requirement>,

    /// Let warnings count, by exit code 1
    #[arg(long)]
    pub strict: bool,

    /// Addresses that may be connected to, though domains on the Internet have no business there
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WHERE")]
    pub allow: Vec<Allowance>,
}

/// A service of a domain.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum CheckService {
    /// Federation, between servers
    #[default]
    Server,
    /// Access, for the domain's own users
    Client,
}

/// How findings are printed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum CheckOutput {
    /// Everything, for people
    #[default]
    Text,
    /// A line a domain, and what is wrong
    Short,
    /// Everything, for programs
    Json,
}

/// What may be required of a domain.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Requirement {
    /// TLSA records allow what each target presents
    Dane,
    /// The POSH document names what each target presents
    Posh,
    /// A certificate authority vouches for what each target presents
    Pkix,
    /// SRV and address records are signed
    Dnssec,
}

/// Where a domain may lead us.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Allowance {
    /// To loopback and link-local addresses
    Loopback,
    /// To web servers in private networks
    Private,
}

/// Reads the address of a DNS server, at port 53 if none is named.
fn server(text: &str) -> Result<SocketAddr, AddrParseError> {
    text.parse().or_else(|_| text.parse::<IpAddr>().map(|it| SocketAddr::new(it, 53)))
}

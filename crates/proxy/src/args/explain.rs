use std::net::SocketAddr;
use std::path::PathBuf;

use clap::ValueEnum;
use ligase_verifier::Domain;

/// Which pair to ask about, and whom.
#[derive(clap::Args, Clone, Debug, Eq, PartialEq)]
pub struct Explain {
    /// The domain that our own server hosts
    #[arg(value_name = "LOCAL")]
    pub local: Domain,

    /// The domain of the peer
    #[arg(value_name = "REMOTE")]
    pub remote: Domain,

    /// Where the admin port of the running proxy is; 127.0.0.1:7290 if nothing says so
    #[arg(long, value_name = "IP:PORT", conflicts_with = "config")]
    pub admin: Option<SocketAddr>,

    /// The configuration file of the running proxy, whose `listen.admin` tells
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// How to print it
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: ExplainOutput,
}

/// How an explanation is printed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum ExplainOutput {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}

use std::net::SocketAddr;
use std::path::PathBuf;

use ligase_verifier::Domain;

/// Where the running proxy is asked.
#[derive(clap::Args, Clone, Debug, Default, Eq, PartialEq)]
pub struct AdminPort {
    /// Where the admin port of the running proxy is; 127.0.0.1:7290 if nothing says so
    #[arg(long, value_name = "IP:PORT", conflicts_with = "config")]
    pub admin: Option<SocketAddr>,

    /// The configuration file of the running proxy, whose `listen.admin` tells
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Which peer to try again.
#[derive(clap::Args, Clone, Debug, Eq, PartialEq)]
pub struct Retry {
    /// The domain of the peer
    #[arg(value_name = "REMOTE")]
    pub remote: Domain,

    /// Whom to ask
    #[command(flatten)]
    pub port: AdminPort,
}

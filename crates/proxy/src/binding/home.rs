use std::fmt;
use std::net::{IpAddr, SocketAddr};

use ligase_verifier::Domain;

/// Where one of our own servers takes streams from other servers. Two are the same server when they
/// are written the same.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Home {
    /// The host.
    pub host: Host,
    /// The port.
    pub port: u16,
}

/// A host, as the operator wrote it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Host {
    /// By its address.
    Ip(IpAddr),
    /// By its name, looked up each time: in a cluster, what a name stands for comes and goes.
    Name(Domain),
}

impl From<SocketAddr> for Home {
    fn from(address: SocketAddr) -> Self {
        Self { host: Host::Ip(address.ip()), port: address.port() }
    }
}

impl fmt::Display for Home {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Ip(ip) => SocketAddr::new(*ip, self.port).fmt(f),
            Host::Name(name) => write!(f, "{}:{}", name.ascii(), self.port),
        }
    }
}

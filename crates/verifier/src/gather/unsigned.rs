use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::hosts::{both, interleave, questions};
use super::resolver::Resolver;
use crate::cache::Cache;
use crate::delegation::Unresolved;
use crate::domain::Domain;
use crate::observation::Observer;
use crate::settings::{Dnssec, Limits, Servers, Settings, SetupError};

/// Looks up hosts of the operator's own, by names that the operator wrote, in DNS that signs
/// nothing: that of a cluster. Whoever forges its answers is in the cluster already. Nothing about
/// a peer is ever looked up here.
#[derive(Debug)]
pub struct Unsigned {
    resolver: Resolver,
    found: Cache<Domain, Result<Vec<IpAddr>, Unresolved>>,
}

impl Unsigned {
    /// Asks these servers, and waits for an answer so long. Sends nothing yet.
    ///
    /// # Errors
    /// When there are no servers to ask.
    pub fn new(servers: Servers, patience: Duration) -> Result<Self, SetupError> {
        let limits = Limits { lookup_patience: patience, ..Limits::default() };
        let settings = Settings { servers, dnssec: Dnssec::Off, limits, ..Settings::default() };
        let resolver = Resolver::new(&settings, Arc::<Observer>::default())?;
        Ok(Self { resolver, found: Cache::new(HOSTS_MAX, ASKING_MAX) })
    }

    /// The servers that are asked, in order.
    pub fn servers(&self) -> &[SocketAddr] {
        self.resolver.servers()
    }

    /// The addresses of a host, IPv6 and IPv4 in turn, at most 16; remembered as long as DNS says.
    ///
    /// # Errors
    /// That it has none, or that nobody could tell.
    pub async fn addresses(
        &self,
        host: &Domain,
        at: SystemTime,
    ) -> Result<Vec<IpAddr>, Unresolved> {
        let ask = || async {
            let [v6, v4] = questions(host);
            let (v6, v4) =
                tokio::join!(self.resolver.look_up(&v6, at), self.resolver.look_up(&v4, at));
            match both(host, v6, v4, at) {
                Ok(found) if found.addresses.is_empty() => (Err(Unresolved::NotFound), at),
                Ok(found) => (Ok(interleave(&found.addresses)), found.expires),
                Err(failure) => (Err(failure.into()), at),
            }
        };
        self.found.get(host, at, ask).await
    }
}

/// Servers of the operator's own.
const HOSTS_MAX: usize = 1024;

/// Look-ups of theirs at a time.
const ASKING_MAX: usize = 64;

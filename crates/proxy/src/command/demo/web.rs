//! The web server of a domain that has no signed DNS, and vouches for its XMPP server there.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use ligase_verifier::Domain;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::papers::Paper;
use super::trouble::{Result, While};
use crate::posh::{self, Site};
use crate::tls::Tls;

/// A web server that runs until it is dropped.
#[derive(Debug)]
pub(super) struct Web {
    /// Where it is.
    pub(super) address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Web {
    /// Starts one at a free port of this address: it goes by the certificate `its`, and says that the
    /// domain's XMPP server, which is called `server_name`, goes by `shown` (RFC 7711 §3.1).
    pub(super) async fn start(
        at: IpAddr,
        domain: &str,
        its: &Paper,
        (server_name, shown): (&str, &Paper),
    ) -> Result<Self> {
        let doing = &format!("start the web server of {domain}");
        let domain: Domain = domain.parse().or_trouble(doing)?;
        let server_name: Domain = server_name.parse().or_trouble(doing)?;
        let document = posh::fingerprints(&shown.identities()?, &server_name, &domain);
        let site = Site {
            tls: Tls::new(Arc::new(its.identities()?)).or_trouble(doing)?,
            document: Box::new(move |asked| (asked == domain).then(|| document.clone())),
            // Whoever is turned away fails to prove the domain, and that is told.
            turned_away: Box::new(|_, _| ()),
        };
        let listener = TcpListener::bind((at, 0)).await.or_trouble(doing)?;
        let address = listener.local_addr().or_trouble(doing)?;
        let mut tasks = JoinSet::new();
        tasks.spawn(posh::serve(listener, posh::admission(), Arc::new(site)));
        Ok(Self { address, _tasks: tasks })
    }
}

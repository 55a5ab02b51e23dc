//! The POSH documents of the hosted domains (RFC 7711), and a small web server for them.
//!
//! Whoever asks is a stranger: there is one page for each domain, one request for each connection,
//! and nothing that is asked is ever read beyond its headers. The room knows nothing of the others:
//! the app lends it a [`Site`].

mod answer;
mod document;

use std::convert::Infallible;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use ligase_verifier::Domain;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::net::listener::{Admission, Arrival, Limits, accept_all};
use crate::stream::Violation;
use crate::tls::Tls;

pub use document::{fingerprints, reference, url};

/// What is served.
pub struct Site {
    /// What we are called, and by which certificates.
    pub tls: Tls,
    /// The document of a domain, as it is now; none if the domain is not ours.
    pub document: Box<dyn Fn(Domain) -> Option<Value> + Send + Sync>,
    /// Is told whom we turned away, and why.
    pub turned_away: Box<dyn Fn(Violation, SocketAddr) + Send + Sync>,
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Site").finish_non_exhaustive()
    }
}

/// How many may be served at a time, at all listeners together.
pub fn admission() -> Admission {
    Admission::new(Limits { connections_max: SEATS_MAX, per_address_max: SEATS_PER_ADDRESS_MAX })
}

/// Answers whoever connects, for ever. Who is being answered when it is dropped is hung up on.
pub async fn serve(listener: TcpListener, admission: Admission, site: Arc<Site>) {
    serve_with(listener, admission, site, PATIENCE).await;
}

async fn serve_with(
    listener: TcpListener,
    admission: Admission,
    site: Arc<Site>,
    patience: Patience,
) {
    let mut talks = JoinSet::new();
    accept_all(listener, admission, |arrival| {
        // Lets go of what is left of those that have ended.
        while talks.try_join_next().is_some() {}
        match arrival {
            Arrival::Admitted(socket, _, seat) => {
                let site = Arc::clone(&site);
                talks.spawn(async move {
                    // Who is too slow is hung up on.
                    let _ = timeout(patience.talk, talk(socket, &site, patience)).await;
                    drop(seat);
                });
            }
            Arrival::Refused(from, _) => (site.turned_away)(Violation::LimitConnections, from),
        }
    })
    .await;
}

/// Answers one request, and hangs up. What goes wrong is the client's to find out: this port is
/// scanned all day.
async fn talk(socket: TcpStream, site: &Site, patience: Patience) {
    let shaking = TlsAcceptor::from(site.tls.receive_web()).accept(socket);
    let Ok(Ok(stream)) = timeout(patience.handshake, shaking).await else {
        return;
    };
    let asked = stream.get_ref().1.server_name().map(str::to_owned);
    let service = service_fn(|request| {
        let response = answer::answer(&request, asked.as_deref(), &site.document);
        async { Ok::<_, Infallible>(response) }
    });
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.header)
        .max_buf_size(HEADER_BYTES_MAX)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// Connections at a time. Each lasts for a few round trips, and holds some 64 KiB at the very
/// worst.
const SEATS_MAX: usize = 256;

/// Of these, from one address. A peer that meets all our domains at once waits for its turn.
const SEATS_PER_ADDRESS_MAX: usize = 32;

/// How long clients may take.
#[derive(Clone, Copy, Debug)]
struct Patience {
    /// To shake hands.
    handshake: Duration,
    /// To say what they want, after that.
    header: Duration,
    /// In all.
    talk: Duration,
}

const PATIENCE: Patience = Patience {
    // Three round trips on a bad line, many times over.
    handshake: Duration::from_secs(10),
    // It is one packet.
    header: Duration::from_secs(5),
    // Whoever verifies us gives up before.
    talk: Duration::from_secs(20),
};

/// What a client with many headers sends, several times over; the least that hyper takes.
const HEADER_BYTES_MAX: usize = 8_192;

#[cfg(test)]
mod tests;

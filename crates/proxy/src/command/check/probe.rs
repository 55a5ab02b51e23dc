//! One connection to one place, to see what is presented there.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ligase_verifier::{Domain, Presented, Service, Transport};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ProtocolVersion};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::conversation::{Conversation, Speaker};
use super::facts::{Greeting, Unseen};
use crate::net::dial::{Patience, dial};
use crate::tls;

/// Looks at servers and shows nothing of ourselves.
#[derive(Clone)]
pub(super) struct Probe {
    after_starttls: Arc<ClientConfig>,
    at_once: Arc<ClientConfig>,
}

/// What was presented, before anybody has judged it.
#[derive(Debug)]
pub(super) struct Found {
    /// Where somebody answered.
    pub(super) address: SocketAddr,
    /// `1.3`, `1.2`.
    pub(super) tls: &'static str,
    /// The certificates.
    pub(super) presented: Presented,
    /// What was said after TLS.
    pub(super) stream: Result<Greeting, Unseen>,
}

impl Probe {
    /// A probe for one kind of service.
    ///
    /// # Errors
    /// When the cryptographic library does not know TLS.
    pub(super) fn new(service: Service) -> Result<Self, rustls::Error> {
        // XEP-0368 §3.
        let protocol: &[u8] = match service {
            Service::Server => b"xmpp-server",
            Service::Client => b"xmpp-client",
        };
        Ok(Self { after_starttls: tls::look(None)?, at_once: tls::look(Some(protocol))? })
    }

    /// Looks at the first of these addresses that answers, asking for that name in SNI.
    ///
    /// Takes no longer than the patiences below together. Cancel-safe.
    pub(super) async fn look(
        &self,
        addresses: &[SocketAddr],
        transport: Transport,
        name: &Domain,
        speaker: &Speaker,
    ) -> Result<Found, Unseen> {
        let mut socket = dial(addresses, DIAL_PATIENCE).await.map_err(Unseen::Unreached)?;
        let address = socket.peer_addr().map_err(|_| Unseen::Closed)?;
        let securing = async {
            if transport == Transport::StartTls {
                let mut clear = Conversation::new(&mut socket);
                let greeting = clear.open(speaker).await?;
                if !greeting.features.start_tls {
                    return Err(Unseen::NoTls("it does not offer STARTTLS"));
                }
                clear.start_tls().await?;
            }
            self.secure(socket, transport, name).await
        };
        let mut secured =
            timeout(SECURE_PATIENCE, securing).await.unwrap_or(Err(Unseen::Silent))?;
        let (_, session) = secured.get_ref();
        let presented = tls::presented(session).ok_or(Unseen::NoTls("it shows no certificate"))?;
        let tls = match session.protocol_version() {
            Some(ProtocolVersion::TLSv1_3) => "1.3",
            _ => "1.2",
        };
        let mut inside = Conversation::new(&mut secured);
        let stream = timeout(OPEN_PATIENCE, inside.open(speaker)).await;
        let stream = stream.unwrap_or(Err(Unseen::Silent));
        // Nobody waits for an answer to a farewell.
        let _ = timeout(FAREWELL_PATIENCE, async {
            let _ = secured.write_all(b"</stream:stream>").await;
            secured.shutdown().await
        })
        .await;
        Ok(Found { address, tls, presented, stream })
    }

    async fn secure(
        &self,
        socket: TcpStream,
        transport: Transport,
        name: &Domain,
    ) -> Result<TlsStream<TcpStream>, Unseen> {
        let config = match transport {
            Transport::StartTls => &self.after_starttls,
            Transport::DirectTls => &self.at_once,
        };
        let name = ServerName::try_from(name.ascii().to_owned())
            .map_err(|_| Unseen::Foreign("a name that TLS cannot ask for"))?;
        let connector = TlsConnector::from(Arc::clone(config));
        connector.connect(name, socket).await.map_err(|error| lost(&error))
    }
}

/// Why a handshake failed: by what the server did, or by what the network did.
fn lost(error: &io::Error) -> Unseen {
    match error.get_ref().and_then(|it| it.downcast_ref::<rustls::Error>()) {
        Some(error) => Unseen::Handshake(error.to_string()),
        None => Unseen::Closed,
    }
}

/// Whoever is there at all answers within one round trip, and a lost packet is sent again after a
/// second.
const DIAL_PATIENCE: Patience =
    Patience { attempt: Duration::from_millis(2500), total: Duration::from_millis(3000) };

/// Some ten round trips, and a server that looks things up before it answers.
const SECURE_PATIENCE: Duration = Duration::from_secs(4);

/// Two round trips; what comes after TLS is good to know, not more.
const OPEN_PATIENCE: Duration = Duration::from_secs(2);
const FAREWELL_PATIENCE: Duration = Duration::from_millis(200);

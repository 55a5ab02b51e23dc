//! The two rustls configurations, and what they show of themselves.
//!
//! A handshake here promises one thing: the peer holds the key of the certificate it presented.
//! Whom that certificate speaks for is asked afterwards, of the verifier (B-11).

pub mod identity;
pub mod local_ca;
mod unverified;

use std::fmt;
use std::io;
use std::sync::Arc;

use ligase_verifier::{Domain, Presented};
use rustls::client::{ResolvesClientCert, Resumption};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{
    AlertDescription, CertificateError, ClientConfig, CommonState, ProtocolVersion, ServerConfig,
    SignatureScheme,
};

use crate::stream::Violation;
use identity::Identities;
use unverified::Unverified;

/// How we speak TLS: versions, suites and certificates, as server and as client.
///
/// TLS 1.3 and 1.2 with authenticated encryption only (RFC 7590 §3, RFC 9325); nothing is ever
/// resumed, because a resumed session vouches for a certificate that was shown in another one
/// (F-52), and no data is ever early. Cloning copies no configuration.
#[derive(Clone)]
pub struct Tls {
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
    web: Arc<ServerConfig>,
    identities: Arc<Identities>,
}

impl Tls {
    /// TLS under these names.
    ///
    /// # Errors
    /// When the cryptographic library knows neither TLS version, which would be a bug of ours.
    pub fn new(identities: Arc<Identities>) -> Result<Self, rustls::Error> {
        let provider = provider();
        let unverified = Arc::new(Unverified::new(&provider));

        let named = Arc::new(Named { identities: Arc::clone(&identities), addressed: None });
        let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&TLS13, &TLS12])?
            .with_client_cert_verifier(unverified.clone())
            .with_cert_resolver(named.clone());
        let server = unresumed(server, ALPN);
        let web = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&TLS13, &TLS12])?
            .with_no_client_auth()
            .with_cert_resolver(named);
        let web = unresumed(web, ALPN_WEB);

        let client = Arc::new(client(provider, unverified)?);
        let (server, web) = (Arc::new(server), Arc::new(web));
        Ok(Self { server, client, web, identities })
    }

    /// What we are called, and by which certificates.
    pub fn identities(&self) -> &Arc<Identities> {
        &self.identities
    }

    /// A handshake with a peer that came to us. Our certificate is the one for the name in its
    /// ClientHello, else for the domain its stream was addressed to, else our first; an unknown
    /// name gets that one too, never an alert (C-02).
    pub fn receive(&self, addressed: Option<Domain>) -> Arc<ServerConfig> {
        match addressed {
            None => Arc::clone(&self.server),
            Some(_) => self.server_showing(Arc::new(Named {
                identities: Arc::clone(&self.identities),
                addressed,
            })),
        }
    }

    /// A handshake with whoever came to us, under this very certificate whatever they ask for.
    pub fn receive_as(&self, certificate: Arc<CertifiedKey>) -> Arc<ServerConfig> {
        self.server_showing(Arc::new(Fixed(certificate)))
    }

    /// A handshake with whoever came for a web page. Our certificate is the one for the name in
    /// their ClientHello, else our first; theirs is not asked for.
    pub fn receive_web(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.web)
    }

    /// A handshake with a server that we went to. It is shown this certificate if it asks for
    /// any, whichever authorities it hints at.
    pub fn initiate(&self, certificate: Arc<CertifiedKey>, begin: Begin) -> Arc<ClientConfig> {
        let mut config = ClientConfig::clone(&self.client);
        config.client_auth_cert_resolver = Arc::new(Fixed(certificate));
        config.alpn_protocols = match begin {
            Begin::AfterStartTls => Vec::new(),
            Begin::AtOnce => vec![ALPN.to_vec()],
        };
        Arc::new(config)
    }

    fn server_showing(&self, resolver: Arc<dyn ResolvesServerCert>) -> Arc<ServerConfig> {
        let mut config = ServerConfig::clone(&self.server);
        config.cert_resolver = resolver;
        Arc::new(config)
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

/// A handshake with a server of which we only want to see the certificates: it is shown none of
/// ours. The protocol, if there is one, is named in ALPN.
///
/// # Errors
/// When the cryptographic library knows neither TLS version, which would be a bug of ours.
pub fn look(protocol: Option<&[u8]>) -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = provider();
    let unverified = Arc::new(Unverified::new(&provider));
    let mut config = client(provider, unverified)?;
    config.alpn_protocols = protocol.into_iter().map(<[u8]>::to_vec).collect();
    Ok(Arc::new(config))
}

fn client(
    provider: Arc<CryptoProvider>,
    unverified: Arc<Unverified>,
) -> Result<ClientConfig, rustls::Error> {
    let builder =
        ClientConfig::builder_with_provider(provider).with_protocol_versions(&[&TLS13, &TLS12])?;
    let mut client = unverified::client(builder, unverified);
    client.resumption = Resumption::disabled();
    client.enable_early_data = false;
    Ok(client)
}

/// When TLS begins on a connection that we open.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Begin {
    /// After `<proceed/>` (RFC 6120 §5).
    AfterStartTls,
    /// With the first byte (XEP-0368), which is then named in ALPN.
    AtOnce,
}

/// A version of TLS that we speak.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Version {
    /// RFC 5246.
    Tls12,
    /// RFC 8446.
    Tls13,
}

/// Which version a finished handshake came to.
pub fn version(connection: &CommonState) -> Option<Version> {
    let version = connection.protocol_version()?;
    let known =
        [(ProtocolVersion::TLSv1_2, Version::Tls12), (ProtocolVersion::TLSv1_3, Version::Tls13)];
    known.into_iter().find(|(known, _)| *known == version).map(|(_, version)| version)
}

/// The certificates that the peer of a finished handshake has shown, if any.
pub fn presented(connection: &CommonState) -> Option<Presented> {
    let chain = connection.peer_certificates()?;
    Presented::new(chain.iter().map(|certificate| certificate.clone().into_owned()).collect())
}

/// Which rule a peer broke with whom no handshake could be finished; `None` if the network failed
/// rather than the peer.
pub fn violation(error: &io::Error) -> Option<Violation> {
    use rustls::Error as It;

    let error = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    let no_protocol = It::AlertReceived(AlertDescription::NoApplicationProtocol);
    Some(if *error == It::NoApplicationProtocol || *error == no_protocol {
        Violation::TlsAlpn
    } else if is_about_versions(error) {
        Violation::TlsVersion
    } else if *error == It::InvalidCertificate(CertificateError::BadSignature) {
        Violation::CertProofOfPossession
    } else if matches!(error, It::InvalidCertificate(_)) {
        Violation::CertMalformed
    } else {
        Violation::TlsHandshake
    })
}

/// Which rule a peer broke after the handshake was done: what it said is no TLS, or no TLS that was
/// agreed on, as another handshake within this one (RFC 9325 §3.5); `None` if the network failed, or
/// the peer tells us that it has had enough.
pub fn violation_within(error: &io::Error) -> Option<Violation> {
    let error = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    let is_told = matches!(error, rustls::Error::AlertReceived(_));
    (!is_told).then_some(Violation::TlsHandshake)
}

/// Whether no handshake could be finished because the peer does not go by the name that it was called
/// by (RFC 6066 §3).
pub fn is_unrecognized(error: &io::Error) -> bool {
    let error = error.get_ref().and_then(|it| it.downcast_ref::<rustls::Error>());
    error == Some(&rustls::Error::AlertReceived(AlertDescription::UnrecognisedName))
}

/// Whether the peer hung up in the middle of the handshake.
pub fn is_left(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};

    [BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof].contains(&error.kind())
}

fn is_about_versions(error: &rustls::Error) -> bool {
    use rustls::PeerIncompatible as It;

    matches!(
        error,
        rustls::Error::AlertReceived(AlertDescription::ProtocolVersion)
            | rustls::Error::PeerIncompatible(
                It::ServerDoesNotSupportTls12Or13
                    | It::ServerTlsVersionIsDisabledByOurConfig
                    | It::SupportedVersionsExtensionRequired
                    // What an older version never sends, and is looked for before the version.
                    | It::SignatureAlgorithmsExtensionRequired
                    | It::Tls12NotOffered
                    | It::Tls12NotOfferedOrEnabled
            )
    )
}

/// Our cryptography, always named and never left to a process-wide default: with a second
/// library anywhere among our dependencies that default would be a panic.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// Each handshake stands for itself, and for one protocol.
fn unresumed(mut config: ServerConfig, alpn: &[u8]) -> ServerConfig {
    config.alpn_protocols = vec![alpn.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    config
}

/// Our own certificate for a handshake, by name.
#[derive(Debug)]
struct Named {
    identities: Arc<Identities>,
    addressed: Option<Domain>,
}

impl ResolvesServerCert for Named {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let addressed = self.addressed.as_ref().map(Domain::ascii);
        Some(self.identities.for_name(hello.server_name().or(addressed).unwrap_or_default()))
    }
}

/// One certificate, whoever asks.
#[derive(Debug)]
struct Fixed(Arc<CertifiedKey>);

impl ResolvesServerCert for Fixed {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

impl ResolvesClientCert for Fixed {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// Streams between servers (XEP-0368 §3). Whoever offers only others is refused (RFC 7301 §3.2);
/// whoever offers none is not.
const ALPN: &[u8] = b"xmpp-server";

/// Web pages (RFC 7301 §6).
const ALPN_WEB: &[u8] = b"http/1.1";

#[cfg(test)]
mod tests;

//! A wire that turns to TLS, with whatever certificate it is told to show, and believes anybody.

use std::collections::HashMap;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::task::{Context, Poll};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, DigitallySignedStruct, DistinguishedName, Error, HandshakeKind, ServerConfig,
    SignatureScheme,
};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

/// A connection, in the clear or not.
#[expect(clippy::large_enum_variant, reason = "there are few, and they stay where they are")]
pub(crate) enum Wire {
    Plain(TcpStream),
    Secure(TlsStream<TcpStream>),
}

impl Wire {
    /// Makes what is written leave at once.
    pub(crate) fn set_nodelay(&self) {
        let socket = match self {
            Self::Plain(socket) => socket,
            Self::Secure(stream) => stream.get_ref().0,
        };
        // A socket that has failed already will tell so by itself.
        let _ = socket.set_nodelay(true);
    }

    /// Shakes hands as `order` says, and tells what the other end showed.
    pub(crate) async fn secure(self, order: &Value) -> Result<(Self, Value), String> {
        let Self::Plain(socket) = self else {
            return Err("TLS within TLS".to_owned());
        };
        let text = |key: &str| order.get(key).and_then(Value::as_str);
        let identity = match (text("chain"), text("key")) {
            (Some(chain), Some(key)) => Some(identity(chain, key)?),
            _ => None,
        };
        let alpn: Vec<_> = text("alpn").map(|it| it.as_bytes().to_vec()).into_iter().collect();
        let stream = match text("as") {
            Some("server") => {
                let mut config = server(identity)?;
                config.alpn_protocols = alpn;
                TlsAcceptor::from(Arc::new(config)).accept(socket).await.map(TlsStream::from)
            }
            _ => {
                let make = || {
                    let mut config = client(identity, text("version"))?;
                    config.alpn_protocols = alpn;
                    Ok(Arc::new(config))
                };
                let config = match text("session") {
                    Some(session) => kept(session, make)?,
                    None => make()?,
                };
                let name = text("name").unwrap_or_default().to_owned();
                let name = ServerName::try_from(name).map_err(|error| error.to_string())?;
                let connector = TlsConnector::from(config);
                connector.connect(name, socket).await.map(TlsStream::from)
            }
        };
        let stream = stream.map_err(|error| error.to_string())?;
        let seen = seen(&stream);
        Ok((Self::Secure(stream), seen))
    }
}

/// What the other end showed: its leaf's digest, the name it asked for, the protocol agreed on.
fn seen(stream: &TlsStream<TcpStream>) -> Value {
    let (_, common) = stream.get_ref();
    let leaf = common.peer_certificates().and_then(<[_]>::first);
    let name = match stream {
        TlsStream::Server(server) => server.get_ref().1.server_name(),
        TlsStream::Client(_) => None,
    };
    json!({
        "leaf": leaf.map(|leaf| ligase_tests::certificate::digest_of(leaf)),
        "name": name,
        "alpn": common.alpn_protocol().map(String::from_utf8_lossy),
        "resumed": common.handshake_kind() == Some(HandshakeKind::Resumed),
    })
}

/// The configuration that a session was begun with: it alone can go on with it.
fn kept(
    session: &str,
    make: impl FnOnce() -> Result<Arc<ClientConfig>, String>,
) -> Result<Arc<ClientConfig>, String> {
    static KEPT: LazyLock<Mutex<HashMap<String, Arc<ClientConfig>>>> =
        LazyLock::new(Mutex::default);
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(config) = kept.get(session) {
        return Ok(config.clone());
    }
    let config = make()?;
    kept.insert(session.to_owned(), config.clone());
    Ok(config)
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

pub(crate) fn identity(chain: &str, key: &str) -> Result<Identity, String> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain.as_bytes()).collect();
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes());
    Ok((chain.map_err(|error| error.to_string())?, key.map_err(|error| error.to_string())?))
}

pub(crate) fn server(identity: Option<Identity>) -> Result<ServerConfig, String> {
    let shown = shown(identity.ok_or("a server without a certificate")?)?;
    ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map(|it| it.with_client_cert_verifier(Arc::new(Credulous::new())))
        .map(|it| it.with_cert_resolver(shown))
        .map_err(|error| error.to_string())
}

pub(crate) fn client(
    identity: Option<Identity>,
    version: Option<&str>,
) -> Result<ClientConfig, String> {
    let versions = if version == Some("1.2") { &[&TLS12][..] } else { &[&TLS13, &TLS12] };
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(versions)
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Credulous::new()));
    let mut config = match identity {
        Some(identity) => builder.with_client_cert_resolver(shown(identity)?),
        None => builder.with_no_client_auth(),
    };
    config.enable_secret_extraction = true;
    Ok(config)
}

/// What is shown, whether the key is the certificate's or not.
fn shown((chain, key): Identity) -> Result<Arc<SingleCertAndKey>, String> {
    let key = default_provider().key_provider.load_private_key(key);
    let key = key.map_err(|error| error.to_string())?;
    Ok(Arc::new(SingleCertAndKey::from(CertifiedKey::new(chain, key))))
}

/// Believes any certificate whose key the other end holds.
#[derive(Debug)]
struct Credulous(WebPkiSupportedAlgorithms);

impl Credulous {
    fn new() -> Self {
        Self(default_provider().signature_verification_algorithms)
    }
}

impl ServerCertVerifier for Credulous {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, leaf, signed, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, leaf, signed, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

impl ClientCertVerifier for Credulous {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, leaf, signed, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, leaf, signed, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_read(context, buffer),
            Self::Secure(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_write(context, bytes),
            Self::Secure(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_flush(context),
            Self::Secure(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_shutdown(context),
            Self::Secure(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

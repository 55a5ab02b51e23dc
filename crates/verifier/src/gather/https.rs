//! One GET, a small answer. Nothing outside knows which libraries speak HTTP.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CONTENT_ENCODING, HOST, LOCATION, USER_AGENT};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::url::Url;
use crate::roots::Roots;
use crate::settings::SetupError;

/// What a web server said.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Page {
    /// The status, such as 200.
    pub status: u16,
    /// Where else to look, by its own word.
    pub location: Option<String>,
    /// The body, at most 64 KiB. Empty unless the status is 200.
    pub body: Vec<u8>,
}

/// Why there is no page.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FetchFailure {
    /// There is no web server.
    Unconnected,
    /// There may be one, and nothing was heard of it.
    Unanswered,
    /// Its certificate is not its host's.
    Untrusted,
    /// It says more than we listen to.
    TooLarge,
    /// It does not speak HTTP as we do.
    Broken,
}

/// Fetches pages over HTTPS: no cookies, no proxies, no compression, nothing remembered.
#[derive(Clone)]
pub(crate) struct Https(TlsConnector);

impl Https {
    /// A client that trusts these authorities.
    pub(crate) fn new(roots: &Roots) -> Result<Self, SetupError> {
        let store = RootCertStore { roots: roots.anchors().to_vec() };
        let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|_| SetupError::Resolver)?
            .with_root_certificates(store)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    /// Gets a page from a host at one of its addresses.
    ///
    /// Has no deadline of its own but for connecting. Cancel-safe.
    pub(crate) async fn get(&self, url: &Url, address: IpAddr) -> Result<Page, FetchFailure> {
        let stream = self.connect(url, address).await?;
        let (mut sender, connection) = http1::Builder::new()
            .max_buf_size(HEADERS_SIZE_MAX)
            .max_headers(HEADERS_MAX)
            .handshake::<_, Empty<Bytes>>(TokioIo::new(stream))
            .await
            .map_err(|_| FetchFailure::Broken)?;
        let host = match url.port {
            443 => url.host.ascii().to_owned(),
            port => format!("{}:{port}", url.host.ascii()),
        };
        let request = Request::get(&url.path)
            .header(HOST, host)
            .header(ACCEPT, "application/json")
            .header(USER_AGENT, "ligase")
            .body(Empty::new())
            .map_err(|_| FetchFailure::Broken)?;
        let exchange = async {
            let response = sender.send_request(request).await.map_err(|_| FetchFailure::Broken)?;
            read(response).await
        };
        // The connection moves only while it is asked to; it ends after the answer, or before.
        tokio::pin!(connection, exchange);
        tokio::select! {
            biased;
            page = &mut exchange => page,
            _ = &mut connection => exchange.await,
        }
    }

    async fn connect(
        &self,
        url: &Url,
        address: IpAddr,
    ) -> Result<TlsStream<TcpStream>, FetchFailure> {
        let name = ServerName::try_from(url.host.ascii().to_owned())
            .map_err(|_| FetchFailure::Untrusted)?;
        let connecting = TcpStream::connect(SocketAddr::new(address, url.port));
        let connected = timeout(CONNECT_PATIENCE, connecting).await;
        let stream = connected
            .map_err(|_| FetchFailure::Unanswered)?
            .map_err(|_| FetchFailure::Unconnected)?;
        self.0.connect(name, stream).await.map_err(|_| FetchFailure::Untrusted)
    }
}

async fn read(response: Response<Incoming>) -> Result<Page, FetchFailure> {
    let status = response.status().as_u16();
    let header = |name| response.headers().get(name).and_then(|it| it.to_str().ok());
    let location = header(LOCATION).map(str::to_owned);
    if status != 200 {
        return Ok(Page { status, location, body: Vec::new() });
    }
    // We asked for no compression, which is how a small answer becomes a large one.
    if header(CONTENT_ENCODING).is_some_and(|it| !it.eq_ignore_ascii_case("identity")) {
        return Err(FetchFailure::Broken);
    }
    let mut incoming = response.into_body();
    let mut body = Vec::new();
    while let Some(frame) = incoming.frame().await {
        let frame = frame.map_err(|_| FetchFailure::Broken)?;
        let data = frame.data_ref().map_or(&[][..], |it| it);
        if BODY_SIZE_MAX < body.len() + data.len() {
            return Err(FetchFailure::TooLarge);
        }
        body.extend_from_slice(data);
    }
    Ok(Page { status, location, body })
}

impl fmt::Debug for Https {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Https").finish_non_exhaustive()
    }
}

/// A document with the fingerprints of some hundred servers.
const BODY_SIZE_MAX: usize = 64 * 1024;

/// All headers of an answer; real ones have a tenth of it.
const HEADERS_SIZE_MAX: usize = 16 * 1024;
const HEADERS_MAX: usize = 64;

/// A web server that is there answers in a fraction of this.
const CONNECT_PATIENCE: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests;

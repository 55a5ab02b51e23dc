use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::mint::{Authority, day_of_clock, domain};

/// A web server for v.test on loopback that answers everything with the same bytes, again and
/// again if need be; and a client that trusts its authority.
struct Server {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    client: Https,
}

impl Server {
    async fn new(name: &str, trusted: bool) -> Self {
        let root = Authority::root("Root");
        let (leaf, key) = root.leaf_with_key(&[name], |it| {
            (it.not_before, it.not_after) = (day_of_clock(-1), day_of_clock(1));
        });
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf], key)
            .unwrap();
        let certificates: Vec<CertificateDer<'static>> = match trusted {
            true => vec![root.certificate.clone()],
            false => Vec::new(),
        };
        Self {
            listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
            acceptor: TlsAcceptor::from(Arc::new(config)),
            client: Https::new(&Roots::new(certificates)).unwrap(),
        }
    }

    /// Answers one request, and tells what was asked.
    async fn answer(&self, first: &[u8], then: &[u8]) -> String {
        let (socket, _) = self.listener.accept().await.unwrap();
        let Ok(mut stream) = self.acceptor.accept(socket).await else {
            return String::new();
        };
        let mut request = vec![0; 4096];
        let length = stream.read(&mut request).await.unwrap();
        request.truncate(length);
        let mut open = stream.write_all(first).await.is_ok();
        while open && !then.is_empty() {
            open = stream.write_all(then).await.is_ok();
        }
        let _ = stream.shutdown().await;
        String::from_utf8(request).unwrap()
    }

    /// What the client makes of an answer, and what it asked.
    async fn exchange(&self, first: &str, then: &str) -> (Result<Page, FetchFailure>, String) {
        let address = self.listener.local_addr().unwrap();
        let url = Url { host: domain("v.test"), port: address.port(), path: "/x?y".to_owned() };
        let get = self.client.get(&url, address.ip());
        tokio::join!(get, self.answer(first.as_bytes(), then.as_bytes()))
    }
}

#[track_caller]
fn page(body: &str) -> Result<Page, FetchFailure> {
    Ok(Page { status: 200, location: None, body: body.as_bytes().to_vec() })
}

#[tokio::test]
async fn a_page_is_asked_for_by_its_hosts_name() {
    let server = Server::new("dns:v.test", true).await;
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    let (found, asked) = server.exchange(answer, "").await;
    assert_eq!(found, page("hello"));
    let port = server.listener.local_addr().unwrap().port();
    assert!(asked.starts_with("GET /x?y HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains(&format!("\r\nhost: v.test:{port}\r\n")), "{asked}");
    assert!(!asked.to_ascii_lowercase().contains("cookie"), "{asked}");
    assert!(!asked.to_ascii_lowercase().contains("accept-encoding"), "{asked}");
}

#[tokio::test]
async fn bodies_of_any_framing_are_read() {
    let server = Server::new("dns:v.test", true).await;
    let chunked =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n";
    assert_eq!(server.exchange(chunked, "").await.0, page("hello"));
    let closed = "HTTP/1.0 200 OK\r\n\r\nhello";
    assert_eq!(server.exchange(closed, "").await.0, page("hello"));
}

#[tokio::test]
async fn a_redirect_is_told_and_not_followed() {
    let server = Server::new("dns:v.test", true).await;
    let answer = "HTTP/1.1 302 Found\r\nLocation: /z\r\nContent-Length: 5\r\n\r\nhello";
    let location = Some("/z".to_owned());
    let expect = Page { status: 302, location, body: Vec::new() };
    assert_eq!(server.exchange(answer, "").await.0, Ok(expect));
}

#[tokio::test]
async fn a_server_must_be_vouched_for_under_its_hosts_name() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    for (name, trusted) in [("dns:w.test", true), ("dns:v.test", false)] {
        let server = Server::new(name, trusted).await;
        let (found, asked) = server.exchange(answer, "").await;
        assert_eq!(found, Err(FetchFailure::Untrusted), "{name}");
        assert_eq!(asked, "", "{name}");
    }
}

#[tokio::test]
async fn endless_bodies_end() {
    let server = Server::new("dns:v.test", true).await;
    let plain = "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n";
    let kilobyte = "x".repeat(1024);
    assert_eq!(server.exchange(plain, &kilobyte).await.0, Err(FetchFailure::TooLarge));
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = format!("400\r\n{kilobyte}\r\n");
    assert_eq!(server.exchange(chunked, &chunk).await.0, Err(FetchFailure::TooLarge));
}

#[tokio::test]
async fn what_is_not_http_as_we_speak_it_is_broken() {
    let server = Server::new("dns:v.test", true).await;
    let broken = Err(FetchFailure::Broken);
    let gzip = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx";
    assert_eq!(server.exchange(gzip, "").await.0, broken);
    let header = format!("X-Y: {}\r\n", "x".repeat(8000));
    assert_eq!(server.exchange("HTTP/1.1 200 OK\r\n", &header).await.0, broken);
    assert_eq!(server.exchange("HTTP/1.1 200 OK\r\n", "X: y\r\n").await.0, broken);
    assert_eq!(server.exchange("220 mail ESMTP\r\n", "").await.0, broken);
    assert_eq!(server.exchange("", "").await.0, broken);
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx";
    assert_eq!(server.exchange(cut, "").await.0, broken);
}

#[tokio::test]
async fn where_nobody_listens_there_is_no_server() {
    let server = Server::new("dns:v.test", true).await;
    let port = server.listener.local_addr().unwrap().port();
    drop(server.listener);
    let url = Url { host: domain("v.test"), port, path: "/".to_owned() };
    let found = server.client.get(&url, "127.0.0.1".parse().unwrap()).await;
    assert_eq!(found, Err(FetchFailure::Unconnected));
}

//! Doors: scripted servers that do one thing to whoever comes, good or bad.

use std::thread;
use std::time::Duration;

use ligase_tests::{Certificate, Host, Peer, Stream};

/// The content namespaces of both services.
pub(crate) const SERVER: &str = "jabber:server";
pub(crate) const CLIENT: &str = "jabber:client";

/// The ports of one host.
#[derive(Clone)]
pub(crate) struct Doors(Peer);

impl Doors {
    pub(crate) fn at(host: &Host) -> Self {
        Self(Peer::on(host))
    }

    /// Does this to everybody who comes to a port.
    pub(crate) fn open(&self, port: u16, act: impl Fn(&Stream) + Clone + Send + 'static) {
        self.0.listen(port);
        self.serve(port, act);
    }

    /// The same, with TLS from the first byte.
    pub(crate) fn open_tls(
        &self,
        port: u16,
        certificate: &Certificate,
        act: impl Fn(&Stream) + Clone + Send + 'static,
    ) {
        self.0.listen_tls(port, certificate);
        self.serve(port, act);
    }

    fn serve(&self, port: u16, act: impl Fn(&Stream) + Clone + Send + 'static) {
        let peer = self.0.clone();
        thread::spawn(move || {
            while !peer.has_ended() {
                if let Some(stream) = peer.accept_within(port, PATIENCE) {
                    let act = act.clone();
                    thread::spawn(move || {
                        act(&stream);
                        // The world may have ended meanwhile, and all its streams with it.
                        if !stream.has_ended() {
                            stream.close();
                        }
                    });
                }
            }
        });
    }

    /// An XMPP server that is reached by STARTTLS.
    pub(crate) fn starttls(&self, port: u16, service: &'static str, certificate: &Certificate) {
        let certificate = certificate.clone();
        self.open(port, move |stream| {
            let Some(to) = greeted(stream) else { return };
            stream.send(&header(service, &to));
            stream.send(STARTTLS);
            let asked = stream.next_within(PATIENCE).unwrap_or_default();
            if asked.starts_with("<starttls") && stream.accept_tls(PROCEED, &certificate).is_ok() {
                inside(stream, service);
            }
        });
    }

    /// An XMPP server that is reached by TLS from the first byte.
    pub(crate) fn direct(&self, port: u16, service: &'static str, certificate: &Certificate) {
        self.open_tls(port, certificate, move |stream| inside(stream, service));
    }

    /// A web server that has one thing to say.
    pub(crate) fn web(&self, port: u16, certificate: &Certificate, answer: &str) {
        let answer = answer.to_owned();
        self.open_tls(port, certificate, move |stream| {
            stream.expect("\r\n\r\n");
            stream.send(&answer);
        });
    }
}

/// What follows after TLS.
fn inside(stream: &Stream, service: &str) {
    let Some(to) = greeted(stream) else { return };
    stream.send(&header(service, &to));
    stream.send(match service {
        SERVER => {
            "<stream:features><dialback xmlns='urn:xmpp:features:dialback'/></stream:features>"
        }
        _ => "<stream:features/>",
    });
    // It may have hung up already.
    let _ = stream.end_within(PATIENCE);
}

/// Hears a stream header, and returns whom it is for.
pub(crate) fn greeted(stream: &Stream) -> Option<String> {
    loop {
        let said = stream.next_within(PATIENCE)?;
        if said.starts_with("<stream:stream") {
            return ligase_tests::xml::attribute(&said, "to").map(str::to_owned);
        }
    }
}

/// The header that answers in a domain's name.
pub(crate) fn header(service: &str, from: &str) -> String {
    format!(
        "<?xml version='1.0'?><stream:stream xmlns='{service}' from='{from}' id='1' version='1.0' \
         xmlns:stream='http://etherx.jabber.org/streams'>"
    )
}

/// The answer of a web server that has a POSH document.
pub(crate) fn document(fingerprints: &[&str]) -> String {
    let fingerprints: Vec<_> =
        fingerprints.iter().map(|it| format!("{{\"sha-256\":\"{it}\"}}")).collect();
    let body = format!("{{\"fingerprints\":[{}],\"expires\":3600}}", fingerprints.join(","));
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n\
         {body}"
    )
}

pub(crate) const STARTTLS: &str =
    "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>";
pub(crate) const PROCEED: &str = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";

/// Longer than whoever checks waits for anything.
const PATIENCE: Duration = Duration::from_secs(30);

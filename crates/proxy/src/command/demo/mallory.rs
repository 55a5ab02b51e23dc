//! Somebody who claims to be who she is not, with better tools than a server of old.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ligase_verifier::Domain;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::papers::Paper;
use super::server::{Server, said};
use super::talk::Talk;
use super::trouble::{Result, Trouble, While};
use crate::binding::DomainPair;
use crate::stream::{Dialback, Frame, Header, Part, Word};
use crate::tls::{Begin, Tls};

/// Connects to whoever serves the target of the pair, takes TLS with this certificate, claims to
/// be the sender by a key of this server, and says `message` whatever the answer is: the answer, in
/// words, if it was no.
pub(super) async fn claim(
    at: SocketAddr,
    pair: &DomainPair,
    (keys, paper): (&Server, &Paper),
    message: &str,
) -> Result<Option<String>> {
    let doing = "forge a claim";
    let socket = TcpStream::connect(at).await.or_trouble(doing)?;
    let mut talk = Talk::new(socket);
    let header = Header {
        from: Some(pair.sender.clone()),
        to: Some(pair.target.clone()),
        id: None,
        version_1: true,
    };
    let header = header.to_xml();
    talk.ask(&header, doing).await?;
    talk.hear(doing).await?;
    let proceed = talk.ask(START_TLS, doing).await?;
    if !matches!(proceed, Frame::Proceed) {
        return Err(Trouble::new(format!("cannot {doing}: {}", said(&proceed))));
    }

    let connector = connector(paper, &pair.sender)?;
    let name = ServerName::try_from(pair.target.ascii().to_owned()).or_trouble(doing)?;
    let socket = connector.connect(name, talk.into_inner()).await;
    let mut talk = Talk::new(socket.or_trouble(doing)?);
    let welcome = talk.ask(&header, doing).await?;
    let Frame::Header(Header { id: Some(id), .. }) = welcome else {
        return Ok(Some(said(&welcome)));
    };
    talk.hear(doing).await?;
    // The right key: whoever asks about it is led to her own server by the forged DNS.
    let claim = Dialback {
        part: Part::Result,
        pair: pair.clone(),
        word: Word::Request(keys.key(pair, &id)),
    };
    let answer = talk.ask(&claim.to_xml(), doing).await?;
    let believed = matches!(&answer, Frame::Dialback(it) if it.word == Word::Valid);
    // Said at any rate: a check that is only asked for and never made would let it through. What
    // is said is dealt with in order, so when the stream is closed the message has been.
    let _ = talk.say(&format!("{message}</stream:stream>")).await;
    let closed = async { while let Ok(Some(_)) = talk.next().await {} };
    let closed = timeout(PATIENCE, closed).await;
    closed.or_trouble("see a refused stream closed")?;
    Ok((!believed).then(|| said(&answer)))
}

fn connector(paper: &Paper, speaking_for: &Domain) -> Result<TlsConnector> {
    let identities = paper.identities()?;
    let certificate = identities.for_domain(speaking_for);
    let tls = Tls::new(Arc::new(identities)).or_trouble("show a forged certificate")?;
    Ok(TlsConnector::from(tls.initiate(certificate, Begin::AfterStartTls)))
}

const START_TLS: &str = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";

/// Longer than a stream takes to be closed in answer.
const PATIENCE: Duration = Duration::from_secs(10);

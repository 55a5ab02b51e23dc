//! The way to the servers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hickory_resolver::net::NetError;
use hickory_resolver::net::client::Client;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::tcp::TcpClientStream;
use hickory_resolver::net::udp::UdpClientStream;
use hickory_resolver::net::xfer::{DnsExchange, DnsHandle, FirstAnswer};
use hickory_resolver::proto::op::{
    DnsRequest, DnsRequestOptions, DnsResponse, Message, Query, ResponseCode,
};
use hickory_resolver::proto::rr::RecordType;
use tokio::time::Instant;

use super::Failure;
use crate::observation::{Asked, Exchange, Observation, Observer, Reply};

/// Asks servers, and believes whatever they say.
#[derive(Debug)]
pub(super) struct Upstream {
    servers: Vec<SocketAddr>,
    /// The one that is asked first, because it was the last to answer.
    first: AtomicUsize,
    observer: Arc<Observer>,
}

/// What is asked for besides the records.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Wish {
    /// Signatures, so that we can check them (DO, RFC 3225).
    Signatures,
    /// The server's word on whether it has checked them (AD, RFC 6840 §5.7).
    Word,
}

impl Upstream {
    /// Asks these servers, and tells of every query.
    pub(super) fn new(servers: Vec<SocketAddr>, observer: Arc<Observer>) -> Self {
        Self { servers, first: AtomicUsize::new(0), observer }
    }

    /// Asks one server after the other, until one knows. Returns also who that was.
    ///
    /// That a name or its records do not exist is an answer; anything else a server may say instead
    /// of one is not.
    pub(super) async fn ask(
        &self,
        query: &Query,
        wish: Wish,
        unchecked: bool,
    ) -> Result<(Message, SocketAddr), Failure> {
        let (count, first) = (self.servers.len(), self.first.load(Ordering::Relaxed));
        let mut last = Failure::TimedOut;
        for number in (first..count).chain(0..first.min(count)) {
            let Some(server) = self.servers.get(number) else { continue };
            let sent = Sent::new(query.query_type(), &self.observer);
            let response = exchange(*server, query, wish, unchecked).await;
            sent.came_to(&response);
            match response {
                Ok(response) if is_answer(&response) => {
                    self.first.store(number, Ordering::Relaxed);
                    return Ok((response.into_message(), *server));
                }
                Ok(_) => last = Failure::Failed,
                Err(NetError::Timeout) => (),
                Err(_) => last = Failure::Failed,
            }
        }
        Err(last)
    }

    /// Asks for records with their signatures. A server that finds fault with them is asked to let
    /// us see for ourselves (RFC 6840 §5.9).
    pub(super) async fn ask_signed(&self, query: &Query) -> Result<Message, Failure> {
        let answer = match self.ask(query, Wish::Signatures, false).await {
            Err(Failure::Failed) => self.ask(query, Wish::Signatures, true).await,
            answer => answer,
        };
        Ok(answer?.0)
    }
}

/// A query that was sent. One that is dropped was given up, and had no answer.
struct Sent<'a> {
    asked: Asked,
    reply: Reply,
    at: Instant,
    observer: &'a Observer,
}

impl<'a> Sent<'a> {
    #[expect(clippy::disallowed_methods, reason = "how long servers take is measured here")]
    fn new(kind: RecordType, observer: &'a Observer) -> Self {
        Self { asked: asked(kind), reply: Reply::Nothing, at: Instant::now(), observer }
    }

    fn came_to(mut self, response: &Result<DnsResponse, NetError>) {
        self.reply = match response {
            Ok(response) => reply(response.metadata.response_code),
            Err(NetError::Timeout) => Reply::Nothing,
            Err(_) => Reply::Other,
        };
    }
}

impl Drop for Sent<'_> {
    fn drop(&mut self) {
        let (asked, reply, took) = (self.asked, self.reply, self.at.elapsed());
        self.observer.tell(Observation::Queried(Exchange { asked, reply, took }));
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the others are told apart by nobody")]
fn asked(kind: RecordType) -> Asked {
    match kind {
        RecordType::A => Asked::A,
        RecordType::AAAA => Asked::Aaaa,
        RecordType::SRV => Asked::Srv,
        RecordType::TLSA => Asked::Tlsa,
        RecordType::DNSKEY => Asked::Dnskey,
        RecordType::DS => Asked::Ds,
        _ => Asked::Other,
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the others are told apart by nobody")]
fn reply(code: ResponseCode) -> Reply {
    match code {
        ResponseCode::NoError => Reply::NoError,
        ResponseCode::NXDomain => Reply::NoName,
        ResponseCode::ServFail => Reply::Failure,
        ResponseCode::Refused => Reply::Refused,
        _ => Reply::Other,
    }
}

fn is_answer(message: &Message) -> bool {
    matches!(message.metadata.response_code, ResponseCode::NoError | ResponseCode::NXDomain)
}

/// Asks one server, over TCP if the answer does not fit.
async fn exchange(
    server: SocketAddr,
    query: &Query,
    wish: Wish,
    unchecked: bool,
) -> Result<DnsResponse, NetError> {
    let request = || {
        let mut options = DnsRequestOptions::default();
        options.use_edns = true;
        options.edns_set_dnssec_ok = wish == Wish::Signatures;
        options.recursion_desired = true;
        let mut request = DnsRequest::from_query(query.clone(), options);
        request.metadata.authentic_data = true;
        request.metadata.checking_disabled = unchecked;
        request
    };
    let provider = TokioRuntimeProvider::default;
    let exchange: DnsExchange<TokioRuntimeProvider> =
        UdpClientStream::builder(server, provider()).with_timeout(Some(PATIENCE)).exchange();
    let response = exchange.send(request()).first_answer().await?;
    if !response.metadata.truncation {
        return Ok(response);
    }

    let (connecting, sender) = TcpClientStream::new(server, None, Some(PATIENCE), provider());
    let (client, background) =
        Client::<TokioRuntimeProvider>::with_timeout(connecting.await?, sender, PATIENCE);
    let response = client.send(request()).first_answer();
    tokio::pin!(response);
    tokio::select! {
        biased;
        response = &mut response => response,
        // The server may hang up at once, having answered.
        _ = background => response.await,
    }
}

/// How long to wait for one server: long enough for it to ask others twice. A packet that is lost
/// is sent again within that time.
const PATIENCE: Duration = Duration::from_secs(2);

use std::net::SocketAddr;
use std::time::Duration;

use hickory_resolver::net::NetError;
use hickory_resolver::net::client::Client;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::tcp::TcpClientStream;
use hickory_resolver::net::udp::UdpClientStream;
use hickory_resolver::net::xfer::{DnsExchange, DnsHandle, FirstAnswer};
use hickory_resolver::proto::op::{DnsRequest, DnsResponse, Query, ResponseCode};
use hickory_resolver::proto::rr::{Name, RData, RecordType};

use super::{Failure, Security, Step, failure, negative_lifetime, records_at, request_options};

/// Takes a server's word for what is secure, if the server is on this machine.
pub(super) struct Trusting {
    servers: Vec<SocketAddr>,
    /// Whether anybody's word is taken at all.
    believes: bool,
}

impl Trusting {
    pub(super) fn new(servers: Vec<SocketAddr>, believes: bool) -> Self {
        Self { servers, believes }
    }

    /// Asks for one name.
    pub(super) async fn step(&self, name: &Name, kind: RecordType) -> Result<Step, Failure> {
        let mut last = Failure::Failed;
        for server in &self.servers {
            match ask(*server, Query::query(name.clone(), kind), false).await {
                Ok(response) => {
                    // Anybody on the path to a server elsewhere could set the bit (RFC 6840 §5.7).
                    let is_believed = self.believes && server.ip().is_loopback();
                    return read(*server, response, name, kind, is_believed).await;
                }
                Err(error) => last = failure(&error),
            }
        }
        Err(last)
    }
}

async fn read(
    server: SocketAddr,
    response: DnsResponse,
    name: &Name,
    kind: RecordType,
    is_believed: bool,
) -> Result<Step, Failure> {
    let code = response.metadata.response_code;
    if code == ResponseCode::ServFail {
        // Whether it is forged or lost shows when asked for without being checked.
        let unchecked = ask(server, Query::query(name.clone(), kind), true).await;
        let is_there = unchecked.is_ok_and(|it| is_answer(it.metadata.response_code));
        return Err(if is_there { Failure::Bogus } else { Failure::Failed });
    }
    if !is_answer(code) {
        return Err(Failure::Failed);
    }
    let security = match is_believed && response.metadata.authentic_data {
        true => Security::Secure,
        false => Security::Insecure,
    };
    let data = records_at(&response, name, kind);
    if !data.is_empty() {
        return Ok(Step::Data(data.into_iter().cloned().collect(), security));
    }
    if let [alias] = records_at(&response, name, RecordType::CNAME)[..]
        && let RData::CNAME(target) = &alias.data
    {
        return Ok(Step::Alias(target.0.clone(), security, alias.ttl));
    }
    Ok(Step::Nothing(security, negative_lifetime(&response)))
}

fn is_answer(code: ResponseCode) -> bool {
    matches!(code, ResponseCode::NoError | ResponseCode::NXDomain)
}

/// Asks one server, over TCP if the answer does not fit.
async fn ask(server: SocketAddr, query: Query, unchecked: bool) -> Result<DnsResponse, NetError> {
    let request = || {
        let mut request = DnsRequest::from_query(query.clone(), request_options(false));
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

/// How long to wait for one server: long enough for it to ask others twice.
const PATIENCE: Duration = Duration::from_secs(2);

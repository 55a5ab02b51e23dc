//! A DNS server on a loopback address, and whoever asks one.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::proto::op::{Message, Query};
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::trouble::{Result, Trouble, While};
use super::zone::Zone;
use crate::net::listener::{Admission, Arrival, Limits, accept_all};

/// Answers from a zone, over UDP and TCP, until it is dropped.
#[derive(Debug)]
pub(super) struct Nameserver {
    /// Where it is asked.
    pub(super) address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Nameserver {
    /// Starts to answer at a free port of this address.
    pub(super) async fn start(at: IpAddr, zone: &Arc<Zone>) -> Result<Self> {
        let doing = "start the demo's DNS server";
        let tcp = TcpListener::bind((at, 0)).await.or_trouble(doing)?;
        let address = tcp.local_addr().or_trouble(doing)?;
        let udp = UdpSocket::bind(address).await.or_trouble(doing)?;
        let mut tasks = JoinSet::new();
        tasks.spawn(serve_udp(udp, Arc::clone(zone)));
        tasks.spawn(serve_tcp(tcp, Arc::clone(zone)));
        Ok(Self { address, _tasks: tasks })
    }
}

async fn serve_udp(socket: UdpSocket, zone: Arc<Zone>) {
    let mut buffer = vec![0; MESSAGE_MAX];
    // A broken datagram is nobody's trouble but its sender's; only a socket that keeps failing is
    // given up, and then every look-up says so.
    let mut failed = 0;
    while failed < FAILURES_MAX {
        let Ok((length, source)) = socket.recv_from(&mut buffer).await else {
            failed += 1;
            continue;
        };
        failed = 0;
        if let Some(answer) = zone.answer(&buffer[..length]) {
            let _ = socket.send_to(&answer, source).await;
        }
    }
}

async fn serve_tcp(listener: TcpListener, zone: Arc<Zone>) {
    let admission = Admission::new(Limits {
        connections_max: CONNECTIONS_MAX,
        per_address_max: CONNECTIONS_MAX,
    });
    let mut tasks = JoinSet::new();
    accept_all(listener, admission, |arrival| {
        while tasks.try_join_next().is_some() {}
        if let Arrival::Admitted(socket, _, seat) = arrival {
            let zone = Arc::clone(&zone);
            tasks.spawn(async move {
                // Whoever breaks a connection knows.
                let _ = timeout(PATIENCE, converse(socket, &zone)).await;
                drop(seat);
            });
        }
    })
    .await;
}

/// Answers the questions on one connection, each with its length before it (RFC 1035 §4.2.2).
async fn converse(mut socket: TcpStream, zone: &Zone) -> io::Result<()> {
    loop {
        let length = usize::from(socket.read_u16().await?);
        let mut message = vec![0; length.min(MESSAGE_MAX)];
        socket.read_exact(&mut message).await?;
        let Some(answer) = zone.answer(&message) else {
            return Ok(());
        };
        let length = u16::try_from(answer.len()).map_err(io::Error::other)?;
        socket.write_u16(length).await?;
        socket.write_all(&answer).await?;
    }
}

/// Where a domain is served, by what this resolver says (RFC 6120 §3.2.1). It is believed, as
/// servers of old believe theirs.
pub(super) async fn find(resolver: SocketAddr, domain: &str) -> Result<SocketAddr> {
    let services = ask(resolver, &format!("_xmpp-server._tcp.{domain}"), RecordType::SRV).await?;
    let service = services.into_iter().find_map(|it| {
        let RData::SRV(service) = it else { return None };
        Some((service.target.to_ascii(), service.port))
    });
    let (target, port) = service
        .ok_or_else(|| Trouble::new(format!("cannot find {domain}: there is no SRV record")))?;
    let target = target.trim_end_matches('.');
    if let Ok(address) = target.parse() {
        return Ok(SocketAddr::new(address, port));
    }
    let addresses = ask(resolver, target, RecordType::A).await?;
    let address = addresses.into_iter().find_map(|it| {
        let RData::A(address) = it else { return None };
        Some(address.0)
    });
    let address = address
        .ok_or_else(|| Trouble::new(format!("cannot find {domain}: {target} has no address")))?;
    Ok(SocketAddr::new(address.into(), port))
}

/// Asks one question over UDP.
async fn ask(resolver: SocketAddr, name: &str, kind: RecordType) -> Result<Vec<RData>> {
    let doing = &format!("look up {name}");
    let mut question = Message::query();
    let query = Query::query(self::name(name)?, kind);
    question.add_query(query.clone());
    let question_bytes = question.to_vec().or_trouble(doing)?;
    let socket = UdpSocket::bind((any(resolver.ip()), 0)).await.or_trouble(doing)?;
    socket.connect(resolver).await.or_trouble(doing)?;
    socket.send(&question_bytes).await.or_trouble(doing)?;
    let mut buffer = vec![0; MESSAGE_MAX];
    let received = timeout(PATIENCE, socket.recv(&mut buffer)).await;
    let length = received.or_trouble(doing)?.or_trouble(doing)?;
    let answer = Message::from_vec(&buffer[..length]).or_trouble(doing)?;
    if answer.metadata.id != question.metadata.id {
        return Err(Trouble::new(format!("cannot {doing}: a stray answer came")));
    }
    let answers = answer.answers.into_iter();
    Ok(answers.filter(|it| it.record_type() == kind).map(|it| it.data).collect())
}

fn any(like: IpAddr) -> IpAddr {
    match like {
        IpAddr::V4(_) => std::net::Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
    }
}

/// A whole name, as DNS compares them.
pub(super) fn name(text: &str) -> Result<Name> {
    let name = Name::from_ascii(format!("{}.", text.trim_end_matches('.')));
    Ok(name.or_trouble(&format!("look up {text}"))?.to_lowercase())
}

/// Longer than any question or answer of the demo.
const MESSAGE_MAX: usize = 4096;

/// Connections at once; two proxies need two each at most.
const CONNECTIONS_MAX: usize = 32;

/// How often in a row receiving may fail.
const FAILURES_MAX: u32 = 100;

/// Longer than any answer takes on one machine.
const PATIENCE: Duration = Duration::from_secs(10);

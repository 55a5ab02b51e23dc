//! What comes in: listeners, and the handshakes of both sides.

mod introduction;
/// What a far end says before there is anything to answer.
pub mod opening;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use ipnet::IpNet;
use ligase_verifier::{Domain, Transport};
use rustls::pki_types::ServerName;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout_at};

use self::opening::Opening;
use super::driver::{Driver, Machine, Start};
use super::event::{Event, Facts, Led};
use super::rooms::Rooms;
use super::wire::Handshake;
use crate::binding::Side;
use crate::net::listener::{Admission, Arrival, Full, accept_all};
use crate::net::original::{Origin, judge, original};
use crate::stream::{Action, Receiving, Terms, Violation};
use crate::tls::Begin;

/// Who may come in by a listener.
#[derive(Clone, Debug)]
pub struct Gate {
    /// Which side it is.
    pub side: Side,
    /// What leads our own server to the listener, where it is for that and nothing better is known.
    pub led: Option<Led>,
    /// How many may be in.
    pub admission: Admission,
    /// All of our own listeners, where only redirected connections belong here: one that was bound
    /// for a listener in the first place would make us dial ourselves.
    pub redirected: Option<Arc<[SocketAddr]>>,
    /// The networks that our own servers connect from, where the listener can be reached from
    /// elsewhere too.
    pub allowed: Option<Arc<[IpNet]>>,
}

impl Rooms {
    /// Serves all who come to `listener`, for ever.
    #[expect(clippy::disallowed_methods, reason = "a driver and its time start with the arrival")]
    pub async fn listen(self: Arc<Self>, listener: TcpListener, gate: Gate) {
        let admission = gate.admission.clone();
        accept_all(listener, admission, |arrival| match arrival {
            Arrival::Admitted(mut socket, peer, mut seat) => {
                match gate.check(&socket, peer) {
                    Ok(_) if gate.side == Side::Public && self.tables.budget().is_full() => {
                        let _ = socket.set_zero_linger();
                        self.refused(gate.side, (Violation::LimitMemory, None), peer);
                        return;
                    }
                    Ok(led) => led.into_iter().for_each(|led| (self.tell)(Event::Captured(led))),
                    Err(violation) => {
                        let _ = socket.set_zero_linger();
                        self.refused(gate.side, (violation, None), peer);
                        return;
                    }
                }
                let (rooms, side, came) = (Arc::clone(&self), gate.side, Instant::now());
                tokio::spawn(async move {
                    let peer = match seat.is_named() {
                        true => Some(peer),
                        false => {
                            Box::pin(rooms.introduced(&mut socket, peer, side, &mut seat)).await
                        }
                    };
                    if let Some(peer) = peer {
                        rooms.receive(socket, peer, side, came).await;
                    }
                    drop(seat);
                });
            }
            Arrival::Refused(peer, full) => self.refused(gate.side, violation(full), peer),
        })
        .await;
    }

    fn refused(
        &self,
        side: Side,
        (violation, limit): (Violation, Option<&'static str>),
        peer: SocketAddr,
    ) {
        (self.tell)(Event::Shut { violation, limit, side, peer });
    }

    async fn receive(
        self: Arc<Self>,
        socket: TcpStream,
        peer: SocketAddr,
        side: Side,
        came: Instant,
    ) {
        let terms = self.terms(side);
        // The first byte tells a TLS handshake from a stream header, and is left where it is.
        let mut first = [0];
        let patience = terms.bounds.preauth;
        let peeked = timeout_at(came + patience, socket.peek(&mut first)).await;
        match peeked {
            Ok(Ok(count)) if 0 < count => (),
            Ok(Ok(_) | Err(_)) => return,
            Err(_) => {
                let _ = socket.set_zero_linger();
                self.refused(side, (Violation::LimitPreauth, None), peer);
                return;
            }
        }
        let direct = first[0] == TLS_HANDSHAKE;
        let mut opening = Opening::new(self.settings.load().limits_before);
        if !direct {
            match timeout_at(came + patience, opening.listen(&socket)).await {
                // What is not said in time is answered, too.
                Ok(Ok(())) | Err(_) => (),
                Ok(Err(_)) => return,
            }
        }
        // All that a stream needs is there from its first word on: whoever says nothing costs little.
        let arrived = (socket, peer, opening);
        Box::pin(self.converse(arrived, side, came, terms, direct)).await;
    }

    /// Drives the stream of a connection from its first word on.
    async fn converse(
        self: Arc<Self>,
        (socket, peer, opening): (TcpStream, SocketAddr, Box<Opening>),
        side: Side,
        came: Instant,
        terms: Arc<Terms>,
        direct: bool,
    ) {
        let transport = direct.then_some(Transport::DirectTls);
        let id = self.tables.issue();
        let facts = Facts { id, side, outbound: false, transport, peer };
        let start = Start {
            socket,
            opening,
            facts,
            endpoint: None,
            base: None,
            local: None,
            waits: None,
            errand: None,
            seat: None,
            place: None,
        };
        let ids = self.ids();
        let (rooms, taken) = (Arc::clone(&self), Arc::clone(&terms));
        let (driver, mut first) = Driver::new(self, start, |table| {
            let (machine, first) = Receiving::new(id, terms, ids, direct, table);
            (Machine::Receiving(Box::new(machine)), first)
        });
        for action in &mut first {
            if let Action::SetTimer(left) = action {
                // Whoever has kept us waiting for the first word has had that time (C-08).
                *left = left.saturating_sub(came.elapsed());
            }
        }
        rooms.catch_up(id, side, &taken);
        driver.run(first).await;
    }

    /// How to shake hands on a connection. `addressed` is whom the far end wants to speak to, or
    /// whom we do; `local` whom we speak for, where we opened it.
    pub(super) fn handshake(
        &self,
        facts: Facts,
        addressed: Option<Domain>,
        local: Option<Domain>,
    ) -> Option<Handshake> {
        let direct = facts.transport == Some(Transport::DirectTls);
        let leaf = |domain: &Domain| self.local_ca.leaf(domain, self.now()).ok();
        if facts.outbound {
            let (addressed, local) = (addressed?, local?);
            let certificate = match facts.side {
                Side::Public => self.tls.identities().for_domain(&local),
                Side::Backend => leaf(&local)?,
            };
            let begin = if direct { Begin::AtOnce } else { Begin::AfterStartTls };
            let name = ServerName::try_from(addressed.ascii().to_owned()).ok()?;
            return Some(Handshake::Initiate(self.tls.initiate(certificate, begin), name));
        }
        match (facts.side, addressed) {
            (Side::Public, addressed) => Some(Handshake::Receive(self.tls.receive(addressed))),
            // To our own server we are whomever it asked for.
            (Side::Backend, Some(addressed)) => {
                Some(Handshake::Receive(self.tls.receive_as(leaf(&addressed)?)))
            }
            (Side::Backend, None) => {
                let terms = self.terms(Side::Backend);
                let leaves = Arc::clone(&self.local_ca);
                let (tls, now) = (self.tls.clone(), self.now());
                Some(Handshake::ReceiveBy(Box::new(move |name| {
                    let named = name.and_then(|name| name.parse::<Domain>().ok());
                    let named = named.filter(|domain| terms.may_receive(domain));
                    let domain = named.unwrap_or_else(|| terms.server_name.clone());
                    Some(tls.receive_as(leaves.leaf(&domain, now).ok()?))
                })))
            }
        }
    }
}

impl Gate {
    /// Lets somebody in, and tells what led them here if they are our own server.
    fn check(&self, socket: &TcpStream, peer: SocketAddr) -> Result<Option<Led>, Violation> {
        if let Some(allowed) = &self.allowed
            && !allowed.iter().any(|network| network.contains(&peer.ip()))
        {
            return Err(Violation::BackendAcl);
        }
        let Some(listening) = &self.redirected else {
            return Ok(self.led);
        };
        let origin = || -> io::Result<Origin> {
            Ok(judge(original(socket)?, socket.local_addr()?, listening))
        };
        match origin() {
            Ok(Origin::Direct) => Ok(self.led),
            Ok(Origin::Redirected(_)) => Ok(Some(Led::Redirect)),
            Ok(Origin::Loop) | Err(_) => Err(Violation::LoopOriginalDestination),
        }
    }
}

/// Which rule it was that left no seat; and by which limit, as it is called in the configuration.
fn violation(full: Full) -> (Violation, Option<&'static str>) {
    match full {
        Full::Everywhere | Full::Unnamed => (Violation::LimitConnections, Some("connections")),
        Full::ForAddress => (Violation::LimitConnections, Some("connections_per_address")),
        Full::TooFast => (Violation::LimitRate, None),
    }
}

/// The content type of a TLS handshake record (RFC 8446 §5.1); no stream header begins with it.
const TLS_HANDSHAKE: u8 = 0x16;

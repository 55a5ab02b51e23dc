//! Searches for a way out: shares a connection or opens one, climbing the ladder.

mod astray;
mod back_off;
mod climb;
mod dialing;
mod home;
mod pursuit;
mod rungs;
mod sharing;

pub use pursuit::{BackOff, Hosting, Prospect, Pursuit};

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use ligase_verifier::{Endpoint, Pins, Transport, Unresolved};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, oneshot, watch};
use tokio::time::{Instant, sleep, timeout};

use super::arrival::opening::Opening;
use super::driver::{Driver, Found, Machine, Start};
use super::event::{Event, Facts};
use super::rooms::{Flight, Rooms};
use crate::binding::{ConnectionId, DomainPair, Home, Side};
use crate::stream::{Attempt, Condition, DialbackError, Errand, Initiating, Rung, Setback};

type Result<T> = std::result::Result<T, Setback>;

impl Rooms {
    /// Finds a way out for `pair`, or waits for the search that is under way (B-01).
    ///
    /// # Errors
    /// Why there is none.
    pub async fn reach(self: &Arc<Self>, pair: &DomainPair) -> Result<()> {
        if self.tables.look(|table| table.exit(pair).is_some()) {
            return Ok(());
        }
        let mut flight = self.flight(pair);
        let result = flight.wait_for(Option::is_some).await;
        result.ok().and_then(|result| result.clone()).unwrap_or(Err(Setback::Draining))
    }

    /// The search for this pair, begun now if there was none. It goes on if its first caller does
    /// not, because others may have joined.
    #[expect(clippy::disallowed_methods, reason = "a search belongs to all who wait for it")]
    fn flight(self: &Arc<Self>, pair: &DomainPair) -> Flight {
        let mut flights = self.flights();
        if let Some(flight) = flights.get(pair) {
            return flight.clone();
        }
        let (tell, flight) = watch::channel(None);
        flights.insert(pair.clone(), flight.clone());
        drop(flights);
        let (rooms, pair) = (Arc::clone(self), pair.clone());
        tokio::spawn(async move {
            let ladder = rooms.settings.load().ladder;
            let found = timeout(ladder, rooms.search(&pair)).await;
            let result = found.unwrap_or(Err(Setback::TimedOut));
            rooms.note_end(&pair, &result);
            if let Err(setback) = &result {
                let (side, setback) = (rooms.side_of_target(&pair), setback.clone());
                (rooms.tell)(Event::Failed { pair: pair.clone(), side, setback });
            }
            rooms.flights().remove(&pair);
            let _ = tell.send(Some(result));
        });
        flight
    }

    fn flights(&self) -> MutexGuard<'_, HashMap<DomainPair, Flight>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Finds a way out for what waits, and lets it go or gives it back.
    #[expect(clippy::disallowed_methods, reason = "how long stanzas may wait is about time")]
    pub fn seek(self: &Arc<Self>, pair: DomainPair) {
        // Connections that are dropped with the whole process seek nothing any more.
        let Ok(runtime) = Handle::try_current() else { return };
        let rooms = Arc::clone(self);
        runtime.spawn(async move {
            let side = rooms.side_of_target(&pair).other();
            let deadline = Instant::now() + rooms.settings.load().hold;
            let setback = loop {
                let setback = match rooms.reach(&pair).await {
                    Ok(()) => {
                        let (gone, mut step) = rooms.tables.let_go(&pair);
                        rooms.follow(&mut step);
                        if gone {
                            return;
                        }
                        Setback::TimedOut
                    }
                    // Our own server may be restarting; nobody else is waited for twice.
                    Err(setback) if side == Side::Public && may_pass(&setback) => setback,
                    Err(setback) => break setback,
                };
                if deadline < Instant::now() + PAUSE {
                    break setback;
                }
                sleep(PAUSE).await;
            };
            let mut step = rooms.tables.give_back(&pair, &setback.stanza_error());
            rooms.follow(&mut step);
            if side == Side::Public && setback.to_peer() == DialbackError::ItemNotFound {
                // Our own server will not have it, so nobody has to go on sending it (E-18).
                rooms.tables.withdraw(&pair);
            }
        });
    }

    async fn search(self: &Arc<Self>, pair: &DomainPair) -> Result<()> {
        let hosted = Arc::clone(&self.settings.load().public.hosted);
        let both = self.is_hosted(&pair.sender) && self.is_hosted(&pair.target);
        let at_home = both && !hosted.is_between_homes(pair);
        let strange = !hosted.may_contain(&pair.sender) && !hosted.may_contain(&pair.target);
        if at_home || strange {
            // Nothing that stays at home, and nothing between strangers (B-19).
            return Err(Setback::Pointless);
        }
        match self.side_of_target(pair) {
            Side::Backend => self.reach_backend(pair).await,
            Side::Public => self.search_peer(pair).await,
        }
    }

    /// Climbs, unless the last climb to the same peer failed a moment ago.
    async fn search_peer(self: &Arc<Self>, pair: &DomainPair) -> Result<()> {
        if let Some(setback) = self.still_unreached(&pair.target) {
            return Err(setback);
        }
        let result = self.climb(pair).await;
        match &result {
            Err(setback) if is_unreached(setback) => self.note_unreached(&pair.target, setback),
            Ok(()) | Err(_) => {
                self.unreached().remove(&pair.target);
            }
        }
        result
    }

    /// Opens a stream of its own for the pair, to our own server; by dialback, where it
    /// will not have our certificate.
    async fn reach_backend(self: &Arc<Self>, pair: &DomainPair) -> Result<()> {
        self.note_begin(pair);
        let refusal = Setback::Stream(Some(Condition::HostUnknown));
        if self.is_disowned(&pair.target) {
            return Err(refusal);
        }
        if let Some(shared) = self.shared_home(pair)
            && self.ask_on(pair, shared).await.is_ok()
        {
            return Ok(());
        }
        let result = match self.visit_for(pair, Rung::DomainName).await {
            Err(Setback::Sasl) => self.visit_for(pair, Rung::Dialback).await,
            result => result,
        };
        if result == Err(refusal) {
            self.note_disowned(&pair.target);
        }
        result
    }

    async fn visit_for(self: &Arc<Self>, pair: &DomainPair, rung: Rung) -> Result<()> {
        let visited = self.visit(pair, rung).await;
        self.note_step(pair, None, Some(rung), visited.clone().map(Some));
        visited.map(|_| ())
    }

    async fn visit(self: &Arc<Self>, pair: &DomainPair, rung: Rung) -> Result<ConnectionId> {
        let dialed = self.dial_home(&self.home(&pair.target)).await?;
        let (waits, answer) = oneshot::channel();
        let id = self.open(dialed, Errand::Carry(pair.clone()), rung, Some(waits), None)?;
        answer.await.unwrap_or(Err(Setback::Stream(None)))?;
        Ok(id)
    }

    /// Where an endpoint is and by which name its certificate goes. An endpoint whose addresses or
    /// TLSA records cannot be had for certain is not dialed.
    pub(super) async fn locate(&self, endpoint: Endpoint) -> Result<Place> {
        let verifier = self.verifier.load_full();
        let astray = |error| self.gone_astray(error);
        let addresses = verifier.addresses(&endpoint).await.map_err(astray)?;
        let pins = verifier.pins(&endpoint).await.map_err(astray)?;
        let port = endpoint.port;
        let addresses = addresses.into_iter().map(|ip| SocketAddr::new(ip, port)).collect();
        Ok(Place { endpoint, addresses, pins })
    }

    /// One rung at one endpoint, or a connection that leads there already. Tells which connection was
    /// opened, if one was.
    async fn attempt(
        self: &Arc<Self>,
        pair: &DomainPair,
        place: &Place,
        rung: Rung,
    ) -> std::result::Result<Option<ConnectionId>, Missed> {
        // While one connection to a place is being opened, others wait to share it.
        let turn = self.turn(&place.endpoint);
        let mut tried = Vec::new();
        let one_at_a_time = loop {
            if self.tables.look(|table| table.exit(pair).is_some()) {
                return Ok(None);
            }
            if let Some(shared) = self.candidate(pair, place, rung, &tried) {
                if self.share(pair, place, shared).await? {
                    return Ok(None);
                }
                tried.push(shared);
                continue;
            }
            let permit = turn.acquire().await;
            if self.candidate(pair, place, rung, &tried).is_none() {
                break permit;
            }
        };
        if self.tables.look(|table| table.exit(pair).is_some()) {
            return Ok(None);
        }
        // Where a connection cannot be shared anyway, nobody has to wait for this one.
        let held = (!self.is_unshared(&place.addresses)).then_some(one_at_a_time);
        // Taken last, so that whoever waits for anything else keeps nobody from a seat.
        let share = place.addresses.first().map(|first| self.search_shares.of(first.ip()));
        let _share = match &share {
            Some(share) => share.acquire().await.ok(),
            None => None,
        };
        let _seat = self.search_seats.acquire().await;
        let socket = self.connect_peer(&place.addresses).await?;
        let (waits, answer) = oneshot::channel();
        let dialed = Dialed::at(place, socket);
        let id = self.open(dialed, Errand::Carry(pair.clone()), rung, Some(waits), None)?;
        let answer = answer.await.unwrap_or(Err(Setback::Stream(None)));
        // A stream between servers stands though it was refused to this pair.
        let is_shared = rung == Rung::ServerName;
        let answer = answer.map_err(|setback| self.explained(setback, &pair.sender, rung));
        answer.map_err(|setback| match is_shared {
            true => self.weigh(pair, place, id, setback),
            false => Missed::Failed(setback),
        })?;
        drop(held);
        Ok(Some(id))
    }

    /// Opens a stream on a fresh socket, on an errand.
    #[expect(clippy::disallowed_methods, reason = "this is where drivers of dialed streams start")]
    pub(super) fn open(
        self: &Arc<Self>,
        dialed: Dialed,
        errand: Errand,
        rung: Rung,
        waits: Option<oneshot::Sender<Result<()>>>,
        found: Option<oneshot::Sender<Found>>,
    ) -> Result<ConnectionId> {
        let Dialed { socket, endpoint, pins, side, seat, place, home } = dialed;
        let peer = socket.peer_addr().map_err(|_| Setback::Unreachable)?;
        let direct_tls = endpoint.as_ref().is_some_and(|it| it.transport == Transport::DirectTls);
        let server = endpoint.as_ref().filter(|_| rung == Rung::ServerName);
        let server = server.map(|it| it.target.clone());
        let mut terms = self.terms(side);
        let (local, remote, pair) = match &errand {
            Errand::Carry(pair) | Errand::Look(pair) => (&pair.sender, &pair.target, pair),
            Errand::Verify(pair, ..) => (&pair.target, &pair.sender, pair),
        };
        let (mut local, remote, pair) = (local.clone(), remote.clone(), pair.clone());
        if home.is_some_and(|home| home != self.home(&remote)) {
            // It has moved while its old home was dialed.
            return Err(Setback::Unreachable);
        }
        let taken = Arc::clone(&terms);
        let better = side == Side::Public && self.has_certificate(&local);
        if side == Side::Public && matches!(rung, Rung::ServerName | Rung::DomainName) {
            // Our server's own certificate comes first (draft-ietf-xmpp-dna-01 §7).
            local = terms.server_name.clone();
        }
        let insists = pins != Pins::None || endpoint.as_ref().is_some_and(|it| self.had_tls(it));
        let base = match pins {
            Pins::At(base) => Some(base),
            Pins::Unusable | Pins::None => None,
        };
        let transport = direct_tls.then_some(Transport::DirectTls);
        let id = self.tables.issue();
        let facts = Facts { id, side, outbound: true, transport, peer: crate::net::plain(peer) };
        let waits = waits.map(|waits| (pair, waits));
        let start = Start {
            socket,
            opening: Opening::new(self.settings.load().limits_before),
            facts,
            endpoint,
            base,
            local: Some(local),
            waits,
            errand: found,
            seat,
            place,
        };
        if insists {
            terms = Arc::new(terms.encrypted(&remote));
        }
        let attempt = Attempt { errand, rung, server, direct_tls, better };
        let (driver, first) = Driver::new(Arc::clone(self), start, |table| {
            let (machine, first) = Initiating::new(id, terms, attempt, table);
            (Machine::Initiating(Box::new(machine)), first)
        });
        self.catch_up(id, side, &taken);
        tokio::spawn(driver.run(first));
        Ok(id)
    }
}

/// A rung that did not hold.
enum Missed {
    /// Another may.
    Failed(Setback),
    /// The peer has said all there is to say about the pair.
    Settled(Setback),
}

impl From<Setback> for Missed {
    fn from(setback: Setback) -> Self {
        Self::Failed(setback)
    }
}

/// An endpoint and where it is.
pub(super) struct Place {
    pub(super) endpoint: Endpoint,
    pub(super) addresses: Vec<SocketAddr>,
    /// What TLSA records it has.
    pub(super) pins: Pins,
}

/// A socket that leads to an endpoint, or to our own server.
pub(super) struct Dialed {
    socket: TcpStream,
    endpoint: Option<Endpoint>,
    pins: Pins,
    side: Side,
    seat: Option<OwnedSemaphorePermit>,
    /// Its place among the connections to our own servers.
    place: Option<OwnedSemaphorePermit>,
    /// Which of our own servers it leads to.
    home: Option<Home>,
}

impl Dialed {
    /// A socket that leads to one of a place's addresses.
    pub(super) fn at(place: &Place, socket: TcpStream) -> Self {
        let (endpoint, pins) = (Some(place.endpoint.clone()), place.pins.clone());
        let side = Side::Public;
        Self { socket, endpoint, pins, side, seat: None, place: None, home: None }
    }

    /// A socket that leads to our own server.
    pub(super) fn at_home(
        socket: TcpStream,
        home: &Home,
        seat: Option<OwnedSemaphorePermit>,
        place: OwnedSemaphorePermit,
    ) -> Self {
        let (side, place, home) = (Side::Backend, Some(place), Some(home.clone()));
        Self { socket, endpoint: None, pins: Pins::None, side, seat, place, home }
    }
}

/// Whether a setback may be over in a moment: our own server is restarting.
fn may_pass(setback: &Setback) -> bool {
    setback.is_unconnected() || matches!(setback, Setback::Stream(None))
}

/// Whether a peer was not even reached, so that it is to be left alone for a while.
fn is_unreached(setback: &Setback) -> bool {
    setback.is_unconnected() || matches!(setback, Setback::TimedOut | Setback::Handshake)
}

/// The setback of a domain that cannot be looked up.
pub(super) fn unresolved(error: Unresolved) -> Setback {
    Setback::Unresolved(error.label())
}

/// Between two searches for a way out that was gone again, or for our own server.
const PAUSE: Duration = Duration::from_millis(500);

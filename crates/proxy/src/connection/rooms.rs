use std::collections::{HashMap, HashSet};
use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use ligase_verifier::{Domain, Verifier};
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::driver::Order;
use super::event::{Event, Facts};
use super::flow::Flow;
use super::homes::Homes;
use super::lapsing::Lapsing;
use super::pace::Speed;
use super::seats::Seats;
use super::shares::Shares;
use super::tables::{KINDS, Passed, Step, Tables};
use crate::binding::{ConnectionId, DomainPair, Home, Side};
use crate::establish::{Journal, Memory};
use crate::net::dial::Patience;
use crate::net::proxy_protocol::Relays;
use crate::net::rate::{Buckets, Rate};
use crate::stream::{Ids, Input, Limits, Setback, Terms};
use crate::tls::Tls;
use crate::tls::local_ca::LocalCa;

/// What all connections share.
pub struct Rooms {
    /// Who may say what over which connection, and what waits.
    pub tables: Tables,
    /// Finds out who speaks for a domain.
    pub verifier: ArcSwap<Verifier>,
    /// Our certificates towards peers.
    pub tls: Tls,
    /// Our certificates towards our own server.
    pub local_ca: Arc<LocalCa>,
    /// What may change while we run.
    pub settings: ArcSwap<Settings>,
    /// How much has gone over the wires.
    pub flow: Flow,
    /// Is told what happens.
    pub tell: Box<dyn Fn(Event) + Send + Sync>,
    /// The searches for a way out that are under way.
    pub(super) flights: Mutex<HashMap<DomainPair, Flight>>,
    /// The places that are being dialed: one connection at a time each (B-01).
    pub(super) places: Mutex<HashMap<PlaceKey, Arc<Semaphore>>>,
    /// On which rungs places were met.
    pub(super) memory: Mutex<Memory<PlaceKey>>,
    /// What the last searches met with.
    pub(super) journal: Mutex<Journal>,
    /// Pairs that a place would not have on a connection of others, and until when (I-03).
    pub(super) unshared: Mutex<Lapsing<(PlaceKey, DomainPair)>>,
    /// Our own servers.
    pub homes: Homes,
    /// Questions to authoritative servers at a time: peers choose whom we ask (S7).
    pub(super) authority_seats: Seats,
    /// How often one subscriber is called at a time that has not asked for it: about a key, or for a
    /// POSH document.
    pub(super) called_shares: Shares,
    /// Such calls of a moment ago.
    pub(super) called: Mutex<Buckets>,
    /// TLS handshakes that were begun with us a moment ago.
    handshakes: Mutex<Buckets>,
    /// Judgments at a time of those whom we called and who are at one subscriber's.
    pub(super) judge_shares: Shares,
    /// The share of each in looking again at proofs that have ended: nobody who comes anew shall keep them waiting.
    pub(super) renewal_shares: Shares,
    /// Judgments at a time that ask the DNS about who comes to us: each may say what it likes to be.
    pub(super) dns_seats: Seats,
    /// Those that ask web servers, which are slow: whom the DNS proves does not wait for them.
    pub(super) web_seats: Seats,
    /// Domains that were proven lately, for which a part of the seats is kept.
    pub(super) proven: Mutex<Lapsing<Domain>>,
    /// Peers being dialed at a time: our own users choose whom we search, and so does whoever they
    /// answer.
    pub(super) search_seats: Semaphore,
    /// Of those, what the servers of one subscriber may take.
    pub(super) search_shares: Shares,
    /// Peers that could not be reached lately, and when to try again (B-17).
    pub(super) unreached: Mutex<HashMap<Domain, Unreached>>,
    /// Domains that our own server has proven to serve.
    pub(super) own: Mutex<HashSet<Domain>>,
    /// Domains that it said it does not serve, and until when that is believed.
    pub(super) disowned: Mutex<Lapsing<Domain>>,
    /// The looks at our own server that are under way: one at a time for each domain.
    pub(super) looks: Mutex<HashMap<Domain, Arc<Semaphore>>>,
    /// The digests of what our own servers were seen to present, by home and domain.
    pub(super) backend_leaves: Mutex<Lapsing<(Home, Domain, [u8; 32])>>,
    started: Instant,
    seed: Zeroizing<[u8; 32]>,
    streams: AtomicU64,
}

/// The host and the port of a server.
pub(super) type PlaceKey = (Domain, u16);

/// A search that is under way, and its end when it has one.
pub(super) type Flight = watch::Receiver<Option<Result<(), Setback>>>;

/// A peer that could not be reached.
#[derive(Clone, Debug)]
pub(super) struct Unreached {
    /// How often in a row.
    pub(super) times: u32,
    /// Not before then again.
    pub(super) until: Instant,
    /// Why it could not.
    pub(super) setback: Setback,
}

/// What may change while we run; connections keep the limits that they were opened with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How peers are met.
    pub public: Arc<Terms>,
    /// How our own server is met.
    pub backend: Arc<Terms>,
    /// Our own servers; never empty. Where only they know which of them serves a domain, there is
    /// one.
    pub homes: Arc<[Home]>,
    /// Where we listen, or have others led to: none of that is dialed in search of a peer (B-19).
    pub doors: Arc<[SocketAddr]>,
    /// Where peers find us: nobody who is there is a peer (B-19).
    pub entrances: Arc<[SocketAddr]>,
    /// How often one subscriber is called on the word of another.
    pub calls: Rate,
    /// Whether pairs of several peers share a stream to our own server.
    pub share_backend: bool,
    /// The load balancers that peers come through.
    pub relays: Arc<Relays>,
    /// How fast connections of peers are read.
    pub speed: Speed,
    /// How many TLS handshakes one subscriber may begin with us.
    pub handshakes: Rate,
    /// What a far end may send before it is authorized for anything.
    pub limits_before: Limits,
    /// What it may send after.
    pub limits_after: Limits,
    /// How long dialing may take.
    pub dial: Patience,
    /// How long a TLS handshake may take that we began.
    pub handshake_initiating: Duration,
    /// How long one may take that a peer began.
    pub handshake_receiving: Duration,
    /// How long the search for a way out may take in all (B-17).
    pub ladder: Duration,
    /// How long stanzas for our own server may wait while it is down (P-07).
    pub hold: Duration,
    /// How long an outbox may stay full before its connection is given up (N-07).
    pub stall: Duration,
}

/// How many questions to authoritative servers may be under way.
#[derive(Clone, Copy, Debug)]
pub struct Questions {
    /// In all.
    pub at_a_time: usize,
    /// To one subscriber who is somebody else than the one that has us ask.
    pub to_each: usize,
}

impl Rooms {
    /// Rooms without connections. `seed` is 32 bytes of chance that nobody else knows.
    #[expect(clippy::too_many_arguments, reason = "the one place where everything comes together")]
    #[expect(clippy::disallowed_methods, reason = "the process starts here")]
    pub fn new(
        tables: Tables,
        verifier: Verifier,
        tls: Tls,
        local_ca: Arc<LocalCa>,
        settings: Settings,
        homes: Homes,
        questions: Questions,
        seed: Zeroizing<[u8; 32]>,
        tell: Box<dyn Fn(Event) + Send + Sync>,
    ) -> Self {
        Self {
            tables,
            verifier: ArcSwap::from_pointee(verifier),
            tls,
            local_ca,
            settings: ArcSwap::from_pointee(settings),
            flow: Flow::default(),
            tell,
            flights: Mutex::default(),
            places: Mutex::default(),
            memory: Mutex::new(Memory::new(PLACES_MET_MAX)),
            journal: Mutex::new(Journal::new(SEARCHES_TOLD_MAX)),
            unshared: Mutex::new(Lapsing::new(UNSHARED, UNSHARED_MAX)),
            homes,
            authority_seats: Seats::new(questions.at_a_time),
            called_shares: Shares::new(questions.to_each),
            called: Mutex::default(),
            handshakes: Mutex::default(),
            judge_shares: Shares::new(JUDGED_MAX),
            renewal_shares: Shares::new(JUDGED_MAX),
            dns_seats: Seats::new(DNS_SEATS),
            web_seats: Seats::new(WEB_SEATS),
            proven: Mutex::new(Lapsing::new(PROVEN, PROVEN_MAX)),
            search_seats: Semaphore::new(SEARCHES_MAX),
            search_shares: Shares::new(SEARCHES_MAX / SEARCH_SHARES),
            unreached: Mutex::default(),
            own: Mutex::default(),
            disowned: Mutex::new(Lapsing::new(DISOWNED, DISOWNED_MAX)),
            looks: Mutex::default(),
            backend_leaves: Mutex::new(Lapsing::new(LEAF, LEAVES_MAX)),
            started: Instant::now(),
            seed,
            streams: AtomicU64::new(0),
        }
    }

    /// How that side is met now.
    pub fn terms(&self, side: Side) -> Arc<Terms> {
        let settings = self.settings.load();
        Arc::clone(match side {
            Side::Public => &settings.public,
            Side::Backend => &settings.backend,
        })
    }

    /// Goes on by other settings; connections that are open, too.
    pub fn change(&self, settings: Settings) {
        let before = self.settings.swap(Arc::new(settings));
        let now = self.settings.load_full();
        self.homes.keep(&now.homes);
        let differ = |before: &Terms, now: &Terms| {
            before.hosted != now.hosted || before.policy != now.policy
        };
        // Most often it is a certificate that has changed, and nobody shall notice.
        if differ(&before.public, &now.public) || differ(&before.backend, &now.backend) {
            self.tables.tell_all(|facts| Input::Terms(self.terms(facts.side)));
        }
    }

    /// Tells a connection that has just been entered of what has changed since its terms were taken.
    pub(super) fn catch_up(&self, id: ConnectionId, side: Side, taken: &Arc<Terms>) {
        let now = self.terms(side);
        if !Arc::ptr_eq(taken, &now) {
            self.tables.order(id, Order::say(Input::Terms(now)));
        }
    }

    /// A source of stream ids that no other stream draws from.
    pub fn ids(&self) -> Ids {
        let count = self.streams.fetch_add(1, Ordering::Relaxed);
        Ids::derived(*self.seed, count)
    }

    /// Whether a TLS handshake is begun: it costs us more than whoever asks for it, so peers who
    /// connect to us have only so many.
    pub(super) fn may_shake_hands(&self, facts: &Facts) -> bool {
        if facts.outbound || facts.side == Side::Backend {
            return true;
        }
        let (rate, now) = (self.settings.load().handshakes, self.elapsed());
        let mut handshakes = self.handshakes.lock().unwrap_or_else(PoisonError::into_inner);
        handshakes.of(facts.peer.ip(), now).take(rate, now)
    }

    /// The time since the process started.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// What the clock says.
    #[expect(clippy::disallowed_methods, reason = "drivers read the clock here")]
    pub fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    /// Does what a step left to do for those who may wait, but for the actions of its machine.
    pub fn follow(self: &Arc<Self>, step: &mut Step) {
        let Passed { public, backend } = step.passed;
        for (side, counts) in [(Side::Public, public), (Side::Backend, backend)] {
            for (kind, count) in KINDS.into_iter().zip(counts).filter(|(_, count)| 0 < *count) {
                (self.tell)(Event::Passed { side, kind, count });
            }
        }
        for (condition, pair) in step.bounced.drain(..) {
            let side = self.side_of_target(&pair);
            (self.tell)(Event::Bounced { side, condition });
        }
        for pair in step.seek.drain(..) {
            self.seek(pair);
        }
    }
}

impl fmt::Debug for Rooms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rooms").finish_non_exhaustive()
    }
}

/// How long a pair is not asked for again on a connection of others that would not have it (I-03).
const UNSHARED: Duration = Duration::from_secs(3600);

/// Such pairs that are remembered; what is forgotten costs a question.
const UNSHARED_MAX: usize = 4096;

/// How long a domain is taken for none of our own server's on its word.
const DISOWNED: Duration = Duration::from_secs(30);

/// Such domains; beyond them the server is asked each time.
const DISOWNED_MAX: usize = 65_536;

/// How long a server of ours is taken to present what it was seen to: one that has another certificate
/// by then is not known by its old one any more.
const LEAF: Duration = Duration::from_secs(600);

/// Domains whose certificate at our own server is remembered; forgetting costs a connection.
const LEAVES_MAX: usize = 65_536;

/// Places whose rung is remembered: as many as a busy server talks to in a day.
const PLACES_MET_MAX: usize = 16_384;
/// Pairs whose last search can be told of, at a few kilobytes each: more than fail at a time.
const SEARCHES_TOLD_MAX: usize = 1024;
/// Each search may hold a socket and a dozen look-ups; a busy server finds a new peer now and then.
const SEARCHES_MAX: usize = 256;
/// Into how many shares those are divided: names cost an attacker nothing, and addresses a little.
const SEARCH_SHARES: usize = 16;
/// Each has at most eight look-ups in flight, of which the verifier allows a thousand: a quarter of
/// them, at least, is out of reach of those whom nobody has proven yet.
const DNS_SEATS: usize = 128;
/// Of a hundred and twenty-eight connections to web servers that the verifier has at a time.
const WEB_SEATS: usize = 96;
/// How long a domain that was proven has a part in what is kept for such as it.
const PROVEN: Duration = Duration::from_secs(24 * 3600);
/// Such domains: as many as a busy server talks to in a day. Beyond them they wait with the others.
const PROVEN_MAX: usize = 16_384;
/// Each may take half a dozen look-ups and a page of a web server, of which the verifier asks for
/// so many at a time for all. Where they do not tarry it is some hundreds a second.
const JUDGED_MAX: usize = 16;

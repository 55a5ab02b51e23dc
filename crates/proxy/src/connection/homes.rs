//! Our own servers: where they are, and whether they are there.

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ligase_verifier::Unsigned;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use super::establish::Dialed;
use super::event::Event;
use super::rooms::Rooms;
use crate::binding::{Home, Host};
use crate::stream::Setback;

/// What is known of our own servers. As many as the configuration names.
pub struct Homes {
    names: Unsigned,
    seats: usize,
    /// Places for connections to any of them: peers claim pairs, and each takes one.
    places: Arc<Semaphore>,
    standing: Mutex<HashMap<Home, Standing>>,
}

/// What is known of one of them.
struct Standing {
    /// Places with it for those whom it has not taken up yet: its backlog is short. Each has
    /// its own, so that one that is down keeps nobody from another.
    seats: Arc<Semaphore>,
    /// Whether it took the last connection.
    is_up: bool,
}

impl Homes {
    /// Nothing is known yet. `names` looks up those that are not written as addresses; `seats` is how
    /// many connects to one of them may be under way, `places` how many connections there may be to
    /// all of them.
    pub fn new(names: Unsigned, seats: usize, places: usize) -> Self {
        let places = Arc::new(Semaphore::new(places));
        Self { names, seats, places, standing: Mutex::default() }
    }

    /// Whether a server took the last connection that we tried.
    pub fn is_up(&self, home: &Home) -> bool {
        self.standing().get(home).is_some_and(|it| it.is_up)
    }

    /// Forgets all but these.
    pub(super) fn keep(&self, homes: &[Home]) {
        self.standing().retain(|home, _| homes.contains(home));
    }

    fn note(&self, home: &Home, is_up: bool) {
        if let Some(standing) = self.standing().get_mut(home) {
            standing.is_up = is_up;
        }
    }

    fn seats(&self, home: &Home) -> Arc<Semaphore> {
        let mut standing = self.standing();
        let seats = || Arc::new(Semaphore::new(self.seats));
        let known = standing.entry(home.clone());
        Arc::clone(&known.or_insert_with(|| Standing { seats: seats(), is_up: false }).seats)
    }

    fn standing(&self) -> MutexGuard<'_, HashMap<Home, Standing>> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rooms {
    /// Dials one of our own servers, which has few places for those whom it has not taken up yet:
    /// whoever has one keeps it until the server speaks.
    #[expect(clippy::disallowed_methods, reason = "how long our own server takes is of interest")]
    pub(super) async fn dial_home(&self, home: &Home) -> Result<Dialed, Setback> {
        let place = self.place_at_home().await.ok_or(Setback::Exhausted)?;
        let seat = self.homes.seats(home).acquire_owned().await.ok();
        let begun = Instant::now();
        let socket = match self.locate_home(home).await {
            Some(addresses) => self.connect_home(&addresses).await,
            // Its name may stand for something again in a moment: it is restarting.
            None => Err(Setback::Unreachable),
        };
        let (reached, took) = (socket.is_ok(), begun.elapsed());
        self.homes.note(home, reached);
        (self.tell)(Event::DialedHome { reached, took });
        Ok(Dialed::at_home(socket?, home, seat, place))
    }

    /// A place for one more connection to our own servers. Where there is none, the one that has been
    /// idle for longest makes room; none, where all are of use.
    #[expect(clippy::disallowed_methods, reason = "whoever makes room may do so at once")]
    async fn place_at_home(&self) -> Option<OwnedSemaphorePermit> {
        let place = || Arc::clone(&self.homes.places);
        if let Ok(place) = place().try_acquire_owned() {
            return Some(place);
        }
        if !self.tables.make_room(self.elapsed(), Instant::now()) {
            return None;
        }
        timeout(GLANCE, place().acquire_owned()).await.ok()?.ok()
    }

    /// Looks whether one of our own servers is there, by a connection that says nothing.
    pub async fn look_for(&self, home: &Home) {
        // It is known from now on.
        drop(self.homes.seats(home));
        let looked = timeout(GLANCE, async {
            let addresses = self.locate_home(home).await?;
            TcpStream::connect(&addresses[..]).await.ok()
        });
        let found = looked.await.ok().flatten();
        self.homes.note(home, found.is_some());
    }

    /// Whether all of our own servers took the last connections that we tried.
    pub fn homes_are_up(&self) -> bool {
        self.settings.load().homes.iter().all(|home| self.homes.is_up(home))
    }

    /// Where a server of ours is; nowhere, where its name stands for nothing now.
    async fn locate_home(&self, home: &Home) -> Option<Vec<SocketAddr>> {
        let addresses = match &home.host {
            Host::Ip(ip) => vec![*ip],
            Host::Name(name) => self.homes.names.addresses(name, self.now()).await.ok()?,
        };
        Some(addresses.into_iter().map(|ip| SocketAddr::new(ip, home.port)).collect())
    }
}

impl fmt::Debug for Homes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Homes").finish_non_exhaustive()
    }
}

/// How long is waited for a server that may be gone; the next look is not far.
const GLANCE: Duration = Duration::from_secs(5);

//! Dials what was looked up: never ourselves, and others no more often than they can bear.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::{Arc, PoisonError};

use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::sleep;

use super::Result;
use crate::binding::Side;
use crate::connection::event::Event;
use crate::connection::rooms::Rooms;
use crate::net::dial::{self, Unreached, dial, race};
use crate::net::subscriber;
use crate::stream::{Setback, Violation};

/// A connection to somebody whom a stranger has us call, and the leave to have it.
pub(in crate::connection) type Called = (TcpStream, Option<OwnedSemaphorePermit>);

impl Rooms {
    /// Dials addresses of our own server, but none at which it would find us.
    pub(in crate::connection) async fn connect_home(
        &self,
        addresses: &[SocketAddr],
    ) -> Result<TcpStream> {
        let settings = self.settings.load_full();
        let is_other = |it: &&SocketAddr| !leads_to_us(**it, &settings.doors);
        let others: Vec<_> = addresses.iter().filter(is_other).copied().collect();
        dial(&others, settings.dial).await.map_err(unreached)
    }

    /// Dials addresses of a peer, but none of our own listeners (B-19).
    pub(super) async fn connect_peer(&self, addresses: &[SocketAddr]) -> Result<TcpStream> {
        let others = self.elsewhere(addresses)?;
        dial(&others, self.settings.load().dial).await.map_err(unreached)
    }

    /// The same for somebody at `asker` who has us call whom they like. Who is called has not asked for
    /// it, so nobody is called by many at a time, nor many times a second (S7); but for whoever is where
    /// they ask from, and can be bothered by nobody but themselves.
    pub(in crate::connection) async fn connect_for(
        self: &Arc<Self>,
        asker: IpAddr,
        addresses: &[SocketAddr],
    ) -> Result<Called> {
        let others = self.elsewhere(addresses)?;
        let call = |address: SocketAddr| {
            let rooms = Arc::clone(self);
            async move {
                let leave = match subscriber(address.ip()) == subscriber(asker) {
                    true => None,
                    false => rooms.leave_to_call(address.ip()).await,
                };
                Ok((dial::connect(address).await?, leave))
            }
        };
        race(&others, self.settings.load().dial, call).await.map_err(unreached)
    }

    /// Waits until somebody may be called whom a stranger has named, be it an authoritative server or
    /// one that has a POSH document: by none but a few at a time, and not many times a second. What is
    /// returned is kept until they have been heard.
    pub(in crate::connection) async fn leave_to_call(
        &self,
        address: IpAddr,
    ) -> Option<OwnedSemaphorePermit> {
        let leave = self.called_shares.of(address).acquire_owned().await.ok();
        let (rate, now) = (self.settings.load().calls, self.elapsed());
        let wait = {
            let mut called = self.called.lock().unwrap_or_else(PoisonError::into_inner);
            called.of(address, now).owe(rate, now, 1)
        };
        sleep(wait).await;
        leave
    }

    /// Those of a peer's addresses that are neither ours nor those of other programs beside us.
    fn elsewhere(&self, addresses: &[SocketAddr]) -> Result<Vec<SocketAddr>> {
        let settings = self.settings.load_full();
        let is_ours = |it: &SocketAddr| {
            leads_to_us(*it, &settings.doors) || leads_to_us(*it, &settings.entrances)
        };
        let mut others = addresses.to_vec();
        for (violation, is_barred) in [
            (Violation::LoopSelf, &is_ours as &dyn Fn(&SocketAddr) -> bool),
            (Violation::DnsForbiddenTarget, &is_beside_us),
        ] {
            let (barred, rest): (Vec<_>, Vec<_>) = others.into_iter().partition(is_barred);
            if let (Some(peer), true) = (barred.first(), rest.is_empty()) {
                let (side, connection, peer) = (Side::Public, None, Some(*peer));
                (self.tell)(Event::Broke { violation, side, connection, peer });
                return Err(Setback::Pointless);
            }
            others = rest;
        }
        Ok(others)
    }
}

fn unreached(error: Unreached) -> Setback {
    match error {
        Unreached::TimedOut => Setback::Unanswered,
        Unreached::Refused => Setback::NotListening,
        Unreached::NoAddress | Unreached::Unreachable => Setback::Unreachable,
        Unreached::Exhausted => Setback::Exhausted,
    }
}

/// Whether an address is one of these doors: as it is written, or, where that is any of this host, if
/// this host has it.
fn leads_to_us(address: SocketAddr, doors: &[SocketAddr]) -> bool {
    doors.iter().any(|door| {
        door.port() == address.port()
            && (door.ip().to_canonical() == address.ip().to_canonical()
                || door.ip().is_unspecified() && is_here(address))
    })
}

/// Whether an address is that of another program of this host's, by a port that is known for
/// something else than XMPP: mail, say, or whatever trusts its own machine. HTTPS is not, since it
/// is where XMPP goes when firewalls let nothing else pass.
fn is_beside_us(address: &SocketAddr) -> bool {
    address.port() < WELL_KNOWN_END && address.port() != HTTPS && is_here(*address)
}

/// Whether this host has the address, so that a socket can be bound to it.
fn is_here(address: SocketAddr) -> bool {
    UdpSocket::bind((address.ip(), 0)).is_ok()
}

/// Ports below this one are for programs of the system (RFC 6335 §6).
const WELL_KNOWN_END: u16 = 1024;

const HTTPS: u16 = 443;

#[cfg(test)]
mod tests;

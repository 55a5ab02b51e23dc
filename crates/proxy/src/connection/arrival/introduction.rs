use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::time::timeout;

use super::violation;
use crate::binding::Side;
use crate::connection::event::{Event, Introduction};
use crate::connection::rooms::Rooms;
use crate::net::listener::Seat;
use crate::net::proxy_protocol::{Header, Heard, Reading, Relays, hear};
use crate::stream::Violation;

impl Rooms {
    /// Whom a connection is from, and from now on is counted for. A load balancer that we trust says
    /// that first. None if it does not have to be served.
    pub(super) async fn introduced(
        &self,
        socket: &mut TcpStream,
        peer: SocketAddr,
        side: Side,
        seat: &mut Seat,
    ) -> Option<SocketAddr> {
        let relays = Arc::clone(&self.settings.load().relays);
        let introduction = introduction(socket, &relays).await?;
        let (introduction, source) = introduction;
        (self.tell)(Event::Introduced(introduction));
        // Those of whom a load balancer does not say who they are have one share among them.
        let source = source.unwrap_or(peer);
        let (broken, blamed) = match introduction {
            Introduction::Refused(_) => ((Violation::ProxyHeader, None), peer),
            Introduction::Named(_) | Introduction::Own(_) | Introduction::Spared => {
                match seat.name(source.ip()) {
                    Ok(()) => return Some(source),
                    Err(full) => (violation(full), source),
                }
            }
        };
        let _ = socket.set_zero_linger();
        self.refused(side, broken, blamed);
        None
    }
}

/// What a load balancer says, and whom it names if it does. None if it has left: it had looked
/// whether we listen.
async fn introduction(
    socket: &mut TcpStream,
    relays: &Relays,
) -> Option<(Introduction, Option<SocketAddr>)> {
    let mut reading = Reading::default();
    let heard = timeout(relays.patience, hear(socket, &mut reading)).await;
    let refused = Introduction::Refused(reading.version());
    Some(match heard {
        Ok(Ok(Heard::Header(Header { version, source: Some(source) }))) => {
            (Introduction::Named(version), Some(source))
        }
        Ok(Ok(Heard::Header(Header { version, source: None }))) => {
            (Introduction::Own(version), None)
        }
        Ok(Ok(Heard::Nothing)) if !relays.required => (Introduction::Spared, None),
        Ok(Ok(Heard::Nothing | Heard::Malformed)) | Err(_) => (refused, None),
        Ok(Ok(Heard::Left) | Err(_)) => return None,
    })
}

#[cfg(test)]
mod tests;

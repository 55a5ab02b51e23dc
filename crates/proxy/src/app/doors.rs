//! The addresses that we listen at, bound or taken over before anybody is served.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::Error;
use super::descriptors::Shares;
use super::site::site;
use crate::admin::{self, Views};
use crate::binding::{Host, Side};
use crate::capture::dns::{self, Responder, Sources, Steering};
use crate::config::{Capture, Config};
use crate::connection::arrival::Gate;
use crate::connection::event::{Event, Led};
use crate::connection::rooms::Rooms;
use crate::net::inherited::Inherited;
use crate::net::listener::{Admission, Limits, present};
use crate::net::rate::Rate;
use crate::posh;

/// Everything that is listened at.
pub(super) struct Doors {
    federation: Vec<TcpListener>,
    backend: Vec<TcpListener>,
    posh: Vec<TcpListener>,
    admin: Vec<TcpListener>,
    dns: Option<Responder>,
    public_gate: Gate,
    backend_gate: Gate,
}

impl Doors {
    pub(super) fn open(
        config: &Config,
        shares: Shares,
        rooms: &Arc<Rooms>,
        forward: Vec<SocketAddr>,
        mut inherited: Inherited,
    ) -> Result<Self, Error> {
        let federation = open_all(&config.listen.federation, &mut inherited)?;
        let backend = open_all(&config.listen.backend, &mut inherited)?;
        let posh = open_all(&config.listen.posh, &mut inherited)?;
        let admin = open_all(&config.listen.admin, &mut inherited)?;
        let dns = match config.capture {
            Capture::Explicit => None,
            Capture::Dns | Capture::Redirect { .. } => {
                Some(responder(config, rooms, forward, &mut inherited)?)
            }
        };
        inherited.finish().map_err(Error::Inherited)?;
        let limits = &config.limits;
        let admission = |connections_max, per_address_max| {
            Admission::new(Limits { connections_max, per_address_max })
        };
        // What is trusted may change while we run.
        let relays = Arc::clone(rooms);
        let public_admission = admission(shares.peers, limits.connections_per_address)
            .paced(
                Rate::new(limits.address_connections_per_second, BURST),
                Rate::new(limits.connections_per_second, BURST),
            )
            .behind(move |address| relays.settings.load().relays.trusts(address));
        let listening: Arc<[SocketAddr]> =
            config.listen.federation.iter().chain(&config.listen.backend).copied().collect();
        let redirected =
            matches!(config.capture, Capture::Redirect { .. }).then(|| Arc::clone(&listening));
        let allowed = config.listen.is_backend_exposed().then(|| homes(config));
        Ok(Self {
            federation,
            backend,
            posh,
            admin,
            dns,
            public_gate: Gate {
                side: Side::Public,
                led: None,
                admission: public_admission,
                redirected: None,
                allowed: None,
            },
            // Our own server is one address with a stream for each pair.
            backend_gate: Gate {
                side: Side::Backend,
                led: Some(match config.capture {
                    // Whom the packet filter has not sent here has asked DNS.
                    Capture::Dns | Capture::Redirect { .. } => Led::Dns,
                    Capture::Explicit => Led::Explicit,
                }),
                // Where others can reach it, one of them leaves room for the rest.
                admission: admission(
                    shares.own,
                    match allowed.is_some() {
                        true => (shares.own / BACKEND_SHARE).max(1),
                        false => shares.own,
                    },
                ),
                redirected,
                allowed,
            },
        })
    }

    /// Begins to serve: peers by tasks of their own, which end first.
    pub(super) fn serve(
        self,
        rooms: &Arc<Rooms>,
        views: &Arc<Views>,
        peers: &mut JoinSet<()>,
        served: &mut JoinSet<()>,
    ) {
        for listener in self.federation {
            peers.spawn(Arc::clone(rooms).listen(listener, self.public_gate.clone()));
        }
        // A server on our host has nobody else to ask about what is under way while we end; others
        // find another of us, and what they opened here now would only end with us.
        let others = if self.backend_gate.allowed.is_some() { peers } else { &mut *served };
        for listener in self.backend {
            others.spawn(Arc::clone(rooms).listen(listener, self.backend_gate.clone()));
        }
        // While the last streams end, those whom we speak with may still look for our documents.
        let (seats, site) = (posh::admission(), Arc::new(site(rooms)));
        for listener in self.posh {
            served.spawn(posh::serve(listener, seats.clone(), Arc::clone(&site)));
        }
        for listener in self.admin {
            served.spawn(admin::serve(listener, Arc::clone(views)));
        }
        if let Some(responder) = self.dns {
            served.spawn(responder.serve());
        }
    }
}

fn open_all(
    addresses: &[SocketAddr],
    inherited: &mut Inherited,
) -> Result<Vec<TcpListener>, Error> {
    let each = present(addresses).into_iter();
    each.map(|address| inherited.listener(address).map_err(|error| Error::Bind(address, error)))
        .collect()
}

fn responder(
    config: &Config,
    rooms: &Arc<Rooms>,
    upstream: Vec<SocketAddr>,
    inherited: &mut Inherited,
) -> Result<Responder, Error> {
    let listen = present(&config.listen.dns);
    let steering = Steering { address: config.steer.ip(), port: config.steer.port() };
    let sources = match config.capture {
        Capture::Redirect { .. } => Sources::ThisHost,
        Capture::Dns | Capture::Explicit => Sources::Networks(homes(config)),
    };
    let first = listen.first().copied();
    let settings = dns::Settings { listen, upstream, steering, sources };
    let responder = Responder::bind(settings, inherited).map_err(|error| {
        Error::Bind(first.unwrap_or_else(|| SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0)), error)
    })?;
    let rooms = Arc::clone(rooms);
    Ok(responder.observed_by(move |fate| (rooms.tell)(Event::Steered(fate))))
}

/// Where our own servers are: on this host, and where the operator says.
fn homes(config: &Config) -> Arc<[IpNet]> {
    let loopback = [
        Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8).into(),
        IpAddr::from(Ipv6Addr::LOCALHOST).into(),
    ];
    let mut networks = config.backend.networks.clone();
    if networks.is_empty() {
        networks.extend(config.backends.iter().filter_map(|it| match &it.address.host {
            Host::Ip(ip) => Some(IpNet::from(*ip)),
            Host::Name(_) => None,
        }));
    }
    networks.into_iter().chain(loopback).collect()
}

/// Seconds' worth of connections that may come at once: a large host that has been restarted, or
/// whose network is back, comes with all that its users want to say.
const BURST: u64 = 10;

/// How many hosts it takes to fill the listener for our own servers.
const BACKEND_SHARE: usize = 4;

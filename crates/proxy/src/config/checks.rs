//! What cannot be right about values that are each right for themselves.

use std::net::{IpAddr, SocketAddr};

use super::file::Problems;
use super::{Capture, Config, Listen, ResolverServers};

/// Reports whatever does not fit together.
pub(super) fn check(config: &Config, problems: &Problems) {
    let listen = &config.listen;
    if listen.federation.is_empty() {
        problems.add("listen.federation", "peers need an address to connect to");
    }
    if listen.backend.is_empty() {
        problems.add(
            "listen.backend",
            "the backend needs an address to connect to",
        );
    }
    if config.capture == Capture::Dns && listen.dns.is_empty() {
        problems.add("listen.dns", "`capture: dns` needs an address to answer at");
    }
    check_doors(listen, problems);
    check_backend(config, problems);
    check_resolver(config, problems);
}

/// The listeners, by key.
fn doors(listen: &Listen) -> impl Iterator<Item = (&'static str, SocketAddr)> {
    let doors = [
        ("listen.federation", &listen.federation),
        ("listen.backend", &listen.backend),
        ("listen.dns", &listen.dns),
        ("listen.posh", &listen.posh),
        ("listen.admin", &listen.admin),
    ];
    doors
        .into_iter()
        .flat_map(|(key, addresses)| addresses.iter().map(move |it| (key, *it)))
}

/// Two listeners at one address would be found out only when the second cannot start.
fn check_doors(listen: &Listen, problems: &Problems) {
    let doors: Vec<_> = doors(listen).collect();
    for (index, (key, address)) in doors.iter().enumerate() {
        let other = doors[..index].iter().find(|(_, it)| collide(*it, *address));
        if let Some((other_key, other)) = other {
            problems.add(
                *key,
                format!("{address} collides with {other} of {other_key}"),
            );
        }
    }
}

/// A backend address that is our own would have us talk to ourselves for ever.
fn check_backend(config: &Config, problems: &Problems) {
    let address = config.backend.address;
    if address.port() == 0 || address.ip().is_unspecified() {
        problems.add(
            "backend.address",
            format!("{address} cannot be connected to"),
        );
    }
    if let Some((key, _)) = doors(&config.listen).find(|(_, own)| leads_to(*own, address)) {
        problems.add("backend.address", format!("{address} is our own {key}"));
    }
}

/// What the backend's resolver is told about peers is made up by us; to look peers up there would
/// be to believe ourselves.
fn check_resolver(config: &Config, problems: &Problems) {
    let ResolverServers::Listed(servers) = &config.resolver.servers else {
        return; // What the system names is read when it is used, and looked at by `inspect`.
    };
    for (index, server) in servers.iter().enumerate() {
        let key = format!("resolver.servers[{index}]");
        if server.port() == 0 || server.ip().is_unspecified() {
            problems.add(key, format!("{server} cannot be asked"));
        } else if is_own_responder(&config.listen, *server) {
            problems.add(key, format!("{server} is our own listen.dns"));
        }
    }
}

/// Whether `server` is the responder that misleads the backend.
pub(super) fn is_own_responder(listen: &Listen, server: SocketAddr) -> bool {
    listen.dns.iter().any(|own| leads_to(*own, server))
}

/// Whether both addresses cannot be listened at.
fn collide(left: SocketAddr, right: SocketAddr) -> bool {
    let (left_ip, right_ip) = (left.ip().to_canonical(), right.ip().to_canonical());
    left.port() != 0
        && left.port() == right.port()
        && (left_ip == right_ip || covers(left_ip, right_ip) || covers(right_ip, left_ip))
}

/// Whether a connection to `address` would, as far as one can tell from here, arrive at `own`.
fn leads_to(own: SocketAddr, address: SocketAddr) -> bool {
    let (own_ip, ip) = (own.ip().to_canonical(), address.ip().to_canonical());
    own.port() != 0
        && own.port() == address.port()
        && (own_ip == ip || (covers(own_ip, ip) && ip.is_loopback()))
}

/// Whether listening at `wide` is listening at `narrow`; `::` takes IPv4 as well.
fn covers(wide: IpAddr, narrow: IpAddr) -> bool {
    wide.is_unspecified() && (wide.is_ipv6() || narrow.is_ipv4())
}

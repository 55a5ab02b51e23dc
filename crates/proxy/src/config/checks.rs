//! What cannot be right about values that are each right for themselves.

use std::iter;
use std::net::{IpAddr, SocketAddr};

use super::file::Problems;
use super::{Capture, Config, Limits, Listen, Resolver, ResolverServers};
use crate::binding::Host;

/// Reports whatever does not fit together.
pub(super) fn check(config: &Config, problems: &Problems) {
    let listen = &config.listen;
    if listen.federation.is_empty() {
        problems.add(
            "listen.federation",
            "peers need an address to connect to: write one like 0.0.0.0:7269",
        );
    }
    if listen.backend.is_empty() {
        problems.add(
            "listen.backend",
            "the backend needs an address to connect to: write one like 127.0.0.1:7270",
        );
    }
    if config.capture == Capture::Dns && listen.dns.is_empty() {
        problems.add(
            "listen.dns",
            "`capture: dns` needs an address to answer at: write one like 127.0.0.1:53",
        );
    }
    if matches!(config.capture, Capture::Redirect { .. }) {
        check_redirect(listen, problems);
    }
    check_doors(listen, problems);
    check_limits(&config.limits, problems);
    check_backends(config, problems);
    check_resolver(config, problems);
}

/// A netfilter rule turns connections to one port, whatever address they came for.
fn check_redirect(listen: &Listen, problems: &Problems) {
    let doors = [
        ("listen.federation", &listen.federation),
        ("listen.backend", &listen.backend),
        ("listen.dns", &listen.dns),
    ];
    for (key, addresses) in doors {
        let Some(first) = addresses.first().map(SocketAddr::port) else {
            problems.add(
                key,
                "`capture: redirect` needs an address to turn to: write one like 127.0.0.1:7270",
            );
            continue;
        };
        if first == 0 || addresses.iter().any(|it| it.port() != first) {
            problems
                .add(key, "`capture: redirect` needs one port: write the same for all addresses");
        }
    }
}

/// Limits that must leave room for each other: else the greater would be of no use.
fn check_limits(limits: &Limits, problems: &Problems) {
    let pairs = [
        (
            ("preauth_element_bytes", limits.preauth_element_bytes),
            ("stanza_bytes", limits.stanza_bytes),
        ),
        (("stanza_bytes", limits.stanza_bytes), ("queue_bytes", limits.queue_bytes)),
        (("queue_bytes", limits.queue_bytes), ("queue_total_bytes", limits.queue_total_bytes)),
        (("stanza_bytes", limits.stanza_bytes), ("outbox_bytes", limits.outbox_bytes)),
    ];
    for ((less, least), (more, most)) in pairs {
        if most < least {
            let key = format!("limits.{more}");
            problems.add(key, format!("must be at least limits.{less}, which is {least}: write more here or less there"));
        }
    }
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
    doors.into_iter().flat_map(|(key, addresses)| addresses.iter().map(move |it| (key, *it)))
}

/// Two listeners at one address would be found out only when the second cannot start.
fn check_doors(listen: &Listen, problems: &Problems) {
    let doors: Vec<_> = doors(listen).collect();
    for (index, (key, address)) in doors.iter().enumerate() {
        let other = doors[..index].iter().find(|(_, it)| collide(*it, *address));
        if let Some((other_key, other)) = other {
            problems.add(
                *key,
                format!("{address} collides with {other} of {other_key}: write another port"),
            );
        }
    }
}

/// A backend address that is our own would have us talk to ourselves for ever.
fn check_backends(config: &Config, problems: &Problems) {
    let several = 1 < config.backends.len();
    for (index, backend) in config.backends.iter().enumerate() {
        let key = match several {
            true => format!("backends[{index}].address"),
            false => "backend.address".to_owned(),
        };
        let address = &backend.address;
        let ip = match &address.host {
            Host::Ip(ip) => *ip,
            Host::Name(name) => {
                if config.listen.is_backend_exposed() && config.backend.networks.is_empty() {
                    let problem = format!("is missing: write where {name} connects from");
                    problems.add("backend.networks", problem);
                }
                continue;
            }
        };
        if address.port == 0 || ip.is_unspecified() {
            problems.add(&key, format!("{address} cannot be connected to: {SERVER}"));
        }
        let own = SocketAddr::new(ip, address.port);
        if let Some((door, _)) = doors(&config.listen).find(|(_, door)| leads_to(*door, own)) {
            problems.add(&key, format!("{address} is our own {door}: {SERVER}"));
        }
    }
}

/// What the backend's resolver is told about peers is made up by us; to look peers up there would
/// be to believe ourselves.
fn check_resolver(config: &Config, problems: &Problems) {
    for (key, servers) in resolvers(config) {
        let ResolverServers::Listed(servers) = servers else {
            continue; // What the system names is read when it is used, and looked at by `inspect`.
        };
        // Without an index: what could not be read is not in the list.
        for server in servers {
            if server.port() == 0 || server.ip().is_unspecified() {
                problems.add(key, format!("{server} cannot be asked: {RESOLVER}"));
            } else if is_own_responder(&config.listen, *server) {
                problems.add(key, format!("{server} is our own listen.dns: {RESOLVER}"));
            } else {
                check_circle(config, *server, problems);
            }
        }
    }
}

/// Whom we ask, by key; what is not written holds what another key says.
fn resolvers(config: &Config) -> impl Iterator<Item = (&'static str, &ResolverServers)> {
    let Resolver { servers, forward, .. } = &config.resolver;
    let forward = (forward != servers).then_some(("resolver.forward", forward));
    iter::once(("resolver.servers", servers)).chain(forward)
}

/// The same for the servers that the system names (resolv.conf(5)): where the backend's resolver
/// is led to us, so is everybody's on this machine.
pub(super) fn check_system(config: &Config, resolv_conf: &str, problems: &Problems) {
    let own = nameservers(resolv_conf).find(|it| is_own_responder(&config.listen, *it));
    let systems = || resolvers(config).filter(|(_, it)| **it == ResolverServers::System);
    if let Some(own) = own {
        for (key, _) in systems() {
            let problem =
                format!("the system's resolver, {own}, is our own listen.dns: {RESOLVER}");
            problems.add(key, problem);
        }
    } else if let Some(here) = nameservers(resolv_conf).find(|it| is_inside(*it))
        && systems().next().is_some()
    {
        check_circle(config, here, problems);
    }
}

/// A resolver on this machine asks others, at a port that is turned to us; and we ask it.
fn check_circle(config: &Config, server: SocketAddr, problems: &Problems) {
    if let Capture::Redirect { resolver_uid: None, .. } = config.capture
        && is_inside(server)
    {
        problems.add(
            "redirect.resolver_uid",
            format!(
                "is missing: what {server} asks others would be turned to us, who ask {server}; write \
                 the number of the user that it runs as (`id -u unbound`), or name other \
                 resolver.servers"
            ),
        );
    }
}

fn is_inside(server: SocketAddr) -> bool {
    server.ip().to_canonical().is_loopback()
}

fn nameservers(resolv_conf: &str) -> impl Iterator<Item = SocketAddr> {
    resolv_conf.lines().filter_map(|line| {
        let address = line.trim_start().strip_prefix("nameserver")?;
        let address = address.split_whitespace().next()?;
        Some(SocketAddr::new(address.parse().ok()?, DNS))
    })
}

/// Whether `server` is the responder that misleads the backend.
fn is_own_responder(listen: &Listen, server: SocketAddr) -> bool {
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

/// What to write instead of an address where our server cannot be.
const SERVER: &str = "write where your server takes streams from other servers";

/// What to write instead of a resolver that cannot tell us the truth.
const RESOLVER: &str = "write the IP:PORT of another DNS server";

/// The port that a system asks its resolver at.
const DNS: u16 = 53;

//! Verona: the world that most tests begin with.

use ligase_tests::{Certificate, Host, World};

/// What a domain's certificate has to name: the domain and its rooms.
pub(crate) fn names_of(domain: &str) -> [String; 2] {
    [domain.to_owned(), format!("conference.{domain}")]
}

/// A certificate for a domain and its rooms, by the authority that everybody trusts.
pub(crate) fn certificate(world: &World, domain: &str) -> Certificate {
    let [domain, rooms] = names_of(domain);
    world.authority.issue(&[&domain, &rooms])
}

/// Publishes a domain and its rooms as served at that port of a host, by STARTTLS.
pub(crate) fn publish(world: &mut World, domain: &str, host: &Host, port: u16) {
    let target = format!("xmpp.{domain}");
    for name in names_of(domain) {
        world.zone.server(&name, port, &target);
    }
    world.zone.address(&target, host);
}

//! Verona: the world that most tests begin with, and the houses in it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ligase_tests::{
    Capture, Certificate, Host, Kind, Leaf, Ligase, Manner, Proxy, Server, Setup, User, World,
};

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

/// A server with two domains, one reached by STARTTLS and the other by TLS from the first byte;
/// by itself or behind a proxy; and somebody who lives at each.
pub(crate) struct House {
    pub(crate) name: String,
    pub(crate) server: Server,
    pub(crate) ligase: Option<Ligase>,
    pub(crate) by_starttls: User,
    pub(crate) by_direct_tls: User,
}

/// A house before it is built: its plan.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) manner: Manner,
    /// How its server's streams are caught, if there is a proxy.
    pub(crate) capture: Option<Capture>,
    /// Whether an authority vouches for it.
    pub(crate) vouched: bool,
}

impl Plan {
    /// A server by itself.
    pub(crate) fn bare(name: &'static str, kind: Kind, vouched: bool) -> Self {
        Self { name, kind, manner: Manner::Default, capture: None, vouched }
    }

    /// A server behind a proxy.
    pub(crate) fn behind(name: &'static str, kind: Kind, manner: Manner, capture: Capture) -> Self {
        Self { name, kind, manner, capture: Some(capture), vouched: true }
    }

    /// The domain that is reached by STARTTLS, and the one that is not.
    pub(crate) fn domains(&self) -> [String; 2] {
        domains_of(self.name)
    }

    /// Finds a place for the house and tells the world.
    pub(crate) fn publish(&self, world: &mut World) -> Host {
        let host = world.host(self.name);
        publish_both(world, self.name, &host, self.capture);
        host
    }

    /// Builds the house. `adjust` has the last word on the proxy's settings.
    pub(crate) fn build(&self, world: &World, host: &Host, adjust: impl Fn(&mut Proxy)) -> House {
        let names = everything(self.name);
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let leaf = Leaf::of(&names);
        let certificate =
            if self.vouched { leaf.signed_by(&world.authority) } else { leaf.self_signed() };
        let ligase = self.capture.map(|capture| {
            let mut proxy = Proxy::new(world, host, capture, &hosted(self.name), &certificate);
            adjust(&mut proxy);
            proxy.start()
        });
        let domains = self.domains();
        let domains = [&*domains[0], &*domains[1]];
        // Behind a proxy, what the server shows to clients need not be known to anybody else.
        let own = if ligase.is_some() { leaf.self_signed() } else { certificate };
        let mut setup = Setup::new(self.kind, host, &domains, &own).in_manner(self.manner);
        if ligase.is_none() {
            setup = setup.with_direct_tls(5270);
        }
        let server = setup.start();
        let [by_starttls, by_direct_tls] = domains.map(|domain| {
            server.register("somebody", domain);
            world.users().login(&format!("somebody@{domain}"), host)
        });
        House { name: self.name.to_owned(), server, ligase, by_starttls, by_direct_tls }
    }
}

impl House {
    /// Who lives at each of its domains.
    pub(crate) fn people(&self) -> [&User; 2] {
        [&self.by_starttls, &self.by_direct_tls]
    }

    /// Somebody new at one of its domains. Servers limit how much one of their users may do.
    pub(crate) fn newcomer(&self, world: &World, name: &str, domain: &str) -> User {
        self.server.register(name, domain);
        world.users().login(&format!("{name}@{domain}"), self.server.host())
    }

    /// The proxy, which there must be.
    pub(crate) fn proxy(&self) -> &Ligase {
        match &self.ligase {
            Some(ligase) => ligase,
            None => panic!("the house of {} has no proxy", self.name),
        }
    }
}

/// The two domains of a house.
pub(crate) fn domains_of(name: &str) -> [String; 2] {
    [format!("{name}.lab"), format!("direct-{name}.lab")]
}

/// The domains of a house and their rooms.
pub(crate) fn hosted(name: &str) -> Vec<String> {
    domains_of(name).iter().flat_map(|it| names_of(it)).collect()
}

/// All that a house's certificate names: its domains, their rooms, and its server.
pub(crate) fn everything(name: &str) -> Vec<String> {
    [vec![format!("xmpp.{name}.lab")], hosted(name)].concat()
}

/// Publishes a house at its host: where its server listens, or the proxy before it.
pub(crate) fn publish_both(world: &mut World, name: &str, host: &Host, capture: Option<Capture>) {
    let (starttls, direct) = match capture {
        // Peers come to the proxy's own port.
        Some(Capture::Dns) => (7269, 7269),
        // What comes to the server's port is caught.
        Some(Capture::Redirect) => (5269, 5269),
        None => (5269, 5270),
    };
    let target = format!("xmpp.{name}.lab");
    let [by_starttls, by_direct_tls] = domains_of(name);
    for domain in names_of(&by_starttls) {
        world.zone.server(&domain, starttls, &target);
    }
    for domain in names_of(&by_direct_tls) {
        world.zone.direct_server(&domain, direct, &target);
    }
    world.zone.address(&target, host);
}

/// A peer's proof on a public connection, as `/connections` tells of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Proof {
    /// The connection.
    pub(crate) id: u64,
    /// By what the peer is proven.
    pub(crate) prooftype: String,
    /// When that ends, if it does; such times sort as they pass.
    pub(crate) expires: Option<String>,
}

/// What a peer has proven on the public connections of one direction.
pub(crate) fn proofs_of(ligase: &Ligase, peer: &str, direction: &str) -> Vec<Proof> {
    let connections = ligase.json("/connections");
    let all = connections.as_array().into_iter().flatten();
    let chosen = all.filter(|it| it["side"] == "public" && it["direction"] == direction);
    let delegated = chosen.flat_map(|it| {
        let id = it["id"].as_u64().unwrap_or_default();
        let each = it["delegated"].as_array().into_iter().flatten();
        each.filter(|it| it["domain"] == peer).map(move |it| Proof {
            id,
            prooftype: it["prooftype"].as_str().unwrap_or_default().to_owned(),
            expires: it["expires_at"].as_str().map(str::to_owned),
        })
    });
    delegated.collect()
}

/// By what the peer is proven on the public connections of one direction.
pub(crate) fn proofs(ligase: &Ligase, peer: &str, direction: &str) -> Vec<String> {
    proofs_of(ligase, peer, direction).into_iter().map(|it| it.prooftype).collect()
}

/// The rows of a table of tests: each is run, whatever becomes of the others.
#[derive(Default)]
pub(crate) struct Rows {
    failed: Mutex<Vec<String>>,
}

impl Rows {
    /// Runs a row, unless so many have failed that the rest would only take time.
    pub(crate) fn run(&self, name: &str, row: impl FnOnce()) {
        if FAILED_MAX <= self.failed().len() {
            return;
        }
        if let Err(why) = catch_unwind(AssertUnwindSafe(row)) {
            let why = why.downcast_ref::<String>().cloned().unwrap_or_default();
            self.failed().push(format!("{name}: {why:.2000}"));
        }
    }

    fn failed(&self) -> MutexGuard<'_, Vec<String>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the test if a row failed.
    pub(crate) fn finish(self) {
        let failed = self.failed.into_inner().unwrap_or_else(PoisonError::into_inner);
        assert!(failed.is_empty(), "{} rows failed:\n{}", failed.len(), failed.join("\n"));
    }
}

/// Enough to see what is wrong; each may have taken as long as its patience.
const FAILED_MAX: usize = 12;

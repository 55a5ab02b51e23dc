//! Street: two houses behind proxies, a third proxy with nobody behind it, and strangers; and a
//! Prometheus that watches the three.

use std::thread;

use ligase_tests::{
    Capture, Certificate, Host, Kind, Leaf, Ligase, OrFail, Proxy, Server, Setup, Stranger, User,
    Web, World,
};

use crate::watch::Watch;

/// What the street is made of. What stands first is taken down first.
pub(crate) struct Street {
    pub(crate) watch: Watch,
    /// Whom everything is done to.
    pub(crate) montague: House,
    /// Their peer, behind a proxy as well.
    pub(crate) capulet: House,
    /// Nobody lives there, and nothing there is as it should be.
    pub(crate) benvolio: Option<Ligase>,
    pub(crate) strangers: Strangers,
    pub(crate) world: World,
}

/// A server with somebody who lives there, and the proxy before it.
pub(crate) struct House {
    pub(crate) ligase: Ligase,
    pub(crate) server: Option<Server>,
    pub(crate) user: User,
}

/// Scripted servers, all on one host.
pub(crate) struct Strangers {
    pub(crate) host: Host,
    /// An authority vouches for each.
    pub(crate) vouched: Stranger,
    pub(crate) vouched_certificate: Certificate,
    /// Nobody vouches for them.
    pub(crate) unproven: Stranger,
    /// A web server vouches for it.
    pub(crate) by_web: Stranger,
    /// It takes nothing from some time on.
    pub(crate) slow: Stranger,
    /// It shows another certificate than it has published.
    pub(crate) forged: Stranger,
    pub(crate) forged_certificate: Certificate,
    #[expect(dead_code, reason = "it serves for as long as it is kept")]
    web: Web,
}

impl Street {
    /// Builds the street. Nobody has said anything yet.
    pub(crate) fn build() -> Self {
        let mut world = World::new();
        let hosts = ["montague", "capulet"].map(|name| place(&mut world, name));
        let [montague, capulet] = ["montague", "capulet"].map(|name| certificate(&world, name));
        world.zone.tlsa("xmpp.capulet.lab", 7269, &capulet);
        let benvolio = place_benvolio(&mut world);
        let verona = world.host("verona");
        let forged = Strangers::publish(&mut world, &verona);
        world.open();

        let (world, all) = (world, [montague, capulet]);
        let strangers = Strangers::start(&world, &verona, forged);
        let names = ["montague", "capulet"];
        let [montague, capulet] = thread::scope(|scope| {
            let houses = names.iter().zip(&hosts).zip(&all).map(|((name, host), certificate)| {
                let world = &world;
                scope.spawn(move || House::build(world, name, host, certificate))
            });
            let houses: Vec<_> = houses.collect();
            let houses = houses.into_iter().map(|it| it.join().map_err(|_| "see above"));
            let houses: Vec<_> = houses.map(|it| it.or_fail("build a house")).collect();
            <[House; 2]>::try_from(houses).map_err(|_| "one is missing").or_fail("count houses")
        });
        let targets = [("montague", &hosts[0]), ("capulet", &hosts[1]), ("benvolio", &benvolio)];
        let targets = targets.map(|(name, host)| (name, admin(host)));
        let watch = Watch::start(&world.hub, &targets);
        let benvolio = Some(start_benvolio(&world, &benvolio));
        Self { watch, montague, capulet, benvolio, strangers, world }
    }

    /// The proxy with nobody behind it.
    pub(crate) fn benvolio(&mut self) -> &mut Ligase {
        self.benvolio.as_mut().or_fail("find benvolio's proxy")
    }
}

impl House {
    fn build(world: &World, name: &str, host: &Host, certificate: &Certificate) -> Self {
        let domain = format!("{name}.lab");
        let mut proxy = Proxy::new(world, host, Capture::Dns, &names_of(&domain), certificate);
        listen(&mut proxy, host);
        // There is another proxy whose records are looked at.
        proxy.set("self_check_seconds", "0");
        // Little is let wait, so that little has to be sent.
        proxy.set("limits.outbox_bytes", "262144");
        proxy.set("limits.outbox_seconds", "4");
        // Time enough for what waits for a connection to be seen waiting.
        proxy.set("limits.connect_seconds", "8");
        proxy.set("limits.lookup_seconds", "2");
        proxy.set("drain_seconds", "600");
        let ligase = proxy.start();
        let own = Leaf::of(&[&domain]).self_signed();
        let server = Setup::new(Kind::Prosody, host, &[&domain], &own).start();
        server.register("somebody", &domain);
        let user = world.users().login(&format!("somebody@{domain}"), host);
        Self { ligase, server: Some(server), user }
    }

    /// Its server, which there must be.
    pub(crate) fn server(&self) -> &Server {
        self.server.as_ref().or_fail("find a server")
    }
}

impl Strangers {
    /// Publishes where they are. Returns what one of them shows, which is not what it has published.
    fn publish(world: &mut World, host: &Host) -> Certificate {
        let each = [
            (domains("vouched", VOUCHED), 6000),
            (domains("unproven", UNPROVEN), 6001),
            (vec![BY_WEB.to_owned()], 6002),
            (vec![SLOW.to_owned()], 6003),
            (vec![FORGED.to_owned()], 6004),
            (domains("bogus", BOGUS), 6005),
        ];
        for (domains, port) in each {
            let target = format!("xmpp{port}.verona.lab");
            for domain in domains {
                world.zone.server(&domain, port, &target);
            }
            world.zone.address(&target, host);
        }
        world.zone.forge("5 6005 xmpp6005", "5 6006 xmpp6005");
        world.zone.address(BY_WEB, host);
        let [shown, published] = [(); 2].map(|()| world.authority.issue(&[FORGED]));
        world.zone.tlsa("xmpp6004.verona.lab", 6004, &published);
        shown
    }

    fn start(world: &World, host: &Host, forged_certificate: Certificate) -> Self {
        let vouched = domains("vouched", VOUCHED);
        let vouched: Vec<_> = vouched.iter().map(String::as_str).collect();
        let vouched_certificate = world.authority.issue(&vouched);
        let unproven = domains("unproven", UNPROVEN);
        let unproven: Vec<_> = unproven.iter().map(String::as_str).collect();
        let unvouched = Leaf::of(&["verona.lab"]).self_signed();
        let web = Web::start(host, &world.authority.issue(&[BY_WEB]));
        web.vouch(BY_WEB, &unvouched, 3600);
        let slow = world.authority.issue(&[SLOW]);
        Self {
            host: host.clone(),
            vouched: Stranger::listen_as(host, 6000, &vouched, &vouched_certificate),
            vouched_certificate,
            unproven: Stranger::listen_as(host, 6001, &unproven, &unvouched),
            by_web: Stranger::listen(host, 6002, BY_WEB, &unvouched),
            slow: Stranger::listen(host, 6003, SLOW, &slow),
            forged: Stranger::listen(host, 6004, FORGED, &forged_certificate),
            forged_certificate,
            web,
        }
    }
}

/// Somebody who lives with a stranger.
pub(crate) fn at(domain: &str) -> String {
    format!("sampson@{domain}")
}

/// So many domains of a kind.
pub(crate) fn domains(kind: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{kind}{number}.verona.lab")).collect()
}

fn names_of(domain: &str) -> Vec<String> {
    vec![domain.to_owned(), format!("conference.{domain}")]
}

/// A host for a house, which is published.
fn place(world: &mut World, name: &str) -> Host {
    let host = world.host(name);
    let target = format!("xmpp.{name}.lab");
    for domain in names_of(&format!("{name}.lab")) {
        world.zone.server(&domain, 7269, &target);
    }
    world.zone.address(&target, &host);
    host
}

fn certificate(world: &World, name: &str) -> Certificate {
    let names =
        [format!("xmpp.{name}.lab"), format!("{name}.lab"), format!("conference.{name}.lab")];
    world.authority.issue(&names.each_ref().map(String::as_str))
}

/// A host whose TLSA record is somebody else's, and one of whose domains is not published at all.
fn place_benvolio(world: &mut World) -> Host {
    let host = world.host("benvolio");
    let target = "xmpp.benvolio.lab";
    world.zone.server("benvolio.lab", 5269, target);
    world.zone.address(target, &host);
    let other = Leaf::of(&[target]).self_signed();
    world.zone.tlsa(target, 5269, &other);
    host
}

/// A proxy whose certificate is about to end.
fn start_benvolio(world: &World, host: &Host) -> Ligase {
    let names = ["benvolio.lab", "unlisted.lab"].map(str::to_owned);
    let leaf = Leaf::of(&["xmpp.benvolio.lab", "benvolio.lab", "unlisted.lab"]);
    let certificate = leaf.for_seconds(LAST_SECONDS).signed_by(&world.authority);
    let mut proxy = Proxy::new(world, host, Capture::Redirect, &names, &certificate);
    listen(&mut proxy, host);
    proxy.start()
}

/// Opens the admin port to Prometheus.
fn listen(proxy: &mut Proxy, host: &Host) {
    proxy.set("listen.admin", &format!("[\"127.0.0.1:7290\", \"{}\"]", admin(host)));
}

fn admin(host: &Host) -> String {
    format!("{}:7290", host.v4)
}

/// How many domains of a kind there are. More than twenty of something make an alert.
pub(crate) const VOUCHED: usize = 8;
pub(crate) const UNPROVEN: usize = 25;
pub(crate) const BOGUS: usize = 60;

/// Single domains.
pub(crate) const BY_WEB: &str = "web.verona.lab";
pub(crate) const SLOW: &str = "slow.verona.lab";
pub(crate) const FORGED: &str = "forged.verona.lab";

/// How long a certificate lives that is to end while the test runs: longer than a proxy takes to
/// start.
const LAST_SECONDS: i64 = 30;

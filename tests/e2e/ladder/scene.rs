//! Scene: the proxy between a scripted server and the porters of all rows.

use ligase_tests::{
    Capture, Certificate, Host, Leaf, Ligase, Outcome, Peer, Porter, Proxy, Stranger, World,
};

use super::{Climb, Fault, Place, Row};
use crate::verona::Rows;

/// Everybody who takes part. The server serves `own.lab`, which has a certificate of its own, and
/// `bare.lab`, which has none.
pub(super) struct Scene<'a> {
    rows: &'a [Row],
    porters: Vec<Porter>,
    server: Stranger,
    ligase: Ligase,
    /// The digests of our server's own certificate and of its tenant's.
    house: String,
    tenant: String,
    /// It goes last, with all its hosts.
    _world: World,
}

impl<'a> Scene<'a> {
    pub(super) fn new(rows: &'a [Row]) -> Self {
        let mut world = World::new();
        let (house, padua) = (world.host("house"), world.host("padua"));
        for (number, row) in rows.iter().enumerate() {
            row.place.publish(&mut world, &padua, number);
        }
        world.open();

        let own = world.authority.issue(&["xmpp.own.lab"]);
        let tenant = world.authority.issue(&["own.lab"]);
        let hosted = [OWN, BARE].map(str::to_owned);
        let mut proxy = Proxy::new(&world, &house, Capture::Dns, &hosted, &own);
        let folder = proxy.folder();
        let files = [own.write(&folder, "tls"), tenant.write(&folder, "tenant")];
        let files = files
            .map(|(chain, key)| format!("{{chain: {}, key: {}}}", chain.display(), key.display()));
        proxy.set("certificates", &format!("[{}]", files.join(", ")));
        proxy.set("policy.default", "encrypted");
        let levels = ["any", "dna"].map(|it| format!("\"*.{it}.lab\": {it}, \"*.{it}.old\": {it}"));
        proxy.set("policy.peers", &format!("{{{}}}", levels.join(", ")));
        // Who says nothing is given up soon.
        proxy.set("limits.step_seconds", STEP_SECONDS);
        proxy.set("limits.tls_seconds", STEP_SECONDS);
        let ligase = proxy.start();

        let server = Stranger::listen_as(&house, 5269, &[OWN, BARE], &own);
        let peer = Peer::on(&padua);
        let porter = |(number, row): (usize, &Row)| {
            let (domain, target) = (row.place.domain(number), row.place.server(number));
            let certificate = row.place.certificate(&world, number);
            Porter::listen(&peer, port(number), (&domain, &target), &certificate, &[&tenant])
        };
        let porters = rows.iter().enumerate().map(porter).collect();
        let (house, tenant) = (own.digest(), tenant.digest());
        Self { rows, porters, server, ligase, house, tenant, _world: world }
    }

    /// Runs every row, one after the other, so that what is counted is counted for it.
    pub(super) fn play(&self) {
        let results = Rows::default();
        for (number, (row, porter)) in self.rows.iter().zip(&self.porters).enumerate() {
            for (time, climb) in row.climbs.iter().enumerate() {
                let name = format!("{}, time {}", row.name, time + 1);
                results.run(&name, || self.climb(number, row, porter, climb));
            }
        }
        // Nobody has come since.
        for porter in &self.porters {
            let last = porter.visits();
            results.run("after all", || assert_eq!(last, [""; 0]));
        }
        results.finish();
    }

    fn climb(&self, number: usize, row: &Row, porter: &Porter, climb: &Climb) {
        let before = self.falls();
        porter.follow(climb.script);
        let domain = row.place.domain(number);
        let sender = if climb.certified { OWN } else { BARE };
        let body = format!("{number} knocks");
        let leaves = climb.visits.last().is_some_and(|it| it.ends_with("message"));
        let message = match leaves {
            true => format!(
                "<message type='chat' from='porter@{sender}' to='macduff@{domain}'>\
                 <body>{body}</body></message>"
            ),
            false => String::new(),
        };
        let outcome = self.server.claim(BACKEND, sender, &domain, None, &message);

        if leaves && outcome == Outcome::Let {
            porter.hear(&body);
        }
        let visits = porter.visits_when_open(climb.modes.len());
        let visits: Vec<_> =
            visits.iter().map(|it| self.in_short(it, number, row, sender)).collect();
        assert_eq!(visits, climb.visits, "{outcome:?}");
        match &outcome {
            Outcome::Let => assert!(leaves, "let in"),
            Outcome::Refused(why) => {
                let refused = ["remote-connection-failed", "type='error'"];
                let refused = refused.iter().any(|it| why.contains(it));
                assert!(!leaves && refused, "refused: {why}");
            }
        }
        assert_eq!(self.modes(number), climb.modes);
        let mut falls = self.falls();
        for (rung, count) in before {
            let counted = falls.iter_mut().find(|(it, _)| *it == rung);
            let _ = counted.map(|(_, it)| *it -= count);
        }
        let falls: Vec<_> = falls
            .into_iter()
            .flat_map(|(rung, count)| vec![rung; usize::try_from(count).unwrap_or_default()])
            .collect();
        assert_eq!(falls, climb.falls);
        porter.dismiss();
        porter.follow(&[]);
    }

    /// A visit with the parts that everybody plays in place of their names.
    fn in_short(&self, visit: &str, number: usize, row: &Row, sender: &str) -> String {
        let (peer, server) = (row.place.domain(number), row.place.server(number));
        let parts = [
            (&*self.house, "house"),
            (&*self.tenant, "tenant"),
            ("xmpp.own.lab", "house"),
            (sender, "tenant"),
            (&*server, "server"),
            (&*peer, "peer"),
        ];
        parts.iter().fold(visit.to_owned(), |text, (name, part)| text.replace(name, part))
    }

    /// How often each rung was fallen to, from the best to the worst.
    fn falls(&self) -> Vec<(&'static str, u64)> {
        let (_, text) = self.ligase.get("/metrics");
        let count = |rung: &'static str| {
            let sample = format!("ligase_fallback_total{{rung=\"{rung}\"}} ");
            let count = text.lines().find_map(|line| line.strip_prefix(&sample));
            let count = count.and_then(|it| it.parse().ok());
            assert!(count.is_some(), "{rung} is not counted");
            (rung, count.unwrap_or_default())
        };
        RUNGS.map(count).to_vec()
    }

    /// The modes of the connections that lead to a porter.
    fn modes(&self, number: usize) -> Vec<String> {
        let connections = self.ligase.json("/connections");
        let at = format!(":{}", port(number));
        let all = connections.as_array().into_iter().flatten();
        let chosen = all.filter(|it| {
            it["direction"] == "outbound"
                && it["peer_address"].as_str().is_some_and(|it| it.ends_with(&at))
        });
        chosen.map(|it| it["mode"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

impl Place {
    fn domain(self, number: usize) -> String {
        let tld = if self.signed { "lab" } else { "old" };
        format!("p{number}.{}.{tld}", self.level)
    }

    fn server(self, number: usize) -> String {
        format!("xmpp.{}", self.domain(number))
    }

    fn certificate(self, world: &World, number: usize) -> Certificate {
        let leaf = [self.domain(number), self.server(number)];
        let leaf = Leaf::of(&leaf.each_ref().map(String::as_str));
        match self.fault {
            Some(Fault::SelfSigned) => leaf.self_signed(),
            _ => leaf.signed_by(&world.authority),
        }
    }

    fn publish(self, world: &mut World, host: &Host, number: usize) {
        let (domain, server, port) = (self.domain(number), self.server(number), port(number));
        world.zone.server(&domain, port, &server);
        world.zone.address(&server, host);
        match self.fault {
            None | Some(Fault::SelfSigned) => (),
            Some(Fault::ForgedDelegation) => {
                world
                    .zone
                    .forge(&format!("0 5 {port} {server}."), &format!("0 6 {port} {server}."));
            }
            Some(Fault::ForgedPin) => {
                let pin = format!("3 1 1 {}", "AB".repeat(32));
                world.zone.record(&format!("_{port}._tcp.{server}"), "TLSA", &pin);
                world.zone.forge(&"AB".repeat(8), &"CD".repeat(8));
            }
            Some(Fault::OtherPin) => {
                let other = world.authority.issue(&[&domain]);
                world.zone.tlsa(&server, port, &other);
            }
        }
    }
}

fn port(number: usize) -> u16 {
    // No other server listens there.
    u16::try_from(6000 + number).unwrap_or_default()
}

/// The domains of our own server.
const OWN: &str = "own.lab";
const BARE: &str = "bare.lab";

const RUNGS: [&str; 5] = ["server-name", "domain-name", "sender-certificate", "dialback", "plain"];

/// Where the proxy listens for the server behind it.
const BACKEND: &str = "127.0.0.1:7270";

/// Longer than any honest step takes on a busy machine.
const STEP_SECONDS: &str = "3";

//! Every kind of server behind a proxy, with every kind of peer, by every way in and out.

use std::thread::{self, Scope};

use ligase_tests::{Capture, Host, Kind, Leaf, Ligase, Manner, OldServer, Proxy, World};

use crate::conversation::{converse, pour, pour_with_old, talk_with_old};
use crate::verona::{House, Plan, Rows, domains_of, everything, hosted, publish_both};

#[test]
fn every_backend_talks_with_every_peer_when_captured_by_dns() {
    matrix(Capture::Dns);
}

#[test]
fn every_backend_talks_with_every_peer_when_captured_by_redirection() {
    matrix(Capture::Redirect);
}

/// Servers behind a proxy, as their packages have them and told to do without TLS; one of old;
/// and peers that an authority vouches for, and that nobody does.
fn matrix(capture: Capture) {
    let backends = [
        Plan::behind("montague", Kind::Ejabberd, Manner::Default, capture),
        Plan::behind("capulet", Kind::Prosody, Manner::Default, capture),
        Plan::behind("benvolio", Kind::Ejabberd, Manner::InTheClear, capture),
        Plan::behind("tybalt", Kind::Prosody, Manner::InTheClear, capture),
    ];
    let peers = [
        Plan::bare("escalus", Kind::Prosody, true),
        Plan::bare("paris", Kind::Ejabberd, true),
        Plan::bare("laurence", Kind::Prosody, false),
        Plan::bare("peter", Kind::Ejabberd, false),
    ];
    let mut world = World::new();
    let places: Vec<_> =
        backends.iter().chain(&peers).map(|plan| (plan, plan.publish(&mut world))).collect();
    let old = world.host("verona");
    publish_both(&mut world, "verona", &old, Some(capture));
    world.open();

    let (world, rows) = (&world, Rows::default());
    let houses: Vec<_> = thread::scope(|scope| {
        let building: Vec<_> = places
            .iter()
            .map(|(plan, host)| scope.spawn(move || plan.build(world, host, |_| ())))
            .collect();
        building.into_iter().filter_map(|house| house.join().ok()).collect()
    });
    assert_eq!(houses.len(), places.len(), "not every house was built");
    let (behind, bare) = houses.split_at(backends.len());
    let (old, proxy) = old_server(world, &old, capture);

    thread::scope(|scope| {
        let rows = &rows;
        for (number, backend) in behind.iter().enumerate() {
            let others = behind.iter().skip(number + 1);
            let others = others.filter(|other| other.server.kind() != backend.server.kind());
            let others: Vec<_> = bare.iter().chain(others).collect();
            scope.spawn(move || others.iter().for_each(|other| visit(world, rows, backend, other)));
        }
        for house in &houses {
            let old = &old;
            scope.spawn(move || visit_old(rows, old, house));
        }
    });
    let all = Pours { rows: &rows, behind, bare, old: &old };
    thread::scope(|scope| all.start(scope));
    for house in behind {
        rows.run(&format!("the books of {}", house.name), || audit(house));
    }
    rows.run("the books of verona", || assert_upgraded(&proxy));
    rows.finish();
}

/// One server with another, by STARTTLS and by direct TLS.
fn visit(world: &World, rows: &Rows, ours: &House, theirs: &House) {
    for (our, their) in domains_of(&ours.name).iter().zip(&domains_of(&theirs.name)) {
        rows.run(&format!("{our} and {their}"), || {
            let our = ours.newcomer(world, &theirs.name, our);
            let their = theirs.newcomer(world, &ours.name, their);
            converse(&our, &their);
        });
    }
}

/// The server of old with both domains of a house.
fn visit_old(rows: &Rows, old: &OldServer, house: &House) {
    for user in house.people() {
        rows.run(&format!("verona.lab and {}", user.domain()), || {
            talk_with_old(old, PRINCE, user);
        });
    }
}

/// A megabyte each way between every two, all at once: Prosody lets no more than 30 kB a second of
/// each peer in, so they have to wait for it together.
#[derive(Clone, Copy)]
struct Pours<'a> {
    rows: &'a Rows,
    behind: &'a [House],
    bare: &'a [House],
    old: &'a OldServer,
}

impl<'a> Pours<'a> {
    fn start<'scope>(self, scope: &'scope Scope<'scope, 'a>) {
        for (number, ours) in self.behind.iter().enumerate() {
            for theirs in self.bare.iter().chain(self.behind.iter().skip(number + 1)) {
                scope.spawn(move || self.pour(scope, ours, theirs));
                scope.spawn(move || self.pour(scope, theirs, ours));
            }
        }
        for house in self.behind.iter().chain(self.bare) {
            for user in house.people() {
                let name = format!("a megabyte each way between verona.lab and {}", user.jid);
                scope.spawn(move || {
                    self.rows.run(&name, || pour_with_old(self.old, PRINCE, &house.server, user));
                });
            }
        }
    }

    /// One house to another, by both of their domains.
    fn pour<'scope>(self, scope: &'scope Scope<'scope, 'a>, from: &'a House, to: &'a House) {
        for (sender, target) in from.people().into_iter().zip(to.people()) {
            let name = format!("a megabyte from {} to {}", sender.jid, target.jid);
            scope.spawn(move || {
                self.rows.run(&name, || pour(&from.server, sender, target));
            });
        }
    }
}

/// What the proxy counted is what happened.
fn audit(house: &House) {
    let ligase = house.proxy();
    assert!(0.0 < ligase.metric("ligase_bindings_active", &["proof=\"pkix\""]), "nothing by PKIX");
    let dialback = ligase.metric("ligase_bindings_active", &["proof=\"dialback\""]);
    assert!(0.0 < dialback, "nothing by dialback");
    let violations = ligase.metric("ligase_violations_total", &[]);
    assert!(violations.abs() < f64::EPSILON, "violations: {}", ligase.get("/metrics").1);
    if house.server.manner() == Manner::InTheClear {
        assert_upgraded(ligase);
    }
    assert_eq!(house.server.changes(), changes(house), "more was changed than is told");
}

/// All that the server's configuration may have in which it differs from its package's.
fn changes(house: &House) -> Vec<String> {
    let domains = domains_of(&house.name);
    let lines: Vec<&str> = match (house.server.kind(), house.server.manner()) {
        (Kind::Prosody, Manner::InTheClear) => vec![
            "-s2s_secure_auth = true",
            "+s2s_secure_auth = false",
            "+s2s_require_encryption = false",
            "+s2s_allow_encryption = false",
        ],
        (Kind::Ejabberd, Manner::InTheClear) => {
            vec!["-s2s_use_starttls: required", "+s2s_use_starttls: false"]
        }
        (Kind::Prosody | Kind::Ejabberd, Manner::Default | Manner::Unproven) => Vec::new(),
    };
    let lines: Vec<_> = lines.into_iter().map(str::to_owned).collect();
    match house.server.kind() {
        Kind::Prosody => {
            let hosts = domains.iter().flat_map(|domain| {
                let rooms = format!("+Component \"conference.{domain}\" \"muc\"");
                [format!("+VirtualHost \"{domain}\""), rooms]
            });
            lines.into_iter().chain(hosts).collect()
        }
        Kind::Ejabberd => {
            let hosts = domains.iter().map(|domain| format!("+  - {domain}"));
            ["-  - localhost".to_owned()].into_iter().chain(hosts).chain(lines).collect()
        }
    }
}

/// A server that knows dialback only was met by others with more.
fn assert_upgraded(ligase: &Ligase) {
    assert!(0.0 < ligase.metric("ligase_auth_upgrades_total", &["to=\"pkix\""]), "no upgrade");
}

/// A server of old behind a proxy.
fn old_server(world: &World, host: &Host, capture: Capture) -> (OldServer, Ligase) {
    let names = everything("verona");
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let certificate = Leaf::of(&names).signed_by(&world.authority);
    let proxy = Proxy::new(world, host, capture, &hosted("verona"), &certificate).start();
    (OldServer::start(host, "verona.lab"), proxy)
}

/// Who lives at the server of old.
const PRINCE: &str = "prince@verona.lab";

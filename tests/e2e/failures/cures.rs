//! Cures: each does what the advice says, with the tools that it names.

use std::fs;
use std::time::Duration;

use ligase_tests::peer::program;
use ligase_tests::{Kind, Leaf, OrFail, Setup};

use super::scene::{Scene, good, ours};
use super::told::Told;

/// For a row that has none yet.
pub(super) fn nothing(_: &Scene, _: &Told) {}

/// Asks which record it is, and publishes the zone with sound signatures.
pub(super) fn sign_the_zone(scene: &Scene, told: &Told) {
    let said = scene.check(told);
    assert!(said.contains("_xmpp-server._tcp.forged.lab"), "{said}");
    scene.republish(|zone| zone.mend());
}

/// Publishes the record that `ligase check` prints.
pub(super) fn publish_the_tlsa_record(scene: &Scene, told: &Told) {
    let said = scene.check(told);
    let record =
        said.lines().find_map(|line| line.trim().strip_prefix("_5269._tcp.xmpp.pinned.lab."));
    let record = record.or_fail(&format!("find a record to publish in {said}"));
    scene.republish(|zone| {
        zone.forget("_5269._tcp.xmpp.pinned.lab", "TLSA");
        zone.lines(&format!("_5269._tcp.xmpp.pinned.lab.{record}"));
    });
}

pub(super) fn show_a_good_certificate(scene: &Scene, told: &Told) {
    let domain = &told.remote;
    let certificate = good(&scene.world.lock().or_fail("find the world"), domain);
    scene.verona.renew(domain, &certificate);
}

pub(super) fn let_the_web_through(scene: &Scene, _: &Told) {
    scene.hosts.verona.run("nft", &["delete", "table", "inet", "web"]);
}

pub(super) fn let_the_peer_through(scene: &Scene, _: &Told) {
    scene.hosts.verona.run("nft", &["delete", "table", "inet", "xmpp"]);
}

/// Has an authority sign one that is for clients, too, and writes it over the other.
pub(super) fn show_a_certificate_for_clients(scene: &Scene, _: &Told) {
    let certificate = ours().signed_by(&scene.world.lock().or_fail("find the world").authority);
    let proxy = scene.proxy.lock().or_fail("find the settings");
    certificate.write(&proxy.folder(), "tls");
    proxy.write();
    scene.ligase.await_answer("/certificates", &certificate.digest());
}

/// Publishes what `ligase records` prints, instead of what stands there, and ends the server where the
/// domain was.
pub(super) fn publish_our_records(scene: &Scene, _: &Told) {
    let config = scene.proxy.lock().or_fail("find the settings").config();
    let config = config.display().to_string();
    let arguments = ["records", "--config", &config, "tenant.lab"];
    let printed = scene.hosts.montague.run(&program("ligase"), &arguments);
    scene.republish(|zone| {
        zone.forget("_xmpp-server._tcp.tenant.lab", "SRV");
        zone.lines(&printed);
    });
    scene.elder.lock().or_fail("find the old server").take();
}

pub(super) fn start_the_peer(scene: &Scene, _: &Told) {
    let certificate = good(&scene.world.lock().or_fail("find the world"), "asleep.lab");
    let setup = Setup::new(Kind::Prosody, &scene.hosts.asleep, &["asleep.lab"], &certificate);
    let server = setup.start();
    server.register("somebody", "asleep.lab");
    *scene.asleep.lock().or_fail("find the peer") = Some(server);
}

pub(super) fn point_at_the_right_server(scene: &Scene, _: &Told) {
    let host = &scene.hosts.capulet;
    scene.republish(|zone| {
        for kind in ["A", "AAAA"] {
            zone.forget("xmpp.moved.lab", kind);
        }
        zone.address("xmpp.moved.lab", host);
    });
}

/// Writes what the advice quotes into the configuration.
pub(super) fn make_an_exception(scene: &Scene, _: &Told) {
    let mut proxy = scene.proxy.lock().or_fail("find the settings");
    proxy.set("policy.peers", "{modest.lab: encrypted}");
    let text = fs::read_to_string(proxy.config()).or_fail("read the configuration");
    assert!(!text.contains("policy.peers"), "{text}");
    proxy.write();
    let asked = "/explain?local=montague.lab&remote=modest.lab";
    scene.ligase.await_answer(asked, "\"level\":\"encrypted\"");
}

/// Starts it where it ran before.
pub(super) fn start_our_server(scene: &Scene, _: &Told) {
    let own = Leaf::of(&["montague.lab"]).self_signed();
    let domains = ["montague.lab", "tenant.lab"];
    let setup = Setup::new(Kind::Prosody, &scene.hosts.montague, &domains, &own);
    *scene.ours.lock().or_fail("find our server") = Some(setup.start_again());
    // Whoever was logged in there is not any more.
    scene.users.lock().or_fail("find the users").remove("montague.lab");
}

impl Scene {
    /// What the command says that the advice names.
    fn check(&self, told: &Told) -> String {
        let mut command = self.hosts.montague.command(&program("ligase"));
        let config = self.proxy.lock().or_fail("find the settings").config();
        let done = command.args(["check", &told.remote, "--config"]).arg(config).output();
        let done = done.or_fail("run ligase check");
        let said = [done.stdout, done.stderr].concat();
        String::from_utf8_lossy(&said).into_owned()
    }

    fn republish(&self, change: impl FnOnce(&mut ligase_tests::Zone)) {
        self.world.lock().or_fail("find the world").republish(change);
        // Those who are asked by others than us remember what they heard for as long as it lives.
        std::thread::sleep(Duration::from_secs(2));
    }
}

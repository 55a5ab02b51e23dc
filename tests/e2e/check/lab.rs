//! A world for checks: one host full of doors, and a DNS that leads to them.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use ligase_tests::peer::program;
use ligase_tests::{Certificate, Host, OrFail, World};
use serde_json::Value;

use super::doors::{Doors, SERVER};

/// The world, the host that all domains live at, and what is at its ports.
pub(crate) struct Lab {
    pub(crate) world: World,
    pub(crate) host: Host,
    pub(crate) doors: Doors,
}

/// What a check has found.
pub(crate) struct Found {
    pub(crate) exit: i32,
    pub(crate) json: Value,
    pub(crate) took: Duration,
}

impl Lab {
    /// A world in which nobody lives yet.
    pub(crate) fn new() -> Self {
        let mut world = World::new();
        let host = world.host("verona");
        let doors = Doors::at(&host);
        let lab = Self { world, host, doors };
        fs::write(lab.folder().join(ROOTS), lab.world.authority.pem())
            .or_fail("write the authorities");
        lab
    }

    /// A domain that is at a port of `xmpp.DOMAIN`.
    pub(crate) fn domain(&mut self, domain: &str, port: u16) {
        let target = format!("xmpp.{domain}");
        self.world.zone.server(domain, port, &target);
        self.world.zone.address(&target, &self.host);
    }

    /// The same, with a server that shows this.
    pub(crate) fn served(&mut self, domain: &str, port: u16, certificate: &Certificate) {
        self.domain(domain, port);
        self.doors.starttls(port, SERVER, certificate);
    }

    /// Pins the key of a certificate at a port of `xmpp.DOMAIN`.
    pub(crate) fn pin(&mut self, domain: &str, port: u16, certificate: &Certificate) {
        self.world.zone.tlsa(&format!("xmpp.{domain}"), port, certificate);
    }

    /// Where checks are run.
    pub(crate) fn folder(&self) -> PathBuf {
        self.world.hub.folder("check")
    }

    /// A check from the middle of the world.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.world.hub.command(&program("ligase"));
        command.current_dir(self.folder());
        command.arg("check").args(arguments).args(["--resolver", &self.world.resolver()]);
        command.arg("--trust-anchor").arg(self.world.trust_anchor());
        command.args(["--roots", ROOTS]).args(["--posh-port", "8443"]);
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().or_fail("run ligase check")
    }

    /// What a check prints for people, and its exit code.
    pub(crate) fn text(&self, arguments: &[&str]) -> (String, i32) {
        let done = self.run(arguments);
        let said = [done.stdout, done.stderr].concat();
        let exit = done.status.code().or_fail("end by itself");
        (String::from_utf8_lossy(&said).into_owned(), exit)
    }

    /// What a check prints for programs.
    #[track_caller]
    #[expect(clippy::disallowed_methods, reason = "how long it takes is promised")]
    pub(crate) fn json(&self, arguments: &[&str]) -> Found {
        let started = Instant::now();
        let done = self.run(&[arguments, &["-o", "json"]].concat());
        let took = started.elapsed();
        let exit = done.status.code().or_fail("end by itself");
        let text = String::from_utf8(done.stdout).or_fail("read text");
        assert!(text.bytes().all(|it| it == b'\n' || (b' '..=b'~').contains(&it)), "{text}");
        let json = serde_json::from_str(&text).or_fail(&format!("read {text:?}"));
        Found { exit, json, took }
    }
}

impl Found {
    /// What was found about one of the domains.
    #[track_caller]
    pub(crate) fn check(&self, domain: &str) -> &Value {
        let checks = self.json["checks"].as_array();
        let found = checks.into_iter().flatten().find(|it| it["domain"] == domain);
        found.or_fail(&format!("find {domain} in {:#}", self.json))
    }

    /// The first finding of an id about the only domain.
    #[track_caller]
    pub(crate) fn finding(&self, id: &str) -> &Value {
        let findings = self.json["checks"][0]["findings"].as_array();
        let found = findings.into_iter().flatten().find(|it| it["id"] == id);
        found.or_fail(&format!("find {id} in {:#}", self.json))
    }
}

/// The file with the authority that everybody trusts.
const ROOTS: &str = "roots.pem";

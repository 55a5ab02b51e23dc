//! Faults: what an operator is to be told of, brought about.

use std::fs;
use std::time::Duration;

use ligase_tests::{Authority, Host, Leaf, OrFail, Outcome, Peer};

use crate::alarms::Alarms;
use crate::street::{BOGUS, SLOW, Street, UNPROVEN, VOUCHED, at, domains};
use crate::watch::{SOON, Watch};

/// What was wrong at benvolio's from the beginning.
pub(crate) fn born(street: &Street, alarms: &mut Alarms) {
    let watch = &street.watch;
    alarms.expect(watch, "LigaseCertificateExpirySoon", "warning");
    alarms.expect(watch, "LigaseCertificateExpiryCritical", "critical");
    alarms.expect(watch, "LigaseOwnTlsaMismatch", "critical");
    alarms.expect(watch, "LigaseOwnRecordsFailing", "warning");
    alarms.expect(watch, "LigaseSelfCheckStale", "warning");
    alarms.expect(watch, "LigaseNotReady", "warning");
}

/// Files that somebody broke, descriptors that are used up, and rules that turn us to ourselves.
pub(crate) fn careless(street: &mut Street, alarms: &mut Alarms) {
    let host = street.benvolio().host().clone();
    let ligase = street.benvolio();

    let open = ligase.metric("process_open_fds", &[]);
    let few = (open / 0.85).round();
    let pid = ligase.program().id().to_string();
    limit(&host, &pid, few);

    turn(&host, "tcp dport 7269 redirect to :7270");
    let knocking = Peer::on(&host);
    for _ in 0..3 {
        // Who is turned away at once may not even have been let in.
        let _ = knocking.try_dial("127.0.0.1:7269").map(|it| it.end_within(SOON));
    }

    let ligase = street.benvolio();
    let other = Leaf::of(&["benvolio.lab"]).self_signed();
    let key = ligase.proxy().folder().join("tls.key");
    let sound_key = fs::read(&key).or_fail("read a key");
    fs::write(&key, other.key()).or_fail("break a key");
    alarms.expect(&street.watch, "LigaseCertificateReloadFailed", "warning");
    fs::write(&key, sound_key).or_fail("mend a key");

    let config = street.benvolio().proxy().config();
    let sound = fs::read_to_string(&config).or_fail("read the configuration");
    fs::write(&config, format!("{sound}nonsense: true\n")).or_fail("break the configuration");
    alarms.expect(&street.watch, "LigaseConfigReloadFailed", "warning");
    alarms.expect(&street.watch, "LigaseFdExhaustion", "warning");
    alarms.expect(&street.watch, "LigaseRedirectLoop", "critical");

    // What is mended is not complained about any more.
    limit(&host, &pid, 1024.0);
    fs::write(&config, sound).or_fail("mend the configuration");
    let forgiven = street.watch.wait(PATIENCE, |watch| {
        let firing = watch.firing();
        let names = ["LigaseConfigReloadFailed", "LigaseFdExhaustion"];
        match firing.iter().find(|it| names.contains(&&*it.name)) {
            Some(alarm) => Err(format!("{alarm:?}")),
            None => Ok(()),
        }
    });
    forgiven.or_fail("be forgiven");
}

/// Connections that break.
pub(crate) fn broken(street: &Street, alarms: &mut Alarms) {
    let host = street.montague.ligase.host();
    host.run("ss", &["-K", "state", "established", "dport", "=", ":6001"]);
    alarms.expect(&street.watch, "LigaseChannelFlapping", "warning");
}

/// Forgers: of DNS, and of a peer.
pub(crate) fn forged(street: &Street, alarms: &mut Alarms) {
    let romeo = &street.montague.user;
    for domain in domains("bogus", BOGUS) {
        romeo.say(&at(&domain), "Who goes there?");
    }
    let forger = &street.strangers.forged;
    let place = format!("{}:7269", street.montague.ligase.host().v4);
    for _ in 0..FORGERIES {
        let shown = Some(&street.strangers.forged_certificate);
        let outcome = forger.claim(&place, forger.domain(), romeo.domain(), shown, "<presence/>");
        assert_ne!(outcome, Outcome::Let);
    }
    alarms.expect(&street.watch, "LigaseDnssecBogus", "warning");
    alarms.expect(&street.watch, "LigaseFederationFailing", "critical");
    alarms.expect(&street.watch, "LigaseFederationFailing", "warning");
}

/// An authority that we do not trust any more.
pub(crate) fn distrusted(street: &mut Street, alarms: &mut Alarms) {
    let ligase = &mut street.montague.ligase;
    let roots = ligase.proxy().folder().join("roots.pem");
    let sound = fs::read(&roots).or_fail("read the trusted roots");
    fs::write(&roots, Authority::new("Padua").pem()).or_fail("exchange the trusted roots");
    alarms.expect(&street.watch, "LigaseProofsFailing", "warning");
    for domain in domains("vouched", VOUCHED) {
        street.montague.user.say(&at(&domain), "Do you know me?");
    }
    alarms.expect(&street.watch, "LigaseDowngrades", "warning");
    fs::write(&roots, sound).or_fail("trust again");
}

/// A server that ends while others write to its users.
pub(crate) fn deserted(street: &mut Street, alarms: &mut Alarms) {
    street.capulet.server = None;
    let montague = &street.montague;
    montague.server().pour(&montague.user.jid, &street.capulet.user.jid, MANY, 64);
    alarms.expect(&street.watch, "LigaseBackendDown", "critical");
}

/// A peer that takes nothing any more, and cannot be reached again.
pub(crate) fn stuck(street: &Street, alarms: &mut Alarms) {
    let montague = &street.montague;
    montague.user.say(&at(SLOW), "Go on");
    street.strangers.slow.hear("Go on");
    drop_arriving(&street.strangers.host, "tcp dport 6003");
    montague.server().pour(&montague.user.jid, &at(SLOW), 2000, 1000);
    alarms.expect(&street.watch, "LigaseBackpressure", "warning");
    alarms.expect(&street.watch, "LigaseQueueFilling", "warning");
    alarms.expect(&street.watch, "LigaseBouncing", "warning");
}

/// A resolver that does not answer.
pub(crate) fn unanswered(street: &Street, alarms: &mut Alarms) {
    let hub = &street.world.hub;
    drop_arriving(hub, "meta l4proto { tcp, udp } th dport 53");
    for domain in domains("lost", UNPROVEN) {
        street.montague.user.say(&at(&domain), "Is anybody there?");
    }
    alarms.expect(&street.watch, "LigaseResolverDown", "critical");
    mend(hub);
}

/// A drain that waits for a peer that takes nothing.
pub(crate) fn lingering(street: &Street, alarms: &mut Alarms) {
    street.montague.ligase.log().signal("TERM");
    alarms.expect(&street.watch, "LigaseDrainStuck", "warning");
}

/// A proxy that is gone.
pub(crate) fn gone(street: &mut Street, alarms: &mut Alarms) {
    street.benvolio = None;
    alarms.expect(&street.watch, "LigaseDown", "critical");
}

/// Nothing is wrong where nothing was done.
pub(crate) fn none(watch: &Watch) {
    let firing = watch.firing();
    let wrong: Vec<_> = firing.iter().filter(|it| it.instance != "benvolio").collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// Lets a process of the proxies' user have so many descriptors.
fn limit(host: &Host, pid: &str, count: f64) {
    let user = ["--reuid", "7269", "--regid", "7269", "--clear-groups"];
    let limit = format!("--nofile={count}:");
    host.run("setpriv", &[&user[..], &["prlimit", "--pid", pid, &limit]].concat());
}

/// Adds a rule that turns what leaves a host to somewhere else.
fn turn(host: &Host, rule: &str) {
    let rules = format!(
        "add table inet stage; \
         add chain inet stage out {{ type nat hook output priority -150; }}; \
         add rule inet stage out {rule}"
    );
    host.run("nft", &[&rules]);
}

/// Adds a rule by which what arrives at a host is lost.
fn drop_arriving(host: &Host, what: &str) {
    let rules = format!(
        "add table inet stage; \
         add chain inet stage in {{ type filter hook input priority 0; }}; \
         add rule inet stage in {what} drop"
    );
    host.run("nft", &[&rules]);
}

/// Takes back what was added.
fn mend(host: &Host) {
    host.run("nft", &["delete", "table", "inet", "stage"]);
}

/// Enough for alerts to end that have no window.
const PATIENCE: Duration = Duration::from_secs(15);

/// Each is looked at twice, and with more than twenty somebody is called.
const FORGERIES: usize = 12;

/// More than twenty.
const MANY: usize = 40;

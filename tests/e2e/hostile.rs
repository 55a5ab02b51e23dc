//! What strangers can write: names and mistakes without end make no more series, no more lines of the
//! log than somebody can read, and nothing in either that they made up.

mod log;
mod scripts;

use std::collections::BTreeMap;
use std::env;
use std::time::{Duration, Instant};

use ligase_tests::flood::FORGED;
use ligase_tests::peer::program;
use ligase_tests::{Capture, Host, Leaf, Ligase, OrFail, Outcome, Proxy, Stranger, World};
use serde_json::Value;

use self::log::Audit;

/// How much there is of everything.
struct Amount {
    /// Names, each of them in every place where a name may stand.
    names: u64,
    /// Violations besides.
    violations: u64,
}

/// A tenth of the names and the violations brings forth all that there will ever be; the rest, and be
/// it endless, brings nothing new.
#[test]
fn names_and_violations_without_end_make_nothing_grow() {
    let is_full = env::var_os("LIGASE_TESTS_FLOOD").is_some_and(|it| it == "full");
    let amount = match is_full {
        true => Amount { names: 100_000, violations: 1_000_000 },
        false => Amount { names: 2_000, violations: 20_000 },
    };
    let mut scene = Scene::new();
    let first = amount.names / 10;
    scene.flood(0, first, amount.violations / 10);
    let before = scene.series();
    scene.flood(first, amount.names - first, amount.violations * 9 / 10);
    let after = scene.series();
    assert_eq!(
        after.len(),
        before.len(),
        "series that were not there: {:?}",
        added(&before, &after)
    );
    assert!(after.len() <= SERIES_MAX, "{} series", after.len());
    let made_up = after.keys().find(|it| it.contains(FORGED) || it.contains("flood.lab"));
    assert_eq!(made_up, None);
    scene.scrapes_fast();
    scene.still_serves();

    let counted = counted(&after);
    let total: f64 = counted.values().sum();
    assert!(amount.violations as f64 <= total, "only {total} violations came of it: {counted:?}");
    assert!(REASONS_MIN <= counted.len(), "{counted:?}");
    let status = scene.ligase.terminate(PATIENCE);
    assert!(status.success(), "{status}");
    let audit = Audit::of(&scene.ligase.log().lines());
    audit.nothing_is_forged();
    audit.no_second_has_too_many();
    audit.nobody_is_silenced(&counted);
}

/// A proxy, a peer that means well, and a crowd that does not.
struct Scene {
    ligase: Ligase,
    crowd: Host,
    honest: Stranger,
    certificate: ligase_tests::Certificate,
    _server: Stranger,
    _world: World,
}

impl Scene {
    fn new() -> Self {
        let mut world = World::new();
        let (house, garden, crowd) =
            (world.host("house"), world.host("garden"), world.host("crowd"));
        world.zone.server("l1.lab", 7269, "xmpp.l1.lab");
        world.zone.address("xmpp.l1.lab", &house);
        world.zone.server("r1.lab", 5269, "xmpp.r1.lab");
        world.zone.address("xmpp.r1.lab", &garden);
        world.open();
        // All of the crowd's addresses are behind one of them.
        crowd.run("ip", &["route", "add", "local", CROWD, "dev", "lo"]);
        house.run("ip", &["route", "add", CROWD, "via", &crowd.v4.to_string()]);

        let own = Leaf::of(&["l1.lab"]).signed_by(&world.authority);
        let mut proxy = Proxy::new(&world, &house, Capture::Dns, &["l1.lab".to_owned()], &own);
        proxy.set("policy.default", "dna");
        proxy.set("log.format", "json");
        let ligase = proxy.start();
        let server = Stranger::listen_for(&house, 5269, &["l1.lab"], &own);
        let certificate = world.authority.issue(&["r1.lab"]);
        let honest = Stranger::listen(&garden, 5269, "r1.lab", &certificate);
        Self { ligase, crowd, honest, certificate, _server: server, _world: world }
    }

    /// Has the crowd come, with so many names from the first on, and as many violations.
    fn flood(&self, first: u64, names: u64, violations: u64) {
        self.play(&scripts::with_names(), first, names);
        let scripts = scripts::violations();
        let rounds = violations.div_ceil(scripts.len() as u64);
        self.play(&scripts, first, rounds);
    }

    fn play(&self, scripts: &[Value], first: u64, count: u64) {
        let to = self.public();
        let scripts_text = Value::from(scripts).to_string();
        let first = first.to_string();
        let arguments = ["flood", &to, CROWD_FIRST, &first, &count.to_string(), &scripts_text];
        let told = self.crowd.run(&program("ligase-peer"), &arguments);
        let ends: BTreeMap<String, u64> =
            serde_json::from_str(&told).or_fail("read how the flood ended");
        let (all, silent) = (ends.values().sum::<u64>(), ends.get("silent").copied());
        assert_eq!((all, silent), (count * scripts.len() as u64, None), "{ends:?}");
    }

    fn public(&self) -> String {
        format!("{}:7269", self.ligase.host().v4)
    }

    /// Every series of the metrics, and what it says.
    fn series(&self) -> BTreeMap<String, f64> {
        let (status, text) = self.ligase.get("/metrics");
        assert_eq!(status, 200);
        let samples =
            text.lines().filter(|it| !it.is_empty() && !it.starts_with('#')).map(|line| {
                let (name, value) = line.rsplit_once(' ').or_fail("read a sample");
                (name.to_owned(), value.parse().or_fail("read a value"))
            });
        samples.collect()
    }

    /// Nothing that has come makes the metrics slow to read. Other tests may be busy on this machine,
    /// so the fastest of some attempts counts.
    #[expect(clippy::disallowed_methods, reason = "what is measured is the time it takes")]
    fn scrapes_fast(&self) {
        let took = (0..10).map(|_| {
            let start = Instant::now();
            self.series();
            start.elapsed()
        });
        let took = took.min().unwrap_or_default();
        assert!(took <= SCRAPE_MAX, "a scrape took {took:?}");
    }

    /// Whoever means well is let in, as before.
    fn still_serves(&self) {
        let message = "<message from='nurse@r1.lab' to='romeo@l1.lab'><body>Hist</body></message>";
        let shown = Some(&self.certificate);
        let outcome = self.honest.claim(&self.public(), "r1.lab", "l1.lab", shown, message);
        assert_eq!(outcome, Outcome::Let);
    }
}

/// What is in the second and not in the first.
fn added<'a>(before: &BTreeMap<String, f64>, after: &'a BTreeMap<String, f64>) -> Vec<&'a String> {
    after.keys().filter(|it| !before.contains_key(*it)).collect()
}

/// How often each rule was broken on the public side, if it was.
fn counted(series: &BTreeMap<String, f64>) -> BTreeMap<String, f64> {
    let public = series.iter().filter(|(name, count)| {
        name.starts_with("ligase_violations_total{") && name.contains("\"public\"") && 0.0 < **count
    });
    let reasons = public.filter_map(|(name, count)| {
        let reason = name.split("reason=\"").nth(1)?.split('"').next()?;
        Some((reason.to_owned(), *count))
    });
    reasons.collect()
}

/// The addresses that the crowd comes from, of those for benchmarks (RFC 2544).
const CROWD: &str = "198.19.64.0/18";
const CROWD_FIRST: &str = "198.19.64.0";

/// As many series as a proxy may ever have, whoever comes.
const SERIES_MAX: usize = 2_000;

/// What a scrape may take.
const SCRAPE_MAX: Duration = Duration::from_millis(100);

/// There are more ways to break a rule that cost next to nothing; these have to be among them.
const REASONS_MIN: usize = 16;

const PATIENCE: Duration = Duration::from_secs(30);

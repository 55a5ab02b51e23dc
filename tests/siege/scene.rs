//! Scene: a proxy to be besieged, a peer that goes on talking with its server, and strangers.

use std::fs;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ligase_tests::peer::program;
use ligase_tests::{
    Capture, Certificate, Cgroup, Host, Leaf, Ligase, OrFail, Process, Proxy, World,
};
use serde_json::{Value, json};

use crate::form::Form;

/// A world at peace: beats go from the peer's server to ours, and come back.
pub(crate) struct Scene {
    pub(crate) form: Form,
    /// What the besieged proxy held before anybody came, in bytes.
    pub(crate) before: u64,
    /// How many DNS answers it remembered then.
    known: f64,
    /// What strangers can prove that they are: `talking0.lab`, `deaf0.lab` and so on.
    certificate: Certificate,
    pulse: Process,
    heard: usize,
    pub(crate) echo: Process,
    pub(crate) ligase: Ligase,
    _peer: Ligase,
    pub(crate) group: Arc<Cgroup>,
    camp: Host,
    _world: World,
    _alone: MutexGuard<'static, ()>,
}

/// What a siege was like.
#[derive(Debug)]
pub(crate) struct Siege {
    /// The most that the besieged proxy held, in bytes.
    pub(crate) peak: u64,
    /// What became of each crowd.
    pub(crate) gone: Vec<Value>,
    /// How long the beats took meanwhile.
    pub(crate) pulse: Value,
}

impl Scene {
    /// Builds it, where the besieged proxy may take so much memory.
    pub(crate) fn raise(form: Form, bytes_max: Option<u64>) -> Self {
        // What one measures is not to be another's load.
        static ALONE: Mutex<()> = Mutex::new(());
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);

        let mut world = World::new();
        let [ours, theirs, camp] = ["montague", "capulet", "tybalt"].map(|it| world.host(it));
        for (name, host) in [("montague", &ours), ("capulet", &theirs)] {
            let target = format!("xmpp.{name}.lab");
            world.zone.server(&format!("{name}.lab"), 7269, &target);
            world.zone.address(&target, host);
        }
        let crowds = [("talking", form.talkers), ("deaf", form.deaf), ("dead", form.dead)];
        let named = |(name, count)| (0..count).map(move |it| format!("{name}{it}.lab"));
        // Nobody listens there.
        for domain in crowds.into_iter().flat_map(named) {
            world.zone.server(&domain, 5269, "camp.lab");
        }
        world.zone.address("camp.lab", &camp);
        world.open();
        camp_out(&camp, form);

        let group = Arc::new(Cgroup::new(&ours, bytes_max));
        let ligase = proxy(&world, &ours, "montague", |proxy| {
            proxy.confine(&group);
            proxy.set("limits.connections", "15000");
            proxy.set("limits.preauth_seconds", &form.preauth.to_string());
            proxy.set("limits.handshake_seconds", &form.handshake.to_string());
            proxy.set("limits.outbox_seconds", &form.outbox.to_string());
        });
        let peer = proxy(&world, &theirs, "capulet", |_| ());
        let server = |host: &Host, arguments: &[&str]| {
            let mut command = host.command(&program("ligase-peer"));
            command.args(arguments);
            let server = Process::start(&arguments.join(" "), command);
            server.hear("ready", PATIENCE);
            server
        };
        let echo = server(&ours, &["echo", "montague.lab"]);
        let mut pulse = server(&theirs, &["pulse", "capulet.lab", "montague.lab"]);
        pulse.tell("beat");
        let proven: Vec<_> = crowds.into_iter().take(2).flat_map(named).collect();
        let proven: Vec<_> = proven.iter().map(String::as_str).collect();
        let certificate = world.authority.issue(&proven);
        let mut scene = Self {
            form,
            before: 0,
            known: 0.0,
            certificate,
            pulse,
            heard: 0,
            echo,
            ligase,
            _peer: peer,
            group,
            camp,
            _world: world,
            _alone: alone,
        };
        (0..WARM).for_each(|_| scene.tick());
        scene.known = scene.ligase.metric("ligase_dns_cache_entries", &[]);
        scene.before = scene.resident();
        scene
    }

    /// What the besieged proxy holds in memory, in bytes.
    pub(crate) fn resident(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.ligase.log().id()));
        let status = status.or_fail("read what the besieged proxy holds");
        let resident = status.lines().find_map(|it| it.strip_prefix("VmRSS:"));
        let kibibytes = resident.and_then(|it| it.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        kibibytes.or_fail("read what the besieged proxy holds") * 1024
    }

    /// Waits for about a second, in which fifty beats are sent.
    pub(crate) fn tick(&mut self) {
        self.heard = self.pulse.hear_after(self.heard, "tick", PATIENCE).0;
    }

    /// Has the peer forget how long its beats took till now.
    pub(crate) fn begin(&mut self) {
        self.pulse.tell("begin");
    }

    /// How long the beats took since then.
    pub(crate) fn pulse(&mut self) -> Value {
        self.pulse.tell("tell");
        let (_, said) = self.pulse.hear_after(self.heard, "p99", PATIENCE);
        let broken = self.pulse.lines().into_iter().find(|it| it.contains("broken"));
        assert_eq!(broken, None, "the peer's stream has ended");
        serde_json::from_str(&said).or_fail("read how long beats took")
    }

    /// A camp of strangers. When it is dropped, all of them are gone.
    pub(crate) fn camp(&self) -> Process {
        let mut command = self.camp.command("sh");
        command.args(["-ec", "ulimit -S -n \"$(ulimit -H -n)\"; exec \"$@\"", "sh"]);
        let target = format!("{}:7269", self.ligase.host().v4);
        command.arg(program("ligase-peer")).args(["crowd", &target]);
        Process::start("strangers", command)
    }

    /// What has so many strangers behave in that manner.
    pub(crate) fn order(&self, manner: &str, count: u32) -> String {
        let addresses = addresses(self.form);
        json!({
            "manner": manner, "count": count, "from": addresses, "over": self.form.over,
            "every": f64::from(self.form.preauth) / 3.0,
            "domain": format!("{manner}#.lab"), "to": "montague.lab",
            "chain": self.certificate.chain(), "key": self.certificate.key(),
        })
        .to_string()
    }

    /// Has crowds come, each in its manner, and watches until the last of them has been thrown out.
    pub(crate) fn besiege(&mut self, crowds: &[(&str, u32)]) -> Siege {
        let mut camp = self.camp();
        self.begin();
        for (manner, count) in crowds {
            camp.tell(&self.order(manner, *count));
        }
        let mut peak = 0;
        let stay = self.form.over + self.form.preauth.max(self.form.handshake);
        let gone = (0..2 * stay + 30).find_map(|_| {
            self.tick();
            peak = peak.max(self.resident());
            let told = camp.lines().into_iter().filter(|it| it.contains("\"gone\""));
            let gone: Vec<Value> = told.filter_map(|it| serde_json::from_str(&it).ok()).collect();
            (gone.len() == crowds.len()).then_some(gone)
        });
        for (manner, count) in crowds {
            let connected = json!({"connected": manner, "count": count}).to_string();
            assert!(camp.lines().contains(&connected), "not all were let in: {:?}", camp.lines());
        }
        let gone = gone.or_fail(&format!("see them all thrown out: {:?}", camp.lines()));
        Siege { peak, gone, pulse: self.pulse() }
    }

    /// Waits until what the proxy holds is a tenth more than before, at most, besides what it has
    /// learned from DNS meanwhile, and what its allocator notes about memory that it once had, when
    /// it held `peak` bytes; returns after how many seconds that was.
    pub(crate) fn recover(&mut self, peak: u64) -> u32 {
        let learned = self.ligase.metric("ligase_dns_cache_entries", &[]) - self.known;
        let noted = peak.saturating_sub(self.before) / NOTED;
        let bound = self.before + self.before / 10 + noted + (learned.max(0.0) * ANSWER) as u64;
        let recovered = (0..RECOVERY).find(|_| {
            let is_back = self.resident() <= bound;
            if !is_back {
                self.tick();
            }
            is_back
        });
        let now = self.resident();
        recovered.or_fail(&format!("get back from {now} bytes to {bound}"))
    }
}

impl Siege {
    /// When the first and the last stranger of all crowds were gone, in seconds after each came.
    pub(crate) fn stay(&self) -> (f64, f64) {
        let all =
            |key: &str| self.gone.iter().filter_map(|it| it[key].as_f64()).collect::<Vec<_>>();
        let earliest = all("earliest").into_iter().fold(f64::MAX, f64::min);
        (earliest, all("latest").into_iter().fold(0.0, f64::max))
    }

    /// How long the slowest beat in a hundred took, in milliseconds.
    pub(crate) fn p99(&self) -> f64 {
        self.pulse["p99"].as_f64().unwrap_or(f64::MAX)
    }

    /// How long the slowest beat of all took, in milliseconds.
    pub(crate) fn worst(&self) -> f64 {
        self.pulse["worst"].as_f64().unwrap_or(f64::MAX)
    }
}

/// A proxy whose certificate names its server.
fn proxy(world: &World, host: &Host, name: &str, adjust: impl FnOnce(&mut Proxy)) -> Ligase {
    let server_name = format!("xmpp.{name}.lab");
    let domain = format!("{name}.lab");
    let certificate = Leaf::of(&[&server_name, &domain]).signed_by(&world.authority);
    let mut proxy = Proxy::new(world, host, Capture::Dns, &[domain], &certificate);
    proxy.set("server_name", &server_name);
    proxy.set("resolver.forward", &format!("[\"{}\"]", world.resolver()));
    adjust(&mut proxy);
    proxy.start()
}

/// Gives the strangers' host as many addresses as they need.
fn camp_out(camp: &Host, form: Form) {
    for address in addresses(form) {
        camp.run("ip", &["addr", "add", &format!("{address}/24"), "dev", "eth0"]);
    }
}

/// Where strangers come from: one address may have 256 connections (`connections_per_address`).
fn addresses(form: Form) -> Vec<String> {
    let most = form.silent.max(form.handshakes);
    (0..most.div_ceil(PER_ADDRESS)).map(|it| format!("198.18.0.{}", FIRST + it)).collect()
}

/// Leaves room for other crowds.
const PER_ADDRESS: u32 = 200;

/// What hosts are numbered with is less.
const FIRST: u32 = 100;

/// Seconds until everything is as it will be.
const WARM: u32 = 3;

/// Bytes of a DNS answer that is remembered (`limits.dns_answers` says how many are).
const ANSWER: f64 = 1024.0;

/// Of so many bytes that an allocator once had, it keeps one.
const NOTED: u64 = 25;

/// Seconds within which memory is to be given back.
const RECOVERY: u32 = 60;

/// The tests run a program that is not built for speed, beside others.
const PATIENCE: Duration = Duration::from_secs(60);

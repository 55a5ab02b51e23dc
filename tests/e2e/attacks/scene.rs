//! Scene: the proxy before a scripted server, an honest peer, and an attacker.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

use ligase_tests::{Capture, Certificate, Host, Ligase, Peer, Proxy, Stranger, Stream, World};

use super::forge::forge;
use super::negotiate::{AUTH, PATIENCE, authorize, expect_error, features, next, secure};
use super::script::{Case, FORBIDDEN, Step, claim, header, message};

/// Everybody who takes part. The server serves `l1.lab`, `l2.lab` and `conf.l1.lab`; `r1.lab` is
/// the honest peer's, every other name the attacker's. Who is below `weak.lab` may be proven by
/// dialback.
pub(super) struct Scene {
    pub(super) world: World,
    pub(super) ligase: Ligase,
    /// The server behind the proxy, which takes everything and remembers it.
    server: Stranger,
    pub(super) own: Certificate,
    honest: Stranger,
    pub(super) attacker: Peer,
    /// A peer that only dialback proves, `r1.weak.lab`, and its machine.
    weak: Peer,
    /// A program beside the server.
    pub(super) intruder: Peer,
    inbound: Stream,
    outbound: Stream,
    count: Cell<u32>,
}

/// How often each rule was broken, by reason.
type Violations = BTreeMap<String, u64>;

impl Scene {
    pub(super) fn new() -> Self {
        let mut world = World::new();
        let (house, garden, padua) =
            (world.host("house"), world.host("garden"), world.host("padua"));
        for domain in HOSTED {
            world.zone.server(domain, 7269, "xmpp.l1.lab");
        }
        world.zone.address("xmpp.l1.lab", &house);
        world.zone.server("r1.lab", 5269, "xmpp.r1.lab");
        world.zone.address("xmpp.r1.lab", &garden);
        world.zone.server("r1.weak.lab", 5270, "xmpp.r1.lab");
        // Nobody has this address, so nobody answers.
        world.zone.record("*.hole.weak.lab", "SRV", "0 5 5269 hole.lab.");
        world.zone.record("hole.lab", "A", "198.18.0.250");
        for domain in ATTACKERS {
            world.zone.server(domain, 5269, "xmpp.a.lab");
        }
        world.zone.address("xmpp.a.lab", &padua);
        world.open();
        Self::begin(world, &house, &garden, &padua)
    }

    fn begin(world: World, house: &Host, garden: &Host, padua: &Host) -> Self {
        let own = world.authority.issue(&HOSTED);
        let hosted = HOSTED.map(str::to_owned);
        let mut proxy = Proxy::new(&world, house, Capture::Dns, &hosted, &own);
        proxy.set("policy.default", "dna");
        proxy.set("policy.peers", "{\"*.weak.lab\": encrypted}");
        // What nobody answers is given up soon.
        proxy.set("limits.step_seconds", "2");
        proxy.set("limits.ladder_seconds", "8");
        let ligase = proxy.start();
        let server = Stranger::listen_for(house, 5269, &HOSTED, &own);
        let theirs = world.authority.issue(&["r1.lab"]);
        let honest = Stranger::listen(garden, 5269, "r1.lab", &theirs);
        let visitor = Peer::on(garden);
        Stranger::listen(garden, 5270, "r1.weak.lab", &theirs);
        let attacker = Peer::on(padua);
        attacker.listen(5269);
        attacker.listen(SILENT);
        let intruder = Peer::on(house);

        let inbound = visitor.dial(&format!("{}:7269", house.v4));
        secure(&inbound, "r1.lab", "l1.lab", Some(&theirs));
        authorize(&inbound, "r1.lab", "l1.lab");
        let outbound = intruder.dial(BACKEND);
        secure(&outbound, "l1.lab", "r1.lab", Some(&own));
        authorize(&outbound, "l1.lab", "r1.lab");
        let scene = Self {
            world,
            ligase,
            server,
            own,
            honest,
            attacker,
            weak: visitor,
            intruder,
            inbound,
            outbound,
            count: Cell::new(0),
        };
        scene.canary();
        scene
    }

    /// Plays a case, and looks what came of it.
    pub(super) fn run(&self, case: &Case) {
        let split = case.steps.iter().find_map(|step| {
            let Step::Split(text) = step else { return None };
            Some(text.len())
        });
        let places = split.map_or(0..1, |length| 1..length);
        let times = places.len() as u64;
        let before = self.violations();
        for place in places {
            self.play(case, place);
        }
        self.canary();
        let mut counted = self.violations();
        for (reason, count) in before {
            counted.entry(reason).and_modify(|it| *it -= count);
        }
        for (reasons, count) in &case.counts {
            let one = reasons.iter().find(|it| counted.get(*it).is_some_and(|it| 0 < *it));
            assert!(one.is_some(), "none of {reasons:?} was counted, but {counted:?}");
            if let Some(count_of) = one.and_then(|it| counted.get_mut(it)) {
                assert!(count * times <= *count_of, "{reasons:?}: only {count_of}");
                *count_of -= count * times;
            }
        }
        counted.retain(|_, count| 0 < *count);
        assert!(counted.is_empty(), "these were counted, too: {counted:?}");
        assert!(!self.is_pwned(), "something came through: {:?}", self.server.heard());
    }

    fn play(&self, case: &Case, place: usize) {
        let mut streams = Vec::new();
        for step in &case.steps {
            if let Step::Begin(how) = step {
                streams.extend(self.begin_streams(how));
                continue;
            }
            self.take(&streams, step, place);
        }
        for stream in streams {
            stream.close();
        }
    }

    /// Takes a step on the last of these streams.
    fn take(&self, streams: &[Stream], step: &Step, place: usize) {
        let Some(stream) = streams.last() else {
            panic!("a case that does not begin");
        };
        let before = |step| match streams.first() {
            Some(first) => first,
            None => panic!("nothing came before {step}"),
        };
        match step {
            Step::Begin(_) => (),
            Step::Say(bytes) => stream.send_bytes(bytes, bytes.len()),
            Step::Dribble(bytes) => stream.send_bytes(bytes, 1),
            Step::Split(bytes) => {
                let (front, back) = bytes.split_at(place);
                stream.send_bytes(front, front.len());
                stream.send_bytes(back, back.len());
            }
            Step::Hear(times, parts) => {
                for _ in 0..*times {
                    let said = next(stream);
                    for part in parts {
                        assert!(said.contains(part.as_str()), "heard {said:?}, not {part:?}");
                    }
                }
            }
            Step::Error(conditions) => expect_error(stream, conditions),
            Step::End => {
                let Some((said, _)) = stream.end_within(PATIENCE) else {
                    panic!("it did not end");
                };
                assert_eq!(said, "", "it said something before it ended");
            }
            Step::Alert => {
                let Some((said, _)) = stream.end_within(PATIENCE) else {
                    panic!("it did not end");
                };
                assert!(!said.contains('<'), "it said {said:?}");
            }
            Step::Told(text) => {
                let said = before("told").expect(text);
                assert!(!said.contains("type='valid'"), "{said}");
            }
            Step::Carries(from, to) => {
                before("carries").send(&message(
                    &format!("u@{from}"),
                    &format!("u@{to}"),
                    "carried",
                ));
                let said = next(stream);
                assert!(said.contains("carried"), "{said}");
            }
            Step::Authority(how) => self.answer_for(how),
            Step::Tls(name, shown) => {
                let secured = stream.start_tls(name, self.certificate(shown).as_ref());
                assert!(secured.is_ok(), "{secured:?}");
            }
            Step::Usable(from, to) => authorize(stream, from, to),
            Step::Heard(text) => self.server.hear(text),
        }
    }

    /// A certificate, by the word that a case has for it.
    pub(super) fn certificate(&self, word: &str) -> Option<Certificate> {
        forge(&self.world.authority, word)
    }

    /// Streams that have come as far as `how` says; the last one is the one to speak on.
    fn begin_streams(&self, how: &[String]) -> Vec<Stream> {
        let how: Vec<_> = how.iter().map(String::as_str).collect();
        let (kind, from, to) = match how.as_slice() {
            [kind] => (*kind, "", ""),
            [kind, from, to, ..] => (*kind, *from, *to),
            _ => panic!("begin how? {how:?}"),
        };
        let certificate = match kind {
            "backend" | "backend-authorized" => Some(self.own.clone()),
            _ => self.certificate(how.get(3).copied().unwrap_or(from)),
        };
        let ours = ["loopback", "intruder", "backend", "backend-authorized"].contains(&kind);
        match kind {
            "dialed" => return self.dialed(from, to),
            "called" => return self.called(from, to),
            _ => (),
        }
        let stream = if ours {
            self.intruder.dial(BACKEND)
        } else {
            self.attacker.dial(&format!("{}:7269", self.ligase.host().v4))
        };
        match kind {
            "tcp" | "loopback" => (),
            "plain" => {
                stream.send(&header(from, to));
                features(&stream);
            }
            "direct" => {
                let secured = stream.start_tls_for(to, Some("xmpp-server"), certificate.as_ref());
                assert!(secured.is_ok(), "{secured:?}");
            }
            "tls-fails" => {
                let secured = stream.start_tls_for(from, Some(to), None);
                assert!(secured.is_err(), "{secured:?}");
            }
            "secured" | "backend" | "intruder" => {
                secure(&stream, from, to, certificate.as_ref());
            }
            "authorized" | "backend-authorized" => {
                secure(&stream, from, to, certificate.as_ref());
                authorize(&stream, from, to);
            }
            "external" => {
                let offered = secure(&stream, from, to, certificate.as_ref());
                assert!(offered.contains(">EXTERNAL<"), "{offered}");
                stream.send(AUTH);
                let answer = next(&stream);
                assert!(answer.starts_with("<success"), "{answer}");
            }
            _ => panic!("begin how? {how:?}"),
        }
        vec![stream]
    }

    /// Others still talk, both ways.
    pub(super) fn canary(&self) {
        let number = self.count.get() + 1;
        self.count.set(number);
        let body = format!("canary {number}.");
        self.inbound.send(&message("nurse@r1.lab", "romeo@l1.lab", &body));
        self.outbound.send(&message("romeo@l1.lab", "nurse@r1.lab", &body));
        self.server.hear(&body);
        self.honest.hear(&body);
    }

    /// What was counted till now.
    fn violations(&self) -> Violations {
        let (_, text) = self.ligase.get("/metrics");
        let mut violations = Violations::new();
        for line in text.lines().filter(|it| it.starts_with("ligase_violations_total{")) {
            let reason = line.split("reason=\"").nth(1).and_then(|it| it.split('"').next());
            let count = line.rsplit(' ').next().and_then(|it| it.parse::<u64>().ok());
            if let (Some(reason), Some(count)) = (reason, count) {
                *violations.entry(reason.to_owned()).or_default() += count;
            }
        }
        assert!(!violations.is_empty(), "no violations are counted");
        violations
    }

    /// Somebody comes whose domain only dialback proves, and is let in without a wait.
    pub(super) fn let_weak_in(&self) {
        let stream = self.weak.dial(&self.public());
        secure(&stream, "r1.weak.lab", "l1.lab", None);
        stream.send(&claim("r1.weak.lab", "l1.lab"));
        let answer = stream.next_within(AT_ONCE).unwrap_or_default();
        assert!(answer.contains("type='valid'"), "{answer:?}");
        stream.close();
    }

    /// Where peers come to.
    pub(super) fn public(&self) -> String {
        format!("{}:7269", self.ligase.host().v4)
    }

    fn is_pwned(&self) -> bool {
        let heard = [self.server.heard(), self.honest.heard()].concat();
        heard.iter().any(|it| it.contains(FORBIDDEN))
    }

    /// Ends the test unless the program under test is as well as before.
    pub(super) fn finish(self) {
        self.canary();
        assert!(!self.is_pwned(), "something came through");
        let lines = self.ligase.log().lines();
        let panicked = lines.iter().find(|it| it.contains("panic"));
        assert_eq!(panicked, None);
    }
}

const HOSTED: [&str; 3] = ["l1.lab", "l2.lab", "conf.l1.lab"];

/// Domains that DNS says are the attacker's.
const ATTACKERS: [&str; 12] = [
    "a.lab",
    "b.lab",
    "sub.a.lab",
    "v.weak.lab",
    "a.weak.lab",
    "xn--fa-hia.lab",
    "c1.lab",
    "c2.lab",
    "c3.lab",
    "c4.lab",
    "c5.lab",
    "c6.lab",
];

/// Less than those wait who wait for claims that nobody answers for to be given up.
pub(super) const AT_ONCE: Duration = Duration::from_secs(4);

/// Where the attacker takes connections and says nothing.
const SILENT: u16 = 5271;

/// Where the proxy listens for the server behind it.
pub(super) const BACKEND: &str = "127.0.0.1:7270";

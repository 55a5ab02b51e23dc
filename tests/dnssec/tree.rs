//! A DNS of zones in every state that DNSSEC knows, and in most that it warns of.
//!
//! The root delegates to `lab.` (signed, NSEC), `opt.` (signed, NSEC3 with opt-out) and `plain.`
//! (unsigned); below them is one zone for each way to be right or wrong. What is broken is broken
//! in the zone files, so that servers serve it in good faith.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use ligase_tests::OrFail;

use crate::lab::run;
use crate::spoil;

/// Where the servers of the root, of the top level, of what is below and of what is deeper are.
pub(crate) const ROOT: &str = "127.0.0.10";
pub(crate) const TOP: &str = "127.0.0.11";
pub(crate) const MIDDLE: &str = "127.0.0.12";
pub(crate) const DEEP: &str = "127.0.0.13";

/// How a zone is signed.
#[derive(Clone, Debug)]
pub(crate) struct Signing {
    /// As `dnssec-keygen` calls it; two if there is a plus between them.
    algorithm: &'static str,
    /// The number of NSEC3 iterations, if it is not NSEC that denies.
    iterations: Option<u16>,
    opt_out: bool,
    /// From when and until when, in seconds from today.
    period: (i64, i64),
    /// Whether one key signs the keys and another the rest.
    split: bool,
}

impl Signing {
    fn by(algorithm: &'static str) -> Self {
        let period = (-HOUR, 100 * DAY);
        Self { algorithm, iterations: None, opt_out: false, period, split: false }
    }

    fn nsec3(iterations: u16) -> Self {
        Self { iterations: Some(iterations), ..Self::by(P256) }
    }
}

/// What the parent says about a signed child.
#[derive(Clone, Copy, Debug)]
enum Ds {
    /// The truth, by these digests.
    Digests(&'static [&'static str]),
    /// That of another zone.
    Wrong,
    /// An algorithm that nobody knows.
    UnknownAlgorithm,
    /// A digest that nobody knows.
    UnknownDigest,
    /// Nothing: the child is signed for itself.
    None,
}

/// A zone to be.
struct Plan {
    name: &'static str,
    server: &'static str,
    signing: Option<Signing>,
    ds: Ds,
    extra: &'static str,
    spoil: fn(&str) -> String,
}

/// All zones, signed and written to files.
#[derive(Debug)]
pub(crate) struct Tree {
    /// Where the files are.
    pub(crate) folder: PathBuf,
}

impl Tree {
    /// The key of the root, as a DNSKEY record.
    pub(crate) fn anchor(folder: &Path) -> PathBuf {
        folder.join("root.key")
    }

    /// Makes and signs all zones, children first.
    pub(crate) fn grow(folder: &Path) -> Self {
        let mut ds = BTreeMap::new();
        for depth in [3, 2] {
            let plans: Vec<Plan> = plans().into_iter().filter(|it| it.depth() == depth).collect();
            let known = &ds;
            let grown: Vec<(&str, String)> = thread::scope(|scope| {
                let grow = |plan: Plan| {
                    let text = plan.text(known);
                    (plan.name, plan.write(folder, &text))
                };
                let growing: Vec<_> =
                    plans.into_iter().map(|plan| scope.spawn(move || grow(plan))).collect();
                growing.into_iter().map(|it| it.join().ok().or_fail("sign a zone")).collect()
            });
            ds.extend(grown.into_iter().map(|(name, records)| (name.to_owned(), records)));
        }
        for plan in tops() {
            let text = plan.text(&ds);
            ds.insert(plan.name.to_owned(), plan.write(folder, &text));
        }
        let root = root();
        let text = root.text(&ds);
        root.write(folder, &text);
        Self { folder: folder.to_owned() }
    }

    /// The configuration of a server of these zones.
    pub(crate) fn zones(server: &str, folder: &Path) -> String {
        let mut text = String::new();
        for plan in plans().into_iter().chain(tops()).chain([root()]) {
            if plan.server == server {
                let file = folder.join(plan.file());
                let (name, file) = (plan.name, file.display());
                let name = if name.is_empty() { "." } else { name };
                let line = format!(
                    "zone \"{name}\" {{ type primary; file \"{file}\"; check-integrity no; \
                     check-names ignore; }};\n"
                );
                text += &line;
            }
        }
        text
    }
}

impl Plan {
    fn new(name: &'static str, signing: Option<Signing>) -> Self {
        let spoil = str::to_owned;
        Self { name, server: MIDDLE, signing, ds: Ds::Digests(&["SHA-256"]), extra: "", spoil }
    }

    fn extra(self, extra: &'static str) -> Self {
        Self { extra, ..self }
    }

    fn ds(self, ds: Ds) -> Self {
        Self { ds, ..self }
    }

    fn spoilt(self, spoil: fn(&str) -> String) -> Self {
        Self { spoil, ..self }
    }

    fn deep(self) -> Self {
        Self { server: DEEP, ..self }
    }

    fn depth(&self) -> usize {
        self.name.split('.').count()
    }

    fn origin(&self) -> String {
        format!("{}.", self.name)
    }

    fn file(&self) -> String {
        let name = if self.name.is_empty() { "root" } else { self.name };
        format!("{name}.zone")
    }

    /// The zone before it is signed.
    fn text(&self, ds: &BTreeMap<String, String>) -> String {
        let (origin, server) = (self.origin(), self.server);
        let ns = if self.name.is_empty() { "ns.".to_owned() } else { format!("ns.{origin}") };
        let mut text = format!(
            "$ORIGIN {origin}\n$TTL 300\n@ IN SOA {ns} host.{ns} 1 3600 600 86400 60\n\
             @ IN NS {ns}\n{ns} IN A {server}\n"
        );
        if 2 <= self.depth() {
            text += &BODY.replace("HASH", &"aa".repeat(32));
            text += &self.extra.replace("HASH", &"aa".repeat(32));
        }
        for child in plans().into_iter().chain(tops()).filter(|it| self.is_parent_of(it)) {
            let (name, address) = (child.origin(), child.server);
            // Writing into a String cannot fail.
            let _ = writeln!(text, "{name} IN NS ns.{name}\nns.{name} IN A {address}");
            text += ds.get(child.name).map(String::as_str).unwrap_or_default();
        }
        text
    }

    fn is_parent_of(&self, other: &Self) -> bool {
        match other.name.split_once('.') {
            Some((_, rest)) => rest == self.name,
            None => self.name.is_empty() && !other.name.is_empty(),
        }
    }

    /// Signs the zone and writes it. Returns what its parent is to say about it.
    fn write(&self, folder: &Path, text: &str) -> String {
        let file = folder.join(self.file());
        let Some(signing) = &self.signing else {
            fs::write(&file, text).or_fail("write a zone");
            let is_wrong = matches!(self.ds, Ds::Wrong);
            return if is_wrong { wrong_ds(&self.origin()) } else { String::new() };
        };
        let keys = folder.join(format!("{}.keys", self.file()));
        fs::create_dir(&keys).or_fail("make a folder for keys");
        let mut anchors = Vec::new();
        for algorithm in signing.algorithm.split('+') {
            anchors.push(keygen(&keys, algorithm, true, &self.origin()));
            if signing.split {
                keygen(&keys, algorithm, false, &self.origin());
            }
        }
        fs::write(keys.join("zone"), text).or_fail("write a zone");
        let signed = sign(signing, &keys, &self.origin());
        fs::write(&file, (self.spoil)(&signed)).or_fail("write a signed zone");
        if self.name.is_empty() {
            let anchor = anchors.first().or_fail("make a key for the root");
            fs::copy(keys.join(format!("{anchor}.key")), Tree::anchor(folder))
                .or_fail("write the trust anchor");
        }
        self.ds_records(&keys, &anchors)
    }

    fn ds_records(&self, keys: &Path, anchors: &[String]) -> String {
        let origin = self.origin();
        let digests = match self.ds {
            Ds::Digests(digests) => digests,
            Ds::Wrong => return wrong_ds(&origin),
            Ds::UnknownAlgorithm => {
                return format!("{origin} IN DS 4711 200 2 {}\n", "ab".repeat(32));
            }
            Ds::UnknownDigest => return format!("{origin} IN DS 4711 13 99 {}\n", "ab".repeat(32)),
            Ds::None => return String::new(),
        };
        let mut records = String::new();
        for anchor in anchors {
            for digest in digests {
                records += &run("dnssec-dsfromkey", keys, &["-a", digest, anchor]);
            }
        }
        records
    }
}

/// A record for a key that the zone never had.
fn wrong_ds(origin: &str) -> String {
    format!("{origin} IN DS 4711 13 2 {}\n", "cd".repeat(32))
}

fn keygen(folder: &Path, algorithm: &str, is_anchor: bool, origin: &str) -> String {
    let mut arguments = vec!["-q", "-a", algorithm];
    if algorithm.contains("RSA") {
        // RSA/SHA-512 needs that much; the others need no more (RFC 5702 §2).
        arguments.extend(["-b", "1024"]);
    }
    if is_anchor {
        arguments.extend(["-f", "KSK"]);
    }
    arguments.push(origin);
    run("dnssec-keygen", folder, &arguments).trim().to_owned()
}

/// Signs the file `zone`, and returns it with one line for each record.
fn sign(signing: &Signing, folder: &Path, origin: &str) -> String {
    let iterations = signing.iterations.unwrap_or_default().to_string();
    if 150 < signing.iterations.unwrap_or_default() {
        return sign_beyond_measure(folder, origin, &iterations);
    }
    let (start, end) = signing.period;
    let (start, end) = (format!("now{start:+}"), format!("now{end:+}"));
    let mut arguments =
        vec!["-q", "-P", "-S", "-O", "full", "-s", &start, "-e", &end, "-o", origin];
    if !signing.split {
        arguments.push("-z");
    }
    if signing.iterations.is_some() {
        let salt = if iterations == "0" { "-" } else { "aabbccdd" };
        arguments.extend(["-3", salt, "-H", &iterations]);
    }
    if signing.opt_out {
        arguments.push("-A");
    }
    arguments.extend(["-f", "signed", "zone"]);
    run("dnssec-signzone", folder, &arguments);
    fs::read_to_string(folder.join("signed")).or_fail("read a signed zone")
}

/// Signs with more iterations than `dnssec-signzone` finds decent.
fn sign_beyond_measure(folder: &Path, origin: &str, iterations: &str) -> String {
    let entries = fs::read_dir(folder).or_fail("read the keys").flatten();
    let mut names = entries.filter_map(|it| it.file_name().into_string().ok());
    let key = names.find(|it| it.ends_with(".key")).or_fail("find the key");
    let key = key.trim_end_matches(".key");
    let arguments = ["-n", "-t", iterations, "-s", "aabb", "-o", origin, "-f", "signed"];
    run("ldns-signzone", folder, &[&arguments[..], &["zone", key]].concat());
    fs::read_to_string(folder.join("signed")).or_fail("read a signed zone")
}

fn root() -> Plan {
    Plan { server: ROOT, ..Plan::new("", Some(Signing { split: true, ..Signing::by(P256) })) }
}

fn tops() -> Vec<Plan> {
    let opt = Signing { opt_out: true, iterations: Some(0), split: true, ..Signing::by(RSA256) };
    let tops = [
        Plan::new("lab", Some(Signing::by(P256))),
        Plan::new("opt", Some(opt)),
        Plan::new("plain", None),
    ];
    tops.into_iter().map(|it| Plan { server: TOP, ..it }).collect()
}

fn plans() -> Vec<Plan> {
    let signed = |name, algorithm| Plan::new(name, Some(Signing::by(algorithm)));
    let split = |algorithm| Some(Signing { split: true, ..Signing::by(algorithm) });
    let period = |from, to| Some(Signing { period: (from, to), ..Signing::by(P256) });
    let nsec3 = |name, iterations| Plan::new(name, Some(Signing::nsec3(iterations)));
    let opt_out = Signing { opt_out: true, ..Signing::nsec3(0) };
    vec![
        signed("p256.lab", P256).extra(SPECIAL),
        Plan::new("rsa256.lab", split(RSA256)),
        Plan::new("rsa512.lab", split("RSASHA512")),
        signed("rsa1.lab", "RSASHA1"),
        signed("rsa1n3.lab", "NSEC3RSASHA1"),
        signed("p384.lab", "ECDSAP384SHA384"),
        signed("ed.lab", "ED25519"),
        signed("ed448.lab", "ED448"),
        signed("two.lab", "RSASHA256+ECDSAP256SHA256"),
        nsec3("n3.lab", 0).extra(SPECIAL),
        Plan::new("n3opt.lab", Some(opt_out)).extra(SPECIAL),
        nsec3("n3i10.lab", 10),
        nsec3("n3i50.lab", 50),
        nsec3("n3i120.lab", 120),
        nsec3("n3i600.lab", 600),
        Plan::new("expired.lab", period(-20 * DAY, -10 * DAY)),
        Plan::new("future.lab", period(10 * DAY, 100 * DAY)),
        Plan::new("tomorrow.lab", period(DAY / 2, 100 * DAY)),
        Plan::new("lately.lab", period(-100 * DAY, -HOUR / 2)),
        signed("badsig.lab", P256).spoilt(spoil::bend_some),
        signed("badkey.lab", P256).spoilt(spoil::bend_the_keys),
        signed("baddenial.lab", P256).spoilt(spoil::bend_denials),
        nsec3("baddenial3.lab", 0).spoilt(spoil::bend_denials),
        signed("partial.lab", P256).spoilt(spoil::strip_some),
        signed("nosigs.lab", P256).spoilt(spoil::strip_all_but_keys),
        signed("nodenial.lab", P256).spoilt(spoil::drop_denials),
        signed("wrongds.lab", P256).ds(Ds::Wrong),
        Plan::new("dsunsigned.lab", None).ds(Ds::Wrong),
        signed("ds1.lab", P256).ds(Ds::Digests(&["SHA-1"])),
        signed("ds384.lab", P256).ds(Ds::Digests(&["SHA-384"])),
        signed("dsboth.lab", P256).ds(Ds::Digests(&["SHA-1", "SHA-256"])),
        signed("dsalgorithm.lab", P256).ds(Ds::UnknownAlgorithm),
        signed("dsdigest.lab", P256).ds(Ds::UnknownDigest),
        Plan::new("unsigned.lab", None).extra(UNSIGNED),
        signed("island.unsigned.lab", P256).deep(),
        Plan { signing: period(-20 * DAY, -10 * DAY), ..Plan::new("ruin.unsigned.lab", None) }
            .deep(),
        Plan::new("sub.p256.lab", None).ds(Ds::None).deep(),
        Plan::new("sub.n3.lab", None).ds(Ds::None).deep(),
        Plan::new("sub.n3opt.lab", None).ds(Ds::None).deep(),
        signed("child.n3opt.lab", P256).deep(),
        signed("child.p256.lab", "ED25519").deep(),
        signed("signed.opt", "ED25519"),
        Plan::new("unsigned.opt", None),
        Plan::new("expired.opt", period(-20 * DAY, -10 * DAY)),
        Plan::new("unsigned.plain", None),
        signed("island.plain", P256).ds(Ds::None),
    ]
}

/// What every zone below the top level has.
const BODY: &str = "\
@ IN A 198.18.1.1
_xmpp-server._tcp IN SRV 10 10 5269 xmpp
_xmpp-server._tcp IN SRV 20 10 5269 v4
_xmpps-server._tcp IN SRV 10 10 5270 xmpp
xmpp IN A 198.18.1.2
xmpp IN AAAA fd77::2
v4 IN A 198.18.1.3
_5269._tcp.xmpp IN TLSA 3 1 1 HASH
_5270._tcp.xmpp IN TLSA 2 1 1 HASH
";

/// What only some have: wildcards, aliases, and names that are steps on the way.
const SPECIAL: &str = include_str!("special.zone");

/// Aliases in a zone that nobody signs.
const UNSIGNED: &str = "\
c-in IN CNAME xmpp.p256.lab.
c-bad IN CNAME xmpp.badsig.lab.
c-none IN CNAME nope.p256.lab.
_xmpp-server._tcp.c-srv IN CNAME _xmpp-server._tcp.p256.lab.
_5269._tcp.c-tlsa IN CNAME _5269._tcp.xmpp.p256.lab.
d IN DNAME p256.lab.
*.wild IN A 198.18.1.9
";

const P256: &str = "ECDSAP256SHA256";
const RSA256: &str = "RSASHA256";
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

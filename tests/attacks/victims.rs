//! Victims: domains whose genuine servers an attacker wants to be taken for, or stands before.
//!
//! Each has a name for every run and for every way to be called: `sN` by STARTTLS, `dN` by TLS from
//! the first byte. The DNS says that all are served where the attacker listens.

use std::sync::atomic::{AtomicUsize, Ordering};

use ligase_tests::{Certificate, Host, Leaf, Stranger, Web, World};

use crate::deeds::Door;

/// What there is of theirs.
pub(crate) struct Victims {
    /// The server of `*.far.lab`, which can be reached through the attacker only.
    pub(crate) genuine: Stranger,
    /// What those below `pinned.lab` show, whose keys the DNS pins.
    pinned: Certificate,
    /// What those below `posh.lab` show, for which their web server vouches.
    vouched: Certificate,
    _web: Web,
    next: AtomicUsize,
}

impl Victims {
    /// Says in the DNS who they are, and starts what they serve.
    pub(crate) fn publish(world: &mut World, garden: &Host) -> Self {
        for number in 0..COUNT {
            let [start, direct] = [Door::StartTls, Door::Direct].map(|it| callee(it, number));
            for (domain, target) in [
                ("lab", "xmpp.a.lab"),
                ("pinned.lab", "xmpp.pinned.lab"),
                ("posh.lab", "xmpp.a.lab"),
                ("far.lab", "xmpp.a.lab"),
            ] {
                world.zone.server(&format!("{start}.{domain}"), 5269, target);
                world.zone.direct_server(&format!("{direct}.{domain}"), 5270, target);
            }
            world.zone.server(&format!("x.y.{start}.lab"), 5269, "xmpp.a.lab");
            world.zone.direct_server(&format!("x.y.{direct}.lab"), 5270, "xmpp.a.lab");
            for name in [&start, &direct] {
                world.zone.address(&format!("{name}.posh.lab"), garden);
            }
        }
        world.zone.record("xmpp.pinned.lab", "CNAME", "xmpp.a.lab.");
        let pinned = world.authority.issue(&["pinned.lab"]);
        for port in [5269, 5270] {
            world.zone.tlsa("xmpp.pinned.lab", port, &pinned);
        }
        let vouched = Leaf::of(&["posh.lab"]).self_signed();
        let web = Web::start(garden, &world.authority.issue(&["*.posh.lab"]));
        let domains: Vec<_> = (0..COUNT).map(far).collect();
        let domains: Vec<_> = domains.iter().map(String::as_str).collect();
        let shown = world.authority.issue(&["*.far.lab"]);
        let genuine = Stranger::listen_as(garden, GENUINE, &domains, &shown);
        for number in 0..COUNT {
            for door in [Door::StartTls, Door::Direct] {
                web.vouch(&format!("{}.posh.lab", callee(door, number)), &vouched, 3600);
            }
        }
        Self { genuine, pinned, vouched, _web: web, next: AtomicUsize::new(0) }
    }

    /// A number that no run has had yet.
    pub(crate) fn next(&self) -> usize {
        self.next.fetch_add(1, Ordering::Relaxed) % COUNT
    }

    /// A certificate of theirs, or one that only looks so: somebody shows it who has not its key.
    pub(crate) fn certificate(&self, word: &str) -> Option<Certificate> {
        Some(match word {
            "pinned" => self.pinned.clone(),
            "vouched" => self.vouched.clone(),
            "stolen-pinned" => self.pinned.stolen_by(&self.vouched),
            "stolen-vouched" => self.vouched.stolen_by(&self.pinned),
            _ => return None,
        })
    }
}

/// The first label of the names that have this number.
pub(crate) fn callee(door: Door, number: usize) -> String {
    match door {
        Door::StartTls => format!("s{number}"),
        Door::Direct => format!("d{number}"),
    }
}

fn far(number: usize) -> String {
    format!("{}.far.lab", callee(Door::StartTls, number))
}

/// Where the genuine server of `*.far.lab` listens.
pub(crate) const GENUINE: u16 = 5280;

/// More than there are runs in a lab that need one.
const COUNT: usize = 100;

//! Talk: what users of two pods say to each other, and what becomes of it.

use std::collections::BTreeSet;
use std::ops::AddAssign;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, ScopedJoinHandle};
use std::time::Duration;

use ligase_tests::{Fate, User};

use crate::house::House;

/// Messages and presence, both ways, and everybody proven by DANE.
pub(crate) fn talk(romeo: &House<'_>, juliet: &House<'_>) {
    for (from, to) in [(romeo, juliet), (juliet, romeo)] {
        for saying in SAYINGS {
            from.user().say(&to.user().jid, saying);
            to.user().hear(&from.user().full, saying);
        }
        for kind in [None, Some("unavailable")] {
            from.user().present(&to.user().full, kind);
            to.user().see(&from.user().full, kind.unwrap_or("available"));
        }
    }
    proven(romeo, juliet);
    proven(juliet, romeo);
}

/// The house knows the other by DANE and by nothing less, and sends and receives by that.
pub(crate) fn proven(house: &House<'_>, peer: &House<'_>) {
    let (ours, theirs) = (house.domain(), peer.domain());
    let connections = house.ask("/connections");
    let public = connections.as_array().into_iter().flatten().filter(|it| it["side"] == "public");
    let delegated = public.flat_map(|it| it["delegated"].as_array().into_iter().flatten());
    let proofs: Vec<_> = delegated.filter(|it| it["domain"] == theirs).collect();
    assert!(!proofs.is_empty(), "{theirs} has proven nothing: {connections:#}");
    assert!(proofs.iter().all(|it| it["prooftype"] == "dane"), "{proofs:?}");
    let bindings = house.ask("/bindings");
    let all = bindings.as_array().into_iter().flatten();
    let pair = { all }.find(|it| it["local"] == ours && it["remote"] == theirs);
    let ways = pair.and_then(|it| it["connections"].as_array()).into_iter().flatten();
    for way in ["send", "receive"] {
        let carried = ways.clone().any(|it| it[way] == true);
        assert!(carried, "{ours} cannot {way} with {theirs}: {bindings:#}");
    }
}

/// The ids of the connections that carry pairs of domains.
pub(crate) fn carrying(house: &House<'_>) -> BTreeSet<u64> {
    let connections = house.ask("/connections");
    let all = connections.as_array().into_iter().flatten();
    let carrying = all.filter(|it| it["pairs"].as_u64().is_some_and(|pairs| 0 < pairs));
    carrying.filter_map(|it| it["id"].as_u64()).collect()
}

/// Says something that nobody has said before, and waits until it is known what became of it.
pub(crate) fn convey(from: &User, to: &User) -> Result<(), String> {
    match say(from, to) {
        Fate::Heard => Ok(()),
        Fate::Returned(error) => Err(error),
        Fate::Unknown => panic!("something that {} said to {} is lost", from.jid, to.jid),
    }
}

/// How much of what was said at once was heard, came back, and did neither.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Fates {
    pub(crate) heard: usize,
    pub(crate) returned: usize,
    pub(crate) lost: usize,
}

impl AddAssign for Fates {
    fn add_assign(&mut self, more: Self) {
        self.heard += more.heard;
        self.returned += more.returned;
        self.lost += more.lost;
    }
}

/// Says a few things at once: less than what servers forbid their users.
pub(crate) fn breathe(from: &User, to: &User) -> Fates {
    let fates = thread::scope(|scope| {
        let said = [(); BREATH].map(|()| scope.spawn(|| say(from, to)));
        said.map(joined)
    });
    let count = |is: fn(&Fate) -> bool| fates.iter().filter(|fate| is(fate)).count();
    Fates {
        heard: count(|fate| matches!(fate, Fate::Heard)),
        returned: count(|fate| matches!(fate, Fate::Returned(_))),
        lost: count(|fate| matches!(fate, Fate::Unknown)),
    }
}

fn say(from: &User, to: &User) -> Fate {
    static SAID: AtomicU32 = AtomicU32::new(0);
    let number = SAID.fetch_add(1, Ordering::Relaxed);
    from.convey(to, &format!("the {number}th word"), PATIENCE)
}

/// What a thread returns; the test fails where it did.
pub(crate) fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    match thread.join() {
        Ok(value) => value,
        Err(why) => resume_unwind(why),
    }
}

/// Says something again and again until it is heard; each time before, it has to come back.
pub(crate) fn reach(from: &House<'_>, to: &House<'_>) {
    let mut returned = Vec::new();
    while let Err(error) = convey(from.user(), to.user()) {
        returned.push(error);
        assert!(returned.len() < ATTEMPTS_MAX, "{} is not reached: {returned:?}", to.domain());
        from.retry(to);
        // Nothing tells when a server is ready for others.
        thread::sleep(BREATHER);
    }
}

/// Half a minute, as with which ligase itself is content.
const ATTEMPTS_MAX: usize = 60;
const BREATHER: Duration = Duration::from_millis(500);

/// One for plain speech, one for all that is hard to carry.
const SAYINGS: [&str; 2] =
    ["But, soft! what light through yonder window breaks?", "Ó ロミオ 🌹 <3 & ]]> \"thee\""];

/// How much is said in one breath.
pub(crate) const BREATH: usize = 10;

/// How long it may take to know what became of something: Prosody gives up after 90 seconds.
const PATIENCE: Duration = Duration::from_secs(100);

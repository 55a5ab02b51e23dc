//! Where resolvers do not agree, and why.

use crate::oracle::State;

/// Who says otherwise than BIND, about which names, in which way, and for what reason.
#[derive(Debug)]
pub(crate) struct Difference {
    pub(crate) who: &'static str,
    names: fn(&str) -> bool,
    bind: fn(State) -> bool,
    says: fn(State) -> bool,
    pub(crate) why: &'static str,
}

impl Difference {
    /// Whether this is it.
    pub(crate) fn explains(&self, who: &str, name: &str, bind: State, says: State) -> bool {
        self.who == who && (self.names)(name) && (self.bind)(bind) && (self.says)(says)
    }
}

/// All that are known; each has to occur.
pub(crate) const ALL: [Difference; 9] = [
    Difference {
        who: OURS,
        names: |it| it.ends_with("ed448.lab"),
        bind: is_secure,
        says: |it| !is_secure(it) && it.is_known(),
        why: "we cannot check Ed448, so the zone is as good as unsigned (RFC 4035 §5.2)",
    },
    Difference {
        who: OURS_OVER_BIND,
        names: |it| it.ends_with("ed448.lab"),
        bind: is_secure,
        says: |it| !is_secure(it) && it.is_known(),
        why: "the same",
    },
    Difference {
        who: OURS,
        names: |it| it.ends_with(".baddenial.lab") || it.ends_with(".baddenial3.lab"),
        bind: is_secure,
        says: |it| it == State::Bogus,
        why: "we ask whether a zone of its own begins at a host, and the denial of that is forged",
    },
    Difference {
        who: OURS,
        names: |it| it.ends_with(".n3i600.lab"),
        bind: is_secure,
        says: |it| !is_secure(it) && it.is_known(),
        why: "we ask whether a zone of its own begins at a host, and do not hash that often (RFC 9276 §3.2)",
    },
    Difference {
        who: OURS_OVER_BIND,
        names: |it| it.ends_with(".baddenial.lab") || it.ends_with(".baddenial3.lab"),
        bind: is_secure,
        says: |it| it == State::Bogus,
        why: "the same",
    },
    Difference {
        who: OURS_OVER_BIND,
        names: |it| it.ends_with(".n3i600.lab"),
        bind: is_secure,
        says: |it| !is_secure(it) && it.is_known(),
        why: "the same",
    },
    Difference {
        who: UNBOUND,
        names: |it| it.ends_with("tomorrow.lab") || it.ends_with("lately.lab"),
        bind: |it| it == State::Bogus,
        says: State::is_known,
        why: "unbound allows for clocks that are wrong by up to a day; BIND, delv and we do not",
    },
    Difference {
        who: DELV,
        names: |it| it.ends_with("opt.lab") || it.ends_with(".opt") || it.starts_with("c-opt."),
        bind: |it| it == State::insecure(0),
        says: |it| it == State::secure(0),
        why: "delv reports that the proof is signed, not that opt-out proves no absence (RFC 5155 §9.2)",
    },
    Difference {
        who: DELV,
        names: |it| ["c-loop.", "c-self.", "z.d-loop."].iter().any(|loops| it.starts_with(loops)),
        bind: |it| it == State::Failed,
        says: |it| it == State::Bogus,
        why: "delv takes aliases without end for forgery, the others for a failure",
    },
];

fn is_secure(state: State) -> bool {
    matches!(state, State::Known { secure: true, .. })
}

/// The columns of the table.
pub(crate) const UNBOUND: &str = "unbound";
pub(crate) const BIND: &str = "BIND";
pub(crate) const DELV: &str = "delv";
pub(crate) const OURS: &str = "ours";
pub(crate) const OURS_OVER_BIND: &str = "ours over BIND";
pub(crate) const TRUST_AD: &str = "trust-ad";

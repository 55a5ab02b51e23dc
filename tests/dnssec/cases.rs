//! What is asked of every resolver.

/// A name and a type.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) kind: &'static str,
}

impl Case {
    fn new(name: impl Into<String>, kind: &'static str) -> Self {
        Self { name: name.into(), kind }
    }
}

/// Every question.
pub(crate) fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    for zone in ZONES {
        cases.push(Case::new(format!("_xmpp-server._tcp.{zone}"), "SRV"));
        cases.push(Case::new(format!("xmpp.{zone}"), "AAAA"));
        cases.push(Case::new(format!("_5269._tcp.xmpp.{zone}"), "TLSA"));
        cases.push(Case::new(format!("_5271._tcp.xmpp.{zone}"), "TLSA"));
        cases.push(Case::new(format!("v4.{zone}"), "AAAA"));
        cases.push(Case::new(format!("nope.{zone}"), "A"));
    }
    for zone in ["p256.lab", "n3.lab", "n3opt.lab"] {
        cases.extend(SPECIAL.iter().map(|(name, kind)| Case::new(format!("{name}.{zone}"), kind)));
    }
    cases.extend(OTHERS.iter().map(|(name, kind)| Case::new(*name, kind)));
    cases
}

/// Each in a state of its own.
const ZONES: [&str; 45] = [
    "p256.lab",
    "rsa256.lab",
    "rsa512.lab",
    "rsa1.lab",
    "rsa1n3.lab",
    "p384.lab",
    "ed.lab",
    "ed448.lab",
    "two.lab",
    "n3.lab",
    "n3opt.lab",
    "n3i10.lab",
    "n3i50.lab",
    "n3i120.lab",
    "n3i600.lab",
    "expired.lab",
    "future.lab",
    "tomorrow.lab",
    "lately.lab",
    "badsig.lab",
    "badkey.lab",
    "baddenial.lab",
    "baddenial3.lab",
    "partial.lab",
    "nosigs.lab",
    "nodenial.lab",
    "wrongds.lab",
    "dsunsigned.lab",
    "ds1.lab",
    "ds384.lab",
    "dsboth.lab",
    "dsalgorithm.lab",
    "dsdigest.lab",
    "unsigned.lab",
    "island.unsigned.lab",
    "ruin.unsigned.lab",
    "sub.p256.lab",
    "sub.n3.lab",
    "sub.n3opt.lab",
    "child.n3opt.lab",
    "child.p256.lab",
    "signed.opt",
    "unsigned.opt",
    "expired.opt",
    "island.plain",
];

/// Below each of three zones.
const SPECIAL: [(&str, &str); 63] = [
    ("z.wild", "A"),
    ("z.wild", "AAAA"),
    ("z.wild", "SRV"),
    ("deep.er.wild", "A"),
    ("y.wild", "A"),
    ("y.wild", "AAAA"),
    ("b.wild", "A"),
    ("z.b.wild", "A"),
    ("wild", "A"),
    ("*.wild", "A"),
    ("_xmpp-server._tcp.w-srv", "SRV"),
    ("_5269._tcp.h.w-tlsa", "TLSA"),
    ("_5269._tcp.h.w-tlsa", "A"),
    ("z.w-cname", "A"),
    ("z.w-cname", "SRV"),
    ("z.w-cname-out", "A"),
    ("z.w-cname-none", "A"),
    ("c-in", "A"),
    ("c-in", "SRV"),
    ("c-ed", "A"),
    ("c-chain", "AAAA"),
    ("c-chain-out", "A"),
    ("c-out", "A"),
    ("c-none", "A"),
    ("c-none-ed", "A"),
    ("c-none-out", "A"),
    ("c-no-data", "AAAA"),
    ("c-bad", "A"),
    ("c-bad", "AAAA"),
    ("c-expired", "A"),
    ("c-wild", "A"),
    ("c-wild-n3", "A"),
    ("c-opt", "A"),
    ("c-back", "A"),
    ("c-loop", "A"),
    ("c-self", "A"),
    ("_xmpp-server._tcp.c-srv", "SRV"),
    ("_xmpp-server._tcp.c-srv-in", "SRV"),
    ("_xmpp-server._tcp.c-srv-out", "SRV"),
    ("_xmpp-server._tcp.c-srv-none", "SRV"),
    ("_5269._tcp.c-tlsa", "TLSA"),
    ("_5269._tcp.c-tlsa-out", "TLSA"),
    ("xmpp.d", "A"),
    ("nope.d", "A"),
    ("v4.d", "AAAA"),
    ("d", "A"),
    ("_xmpp-server._tcp.d", "SRV"),
    ("_5269._tcp.xmpp.d", "TLSA"),
    ("z.d-in", "A"),
    ("xmpp.d-out", "A"),
    ("xmpp.d-bad", "A"),
    ("xmpp.d-bad", "AAAA"),
    ("xmpp.d-chain", "A"),
    ("xmpp.d-none", "A"),
    ("d-mix", "A"),
    ("z.d-loop", "A"),
    ("step.on.the.way", "A"),
    ("nope.on.the.way", "A"),
    ("_xmpp-server._tcp.deep.er", "SRV"),
    ("_xmpp-server._tcp.dot", "SRV"),
    ("_xmpp-server._tcp.mixed", "SRV"),
    ("_xmpp-server._tcp.cased", "SRV"),
    ("cAMELcASE", "A"),
];

/// The rest.
const OTHERS: [(&str, &str); 19] = [
    ("c-in.unsigned.lab", "A"),
    ("c-bad.unsigned.lab", "A"),
    ("c-none.unsigned.lab", "A"),
    ("_xmpp-server._tcp.c-srv.unsigned.lab", "SRV"),
    ("_5269._tcp.c-tlsa.unsigned.lab", "TLSA"),
    ("xmpp.d.unsigned.lab", "A"),
    ("z.wild.unsigned.lab", "A"),
    ("_xmpp-server._tcp.nope.lab", "SRV"),
    ("_xmpp-server._tcp.nope.opt", "SRV"),
    ("nope.opt", "A"),
    ("_xmpp-server._tcp.nope.plain", "SRV"),
    ("_xmpp-server._tcp.unsigned.plain", "SRV"),
    ("_xmpp-server._tcp.nope", "SRV"),
    ("nope", "A"),
    ("lab", "A"),
    ("opt", "A"),
    ("plain", "A"),
    ("ns", "A"),
    ("ns.lab", "A"),
];

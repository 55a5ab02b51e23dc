//! Shapes of chains, and what is to become of each under each usage of TLSA records.

use ligase_tests::{Leaf, Purpose};
use rcgen::{CertificateParams, KeyPair};

use crate::ligase::{DOMAIN, HOST};
use crate::mint::{Certificate, House, naming, self_signed};

/// One way to present a certificate.
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    pub(crate) make: fn(&House, &KeyPair) -> Shown,
    /// The name that openssl is asked about. It knows one at a time, ligase the host's and the
    /// domain's (RFC 7673 §4.1).
    pub(crate) asked: &'static str,
    /// For usages 0 to 3: `a`, it is accepted; `r`, refused; `f`, accepted if the record has the
    /// thing itself and not a digest of it, refused otherwise; `k`, the same for keys only.
    pub(crate) expect: [char; 4],
    /// Where openssl sees it otherwise: how, and why we do not.
    pub(crate) openssl: Option<([char; 4], &'static str)>,
}

/// A chain, and what TLSA records are made from.
pub(crate) struct Shown {
    pub(crate) chain: Vec<Certificate>,
    /// What records of usages 0 and 2 describe. Those of usages 1 and 3 describe the leaf.
    pub(crate) anchor: Certificate,
}

const fn shape(
    name: &'static str,
    expect: [char; 4],
    make: fn(&House, &KeyPair) -> Shown,
) -> Shape {
    Shape { name, make, asked: HOST, expect, openssl: None }
}

impl Shape {
    const fn of_domain(self) -> Self {
        Self { asked: DOMAIN, ..self }
    }

    const fn but_openssl(self, expect: [char; 4], why: &'static str) -> Self {
        Self { openssl: Some((expect, why)), ..self }
    }
}

const GOOD: [char; 4] = ['a', 'a', 'a', 'a'];

/// Whatever is wrong with it, it is the domain's own (RFC 7671 §5.1).
const ONLY_ITS_OWN: [char; 4] = ['r', 'r', 'r', 'a'];

pub(crate) const SHAPES: [Shape; 24] = [
    shape("whole", GOOD, |house, key| public(house, &naming(&[HOST]), key)),
    shape("without its anchor", ['a', 'a', 'f', 'a'], |house, key| {
        without_last(public(house, &naming(&[HOST]), key))
    }),
    shape("anchored at the authority", GOOD, |house, key| {
        let shown = without_last(public(house, &naming(&[HOST]), key));
        Shown { anchor: house.authority.certificate.clone(), ..shown }
    }),
    shape("in any order", GOOD, |house, key| {
        let mut shown = public(house, &naming(&[HOST]), key);
        shown.chain.swap(1, 2);
        shown
    }),
    shape("with somebody else's certificates", GOOD, |house, key| {
        let mut shown = public(house, &naming(&[HOST]), key);
        shown.chain.insert(1, house.own_root.certificate.clone());
        shown
    }),
    shape("private", ['r', 'r', 'a', 'a'], |house, key| private(house, &naming(&[HOST]), key)),
    shape("private without its anchor", ['r', 'r', 'f', 'a'], |house, key| {
        without_last(private(house, &naming(&[HOST]), key))
    }),
    shape("of the domain", GOOD, |house, key| public(house, &naming(&[DOMAIN]), key)).of_domain(),
    shape("of both", GOOD, |house, key| public(house, &naming(&[DOMAIN, HOST]), key)),
    shape("of any host", GOOD, |house, key| public(house, &naming(&["*.host.test"]), key)),
    shape("of any host below", ONLY_ITS_OWN, |house, key| {
        public(house, &naming(&["*.x.host.test"]), key)
    }),
    shape("of somebody else", ONLY_ITS_OWN, |house, key| {
        public(house, &naming(&["y.host.test", "w.test"]), key)
    }),
    shape("of a common name", ONLY_ITS_OWN, |house, key| {
        let mut params = Leaf::of(&[]).called(HOST).params();
        params.custom_extensions.clear();
        public(house, &params, key)
    })
    .but_openssl(GOOD, "it takes a common name where there is no DNS-ID; RFC 9525 §2 does not"),
    shape("of a service", GOOD, |house, key| {
        let leaf = Leaf::of(&[]).with_services(&["_xmpp-server.x.host.test"]);
        public(house, &leaf.params(), key)
    })
    .but_openssl(ONLY_ITS_OWN, "it does not know SRV-IDs (RFC 4985, RFC 7673 §4.1)"),
    shape("of another service", ONLY_ITS_OWN, |house, key| {
        let leaf = Leaf::of(&[]).with_services(&["_imaps.x.host.test"]);
        public(house, &leaf.params(), key)
    }),
    shape("expired", ONLY_ITS_OWN, |house, key| {
        public(house, &Leaf::of(&[HOST]).expired().params(), key)
    }),
    shape("of tomorrow", ONLY_ITS_OWN, |house, key| {
        public(house, &Leaf::of(&[HOST]).of_tomorrow().params(), key)
    }),
    shape("below an expired authority", ONLY_ITS_OWN, |house, key| {
        let leaf = house.late.issue(&naming(&[HOST]), key);
        chain([leaf, house.late.certificate.clone(), house.root.certificate.clone()])
    }),
    shape("below an expired anchor", ONLY_ITS_OWN, |house, key| {
        let leaf = house.below_late_root.issue(&naming(&[HOST]), key);
        let authority = house.below_late_root.certificate.clone();
        chain([leaf, authority, house.late_root.certificate.clone()])
    }),
    shape("below no authority", ONLY_ITS_OWN, |house, key| {
        let leaf = house.layman.issue(&naming(&[HOST]), key);
        chain([leaf, house.layman.certificate.clone(), house.root.certificate.clone()])
    }),
    shape("for mail", ONLY_ITS_OWN, |house, key| {
        public(house, &Leaf::of(&[HOST]).only_for(Purpose::Mail).params(), key)
    }),
    // Its key has signed it, as an authority's would have.
    shape("on its own word", ['r', 'r', 'k', 'a'], |_, key| {
        let leaf = self_signed(&naming(&[HOST]), key);
        Shown { anchor: leaf.clone(), chain: vec![leaf] }
    }),
    shape("beside an authority", ONLY_ITS_OWN, |house, key| {
        let leaf = self_signed(&naming(&[HOST]), key);
        let anchor = house.root.certificate.clone();
        Shown { chain: vec![leaf, anchor.clone()], anchor }
    }),
    shape("anchored elsewhere", ['r', 'a', 'r', 'a'], |house, key| {
        let shown = public(house, &naming(&[HOST]), key);
        Shown { anchor: house.own_root.certificate.clone(), ..shown }
    }),
];

/// A chain to an anchor that everybody trusts.
fn public(house: &House, params: &CertificateParams, key: &KeyPair) -> Shown {
    let leaf = house.authority.issue(params, key);
    chain([leaf, house.authority.certificate.clone(), house.root.certificate.clone()])
}

/// A chain to an anchor that nobody trusts.
fn private(house: &House, params: &CertificateParams, key: &KeyPair) -> Shown {
    let leaf = house.own_authority.issue(params, key);
    chain([leaf, house.own_authority.certificate.clone(), house.own_root.certificate.clone()])
}

/// A whole chain, its anchor last.
fn chain(all: [Certificate; 3]) -> Shown {
    Shown { anchor: all[2].clone(), chain: all.to_vec() }
}

fn without_last(mut shown: Shown) -> Shown {
    shown.chain.pop();
    shown
}

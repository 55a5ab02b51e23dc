use std::slice::from_ref;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, SHA512, digest};
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, IsCa};

use super::*;
use crate::evaluate::evaluate;
use crate::mint::{self, Authority, day, domain, key_of, now, self_signed};
use crate::roots::Roots;
use crate::{Endpoint, Prooftype, Transport, Verdict};

/// A root that we trust and one that we do not, with an authority below each.
struct World {
    root: Authority,
    authority: Authority,
    own_root: Authority,
    own_authority: Authority,
}

impl World {
    fn new() -> Self {
        let (root, own_root) = (Authority::root("Root"), Authority::root("Own Root"));
        let authority = root.authority("Authority", |_| ());
        let own_authority = own_root.authority("Own Authority", |_| ());
        Self { root, authority, own_root, own_authority }
    }

    fn terms(&self) -> Terms {
        Terms {
            prooftypes: vec![Prooftype::Dane, Prooftype::Pkix],
            tlsa_usages: vec![0, 1, 2, 3],
            roots: Roots::new(vec![self.root.certificate.clone()]),
        }
    }

    /// A chain to the root that we trust.
    fn public(&self, names: &[&str]) -> Vec<CertificateDer<'static>> {
        vec![self.authority.leaf(names, |_| ()), self.authority.certificate.clone()]
    }

    /// A chain to the root that we do not trust, all of it.
    fn private(
        &self,
        names: &[&str],
        change: impl FnOnce(&mut CertificateParams),
    ) -> Vec<CertificateDer<'static>> {
        vec![
            self.own_authority.leaf(names, change),
            self.own_authority.certificate.clone(),
            self.own_root.certificate.clone(),
        ]
    }

    /// The verdict on a chain shown at the only endpoint of v.test, which has these records.
    #[track_caller]
    fn check(&self, chain: &[CertificateDer<'static>], records: Vec<Tlsa>, expect: &str) {
        let evidence = published(vec![at(&x(), Published::Here(records, in_hours(2)))]);
        let request = Request { endpoint: Some(x()), ..incoming(chain) };
        let request = Request { role: Role::Receiving, ..request };
        assert_eq!(outcome(&evaluate(&request, &evidence, &self.terms())), expect);
    }
}

fn incoming(chain: &[CertificateDer<'static>]) -> Request {
    mint::request("v.test", chain.to_vec())
}

fn in_hours(hours: u64) -> SystemTime {
    now() + Duration::from_secs(hours * 3600)
}

fn endpoint(target: &str, port: u16) -> Endpoint {
    let transport = Transport::StartTls;
    Endpoint { target: domain(target), port, transport, secure: true }
}

fn x() -> Endpoint {
    endpoint("x.host.test", 5269)
}

fn at(endpoint: &Endpoint, records: Published<Vec<Tlsa>>) -> TlsaAt {
    TlsaAt { endpoint: endpoint.clone(), base: endpoint.target.clone(), records }
}

/// Evidence with the endpoints that these records are at.
fn published(tlsa: Vec<TlsaAt>) -> Evidence {
    let endpoints = tlsa.iter().map(|it| it.endpoint.clone()).collect();
    Evidence { endpoints: Published::Here(endpoints, in_hours(1)), tlsa, posh: Published::Absent }
}

/// A record that describes a certificate.
fn record(parameters: [u8; 3], certificate: &CertificateDer<'static>) -> Tlsa {
    let [usage, selector, matching] = parameters;
    let selected = match selector {
        0 => certificate.to_vec(),
        _ => key_of(certificate),
    };
    let data = match matching {
        0 => selected,
        1 => digest(&SHA256, &selected).as_ref().to_vec(),
        _ => digest(&SHA512, &selected).as_ref().to_vec(),
    };
    Tlsa { usage, selector, matching, data }
}

fn outcome(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Proven(association) => {
            let left = association.expires().duration_since(now()).unwrap();
            format!("{} for {} h", association.prooftype(), left.as_secs() / 3600)
        }
        Verdict::Unproven(reason) => reason.finding.label().to_owned(),
        Verdict::Refuted(reason) => format!("refuted, {}", reason.finding.label()),
        Verdict::Undetermined(reason) => format!("undetermined, {}", reason.finding.label()),
    }
}

/// Until the SRV records expire.
const ALLOWED: &str = "dane for 1 h";
const FORBIDDEN: &str = "refuted, dane.mismatch";

const ALL_SELECTIONS: [[u8; 2]; 6] = [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]];

#[test]
fn the_domains_own_certificate_needs_nothing_but_its_key() {
    let world = World::new();
    let other = self_signed(&["dns:v.test"], |_| ());
    let odd = self_signed(&[], |it| {
        it.not_after = day(-1);
        it.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
        it.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    });
    for [selector, matching] in ALL_SELECTIONS {
        let parameters = [3, selector, matching];
        world.check(from_ref(&odd), vec![record(parameters, &odd)], ALLOWED);
        world.check(from_ref(&odd), vec![record(parameters, &other)], FORBIDDEN);
    }
}

#[test]
fn any_record_may_match_but_only_on_the_leaf() {
    let world = World::new();
    let leaf = self_signed(&["dns:v.test"], |_| ());
    let other = self_signed(&["dns:v.test"], |_| ());
    let both = vec![record([3, 1, 1], &other), record([3, 1, 1], &leaf)];
    world.check(from_ref(&leaf), both, ALLOWED);
    let chain = [leaf, other.clone()];
    world.check(&chain, vec![record([3, 1, 1], &other)], FORBIDDEN);
}

#[test]
fn no_public_authority_can_overrule_the_records() {
    let world = World::new();
    let chain = world.public(&["dns:v.test"]);
    let other = self_signed(&["dns:v.test"], |_| ());
    world.check(&chain, vec![record([3, 1, 1], &other)], FORBIDDEN);
    world.check(&chain, Vec::new(), "pkix for 1440 h");
}

#[test]
fn records_that_nobody_understands_are_none() {
    let world = World::new();
    let chain = world.public(&["dns:v.test"]);
    let with = |usage, selector, matching, length| {
        vec![Tlsa { usage, selector, matching, data: vec![7; length] }]
    };
    let cut = |mut it: Tlsa| {
        it.data.pop();
        vec![it]
    };
    let longer = |mut it: Tlsa| {
        it.data.push(0);
        vec![it]
    };
    for records in [
        with(3, 1, 1, 31),
        with(3, 1, 1, 33),
        with(3, 1, 1, 64),
        with(3, 1, 2, 32),
        with(3, 1, 9, 32),
        with(3, 2, 1, 32),
        with(9, 1, 1, 32),
        with(255, 1, 1, 32),
        with(3, 1, 1, 0),
        with(3, 1, 0, 0),
        with(3, 1, 0, 32),
        cut(record([3, 0, 0], &chain[0])),
        cut(record([2, 1, 0], &chain[1])),
        longer(record([3, 0, 0], &chain[0])),
        longer(record([2, 1, 0], &chain[1])),
        // A whole value of DER, and no sequence.
        vec![Tlsa { usage: 3, selector: 1, matching: 0, data: vec![2, 1, 5] }],
    ] {
        world.check(&chain, records, "pkix for 1440 h");
    }
    let mut terms = world.terms();
    assert!(has_usable(&with(0, 1, 1, 32), &terms));
    terms.tlsa_usages = vec![2, 3];
    assert!(!has_usable(&with(0, 1, 1, 32), &terms));
}

#[test]
fn of_several_digests_only_the_strongest_counts() {
    let world = World::new();
    let leaf = self_signed(&["dns:v.test"], |_| ());
    let other = self_signed(&["dns:v.test"], |_| ());
    let check = |records, expect| world.check(from_ref(&leaf), records, expect);
    let (weak, strong) = (record([3, 1, 1], &leaf), record([3, 1, 2], &other));
    check(vec![weak.clone(), strong.clone()], FORBIDDEN);
    check(vec![weak.clone(), record([3, 0, 2], &other)], ALLOWED);
    check(vec![weak.clone(), record([2, 1, 2], &other)], ALLOWED);
    // One that is cut short outdoes nobody.
    let short = Tlsa { data: vec![7; 63], ..strong.clone() };
    check(vec![weak, short], ALLOWED);
    check(vec![record([3, 1, 0], &leaf), strong], ALLOWED);
}

#[test]
fn a_domain_may_name_its_own_authority() {
    let world = World::new();
    let chain = world.private(&["dns:v.test"], |_| ());
    for [selector, matching] in ALL_SELECTIONS {
        let parameters = [2, selector, matching];
        for authority in &chain[1..] {
            world.check(&chain, vec![record(parameters, authority)], ALLOWED);
        }
        let stranger = Authority::root("Stranger").certificate;
        world.check(&chain, vec![record(parameters, &stranger)], FORBIDDEN);
    }
}

#[test]
fn the_domains_own_authority_vouches_for_the_host_and_the_domain() {
    let world = World::new();
    let check = |names: &[&str], expect| {
        let chain = world.private(names, |_| ());
        world.check(&chain, vec![record([2, 0, 1], &world.own_root.certificate)], expect);
    };
    check(&["dns:x.host.test"], ALLOWED);
    check(&["dns:*.host.test"], ALLOWED);
    check(&["srv:_xmpp-server.v.test"], ALLOWED);
    check(&["dns:y.host.test"], FORBIDDEN);
    check(&["dns:w.test"], FORBIDDEN);
}

#[test]
fn the_domains_own_authority_vouches_by_the_rules() {
    let world = World::new();
    let root = || vec![record([2, 0, 1], &world.own_root.certificate)];
    world.check(&world.private(&["dns:v.test"], |it| it.not_after = day(-1)), root(), FORBIDDEN);
    let email = |it: &mut CertificateParams| {
        it.extended_key_usages = vec![ExtendedKeyUsagePurpose::EmailProtection];
    };
    world.check(&world.private(&["dns:v.test"], email), root(), FORBIDDEN);

    // A certificate that shows the authority's, without being signed by it.
    let stolen = vec![self_signed(&["dns:v.test"], |_| ()), world.own_root.certificate.clone()];
    world.check(&stolen, root(), FORBIDDEN);
    // An authority that is none.
    let leaf = world.own_authority.leaf(&["dns:v.test"], |_| ());
    world.check(&[leaf.clone(), leaf.clone()], vec![record([2, 0, 1], &leaf)], FORBIDDEN);
    // One that has expired.
    let old = Authority::root("Old").authority("Old", |it| it.not_after = day(-1));
    let chain = [old.leaf(&["dns:v.test"], |_| ()), old.certificate.clone()];
    world.check(&chain, vec![record([2, 0, 1], &old.certificate)], FORBIDDEN);
}

#[test]
fn an_authority_that_is_not_shown_must_be_in_the_record() {
    let world = World::new();
    let chain = &world.private(&["dns:v.test"], |_| ())[..2];
    for [selector, matching] in ALL_SELECTIONS {
        let expect = if matching == 0 { ALLOWED } else { FORBIDDEN };
        let record = record([2, selector, matching], &world.own_root.certificate);
        world.check(chain, vec![record], expect);
    }
    // A sequence of DER, which is neither.
    let junk = |selector| Tlsa { usage: 2, selector, matching: 0, data: vec![0x30, 2, 5, 0] };
    world.check(chain, vec![junk(0)], FORBIDDEN);
    world.check(chain, vec![junk(1)], FORBIDDEN);
}

#[test]
fn the_domains_own_authority_vouches_from_its_first_second_to_its_last() {
    let world = World::new();
    for (from, until, expect) in [
        (-2, 1, "dane for 0 h"),
        (0, 4000, ALLOWED),
        (-4000, 0, "dane for 0 h"),
        (1, 4000, FORBIDDEN),
        (-4000, -1, FORBIDDEN),
    ] {
        let authority = world.own_root.authority("Short", |it| {
            (it.not_before, it.not_after) = (mint::seconds(from), mint::seconds(until));
        });
        let leaf = authority.leaf(&["dns:v.test"], |_| ());
        let records = || vec![record([2, 0, 0], &authority.certificate)];
        world.check(&[leaf.clone(), authority.certificate.clone()], records(), expect);
        // The same where it is in the record alone.
        world.check(from_ref(&leaf), records(), expect);
    }
}

#[test]
fn an_authority_that_is_shown_is_not_replaced_by_its_key() {
    let world = World::new();
    let old = world.own_root.authority("Old", |it| it.not_after = day(-1));
    let leaf = old.leaf(&["dns:v.test"], |_| ());
    let key = || vec![record([2, 1, 0], &old.certificate)];
    world.check(from_ref(&leaf), key(), ALLOWED);
    world.check(&[leaf, old.certificate.clone()], key(), FORBIDDEN);
}

#[test]
fn a_leaf_may_be_its_own_authority_by_its_key() {
    let world = World::new();
    let (leaf, other) =
        (self_signed(&["dns:v.test"], |_| ()), self_signed(&["dns:w.test"], |_| ()));
    world.check(from_ref(&leaf), vec![record([2, 1, 0], &leaf)], ALLOWED);
    world.check(from_ref(&leaf), vec![record([2, 0, 0], &leaf)], FORBIDDEN);
    world.check(from_ref(&leaf), vec![record([2, 1, 1], &leaf)], FORBIDDEN);
    world.check(from_ref(&other), vec![record([2, 1, 0], &other)], FORBIDDEN);
}

#[test]
fn only_the_usages_that_are_asked_for_count() {
    let world = World::new();
    let chain = world.public(&["dns:v.test"]);
    let other = self_signed(&["dns:v.test"], |_| ());
    let request = Request { endpoint: Some(x()), role: Role::Receiving, ..incoming(&chain) };
    for asked in 0..16_u8 {
        let tlsa_usages: Vec<u8> = (0..4).filter(|it| asked & 1 << it != 0).collect();
        let terms = Terms { tlsa_usages: tlsa_usages.clone(), ..world.terms() };
        for usage in 0..4 {
            let is_asked = tlsa_usages.contains(&usage);
            let check = |records: Vec<Tlsa>, expect: &str, otherwise: &str| {
                assert_eq!(has_usable(&records, &terms), is_asked, "{usage} of {tlsa_usages:?}");
                let evidence = published(vec![at(&x(), Published::Here(records, in_hours(2)))]);
                let found = outcome(&evaluate(&request, &evidence, &terms));
                let expect = if is_asked { expect } else { otherwise };
                assert_eq!(found, expect, "{usage} of {tlsa_usages:?}");
            };
            let right = if usage % 2 == 0 { &world.authority.certificate } else { &chain[0] };
            check(vec![record([usage, 1, 1], right)], ALLOWED, "pkix for 1440 h");
            check(vec![record([usage, 1, 1], &other)], FORBIDDEN, "pkix for 1440 h");
        }
    }
}

#[test]
fn records_may_narrow_what_public_authorities_vouch_for() {
    let world = World::new();
    let chain = world.public(&["dns:v.test"]);
    let private = world.private(&["dns:v.test"], |_| ());
    let nameless = world.public(&["dns:w.test"]);
    for [selector, matching] in ALL_SELECTIONS {
        let (ee, ta) = ([1, selector, matching], [0, selector, matching]);
        world.check(&chain, vec![record(ee, &chain[0])], ALLOWED);
        world.check(&chain, vec![record(ee, &private[0])], FORBIDDEN);
        world.check(&private, vec![record(ee, &private[0])], FORBIDDEN);
        world.check(&nameless, vec![record(ee, &nameless[0])], FORBIDDEN);

        world.check(&chain, vec![record(ta, &chain[1])], ALLOWED);
        world.check(&chain, vec![record(ta, &world.root.certificate)], ALLOWED);
        world.check(&chain, vec![record(ta, &private[1])], FORBIDDEN);
        world.check(&private, vec![record(ta, &private[1])], FORBIDDEN);
        world.check(&nameless, vec![record(ta, &nameless[1])], FORBIDDEN);
        // An authority that is shown, and has nothing to do with it.
        let mut shown = chain.clone();
        shown.push(private[2].clone());
        world.check(&shown, vec![record(ta, &private[2])], FORBIDDEN);
    }
}

#[test]
fn a_record_may_mean_an_authority_above_the_one_we_trust() {
    let world = World::new();
    let chain = world.private(&["dns:v.test"], |_| ());
    let roots = Roots::new(vec![world.own_authority.certificate.clone()]);
    let terms = Terms { roots, ..world.terms() };
    let records = vec![record([0, 1, 1], &world.own_root.certificate)];
    let evidence = published(vec![at(&x(), Published::Here(records, in_hours(2)))]);
    let request = Request { endpoint: Some(x()), role: Role::Receiving, ..incoming(&chain) };
    assert_eq!(outcome(&evaluate(&request, &evidence, &terms)), ALLOWED);
}

#[test]
fn the_name_under_which_the_records_were_found_will_do() {
    let world = World::new();
    let chain = world.private(&["dns:real.host.test"], |_| ());
    let records = vec![record([2, 1, 1], &world.own_root.certificate)];
    let mut found = at(&x(), Published::Here(records, in_hours(2)));
    found.base = domain("real.host.test");
    let request = Request { endpoint: Some(x()), role: Role::Receiving, ..incoming(&chain) };
    assert_eq!(outcome(&evaluate(&request, &published(vec![found]), &world.terms())), ALLOWED);
}

#[test]
fn a_proof_lasts_as_long_as_the_records() {
    let world = World::new();
    let leaf = self_signed(&[], |_| ());
    let request =
        Request { endpoint: Some(x()), role: Role::Receiving, ..incoming(from_ref(&leaf)) };
    let lifetime = |endpoints, records: u64| {
        let tlsa = vec![record([3, 1, 1], &leaf)];
        let mut evidence = published(vec![at(&x(), Published::Here(tlsa, in_hours(records)))]);
        evidence.endpoints = Published::Here(vec![x()], in_hours(endpoints));
        let Verdict::Proven(proof) = evaluate(&request, &evidence, &world.terms()) else {
            panic!("not proven");
        };
        proof.expires().duration_since(now()).unwrap().as_secs()
    };
    assert_eq!(lifetime(4, 2), 2 * 3600);
    assert_eq!(lifetime(3, 5), 3 * 3600);
    assert_eq!(lifetime(0, 5), 4);
}

/// The verdict on a peer that connected to us, or to an endpoint, where v.test has these records.
#[track_caller]
fn check_met(
    world: &World,
    met: Option<Endpoint>,
    chain: &[CertificateDer<'static>],
    tlsa: Vec<TlsaAt>,
    expect: &str,
) {
    let role = if met.is_some() { Role::Receiving } else { Role::Initiating };
    let request = Request { endpoint: met, role, ..incoming(chain) };
    assert_eq!(outcome(&evaluate(&request, &published(tlsa), &world.terms())), expect);
}

#[test]
fn records_that_were_forged_or_lost_let_nobody_in() {
    let world = World::new();
    let chain = world.public(&["dns:v.test"]);
    let bogus = || vec![at(&x(), Published::Bogus(Finding::DnsBogus))];
    let lost = || vec![at(&x(), Published::Unreachable(Finding::DnsFailure))];
    for met in [Some(x()), None] {
        check_met(&world, met.clone(), &chain, bogus(), "refuted, dns.bogus");
        check_met(&world, met.clone(), &chain, lost(), "undetermined, dns.failure");
        check_met(&world, met, &chain, vec![at(&x(), Published::Absent)], "pkix for 1440 h");
    }
}

#[test]
fn who_connects_to_us_may_be_any_of_the_domains_hosts() {
    let world = World::new();
    let (leaf, public) = (self_signed(&[], |_| ()), world.public(&["dns:v.test"]));
    let other = self_signed(&[], |_| ());
    let y = endpoint("y.host.test", 5269);
    let here = |certificate| Published::Here(vec![record([3, 1, 1], certificate)], in_hours(2));
    let check = |chain: &[_], tlsa, expect| check_met(&world, None, chain, tlsa, expect);

    let both = || vec![at(&x(), here(&other)), at(&y, here(&leaf))];
    check(from_ref(&leaf), both(), ALLOWED);
    check(&public, both(), FORBIDDEN);
    // Its second host has no records, so a certificate for it may be any that is good otherwise.
    let half = || vec![at(&x(), here(&leaf)), at(&y, Published::Absent)];
    check(from_ref(&leaf), half(), ALLOWED);
    check(&public, half(), "pkix for 1440 h");
    check(from_ref(&other), half(), "cert.chain");
    // One host's records are enough to let in, but not to turn away while the other's are missing.
    let lost = || vec![at(&x(), here(&leaf)), at(&y, Published::Unreachable(Finding::DnsFailure))];
    check(from_ref(&leaf), lost(), ALLOWED);
    check(&public, lost(), "undetermined, dns.failure");
    check(from_ref(&other), lost(), "undetermined, dns.failure");
}

#[test]
fn records_of_a_client_are_those_of_usages_2_and_3() {
    let world = World::new();
    let chain = world.public(&["dns:v.test"]);
    let records = |usage| {
        let found = record([usage, 1, 1], &self_signed(&[], |_| ()));
        vec![at(&x(), Published::Here(vec![found], in_hours(2)))]
    };
    check_met(&world, None, &chain, records(1), "pkix for 1440 h");
    check_met(&world, None, &chain, records(3), FORBIDDEN);
    check_met(&world, Some(x()), &chain, records(1), FORBIDDEN);
}

#[test]
fn an_endpoint_that_is_no_longer_the_domains_is_like_a_client() {
    let world = World::new();
    let (leaf, public) = (self_signed(&[], |_| ()), world.public(&["dns:v.test"]));
    let gone = Some(endpoint("x.host.test", 5270));
    let tlsa = || {
        let records = vec![record([3, 1, 1], &leaf)];
        vec![at(&x(), Published::Here(records, in_hours(2)))]
    };
    check_met(&world, gone.clone(), from_ref(&leaf), tlsa(), ALLOWED);
    check_met(&world, gone, &public, tlsa(), FORBIDDEN);
}

#[test]
fn forged_records_are_not_outweighed_by_lost_ones() {
    let world = World::new();
    let chain = world.public(&["dns:v.test"]);
    let y = endpoint("y.host.test", 5269);
    let bogus = || at(&x(), Published::Bogus(Finding::DnsBogus));
    let lost = || at(&y, Published::Unreachable(Finding::DnsFailure));
    check_met(&world, None, &chain, vec![bogus(), lost()], "refuted, dns.bogus");
    check_met(&world, None, &chain, vec![lost(), bogus()], "refuted, dns.bogus");
    let slow = at(&x(), Published::Unreachable(Finding::DnsLimit));
    check_met(&world, None, &chain, vec![lost(), slow], "undetermined, dns.failure");
}

#[test]
fn only_so_many_of_the_domains_authorities_are_looked_at() {
    let world = World::new();
    let chain = world.private(&["dns:v.test"], |_| ());
    let others = |selector: u8, count: usize| -> Vec<Tlsa> {
        (0..count).map(|_| record([2, selector, 0], &self_signed(&[], |_| ()))).collect()
    };
    for selector in 0..2 {
        // In the records alone, and shown.
        for shown in [&chain[..2], &chain] {
            let right = || vec![record([2, selector, 0], &world.own_root.certificate)];
            world.check(shown, [others(selector, 3), right()].concat(), ALLOWED);
            world.check(shown, [others(selector, 4), right()].concat(), FORBIDDEN);
            // What costs nothing is not counted: digests of what was not shown, and of leaves.
            let leaves = (0..40).map(|_| record([3, 1, 1], &self_signed(&[], |_| ())));
            let digests = (0..40).map(|_| record([2, 1, 1], &self_signed(&[], |_| ())));
            let free = leaves.chain(digests).collect();
            world.check(shown, [free, others(selector, 3), right()].concat(), ALLOWED);
        }
    }

    // One that was looked at already costs nothing more, however many records mean it.
    let stranger = Authority::root("Stranger").certificate;
    let shown = [chain.clone(), vec![stranger.clone()]].concat();
    let again =
        ALL_SELECTIONS.map(|[selector, matching]| record([2, selector, matching], &stranger));
    let right = vec![record([2, 0, 0], &world.own_root.certificate)];
    world.check(&shown, [again.to_vec(), others(1, 2), right.clone()].concat(), ALLOWED);
    world.check(&shown, [again.to_vec(), others(1, 3), right].concat(), FORBIDDEN);
}

/// A peer chooses both the records and the chain, so the one is not to be multiplied by the other.
#[test]
#[expect(clippy::disallowed_methods, reason = "how long it takes is the question")]
fn records_by_the_hundred_cost_little() {
    let world = World::new();
    // Authorities of one name that sign one another lead nowhere in as many ways as one likes.
    let mut chain = vec![world.own_authority.leaf(&["dns:v.test"], |_| ())];
    let params = |key: &rcgen::KeyPair, by: &rcgen::KeyPair| {
        let mut params = CertificateParams::default();
        params.distinguished_name = mint::common_name("Own Authority");
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        (params.not_before, params.not_after) = (day(-5), day(5));
        let issuer = rcgen::Issuer::from_params(&params, by);
        params.clone().signed_by(key, &issuer).unwrap().der().clone()
    };
    let keys: Vec<_> = (0..15).map(|_| rcgen::KeyPair::generate().unwrap()).collect();
    for (at, key) in keys.iter().enumerate() {
        chain.push(params(key, &keys[(at + 1) % keys.len()]));
    }
    let start = std::time::Instant::now();
    let none = published(Vec::new());
    assert_eq!(outcome(&evaluate(&incoming(&chain), &none, &world.terms())), "cert.chain");
    assert!(start.elapsed() < Duration::from_millis(100), "{:?}", start.elapsed());
    for usage in [0, 1, 2] {
        let record = |number: u8| match usage {
            0 => Tlsa { usage, selector: 1, matching: 1, data: vec![number; 32] },
            1 => record([1, 0, 1], &chain[0]),
            _ => record([2, 0, 0], &world.root.certificate),
        };
        let records: Vec<Tlsa> = (0..100).map(record).collect();
        let met: Vec<TlsaAt> = (0..16)
            .map(|it| {
                at(
                    &endpoint("x.host.test", 5269 + it),
                    Published::Here(records.clone(), in_hours(2)),
                )
            })
            .collect();
        let evidence = published(met);
        let start = std::time::Instant::now();
        let request = Request { role: Role::Receiving, ..incoming(&chain) };
        assert_eq!(outcome(&evaluate(&request, &evidence, &world.terms())), FORBIDDEN);
        assert!(start.elapsed() < Duration::from_secs(1), "{usage}: {:?}", start.elapsed());
    }
}

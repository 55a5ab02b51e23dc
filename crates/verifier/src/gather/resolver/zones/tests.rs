//! What vouches for a zone below another, and what says that there is none.

use hickory_resolver::proto::dnssec::Algorithm;

use super::super::tests::{World, address, alias, alias_for_tree, name};
use super::*;

/// RFC 4035 §5.2: whoever could have another key taken for the zone's would sign whatever he likes.
#[test]
fn a_digest_vouches_for_one_key_of_one_zone() {
    let (world, other) = (World::new(), World::new());
    let (zone, key) = (name("v.test."), world.signer.to_dnskey());
    let tag = key.calculate_key_tag().unwrap();
    let octets = |kind| key.to_digest(&zone, kind).unwrap().as_ref().to_vec();
    let (ecdsa, sha256) = (Algorithm::ECDSAP256SHA256, DigestType::SHA256);
    let digest = octets(sha256);
    let mut changed = digest.clone();
    changed[31] ^= 1;
    let genuine = DS::new(tag, ecdsa, sha256, digest.clone());
    assert!(vouch(&genuine, &zone, &key));
    let longer = DS::new(tag, ecdsa, DigestType::SHA384, octets(DigestType::SHA384));
    assert!(vouch(&longer, &zone, &key));
    for (what, forged) in [
        ("tag", DS::new(tag.wrapping_add(1), ecdsa, sha256, digest.clone())),
        ("algorithm", DS::new(tag, Algorithm::ED25519, sha256, digest.clone())),
        ("kind", DS::new(tag, ecdsa, DigestType::SHA384, digest.clone())),
        ("digest", DS::new(tag, ecdsa, sha256, changed)),
        ("length", DS::new(tag, ecdsa, sha256, digest[..31].to_vec())),
        ("nothing", DS::new(tag, ecdsa, sha256, Vec::new())),
    ] {
        assert!(!vouch(&forged, &zone, &key), "another {what}");
    }
    assert!(!vouch(&genuine, &name("w.test."), &key), "another zone");
    assert!(!vouch(&genuine, &zone, &other.signer.to_dnskey()), "another key");
}

/// RFC 4509 §3: who can break SHA-1 gains nothing by it where there is something better.
#[test]
fn digests_count_that_can_be_checked_and_are_worth_it() {
    use DigestType::{SHA1, SHA256, SHA384};
    let (known, unknown) = (Algorithm::ECDSAP256SHA256, Algorithm::Unknown(99));
    let odd = DigestType::Unknown(99);
    for (digests, expect) in [
        (vec![(known, SHA1)], vec![SHA1]),
        (vec![(known, SHA1), (known, SHA256)], vec![SHA256]),
        (vec![(known, SHA256), (known, SHA1), (known, SHA384)], vec![SHA256, SHA384]),
        (vec![(unknown, SHA256)], vec![]),
        (vec![(known, odd)], vec![]),
        (vec![(unknown, odd), (unknown, SHA256), (known, SHA1)], vec![SHA1]),
        (vec![], vec![]),
    ] {
        let records: Vec<Record> = digests
            .iter()
            .map(|(algorithm, kind)| DS::new(1, *algorithm, *kind, vec![7; 32]))
            .map(|it| RData::DNSSEC(DNSSECRData::DS(it)))
            .map(|it| Record::from_rdata(name("v.test."), 300, it))
            .collect();
        let found: Vec<_> = usable(&records).into_iter().map(DS::digest_type).collect();
        assert_eq!(found, expect, "{digests:?}");
    }
}

/// Where an alias is, no zone begins; but only where it is, and not where somebody says so.
#[test]
fn an_alias_stands_for_no_zone_at_its_own_place_only() {
    let world = World::new();
    let keys = world.keys(".");
    let now = Seconds::of(crate::mint::now());
    let signed = |owner: &str, data: RData| world.signed_for(300, owner, &[data]);
    let mut unsigned = signed("v.test.", alias("x.test."));
    unsigned.truncate(1);
    for (what, answers, is_alias) in [
        ("an alias", signed("v.test.", alias("x.test.")), true),
        ("one without signature", unsigned, false),
        ("one elsewhere", signed("w.test.", alias("x.test.")), false),
        ("one below", signed("x.v.test.", alias("x.test.")), false),
        ("one for a tree above", signed("test.", alias_for_tree("x.")), true),
        ("one for another tree", signed("x.", alias_for_tree("test.")), false),
        ("an address", signed("v.test.", address(1)), false),
        ("nothing", Vec::new(), false),
    ] {
        let mut message = Message::query();
        message.answers = answers;
        let effort = Effort::new();
        let known = no_signed_zone(&message, &name("v.test."), &keys, now, &effort);
        assert_eq!(matches!(known, Some((Known::NoCut, 300))), is_alias, "{what}: {known:?}");
        assert_eq!(known.is_some(), is_alias, "{what}: {known:?}");
    }
}

/// Whoever sends us forged answers shall not have us ask for everything twice.
#[test]
fn what_was_never_learnt_is_not_forgotten() {
    let zones = Zones::new(Upstream::new(Vec::new(), Arc::default()), Anchors::load(None).unwrap());
    assert!(!zones.forget(&name("x.v.test."), crate::mint::now()));
}

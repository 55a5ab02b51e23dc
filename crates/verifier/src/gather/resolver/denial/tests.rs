//! What NSEC and NSEC3 records prove, all of them as if they had been verified.

use hickory_resolver::proto::dnssec::Nsec3HashAlgorithm;
use hickory_resolver::proto::dnssec::rdata::{NSEC, NSEC3};

use super::*;

const SECURE: Option<Security> = Some(Security::Secure);
const INSECURE: Option<Security> = Some(Security::Insecure);

fn name(text: &str) -> Name {
    Name::from_ascii(text).unwrap()
}

/// The names of a zone, in their order, and what is there.
fn zone() -> Vec<(Name, Vec<RecordType>)> {
    use RecordType::{A, CNAME, DNAME, DS, NS, SOA, SRV, TLSA};
    let names: [(&str, &[RecordType]); 10] = [
        ("z.", &[SOA, NS, A]),
        ("alias.z.", &[CNAME]),
        ("child.z.", &[NS, DS]),
        ("host.z.", &[A]),
        ("_1._tcp.host.z.", &[TLSA]),
        ("tree.z.", &[DNAME]),
        ("unsigned.z.", &[NS]),
        ("*.wild.z.", &[A]),
        ("a.b.wild.z.", &[SRV]),
        ("xx.z.", &[A]),
    ];
    names.iter().map(|(it, types)| (name(it), types.to_vec())).collect()
}

/// Does something with all NSEC records of the zone, or with those at some names.
fn plainly<T>(only: Option<&[&str]>, work: impl FnOnce(&Plain<'_>) -> T) -> T {
    let (apex, mut names) = (name("z."), zone());
    names.sort();
    let nexts = names.iter().cycle().skip(1).map(|(next, _)| next.clone());
    let records: Vec<(Name, NSEC)> = names
        .iter()
        .zip(nexts)
        .map(|((owner, types), next)| (owner.clone(), NSEC::new_cover_self(next, types.clone())))
        .filter(|(owner, _)| only.is_none_or(|only| only.iter().any(|it| name(it) == *owner)))
        .collect();
    let mut plain = Plain::new(&apex);
    records.iter().for_each(|(owner, nsec)| plain.add(owner, nsec));
    work(&plain)
}

/// Does something with all NSEC3 records of the zone.
fn hashed<T>(iterations: u16, opt_out: bool, work: impl FnOnce(&Hashed<'_>) -> T) -> T {
    let (apex, salt) = (name("z."), [0xaa]);
    let mut names = zone();
    // What is only a step has a record, too (RFC 5155 §7.1).
    for step in ["_tcp.host.z.", "wild.z.", "b.wild.z."] {
        names.push((name(step), Vec::new()));
    }
    if opt_out {
        names.retain(|(it, _)| *it != name("unsigned.z."));
    }
    let hash =
        |it: &Name| Nsec3HashAlgorithm::SHA1.hash(&salt, it, iterations).unwrap().as_ref().to_vec();
    let mut hashes: Vec<_> = names.iter().map(|(it, types)| (hash(it), types.clone())).collect();
    hashes.sort();
    let nexts = hashes.iter().cycle().skip(1).map(|(next, _)| next.clone());
    let algorithm = Nsec3HashAlgorithm::SHA1;
    let records: Vec<(Name, NSEC3)> = hashes
        .iter()
        .zip(nexts)
        .map(|((hash, types), next)| {
            let owner = apex.prepend_label(digits(hash).as_bytes()).unwrap();
            let types = types.clone();
            let nsec3 = NSEC3::new(algorithm, opt_out, iterations, salt.to_vec(), next, types);
            (owner, nsec3)
        })
        .collect();
    let mut hashed = Hashed::new(&apex);
    records.iter().for_each(|(owner, nsec3)| hashed.add(owner, nsec3));
    work(&hashed)
}

fn digits(hash: &[u8]) -> String {
    let bits = hash.iter().flat_map(|it| (0..8).rev().map(move |bit| it >> bit & 1));
    let bits: Vec<u8> = bits.collect();
    let value = |it: &[u8]| it.iter().fold(0_u8, |value, bit| value << 1 | bit);
    let digit = |it: u8| char::from_digit(it.into(), 32).unwrap();
    bits.chunks(5).map(value).map(digit).collect()
}

/// What is absent from the zone, and how securely so if it may leave out unsigned zones.
fn absences() -> Vec<(&'static str, RecordType, Option<Security>, Option<Security>)> {
    use RecordType::{A, AAAA, SRV, TLSA};
    vec![
        ("host.z.", AAAA, SECURE, SECURE),
        ("host.z.", A, None, None),
        ("_1._tcp.host.z.", TLSA, None, None),
        ("_2._tcp.host.z.", TLSA, SECURE, INSECURE),
        ("_tcp.host.z.", TLSA, SECURE, SECURE),
        ("none.z.", A, SECURE, INSECURE),
        ("a.none.z.", A, SECURE, INSECURE),
        ("zz.z.", A, SECURE, INSECURE),
        ("z.", AAAA, SECURE, SECURE),
        ("z.", A, None, None),
        // An alias might lead to one.
        ("alias.z.", A, None, None),
        ("x.alias.z.", A, SECURE, INSECURE),
        // What other zones have is not this zone's to deny.
        ("child.z.", A, None, None),
        ("x.child.z.", A, None, None),
        ("unsigned.z.", A, None, None),
        ("x.unsigned.z.", A, None, None),
        ("x.tree.z.", A, None, None),
        ("tree.z.", A, SECURE, SECURE),
        // A wildcard makes it, or would if it had any.
        ("x.wild.z.", A, None, None),
        ("x.y.wild.z.", A, None, None),
        ("x.wild.z.", SRV, SECURE, INSECURE),
        ("x.y.wild.z.", SRV, SECURE, INSECURE),
        ("b.wild.z.", A, SECURE, SECURE),
        ("x.b.wild.z.", A, SECURE, INSECURE),
        ("wild.z.", A, SECURE, SECURE),
    ]
}

#[test]
fn what_does_not_exist_is_denied_and_nothing_else() {
    for (owner, kind, expect, _) in absences() {
        let absence = plainly(None, |it| it.absence(&name(owner), kind));
        assert_eq!(absence, expect, "{owner} {kind}");
        let absence = hashed(3, false, |it| it.absence(&name(owner), kind));
        assert_eq!(absence, expect, "{owner} {kind}, hashed");
    }
}

#[test]
fn where_unsigned_zones_may_be_left_out_little_is_secure() {
    for (owner, kind, _, expect) in absences() {
        // It is left out here, and may have anything.
        let is_left_out = name("unsigned.z.").zone_of(&name(owner));
        let expect = if is_left_out { INSECURE } else { expect };
        let absence = hashed(0, true, |it| it.absence(&name(owner), kind));
        assert_eq!(absence, expect, "{owner} {kind}");
    }
}

#[test]
fn each_part_of_the_proof_is_needed() {
    let absence = |only: &[&str], owner: &str| {
        plainly(Some(only), |it| it.absence(&name(owner), RecordType::A))
    };
    // The name itself, and the wildcard that might make it.
    assert_eq!(absence(&["_1._tcp.host.z.", "z."], "none.z."), SECURE);
    assert_eq!(absence(&["_1._tcp.host.z."], "none.z."), None);
    assert_eq!(absence(&["z."], "none.z."), None);
    assert_eq!(absence(&[], "none.z."), None);
    assert_eq!(absence(&["xx.z."], "zzz.z."), None);
    assert_eq!(absence(&["xx.z.", "z."], "zzz.z."), SECURE);
    assert_eq!(absence(&["xx.z.", "z."], "other."), None);
}

#[test]
fn a_wildcard_speaks_only_where_nothing_is_closer() {
    for (closer, expect, opt_out) in [
        ("x.wild.z.", SECURE, INSECURE),
        ("b.wild.z.", None, None),
        ("a.b.wild.z.", None, None),
        ("x.child.z.", None, INSECURE),
        ("host.z.", None, None),
    ] {
        let by_plain = plainly(None, |it| it.no_closer(&name(closer)));
        assert_eq!(by_plain, expect, "{closer}");
        // Hashes do not tell what is below a name, so the caller never asks about that.
        if closer != "x.child.z." {
            assert_eq!(hashed(1, false, |it| it.no_closer(&name(closer))), expect, "{closer}");
            assert_eq!(hashed(1, true, |it| it.no_closer(&name(closer))), opt_out, "{closer}");
        }
    }
}

#[test]
fn zones_begin_where_the_zone_above_says_so() {
    for (owner, expect, opt_out) in [
        ("unsigned.z.", Some(Cut::Unsigned), Some(Cut::Unsigned)),
        // Its DS records should have been in the answer.
        ("child.z.", None, None),
        ("z.", None, None),
        ("host.z.", Some(Cut::None), Some(Cut::None)),
        ("_tcp.host.z.", Some(Cut::None), Some(Cut::None)),
        ("none.z.", Some(Cut::None), Some(Cut::Unsigned)),
        ("x.unsigned.z.", None, Some(Cut::Unsigned)),
        ("x.tree.z.", None, None),
    ] {
        assert_eq!(plainly(None, |it| it.cut(&name(owner))), expect, "{owner}");
        assert_eq!(hashed(2, false, |it| it.cut(&name(owner))), expect, "{owner}, hashed");
        assert_eq!(hashed(2, true, |it| it.cut(&name(owner))), opt_out, "{owner}, opt-out");
    }
}

#[test]
fn hashes_beyond_measure_prove_nothing() {
    let absence =
        |iterations| hashed(iterations, false, |it| it.absence(&name("none.z."), RecordType::A));
    assert_eq!(absence(150), SECURE);
    assert_eq!(absence(151), INSECURE);
    assert_eq!(hashed(151, false, |it| it.cut(&name("host.z."))), Some(Cut::Unsigned));
    assert_eq!(hashed(151, false, |it| it.no_closer(&name("host.z."))), INSECURE);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "how long it takes is the question")]
fn the_longest_name_takes_few_hashes() {
    let long = name(&format!("{}z.", "a.".repeat(125)));
    hashed(150, false, |it| {
        let start = std::time::Instant::now();
        assert_eq!(it.absence(&long, RecordType::A), SECURE);
        // As many as one look-up can ask for must not take longer than a second.
        assert!(start.elapsed().as_millis() < 1000 / 64, "{:?}", start.elapsed());
    });
}

#[test]
fn what_is_no_hash_of_this_zone_is_not_looked_at() {
    let apex = name("z.");
    let nsec3 = |flags| {
        let algorithm = Nsec3HashAlgorithm::SHA1;
        NSEC3::new(algorithm, flags, 0, Vec::new(), vec![0; 20], [RecordType::A])
    };
    let (here, other) = (nsec3(false), nsec3(true));
    let hash = "0".repeat(32);
    for (owner, expect) in [
        (format!("{hash}.z."), 1),
        (format!("{hash}.y."), 0),
        (format!("{hash}.x.z."), 0),
        (format!("{}.z.", &hash[1..]), 0),
        (format!("w{}.z.", &hash[1..]), 0),
    ] {
        for nsec3 in [&here, &other] {
            let mut hashed = Hashed::new(&apex);
            hashed.add(&name(&owner), nsec3);
            let found = hashed.no_closer(&name("anything.z.")).map_or(0, |_| 1);
            assert_eq!(found, expect, "{owner}");
        }
    }
}

/// A name that exists is denied by no record, the first and the last of the zone among them: else a
/// wildcard could be had to speak for it.
#[test]
fn no_name_that_exists_is_denied_by_its_own_record() {
    for (owner, _) in zone() {
        assert_eq!(hashed(0, false, |it| it.no_closer(&owner)), None, "{owner}");
        assert_eq!(plainly(None, |it| it.no_closer(&owner)), None, "{owner}");
    }
}

/// RFC 4035 §5.4: the record before a name tells that the name exists, and nothing of what is there. An
/// attacker could leave the name's own record out, and its TLSA records with it.
#[test]
fn what_is_at_a_name_is_denied_by_its_own_record_alone() {
    let mut names = zone();
    names.sort();
    for (before, at) in names.iter().zip(names.iter().skip(1)) {
        let only = before.0.to_ascii();
        let absence = plainly(Some(&[&only]), |it| it.absence(&at.0, RecordType::CAA));
        assert_eq!(absence, None, "{} by {only}", at.0);
        let cut = plainly(Some(&[&only]), |it| it.cut(&at.0));
        assert_eq!(cut, None, "{} by {only}", at.0);
    }
}

/// RFC 5155 §8.2: of records that are hashed in different ways, those of one way only prove anything
/// together.
#[test]
fn records_of_two_ways_to_hash_prove_nothing_together() {
    let apex = name("z.");
    let nsec3 = |iterations, salt: &[u8], next: u8| {
        let mut hash = vec![0; 20];
        hash[19] = next;
        let algorithm = Nsec3HashAlgorithm::SHA1;
        NSEC3::new(algorithm, false, iterations, salt.to_vec(), hash, [RecordType::A])
    };
    // Between the first two hashes there is no other; behind the second is all the rest.
    let first = nsec3(1, b"s", 1);
    for (iterations, salt, expect) in
        [(1, b"s", SECURE), (1, b"t", None), (2, b"s", None), (2, b"t", None)]
    {
        let rest = nsec3(iterations, salt, 0);
        let mut hashed = Hashed::new(&apex);
        hashed.add(&name(&format!("{}.z.", "0".repeat(32))), &first);
        hashed.add(&name(&format!("{}1.z.", "0".repeat(31))), &rest);
        assert_eq!(hashed.no_closer(&name("x.z.")), expect, "{iterations} {salt:?}");
    }
}

/// What a zone says of names outside it, it says of nothing.
#[test]
fn a_zone_denies_nothing_outside_itself() {
    let apex = name("z.");
    let nsec3 = NSEC3::new(Nsec3HashAlgorithm::SHA1, false, 151, Vec::new(), vec![0; 20], []);
    let mut hashed = Hashed::new(&apex);
    hashed.add(&name(&format!("{}.z.", "0".repeat(32))), &nsec3);
    let denial = Denial { plain: Plain::new(&apex), hashed, ttl: 60 };
    assert_eq!(denial.absence(&name("x.z."), RecordType::A), INSECURE);
    for outside in ["y.", "x.y.", ".", "zz."] {
        assert_eq!(denial.absence(&name(outside), RecordType::A), None, "{outside}");
    }
}

/// RFC 6840 §4.1: the zone above says what DS records there are, the zone itself all else.
#[test]
fn each_side_of_a_cut_speaks_of_its_own_records() {
    use RecordType::{A, CNAME, DS, NS, SOA};
    let above: &[RecordType] = &[NS];
    let itself: &[RecordType] = &[NS, SOA];
    for (types, kind, expect) in [
        (above, DS, true),
        (above, A, false),
        (itself, DS, false),
        (itself, A, true),
        (&[NS, DS], DS, false),
        (&[A], DS, true),
        (&[A], A, false),
        (&[CNAME], A, false),
        (&[CNAME], DS, false),
    ] {
        let nsec = NSEC::new(name("b."), types.iter().copied());
        assert_eq!(lacks(nsec.type_set(), kind), expect, "{types:?} {kind}");
    }
}

/// What is not there to deny anything neither costs us anything nor shortens what is believed, and
/// whoever denies much is not heard to the end.
#[test]
fn as_few_records_are_verified_as_will_do() {
    use super::super::tests::{World, soa};
    let world = World::new();
    let keys = world.keys(".");
    let now = Seconds::of(crate::mint::now());
    let nsec = |next: &str| {
        RData::DNSSEC(DNSSECRData::NSEC(NSEC::new_cover_self(name(next), [RecordType::A])))
    };
    let spent = |authorities: &[Record]| {
        let effort = Effort::new();
        let ttl = Denial::read(authorities, &keys, now, &effort).ttl;
        let left =
            std::iter::repeat_with(|| effort.allows_signature()).take_while(|it| *it).count();
        (128 - left, ttl)
    };
    let mut one = world.signed_for(5, ".", &[soa()]);
    one.extend(world.signed_for(60, "a.", &[nsec("b.")]));
    one.extend(one.clone().into_iter().filter(|it| it.record_type() == RecordType::NSEC));
    assert_eq!(spent(&one), (1, 60));
    assert_eq!(Denial::signers(&one), [&Name::root()]);
    let soa_alone: Vec<_> = world.signed_for(5, ".", &[soa()]);
    assert_eq!(spent(&soa_alone), (0, u32::MAX));
    assert_eq!(Denial::signers(&soa_alone), [] as [&Name; 0]);
    let many: Vec<Record> = (0..20)
        .flat_map(|it| world.signed_for(60, &format!("a{it}."), &[nsec(&format!("b{it}."))]))
        .collect();
    assert_eq!(spent(&many), (16, 60));
    assert_eq!(Denial::signers(&many), [&Name::root()]);
}

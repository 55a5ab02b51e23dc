use std::time::Duration;

use super::*;

#[test]
fn time_goes_in_circles() {
    for (now, from, to, expect) in [
        (100, 50, 150, true),
        (100, 100, 100, true),
        (100, 101, 150, false),
        (100, 50, 99, false),
        // In 2106.
        (u32::MAX, u32::MAX - 5, 5, true),
        (3, u32::MAX - 5, 5, true),
        (6, u32::MAX - 5, 5, false),
        // No signature lasts 68 years, whatever it says.
        (100, 50, 50 + HALF + 100, false),
    ] {
        let is_between = Seconds(now).is_between(Seconds(from), Seconds(to));
        assert_eq!(is_between, expect, "{now} {from} {to}");
    }
    let at = UNIX_EPOCH + Duration::from_secs((1 << 32) + 7);
    assert_eq!(Seconds::of(at), Seconds(7));
    let now = Seconds(u32::MAX);
    assert_eq!(now.until(Seconds(4)), 5);
    assert_eq!(now.until(Seconds(u32::MAX - 1)), 0);
    assert_eq!(Seconds(9).or_earlier(Seconds(3), now), Seconds(3));
    assert_eq!(now.farthest().or_earlier(Seconds(3), now), Seconds(3));
}

#[test]
fn effort_has_an_end() {
    let effort = Effort::new();
    let signatures = std::iter::repeat_with(|| effort.allows_signature());
    assert_eq!(signatures.take_while(|it| *it).count(), 128);
    assert!(!effort.allows_signature());
    let questions = std::iter::repeat_with(|| effort.allows_question());
    assert_eq!(questions.take_while(|it| *it).count(), 64);
    assert!(!effort.allows_question());
}

use super::super::tests::{World, address, alias, alias_for_tree, name};

fn at(hours: i64) -> Seconds {
    let now = i64::try_from(crate::mint::now().duration_since(UNIX_EPOCH).unwrap().as_secs());
    Seconds(u32::try_from(now.unwrap() + hours * 3600).unwrap())
}

/// RFC 4035 §5.3.1: who kept what was signed once could else show it for ever.
#[test]
fn a_signature_holds_for_its_time_and_its_zone() {
    let (world, other) = (World::new(), World::new());
    let records = world.signed_for(300, "v.test.", &[address(1)]);
    let set = Signed::find(&records, &name("v.test."), RecordType::A).unwrap();
    for (hours, holds) in
        [(-2, false), (0, true), (7 * 24 - 2, true), (7 * 24, false), (30 * 24, false)]
    {
        let seal = set.verify(&world.keys("."), at(hours), &Effort::new());
        assert_eq!(seal.is_some(), holds, "after {hours} hours");
    }
    // The same key under another name, and another key under the same.
    for keys in [world.keys("test."), world.keys("x."), other.keys(".")] {
        let effort = Effort::new();
        assert!(set.verify(&keys, at(0), &effort).is_none(), "{keys:?}");
        // By their names and tags they cannot have made it, so it is not tried.
        let left = std::iter::repeat_with(|| effort.allows_signature()).take_while(|it| *it);
        assert_eq!(left.count(), 128, "{keys:?}");
    }
}

#[test]
fn a_set_may_have_so_many_records() {
    let world = World::new();
    for (count, holds) in [(1, true), (256, true), (257, false), (258, false)] {
        let records: Vec<RData> = (0..count)
            .map(|it: u16| {
                let [high, low] = it.to_be_bytes();
                RData::A(std::net::Ipv4Addr::new(192, 0, high, low).into())
            })
            .collect();
        let records = world.signed_for(300, "v.test.", &records);
        let set = Signed::find(&records, &name("v.test."), RecordType::A).unwrap();
        assert_eq!(set.records.len(), usize::from(count));
        let seal = set.verify(&world.keys("."), at(0), &Effort::new());
        assert_eq!(seal.is_some(), holds, "{count} records");
    }
}

/// Each of them may cost us questions, so nobody is named twice, and nobody who cannot have signed.
#[test]
fn signers_are_zones_that_the_name_is_in() {
    let world = World::new();
    let mut records = world.signed_for(300, "x.v.test.", &[address(1)]);
    let genuine = records.iter().find_map(signature).unwrap().clone();
    for signer in ["other.", ".", "a.x.v.test.", "v.test.", "v.test.", "test."] {
        let mut input = genuine.input().clone();
        input.signer_name = name(signer);
        let claimed = RData::DNSSEC(DNSSECRData::RRSIG(RRSIG::from_sig(input, vec![1; 64])));
        records.push(Record::from_rdata(name("x.v.test."), 300, claimed));
    }
    let set = Signed::find(&records, &name("x.v.test."), RecordType::A).unwrap();
    assert_eq!(set.signers(), [&name("."), &name("v.test.")]);
}

/// RFC 4034 §6.2: servers may spell names as they like, and sign them in lower case.
#[test]
fn names_are_signed_in_lower_case() {
    let srv = |target: &str| {
        RData::SRV(hickory_resolver::proto::rr::rdata::SRV::new(1, 2, 3, name(target)))
    };
    for (spelled, signed) in [
        (alias("X.v.TEST."), alias("x.v.test.")),
        (srv("X.v.TEST."), srv("x.v.test.")),
        (alias_for_tree("X.v.TEST."), alias_for_tree("x.v.test.")),
        (address(1), address(1)),
    ] {
        let record = canonical(&Record::from_rdata(name("a."), 300, spelled), 60);
        // Names compare equal however they are spelled, and so does not what is signed.
        let octets = |data: &RData| {
            hickory_resolver::proto::serialize::binary::BinEncodable::to_bytes(data).unwrap()
        };
        assert_eq!(octets(&record.data), octets(&signed));
        assert_eq!(record.ttl, 60);
    }
}

/// What a key may cost us grows with its size.
#[test]
fn a_key_has_so_many_octets_at_most() {
    use hickory_resolver::proto::dnssec::{Algorithm, PublicKeyBuf};
    for (octets, is_kept) in [(1024, true), (1032, true), (1033, false), (8192, false)] {
        let key = PublicKeyBuf::new(vec![7; octets], Algorithm::RSASHA256);
        let keys = Keys::new(name("."), [DNSKEY::with_flags(256, key)].iter(), at(1));
        assert_eq!(!keys.keys.is_empty(), is_kept, "{octets} octets");
    }
}

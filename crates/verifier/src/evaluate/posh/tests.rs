use std::time::Duration;

use rcgen::CertificateParams;

use super::*;
use crate::mint::{day, now, self_signed};

fn presented(change: impl FnOnce(&mut CertificateParams)) -> Presented {
    Presented::new(vec![self_signed(&[], change), self_signed(&[], |_| ())]).unwrap()
}

fn sha256(presented: &Presented, certificate: usize) -> Option<[u8; 32]> {
    digest(&aws_lc_rs::digest::SHA256, &presented.chain()[certificate]).as_ref().try_into().ok()
}

fn sha512(presented: &Presented) -> Option<[u8; 64]> {
    digest(&SHA512, presented.leaf()).as_ref().try_into().ok()
}

fn wrong<const LENGTH: usize>() -> Option<[u8; LENGTH]> {
    Some([7; LENGTH])
}

#[track_caller]
fn check(presented: &Presented, fingerprints: Vec<Fingerprint>, expect: &str) {
    let expires = now() + Duration::from_secs(60);
    let found = match judge(presented, &Published::Here(fingerprints, expires), now()) {
        Ok(until) => format!("for {:?}", until.duration_since(now()).unwrap()),
        Err(finding) => finding.map_or("none", Finding::label).to_owned(),
    };
    assert_eq!(found, expect);
}

#[test]
fn any_descriptor_may_match_but_all_of_it_must() {
    let shown = presented(|_| ());
    let check = |sha256: Option<[u8; 32]>, sha512: Option<[u8; 64]>, expect| {
        check(&shown, vec![Fingerprint { sha256, sha512 }], expect);
    };
    check(sha256(&shown, 0), None, "for 60s");
    check(None, sha512(&shown), "for 60s");
    check(sha256(&shown, 0), sha512(&shown), "for 60s");
    check(sha256(&shown, 0), wrong(), "posh.mismatch");
    check(wrong(), sha512(&shown), "posh.mismatch");
    check(wrong(), None, "posh.mismatch");
    check(None, None, "posh.mismatch");
    // An authority's, and the key's.
    check(sha256(&shown, 1), None, "posh.mismatch");
    let key = digest(&aws_lc_rs::digest::SHA256, shown.spki().unwrap());
    check(key.as_ref().try_into().ok(), None, "posh.mismatch");
}

#[test]
fn one_of_several_descriptors_is_enough() {
    let shown = presented(|_| ());
    let right = Fingerprint { sha256: sha256(&shown, 0), sha512: None };
    let other = Fingerprint { sha256: wrong(), sha512: None };
    check(&shown, vec![other, right], "for 60s");
}

#[test]
fn a_fingerprint_does_not_stand_for_the_dates() {
    let check = |change: fn(&mut CertificateParams), expect| {
        let shown = presented(change);
        check(&shown, vec![Fingerprint { sha256: sha256(&shown, 0), sha512: None }], expect);
    };
    check(|it| it.not_after = day(-1), "cert.expired");
    check(|it| it.not_before = day(1), "cert.expired");
    check(|it| it.not_after = crate::mint::seconds(30), "for 30s");
}

#[test]
fn what_was_not_found_proves_nothing() {
    let shown = presented(|_| ());
    let judge = |published| judge(&shown, &published, now());
    assert_eq!(judge(Published::Absent), Err(None));
    let finding = Finding::PoshUntrusted;
    assert_eq!(judge(Published::Bogus(finding)), Err(Some(finding)));
    assert_eq!(judge(Published::Unreachable(finding)), Err(Some(finding)));
}

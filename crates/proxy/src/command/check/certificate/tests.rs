use std::time::{Duration, SystemTime};

use ligase_verifier::Presented;
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose as Purpose, KeyPair};

use super::{Usage, days_left, names, rfc3339};

fn presented(names: &[&str], purposes: &[Purpose]) -> Presented {
    let names: Vec<_> = names.iter().map(|&it| it.to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.extended_key_usages = purposes.to_vec();
    params.not_before = time::OffsetDateTime::UNIX_EPOCH;
    params.not_after = time::OffsetDateTime::UNIX_EPOCH + time::Duration::days(100);
    let der = params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().clone();
    Presented::new(vec![der]).unwrap()
}

#[test]
fn usage_tells_which_end_is_meant() {
    for (purposes, expect) in [
        (&[][..], "either"),
        (&[Purpose::ServerAuth, Purpose::ClientAuth], "either"),
        (&[Purpose::Any], "either"),
        (&[Purpose::ServerAuth], "server"),
        (&[Purpose::ServerAuth, Purpose::EmailProtection], "server"),
        (&[Purpose::ClientAuth], "client"),
        (&[Purpose::EmailProtection], "other"),
    ] {
        assert_eq!(Usage::of(&presented(&["a.example"], purposes)).as_str(), expect);
    }
    let unreadable = Presented::new(vec![vec![1, 2, 3].into()]).unwrap();
    assert_eq!(Usage::of(&unreadable), Usage::Unknown);
}

#[test]
fn days_are_whole_and_negative_when_they_are_over() {
    let leaf = presented(&["a.example"], &[]);
    let at = |days: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(days * 24 * 3600);
    let hour = Duration::from_secs(3600);
    assert_eq!(days_left(&leaf, at(0)), Some(100));
    assert_eq!(days_left(&leaf, at(99) + hour), Some(0));
    assert_eq!(days_left(&leaf, at(100)), Some(0));
    assert_eq!(days_left(&leaf, at(100) + hour), Some(-1));
    assert_eq!(days_left(&leaf, at(110) + hour), Some(-11));
}

#[test]
fn names_are_each_told_once_and_not_without_end() {
    let leaf = presented(&["a.example", "b.example", "a.example", "c.example"], &[]);
    assert_eq!(names(&leaf, 10), (vec!["a.example", "b.example", "c.example"], 0));
    assert_eq!(names(&leaf, 2), (vec!["a.example", "b.example"], 1));
}

#[test]
fn times_are_told_as_everybody_reads_them() {
    let at = SystemTime::UNIX_EPOCH + Duration::new(1_893_456_000, 7);
    assert_eq!(rfc3339(at).unwrap(), "2030-01-01T00:00:00Z");
    // No year of five digits, and no panic.
    assert_eq!(rfc3339(SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 40)), None);
}

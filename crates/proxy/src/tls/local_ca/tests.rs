use std::time::Duration;

use super::*;
use crate::tls::tests::{Folder, openssl};

fn files(folder: &Folder) -> Files {
    Files {
        certificate: folder.path().join("made/for/it/ca.crt"),
        key: folder.path().join("ca.key"),
    }
}

#[expect(clippy::disallowed_methods, reason = "the openssl command has a clock too")]
fn now() -> SystemTime {
    SystemTime::now()
}

fn domain(text: &str) -> Domain {
    text.parse().unwrap()
}

fn days(days: u64) -> Duration {
    Duration::from_secs(days * 24 * 60 * 60)
}

fn pem(der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}

/// Has openssl verify a leaf against the authority's file and read its names.
#[track_caller]
fn check_leaf(name: &str, expect: &[&str]) {
    let folder = Folder::new();
    let authority = LocalCa::load_or_create(&files(&folder), now()).unwrap();
    let leaf = authority.leaf(&domain(name), now()).unwrap();
    folder.write("leaf.crt", pem(&leaf.cert[0]));
    for purpose in ["sslserver", "sslclient"] {
        let verify =
            format!("verify -x509_strict -purpose {purpose} -CAfile made/for/it/ca.crt leaf.crt");
        let said = openssl(folder.path(), &verify);
        assert!(said.contains("leaf.crt: OK"), "{said}");
    }
    let text = openssl(folder.path(), "x509 -in leaf.crt -noout -ext subjectAltName -nameopt utf8");
    // The names in the other two forms are only printed if their strings are of the right types.
    let text = text.lines().last().unwrap().trim().replace("::", ":");
    assert_eq!(text.split(", ").collect::<Vec<_>>(), expect);
}

#[test]
fn a_leaf_names_its_domain_in_both_ways_and_is_verified_by_others() {
    check_leaf(
        "capulet.example",
        &["DNS:capulet.example", "othername: SRVName:_xmpp-server.capulet.example"],
    );
}

#[test]
fn nothing_secret_is_shown() {
    let folder = Folder::new();
    let ca = LocalCa::load_or_create(&files(&folder), now()).unwrap();
    let leaf = ca.leaf(&domain("capulet.example"), now()).unwrap();
    let shown = format!("{ca:?} {leaf:?}");
    for key in [ca.key.serialize_der(), fs::read(&files(&folder).key).unwrap()] {
        let part: Vec<_> = key[40..48].iter().map(ToString::to_string).collect();
        assert!(!shown.contains(&part.join(", ")), "{shown}");
    }
}

#[test]
fn an_international_domain_is_written_as_each_standard_wants_it() {
    check_leaf(
        "bücher.example",
        &["DNS:xn--bcher-kva.example", "othername: SRVName:_xmpp-server.xn--bcher-kva.example"],
    );
}

#[test]
fn a_long_domain_is_verified_as_well() {
    let long = format!("{}.{}.example", "a".repeat(63), "b".repeat(63));
    let service = format!("othername: SRVName:_xmpp-server.{long}");
    check_leaf(&long, &[&format!("DNS:{long}"), &service]);
}

#[test]
fn a_leaf_is_read_by_our_own_verifier() {
    let folder = Folder::new();
    let authority = LocalCa::load_or_create(&files(&folder), now()).unwrap();
    let leaf = authority.leaf(&domain("bücher.example"), now()).unwrap();
    let presented = Presented::new(leaf.cert.clone()).unwrap();
    let names = presented.names();
    assert_eq!(names.dns, ["xn--bcher-kva.example"]);
    assert_eq!(names.srv, ["_xmpp-server.xn--bcher-kva.example"]);
    assert!(names.xmpp.is_empty());
    assert_eq!(presented.chain()[1], authority.certificate);
}

#[test]
fn the_authority_is_made_once_and_read_again() {
    let folder = Folder::new();
    let files = files(&folder);
    let first = LocalCa::load_or_create(&files, now()).unwrap();
    let second = LocalCa::load_or_create(&files, now()).unwrap();
    assert_eq!(first.certificate, second.certificate);
    assert!(now() + days(3600) < first.not_after());

    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&files.key), 0o600);
    assert_eq!(mode(&files.certificate), 0o644);
    assert_eq!(mode(files.certificate.parent().unwrap()), 0o755);
    // Nothing half-written is left.
    let left = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 2, "the key and a directory");
}

#[test]
fn two_authorities_have_two_names() {
    let subject = |folder: &Folder| {
        LocalCa::load_or_create(&files(folder), now()).unwrap();
        let command = "x509 -in made/for/it/ca.crt -noout -subject";
        openssl(folder.path(), command)
    };
    assert_ne!(subject(&Folder::new()), subject(&Folder::new()));
}

#[test]
fn a_key_without_its_certificate_gets_one_and_the_reverse_is_an_error() {
    let folder = Folder::new();
    let files = files(&folder);
    LocalCa::load_or_create(&files, now()).unwrap();
    let key = fs::read(&files.key).unwrap();
    fs::remove_file(&files.certificate).unwrap();
    LocalCa::load_or_create(&files, now()).unwrap();
    assert_eq!(fs::read(&files.key).unwrap(), key);

    fs::remove_file(&files.key).unwrap();
    let error = LocalCa::load_or_create(&files, now()).unwrap_err();
    let problem = Problem::Unreadable(io::ErrorKind::NotFound);
    assert_eq!(error, problem.of(&files.key));
    assert!(!files.key.exists());
}

#[test]
fn errors_name_the_file() {
    let folder = Folder::new();
    let mine = files(&folder);
    LocalCa::load_or_create(&mine, now()).unwrap();
    let check = |expect: Error| {
        assert_eq!(LocalCa::load_or_create(&mine, now()).unwrap_err(), expect);
    };
    let key = fs::read(&mine.key).unwrap();
    fs::write(&mine.key, "nonsense").unwrap();
    check(Problem::NoKey.of(&mine.key));
    fs::write(&mine.key, KeyPair::generate().unwrap().serialize_pem()).unwrap();
    check(Problem::OtherKey.of(&mine.key));
    fs::write(&mine.key, key).unwrap();
    fs::write(&mine.certificate, "nonsense").unwrap();
    check(Problem::NoCertificate.of(&mine.certificate));

    let inside = mine.key.join("ca.crt");
    let nowhere = Files { certificate: inside.clone(), key: mine.key.clone() };
    // A path through a file cannot be asked about, and so is not taken for absent.
    let error = LocalCa::load_or_create(&nowhere, now()).unwrap_err();
    let problem = Problem::Unreadable(io::ErrorKind::NotADirectory);
    assert_eq!(error, problem.of(&inside));
}

#[test]
fn a_leaf_is_kept_until_it_is_half_through() {
    let folder = Folder::new();
    let authority = LocalCa::load_or_create(&files(&folder), now()).unwrap();
    let (start, capulet) = (now(), domain("capulet.example"));
    let at = |time| authority.leaf(&capulet, time).unwrap();
    let first = at(start);
    assert!(Arc::ptr_eq(&first, &at(start + days(3))));
    let second = at(start + days(4));
    assert!(!Arc::ptr_eq(&first, &second));
    let not_after = |leaf: &CertifiedKey| {
        let presented = Presented::new(leaf.cert.clone()).unwrap();
        presented.not_after().unwrap()
    };
    assert!(start + days(4) < not_after(&first));
    assert!(not_after(&first) < not_after(&second));
    assert_eq!(authority.minted().oldest.len(), 1);
}

#[test]
fn no_leaf_outlives_the_authority() {
    let folder = Folder::new();
    let authority = LocalCa::load_or_create(&files(&folder), now()).unwrap();
    let last = authority.not_after() - days(1);
    let leaf = authority.leaf(&domain("a.example"), last).unwrap();
    let presented = Presented::new(leaf.cert.clone()).unwrap();
    assert_eq!(presented.not_after(), Some(authority.not_after()));
    let error = authority.leaf(&domain("a.example"), authority.not_after());
    assert_eq!(error.unwrap_err(), Problem::Expired.of(authority.path()));
    let error = LocalCa::load_or_create(&files(&folder), authority.not_after());
    assert_eq!(error.unwrap_err(), Problem::Expired.of(authority.path()));
}

#[test]
fn only_so_many_leaves_are_kept() {
    let folder = Folder::new();
    let authority = LocalCa::load_or_create(&files(&folder), now()).unwrap();
    let made = authority.leaf(&domain("first.example"), now()).unwrap();
    let leaf = Leaf { certificate: made.clone(), stale: now() + days(1) };
    let mut minted = authority.minted();
    for number in 0..LEAVES_MAX {
        minted.keep(domain(&format!("n{number}.example")), leaf.clone());
    }
    assert_eq!(minted.by_domain.len(), LEAVES_MAX);
    assert_eq!(minted.oldest.len(), LEAVES_MAX);
    drop(minted);
    let again = authority.leaf(&domain("first.example"), now()).unwrap();
    assert!(!Arc::ptr_eq(&made, &again));
}

#[test]
fn serial_numbers_differ_though_the_key_is_one() {
    let folder = Folder::new();
    let authority = LocalCa::load_or_create(&files(&folder), now()).unwrap();
    let serial = |name: &str| {
        let leaf = authority.leaf(&domain(name), now()).unwrap();
        folder.write("leaf.crt", pem(&leaf.cert[0]));
        openssl(folder.path(), "x509 -in leaf.crt -noout -serial")
    };
    assert_ne!(serial("a.example"), serial("b.example"));
}

use std::fs;
use std::os::unix::fs::symlink;
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};

use super::*;
use crate::tls::tests::{Folder, openssl};

/// The names that the certificate for this name bears.
#[track_caller]
fn check(identities: &Identities, name: &str, expect: &[&str]) {
    let shown = identities.for_name(name);
    let found = names(&Presented::new(shown.cert.clone()).unwrap());
    assert_eq!(found, expect, "for {name:?}");
}

#[test]
fn an_exact_name_goes_before_a_wildcard_and_that_before_the_default() {
    let folder = Folder::new();
    let identities = Identities::load(vec![
        folder.identity("1", &["hosting.example"]),
        folder.identity("2", &["*.verona.example", "verona.example"]),
        folder.identity("3", &["romeo.verona.example"]),
        folder.identity("4", &["verona.example"]),
    ])
    .unwrap();
    check(&identities, "hosting.example", &["hosting.example"]);
    let verona = ["*.verona.example", "verona.example"];
    check(&identities, "verona.example", &verona);
    check(&identities, "nurse.Verona.example.", &verona);
    check(&identities, "romeo.verona.example", &["romeo.verona.example"]);
    check(&identities, "a.nurse.verona.example", &["hosting.example"]);
    check(&identities, "*.verona.example", &verona);
    check(&identities, "", &["hosting.example"]);
    assert!(identities.names(&"nurse.verona.example".parse().unwrap()));
    assert!(!identities.names(&"mantua.example".parse().unwrap()));
    assert_eq!(identities.list().len(), 4);
}

#[test]
fn names_are_read_in_all_three_ways() {
    let folder = Folder::new();
    let extension = "subjectAltName=DNS:a.example,\
        otherName:1.3.6.1.5.5.7.8.7;IA5STRING:_xmpp-server.b.example,\
        otherName:1.3.6.1.5.5.7.8.7;IA5STRING:_xmpp-client.no.example,\
        otherName:1.3.6.1.5.5.7.8.5;UTF8:c.example,\
        otherName:1.3.6.1.5.5.7.8.5;UTF8:a.example";
    openssl(
        folder.path(),
        &format!(
            "req -x509 -newkey rsa:2048 -nodes -keyout k -out c -subj /CN=no.example \
             -days 30 -addext {}",
            extension.replace(' ', "")
        ),
    );
    let identities = Identities::load(vec![Files {
        chain: folder.path().join("c"),
        key: folder.path().join("k"),
    }])
    .unwrap();
    let list = identities.list();
    assert_eq!(list[0].names, ["a.example", "b.example", "c.example"]);
    assert_eq!(list[0].not_after, identities.earliest_expiry());
}

#[track_caller]
fn check_error(files: Vec<Files>, path: &Path, problem: Problem) {
    let path = path.to_owned();
    assert_eq!(Identities::load(files).unwrap_err(), Error { path, problem });
}

#[test]
fn errors_name_the_file() {
    let folder = Folder::new();
    let sound = folder.identity("sound", &["a.example"]);
    let other = folder.identity("other", &["b.example"]);
    let nameless = folder.identity("nameless", &[]);
    let empty = folder.write("empty", "");
    let long = folder.write("long", vec![b' '; 1 + FILE_MAX as usize]);
    let damaged =
        folder.write("damaged", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let absent = folder.path().join("absent");
    let pair = |chain: &PathBuf, key: &PathBuf| {
        let (chain, key) = (chain.clone(), key.clone());
        // Behind one that is sound, so that it is not always the first.
        vec![sound.clone(), Files { chain, key }]
    };

    check_error(vec![], Path::new(""), Problem::NoneNamed);
    let not_found = Problem::Unreadable(io::ErrorKind::NotFound);
    check_error(pair(&absent, &sound.key), &absent, not_found);
    check_error(pair(&sound.chain, &absent), &absent, not_found);
    check_error(pair(&long, &sound.key), &long, Problem::TooLong);
    check_error(pair(&empty, &sound.key), &empty, Problem::NoCertificate);
    check_error(pair(&damaged, &sound.key), &damaged, Problem::BadCertificate);
    check_error(pair(&sound.chain, &empty), &empty, Problem::NoKey);
    check_error(pair(&sound.chain, &other.key), &other.key, Problem::OtherKey);
    check_error(pair(&nameless.chain, &nameless.key), &nameless.chain, Problem::NoName);
    let error = Identities::load(pair(&sound.chain, &other.key)).unwrap_err();
    let said = format!(
        "{}: is not the key of the certificate: name the one that it was made with",
        other.key.display()
    );
    assert_eq!(error.to_string(), said);
}

#[test]
fn keys_may_be_in_either_of_three_forms() {
    let folder = Folder::new();
    let made = "-nodes -out c -subj /CN=x -addext subjectAltName=DNS:a.example";
    for (key, form) in [
        ("rsa:2048", "pkey -in k -out t -traditional"),
        ("ec -pkeyopt ec_paramgen_curve:P-256", "pkey -in k -out t -traditional"),
        ("ed25519", "pkey -in k -out t"),
    ] {
        openssl(folder.path(), &format!("req -x509 -newkey {key} -keyout k {made}"));
        openssl(folder.path(), form);
        let (chain, key) = (folder.path().join("c"), folder.path().join("t"));
        let identities = Identities::load(vec![Files { chain, key }]).unwrap();
        check(&identities, "a.example", &["a.example"]);
    }
}

#[test]
fn a_reload_takes_what_is_sound_and_keeps_the_rest() {
    let folder = Folder::new();
    let first = folder.identity("1", &["a.example"]);
    let files = vec![first.clone(), folder.identity("2", &["b.example"])];
    let identities = Identities::load(files).unwrap();
    assert_eq!(identities.reload(), Ok(Reloaded::Unchanged));

    folder.identity("1", &["c.example"]);
    assert_eq!(identities.reload(), Ok(Reloaded::Changed));
    assert_eq!(identities.reload(), Ok(Reloaded::Unchanged));
    check(&identities, "", &["c.example"]);

    let before = identities.list();
    folder.write("1.crt", "nonsense");
    let error = identities.reload().unwrap_err();
    assert_eq!(error, Problem::NoCertificate.of(&first.chain));
    fs::remove_file(&first.key).unwrap();
    let error = identities.reload().unwrap_err();
    assert_eq!(error, Problem::Unreadable(io::ErrorKind::NotFound).of(&first.key));
    assert!(Arc::ptr_eq(&before, &identities.list()));
    check(&identities, "", &["c.example"]);
}

#[test]
fn a_volume_that_is_swapped_by_a_symbolic_link_is_noticed() {
    let folder = Folder::new();
    for (version, name) in [("v1", "a.example"), ("v2", "b.example")] {
        fs::create_dir(folder.path().join(version)).unwrap();
        folder.identity(&format!("{version}/tls"), &[name]);
    }
    let data = folder.path().join("..data");
    symlink("v1", &data).unwrap();
    let files = ["crt", "key"].map(|kind| {
        let path = folder.path().join(format!("tls.{kind}"));
        symlink(format!("..data/tls.{kind}"), &path).unwrap();
        path
    });
    let [chain, key] = files;
    let identities = Identities::load(vec![Files { chain, key }]).unwrap();
    check(&identities, "", &["a.example"]);

    let next = folder.path().join("..data_tmp");
    symlink("v2", &next).unwrap();
    fs::rename(&next, &data).unwrap();
    assert_eq!(identities.reload(), Ok(Reloaded::Changed));
    check(&identities, "", &["b.example"]);
}

#[test]
fn other_files_may_take_their_place() {
    let folder = Folder::new();
    let identities = Identities::load(vec![folder.identity("1", &["a.example"])]).unwrap();
    let next = vec![folder.identity("2", &["b.example"])];
    assert_eq!(identities.replace(next.clone()), Ok(Reloaded::Changed));
    check(&identities, "", &["b.example"]);
    assert_eq!(identities.replace(vec![]).unwrap_err().problem, Problem::NoneNamed);
    assert_eq!(identities.replace(next), Ok(Reloaded::Unchanged));
}

#[test]
fn the_earliest_expiry_is_that_of_any_certificate() {
    let folder = Folder::new();
    let mut files = Vec::new();
    for year in [2051, 2050, 2052] {
        let key = KeyPair::generate().unwrap();
        let mut made = CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
        made.not_after = rcgen::date_time_ymd(year, 1, 1);
        files.push(Files {
            chain: folder.write(&format!("{year}.crt"), made.self_signed(&key).unwrap().pem()),
            key: folder.write(&format!("{year}.key"), key.serialize_pem()),
        });
    }
    let identities = Identities::load(files).unwrap();
    let expect = SystemTime::UNIX_EPOCH + Duration::from_secs(2_524_608_000);
    assert_eq!(identities.earliest_expiry(), expect);
}

/// K-06: what public authorities sign today is for servers alone; one that says nothing is for all.
#[test]
fn what_a_certificate_is_for_is_read_from_it() {
    use rcgen::ExtendedKeyUsagePurpose as Purpose;
    let cases: [(&[Purpose], bool); 6] = [
        (&[], false),
        (&[Purpose::ServerAuth], true),
        (&[Purpose::ServerAuth, Purpose::TimeStamping], true),
        (&[Purpose::ServerAuth, Purpose::ClientAuth], false),
        (&[Purpose::ServerAuth, Purpose::Any], false),
        (&[Purpose::ClientAuth], false),
    ];
    let folder = Folder::new();
    let (chain, key) = (folder.path().join("c"), folder.path().join("k"));
    let pair = KeyPair::generate().unwrap();
    fs::write(&key, pair.serialize_pem()).unwrap();
    for (purposes, alone) in cases {
        let mut params = CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
        params.extended_key_usages = purposes.to_vec();
        fs::write(&chain, params.self_signed(&pair).unwrap().pem()).unwrap();
        let files = vec![Files { chain: chain.clone(), key: key.clone() }];
        let identities = Identities::load(files).unwrap();
        let domain: Domain = "a.example".parse().unwrap();
        assert_eq!(identities.is_for_servers_alone(&domain), alone, "{purposes:?}");
    }
    assert!(!is_for_servers_alone(b"no certificate"));
}

#[test]
fn a_name_is_named_by_itself_or_by_a_wildcard_for_its_first_label() {
    let names = ["a.example".to_owned(), "*.b.example".to_owned()];
    let cases = [
        ("a.example", true),
        ("c.a.example", false),
        ("b.example", false),
        ("c.b.example", true),
        ("d.c.b.example", false),
        ("*.b.example", true),
        ("example", false),
        ("", false),
    ];
    for (domain, named) in cases {
        assert_eq!(is_named(&names, domain), named, "{domain:?}");
    }
}

/// Each says which file it is about, what is wrong with it, and what would mend it.
#[test]
fn every_problem_with_a_file_is_told() {
    let problems = [
        (Problem::NoneNamed, "name at least one"),
        (Problem::Unreadable(io::ErrorKind::NotFound), "entity not found"),
        (Problem::Unwritable(io::ErrorKind::PermissionDenied), "permission denied"),
        (Problem::TooLong, "1048576 bytes"),
        (Problem::NoCertificate, "no certificate"),
        (Problem::BadCertificate, "damaged"),
        (Problem::NoName, "names no domain"),
        (Problem::NoKey, "no private key"),
        (Problem::OtherKey, "not the key"),
        (Problem::Expired, "expired"),
        (Problem::CannotSign, "cannot be signed|can be signed"),
    ];
    for (problem, expect) in problems {
        let told = problem.of(Path::new("/etc/ligase/a.pem")).to_string();
        let (path, told) = told.split_once(": ").unwrap();
        assert_eq!(path, "/etc/ligase/a.pem");
        assert!(expect.split('|').any(|it| told.contains(it)), "{told}");
    }
}

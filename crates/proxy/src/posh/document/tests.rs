use std::process::Command;

use super::*;
use crate::posh::tests::{Folder, domain};
use crate::tls::identity::Files;

fn own() -> Domain {
    domain("xmpp1.hosting.example")
}

/// A folder with certificates of these names, which are the names of their files too, and all of
/// them loaded in this order.
fn identities(folder: &Folder, all: &[(&str, &[&str])]) -> (Identities, Vec<Files>) {
    let files: Vec<_> = all.iter().map(|(file, names)| folder.files(file, names)).collect();
    (Identities::load(files.clone()).unwrap(), files)
}

/// A digest of a certificate, by a program of others.
fn openssl(files: &Files, algorithm: &str) -> String {
    let script = format!(
        "openssl x509 -in \"$0\" -outform der | openssl dgst -{algorithm} -binary | base64 -w0"
    );
    let done = Command::new("sh").args(["-c", &script]).arg(&files.chain).output().unwrap();
    assert!(done.status.success(), "{done:?}");
    String::from_utf8(done.stdout).unwrap()
}

/// Whose certificates are listed, in order.
#[track_caller]
fn check(identities: &Identities, asked: &str, expect: &[&str]) {
    let document = fingerprints(identities, &own(), &domain(asked));
    let listed: Vec<_> = document["fingerprints"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            let list = identities.list();
            let found = list.iter().find(|identity| fingerprint(identity) == *it).unwrap();
            found.files.chain.file_stem().unwrap().to_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(listed, expect, "{asked}");
}

#[test]
fn digests_are_those_of_the_whole_certificate() {
    let folder = Folder::new();
    let (identities, files) = identities(&folder, &[("own", &["xmpp1.hosting.example"])]);
    let expect = json!({
        "fingerprints": [{
            "sha-256": openssl(&files[0], "sha256"),
            "sha-512": openssl(&files[0], "sha512"),
        }],
        "expires": 3600,
    });
    assert_eq!(fingerprints(&identities, &own(), &domain("montague.example")), expect);
}

#[test]
fn what_may_be_shown_for_a_domain_is_listed_and_nothing_else() {
    let folder = Folder::new();
    let (identities, _) = identities(
        &folder,
        &[
            ("default", &["hosting.example"]),
            ("own", &["xmpp1.hosting.example"]),
            ("verona", &["*.verona.example"]),
            ("romeo", &["romeo.verona.example"]),
            ("next", &["romeo.verona.example"]),
            ("mantua", &["mantua.example"]),
        ],
    );
    check(&identities, "romeo.verona.example", &["romeo", "verona", "next", "own"]);
    check(&identities, "nurse.verona.example", &["verona", "own"]);
    check(&identities, "mantua.example", &["mantua", "own"]);
    check(&identities, "padua.example", &["default", "own"]);
    check(&identities, "xmpp1.hosting.example", &["own"]);
}

#[test]
fn a_document_has_a_length_that_every_reader_takes() {
    let folder = Folder::new();
    let names: Vec<_> = (0..40).map(|it| format!("c{it}")).collect();
    let all: Vec<(&str, &[&str])> =
        names.iter().map(|it| (it.as_str(), &["xmpp1.hosting.example"][..])).collect();
    let (identities, _) = identities(&folder, &all);
    let expect: Vec<_> = names.iter().take(16).map(String::as_str).collect();
    check(&identities, "montague.example", &expect);
}

#[test]
fn only_who_is_shown_what_we_list_may_refer_to_us() {
    let folder = Folder::new();
    let (identities, _) = identities(
        &folder,
        &[("own", &["xmpp1.hosting.example", "verona.example"]), ("mantua", &["mantua.example"])],
    );
    let expect = json!({
        "url": "https://xmpp1.hosting.example/.well-known/posh/xmpp-server.json",
        "expires": 86400,
    });
    let reference = |name: &str| reference(&identities, &own(), &domain(name));
    assert_eq!(reference("padua.example"), Some(expect.clone()));
    assert_eq!(reference("verona.example"), Some(expect));
    assert_eq!(reference("mantua.example"), None);
    assert_eq!(reference("xmpp1.hosting.example"), None, "it would go round for ever");
}

#[test]
fn a_document_is_where_dns_finds_its_domain() {
    let expect = "https://xn--bcher-kva.example/.well-known/posh/xmpp-server.json";
    assert_eq!(url(&domain("BÜCHER.example")), expect);
}

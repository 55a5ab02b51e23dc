use std::fs;

use rcgen::{CertificateParams, KeyPair};

use super::*;
use crate::tls::identity::Files;

/// Which of these domains has a document, where the certificate names `*.verona.example`.
#[track_caller]
fn check(hosted: &Hosted, expect: &[&str]) {
    let path = std::env::temp_dir().join(format!(
        "ligase-site-{}-{}",
        std::process::id(),
        hosted == &Hosted::Ask
    ));
    fs::create_dir_all(&path).unwrap();
    let key = KeyPair::generate().unwrap();
    let made = CertificateParams::new(vec!["*.verona.example".to_owned()]).unwrap();
    let files = Files { chain: path.join("crt"), key: path.join("key") };
    fs::write(&files.chain, made.self_signed(&key).unwrap().pem()).unwrap();
    fs::write(&files.key, key.serialize_pem()).unwrap();
    let identities = Identities::load(vec![files]).unwrap();
    fs::remove_dir_all(&path).unwrap();

    let server_name = "xmpp1.hosting.example".parse().unwrap();
    let all = ["xmpp1.hosting.example", "a.verona.example", "b.verona.example", "mantua.example"];
    let ours = |it: &&&str| is_ours(hosted, &server_name, &identities, &it.parse().unwrap());
    let found: Vec<_> = all.iter().filter(ours).copied().collect();
    assert_eq!(found, expect);
}

#[test]
fn whoever_is_hosted_has_a_document_and_so_have_we() {
    let listed = ["a.verona.example", "mantua.example"].map(|it| it.parse().unwrap());
    let home = std::net::SocketAddr::from(([127, 0, 0, 1], 5269)).into();
    let hosted = Hosted::Only(crate::binding::Residents::of(listed, &home));
    check(&hosted, &["xmpp1.hosting.example", "a.verona.example", "mantua.example"]);
}

#[test]
fn where_the_backend_knows_who_is_hosted_the_certificates_tell() {
    check(&Hosted::Ask, &["xmpp1.hosting.example", "a.verona.example", "b.verona.example"]);
}

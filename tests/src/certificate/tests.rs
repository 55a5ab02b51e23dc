use std::env;
use std::process::Command;

use super::*;
use crate::host::run;

/// What openssl makes of a certificate.
fn read(certificate: &Certificate, name: &str) -> String {
    let folder = env::temp_dir();
    let name = format!("ligase-certificate-{}-{name}", std::process::id());
    let (chain, key) = certificate.write(&folder, &name);
    let text = run(Command::new("openssl").args(["x509", "-noout", "-text", "-in"]).arg(&chain));
    fs::remove_file(chain).unwrap();
    fs::remove_file(key).unwrap();
    text
}

#[test]
fn every_kind_of_name_has_its_own_string_type() {
    let leaf = Leaf::of(&["montague.lab"])
        .with_service_names(&["montague.lab"])
        .with_addresses(&["montague.lab"]);
    let text = read(&leaf.self_signed(), "names");
    assert!(text.contains("DNS:montague.lab"), "{text}");
    assert!(text.contains("SRVName::_xmpp-server.montague.lab"), "{text}");
    assert!(text.contains("XmppAddr::montague.lab"), "{text}");
}

#[test]
fn a_purpose_is_the_only_one() {
    let text = read(&Leaf::of(&["a.lab"]).only_for(Purpose::Server).self_signed(), "purpose");
    assert!(text.contains("TLS Web Server Authentication"), "{text}");
    assert!(!text.contains("TLS Web Client Authentication"), "{text}");
}

#[test]
fn an_expired_leaf_is_expired() {
    let params = Leaf::of(&["a.lab"]).expired().params();
    assert!(params.not_after < OffsetDateTime::now_utc());
}

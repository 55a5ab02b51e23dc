use aws_lc_rs::digest::{SHA256, digest};
use ligase_verifier::{Domain, Presented, Service};
use rcgen::{CertificateParams, KeyPair, PublicKeyData as _};

use super::{hex, posh, srv, tlsa};

fn domain(text: &str) -> Domain {
    text.parse().unwrap()
}

fn presented() -> (Presented, KeyPair) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
    let der = params.self_signed(&key).unwrap().der().clone();
    (Presented::new(vec![der]).unwrap(), key)
}

#[test]
fn tlsa_pins_the_whole_key_at_the_port_of_the_host() {
    let (presented, key) = presented();
    let digest = hex(digest(&SHA256, &key.subject_public_key_info()).as_ref());
    let expect = format!("_5270._tcp.xmpp.a.example. 3600 IN TLSA 3 1 1 {digest}");
    assert_eq!(tlsa(&domain("xmpp.a.example"), 5270, &presented).unwrap(), expect);
}

#[test]
fn srv_names_service_transport_and_place() {
    let (a, xmpp) = (domain("b\u{fc}cher.example"), domain("xmpp.a.example"));
    for (service, direct, expect) in [
        (Service::Server, false, "_xmpp-server._tcp"),
        (Service::Server, true, "_xmpps-server._tcp"),
        (Service::Client, false, "_xmpp-client._tcp"),
        (Service::Client, true, "_xmpps-client._tcp"),
    ] {
        let expect =
            format!("{expect}.xn--bcher-kva.example. 3600 IN SRV 0 5 5269 xmpp.a.example.");
        assert_eq!(srv(&a, service, direct, &xmpp, 5269), expect);
    }
}

#[test]
fn posh_names_every_certificate_once_and_for_a_while() {
    let ((one, _), (other, _)) = (presented(), presented());
    let text = posh(&domain("a.example"), Service::Client, &[&one, &other, &one]);
    let (url, document) = text.split_once('\n').unwrap();
    assert_eq!(url, "https://a.example/.well-known/posh/xmpp-client.json");
    let document: serde_json::Value = serde_json::from_str(document).unwrap();
    assert_eq!(document["fingerprints"].as_array().unwrap().len(), 2);
    assert_eq!(document["expires"], 86400);
}

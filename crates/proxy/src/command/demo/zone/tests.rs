use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;

use hickory_resolver::proto::rr::rdata::SRV;
use ligase_verifier::{Domain, Reach, RootSource, Servers, Service, Settings, Verifier};

use super::super::nameserver::{Nameserver, find, name};
use super::super::papers::Folder;
use super::*;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn capulet() -> Arc<Zone> {
    let zone = Zone::new().unwrap();
    let target = name("xmpp.capulet.example").unwrap();
    zone.publish(
        name("_xmpp-server._tcp.capulet.example").unwrap(),
        RData::SRV(SRV::new(0, 0, 5269, target.clone())),
    );
    zone.publish(target, RData::A(Ipv4Addr::LOCALHOST.into()));
    Arc::new(zone)
}

/// A verifier that remembers nothing of earlier questions.
fn verifier(server: &Nameserver, folder: &Path) -> Verifier {
    Verifier::new(&Settings {
        servers: Servers::These(vec![server.address]),
        trust_anchor: Some(folder.join("anchor")),
        roots: RootSource::File(folder.join("ca.crt")),
        reach: Reach { loopback: true, ..Reach::default() },
        ..Settings::default()
    })
    .unwrap()
}

#[tokio::test]
async fn signed_answers_are_secure_and_forged_ones_are_found_out() {
    let folder = Folder::new().unwrap();
    folder.authority("an authority").unwrap();
    let zone = capulet();
    std::fs::write(folder.path().join("anchor"), zone.trust_anchor()).unwrap();
    let server = Nameserver::start(HERE, &zone).await.unwrap();
    let domain: Domain = "capulet.example".parse().unwrap();

    let verifying = verifier(&server, folder.path());
    let places = verifying.delegation(&domain, Service::Server).await;
    let places = places.unwrap();
    assert!(places[0].secure, "{places:?}");
    assert_eq!(places[0].target.as_str(), "xmpp.capulet.example");
    let addresses = verifying.addresses(&places[0]).await;
    assert_eq!(addresses.unwrap(), [HERE]);
    // A proven absence of SRV records: the domain itself is the place, and that is known.
    let absent: Domain = "nowhere.example".parse().unwrap();
    let places = verifying.delegation(&absent, Service::Server).await;
    assert_eq!(places.unwrap()[0].target, absent);

    let mallory = name("xmpp.mallory.example").unwrap();
    zone.forge(
        name("_xmpp-server._tcp.capulet.example").unwrap(),
        RData::SRV(SRV::new(0, 0, 5269, mallory)),
    );
    let fooled = verifier(&server, folder.path());
    let forged = fooled.delegation(&domain, Service::Server).await;
    assert!(forged.is_err(), "{forged:?}");
    zone.be_honest();
    let places = verifier(&server, folder.path());
    assert!(places.delegation(&domain, Service::Server).await.is_ok());
}

#[tokio::test]
async fn servers_of_old_believe_whatever_they_are_answered() {
    let zone = capulet();
    let server = Nameserver::start(HERE, &zone).await.unwrap();
    let found = find(server.address, "Capulet.Example").await.unwrap();
    assert_eq!(found, (HERE, 5269).into());
    zone.forge(
        name("xmpp.capulet.example").unwrap(),
        RData::A(Ipv4Addr::new(127, 0, 0, 66).into()),
    );
    let found = find(server.address, "capulet.example").await.unwrap();
    assert_eq!(found.ip(), IpAddr::from([127, 0, 0, 66]));
    assert!(find(server.address, "nowhere.example").await.is_err());
}

#[tokio::test]
async fn whom_nobody_signs_is_insecure_and_everybody_else_is_not() {
    let folder = Folder::new().unwrap();
    folder.authority("an authority").unwrap();
    let zone = capulet();
    let paris = name("paris.example").unwrap();
    zone.leave_unsigned(paris.clone());
    zone.publish(
        name("_xmpp-server._tcp.paris.example").unwrap(),
        RData::SRV(SRV::new(0, 0, 5269, name("xmpp.capulet.example").unwrap())),
    );
    zone.publish(paris, RData::A(Ipv4Addr::LOCALHOST.into()));
    std::fs::write(folder.path().join("anchor"), zone.trust_anchor()).unwrap();
    let server = Nameserver::start(HERE, &zone).await.unwrap();

    let verifying = verifier(&server, folder.path());
    for (domain, secure) in [("paris.example", false), ("capulet.example", true)] {
        let places = verifying.delegation(&domain.parse().unwrap(), Service::Server).await;
        let places = places.unwrap();
        assert_eq!(places[0].secure, secure, "{places:?}");
        assert_eq!(verifying.addresses(&places[0]).await.unwrap(), [HERE]);
    }
    // What an unsigned zone does not have is taken at its word.
    let absent = "www.paris.example".parse().unwrap();
    let places = verifying.delegation(&absent, Service::Server).await.unwrap();
    assert_eq!(places[0].target, absent);
}

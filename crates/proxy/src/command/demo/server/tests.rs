use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use hickory_resolver::proto::rr::RData;
use hickory_resolver::proto::rr::rdata::SRV;

use super::super::inside::message;
use super::super::nameserver::{Nameserver, name};
use super::super::tap::Tap;
use super::super::zone::Zone;
use super::*;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

struct World {
    zone: Arc<Zone>,
    names: Nameserver,
}

impl World {
    async fn new() -> Self {
        let zone = Arc::new(Zone::new().unwrap());
        let names = Nameserver::start(HERE, &zone).await.unwrap();
        Self { zone, names }
    }

    async fn server(&self, domain: &str) -> (Server, Tap) {
        let server = Server::start(&[domain], HERE, self.names.address).await.unwrap();
        let tap = Tap::open(HERE, server.address).await.unwrap();
        let target = name(&format!("xmpp.{domain}")).unwrap();
        let service = SRV::new(0, 0, tap.address.port(), target.clone());
        let owner = name(&format!("_xmpp-server._tcp.{domain}")).unwrap();
        self.zone.publish(owner, RData::SRV(service));
        let address = RData::A(Ipv4Addr::LOCALHOST.into());
        self.zone.publish(target, address);
        (server, tap)
    }
}

#[tokio::test]
async fn servers_of_old_talk_and_everybody_can_read_it() {
    let world = World::new().await;
    let (montague, _wire) = world.server("montague.example").await;
    let (capulet, tap) = world.server("capulet.example").await;

    let mut line = montague.call("montague.example", "capulet.example").await.unwrap();
    let (romeo, juliet) = ("romeo@montague.example", "juliet@capulet.example");
    let said = message(romeo, juliet, "I am fortune's fool");
    line.send(&said).await.unwrap();
    let heard = capulet.ears().hear("fortune", "capulet").await.unwrap();
    assert!(heard.contains("<body>I am fortune's fool</body>"), "{heard}");
    let quoted = tap.quote("<body>", b'!');
    let quoted = quoted.unwrap();
    assert!(quoted.starts_with("<body>I am fortune's fool</body>"), "{quoted}");
    assert_eq!((tap.connections_with("<message"), tap.connections()), (1, 1));
    tap.begin_anew();
    assert_eq!((tap.length(), tap.quote("<body>", b'!')), (0, None));
    assert_eq!((tap.connections_with("<message"), tap.connections()), (0, 0));
}

#[tokio::test]
async fn a_key_of_somebody_else_is_not_believed() {
    let world = World::new().await;
    let (montague, _wire) = world.server("montague.example").await;
    let (_capulet, _tap) = world.server("capulet.example").await;
    let liar = Server::start(&["capulet.example"], HERE, world.names.address).await;
    let refused = liar.unwrap().call("capulet.example", "montague.example").await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("not believed"), "{refused}");
    assert!(montague.ears().heard().is_empty());
}

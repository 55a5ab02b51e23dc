//! The world that the story takes place in.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use hickory_resolver::proto::rr::RData;
use hickory_resolver::proto::rr::rdata::tlsa::{CertUsage, Matching, Selector};
use hickory_resolver::proto::rr::rdata::{SRV, TLSA};

use super::inside::Inside;
use super::installed::{Installed, Kind};
use super::nameserver::{Nameserver, name};
use super::papers::{Authority, Folder, Paper};
use super::proxy::{Orders, Proxy};
use super::server::Server;
use super::tap::Tap;
use super::trouble::Result;
use super::zone::Zone;

/// Everything that the story needs, and nothing outside of this machine.
#[derive(Debug)]
pub(super) struct Stage {
    zone: Arc<Zone>,
    pub(super) names: Nameserver,
    /// The same, for servers whose C library will only ask at port 53: an address stands where
    /// the name of a host should, so that there is nothing to ask it for.
    literal: (Arc<Zone>, Nameserver),
    pub(super) montague: House,
    pub(super) capulet: House,
    pub(super) authority: Authority,
    // The last to be dropped: the proxies of the story have their files in it.
    pub(super) folder: Folder,
}

/// A domain with its server, and the wire that leads to it.
#[derive(Debug)]
pub(super) struct House {
    pub(super) domain: &'static str,
    pub(super) server: Inside,
    /// Whom the server asks about others, when nobody guards it.
    resolver: SocketAddr,
    pub(super) tap: Tap,
    /// The prooftype that peers must find it proven by.
    pub(super) prooftype: &'static str,
    /// What the proxy in front of it will show to peers.
    pub(super) paper: Paper,
    pub(super) server_name: String,
}

impl Stage {
    /// Sets it: files, DNS, two servers and the wires to them. The house of Montague may have one
    /// that is installed.
    pub(super) async fn set(installed: Option<Kind>) -> Result<Self> {
        let folder = Folder::new()?;
        let authority = folder.authority("The Prince's Authority")?;
        let zone = Arc::new(Zone::new()?);
        folder.write("anchor", &zone.trust_anchor())?;
        let names = Nameserver::start(DNS, &zone).await?;
        let literal = Arc::new(Zone::new()?);
        let literal = (Arc::clone(&literal), Nameserver::start(DNS, &literal).await?);
        let (domain, at) = ("montague.example", IpAddr::V4(MONTAGUE));
        let mut resolver = names.address;
        let montague = match installed {
            None => Inside::Old(Server::start(domain, at, resolver).await?, None),
            Some(kind) => {
                if kind == Kind::Ejabberd {
                    resolver = literal.1.address;
                }
                let started = Installed::start(kind, domain, at, resolver, &folder);
                Inside::Installed(Box::new(started.await?))
            }
        };
        let mut montague = House::build(domain, (montague, resolver), &folder, &authority).await?;
        let (domain, at) = ("capulet.example", IpAddr::V4(CAPULET));
        let resolver = names.address;
        let capulet = Inside::Old(Server::start(domain, at, resolver).await?, None);
        let capulet = House::build(domain, (capulet, resolver), &folder, &authority).await?;
        for house in [&montague, &capulet] {
            house.publish(&zone, &house.server_name)?;
            house.publish(&literal.0, &house.tap.address.ip().to_string())?;
        }
        // One house publishes its key by DANE, the other has but a certificate.
        montague.publish_key(&zone)?;
        montague.prooftype = "dane";
        Ok(Self { zone, names, literal, montague, capulet, authority, folder })
    }

    /// Forges the DNS of the house of Capulet: it is said to be where this server is.
    pub(super) fn forge(&self, server: SocketAddr) -> Result<()> {
        let owner = name("_xmpp-server._tcp.capulet.example")?;
        let target = name("xmpp.mallory.example")?;
        let service = SRV::new(0, 0, server.port(), target.clone());
        self.zone.forge(owner.clone(), RData::SRV(service));
        if let IpAddr::V4(address) = server.ip() {
            self.zone.forge(target, RData::A(address.into()));
        }
        let target = name(&server.ip().to_string())?;
        let service = SRV::new(0, 0, server.port(), target);
        self.literal.0.forge(owner, RData::SRV(service));
        Ok(())
    }

    /// The forger is gone.
    pub(super) fn be_honest(&self) {
        self.zone.be_honest();
        self.literal.0.be_honest();
    }
}

impl House {
    async fn build(
        domain: &'static str,
        (server, resolver): (Inside, SocketAddr),
        folder: &Folder,
        authority: &Authority,
    ) -> Result<Self> {
        let tap = Tap::open(server.address().ip(), server.address()).await?;
        let server_name = format!("xmpp.{domain}");
        let paper = folder.certificate(domain, &server_name, Some(authority))?;
        Ok(Self { domain, server, resolver, tap, prooftype: "pkix", paper, server_name })
    }

    /// Puts a proxy in front of it.
    pub(super) async fn guard(&mut self, resolver: SocketAddr, folder: &Folder) -> Result<Proxy> {
        let orders = Orders {
            domain: self.domain,
            server_name: &self.server_name,
            paper: &self.paper,
            backend: self.server.address(),
            resolver,
        };
        let proxy = Proxy::start(folder, &orders).await?;
        self.server.ask_at(proxy.dns).await?;
        self.tap.lead_to(proxy.federation);
        self.tap.forget();
        Ok(proxy)
    }

    /// Tells the world where it is.
    fn publish(&self, zone: &Zone, target: &str) -> Result<()> {
        let target = name(target)?;
        let service = SRV::new(0, 0, self.tap.address.port(), target.clone());
        let owner = name(&format!("_xmpp-server._tcp.{}", self.domain))?;
        zone.publish(owner, RData::SRV(service));
        if let IpAddr::V4(address) = self.tap.address.ip() {
            zone.publish(target, RData::A(address.into()));
        }
        Ok(())
    }

    /// Has its server ask about others anew.
    pub(super) async fn forget(&mut self) -> Result<()> {
        self.server.ask_at(self.resolver).await
    }

    /// Tells the world which key is its own.
    fn publish_key(&self, zone: &Zone) -> Result<()> {
        let port = self.tap.address.port();
        let owner = name(&format!("_{port}._tcp.{}", self.server_name))?;
        let key = TLSA::new(
            CertUsage::DaneEe,
            Selector::Spki,
            Matching::Sha256,
            self.paper.key_digest.clone(),
        );
        zone.publish(owner, RData::TLSA(key));
        Ok(())
    }
}

impl fmt::Display for House {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.domain)
    }
}

const DNS: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 66, 0, 53));
const MONTAGUE: Ipv4Addr = Ipv4Addr::new(127, 66, 0, 1);
const CAPULET: Ipv4Addr = Ipv4Addr::new(127, 66, 0, 2);

/// Where the forger is.
pub(super) const MALLORY: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 66, 0, 66));

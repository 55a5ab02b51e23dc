//! The world that the story takes place in.

use std::collections::HashMap;
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
use super::trouble::{Result, Trouble};
use super::web::Web;
use super::zone::Zone;

/// Everything that the story needs, and nothing outside of this machine.
#[derive(Debug)]
pub(super) struct Stage {
    zone: Arc<Zone>,
    pub(super) names: Nameserver,
    /// The same, for servers whose C library will only ask at port 53: an address stands where
    /// the name of a host should, so that there is nothing to ask it for.
    literal: (Arc<Zone>, Nameserver),
    /// One domain, and the verifier of the story.
    pub(super) montague: House,
    /// The house of the [`TENANTS`].
    pub(super) verona: House,
    web: Web,
    pub(super) authority: Authority,
    // The last to be dropped: the proxies of the story have their files in it.
    pub(super) folder: Folder,
}

/// A house with its domains and their server, and the wire that leads to it.
#[derive(Debug)]
pub(super) struct House {
    name: &'static str,
    pub(super) domains: Vec<&'static str>,
    pub(super) server: Inside,
    /// Whom the server asks about others, when nobody guards it.
    resolver: SocketAddr,
    pub(super) tap: Tap,
    /// What the proxy in front of it will show to peers.
    paper: Paper,
    pub(super) server_name: String,
}

/// A domain that lives in somebody else's house.
#[derive(Debug)]
pub(super) struct Tenant {
    pub(super) domain: &'static str,
    /// The host that its SRV record names.
    target: &'static str,
    /// The prooftype that others must find it proven by.
    pub(super) prooftype: &'static str,
    /// What it has published that proves it.
    pub(super) because: &'static str,
}

impl Stage {
    /// Sets it: files, DNS, a web server, two houses and the wires to them. The house of Montague
    /// may have a server that is installed.
    pub(super) async fn set(installed: Option<Kind>) -> Result<Self> {
        let folder = Folder::new()?;
        let authority = folder.authority("The Prince's Authority")?;
        let zone = Arc::new(Zone::new()?);
        folder.write("anchor", &zone.trust_anchor())?;
        let names = Nameserver::start(DNS, &zone).await?;
        let literal = Arc::new(Zone::new()?);
        let literal = (Arc::clone(&literal), Nameserver::start(DNS, &literal).await?);

        let resolver = match installed {
            Some(Kind::Ejabberd) => literal.1.address,
            Some(Kind::Prosody) | None => names.address,
        };
        let inside = match installed {
            None => old(&[MONTAGUE], HERE, resolver).await?,
            Some(kind) => {
                let started = Installed::start(kind, MONTAGUE, HERE, resolver, &folder);
                Inside::Installed(Box::new(started.await?))
            }
        };
        let papers = (&folder, &authority);
        let montague = House::build(MONTAGUE, &[MONTAGUE], (inside, resolver), papers).await?;
        let tenants = TENANTS.map(|tenant| tenant.domain);
        let inside = old(&tenants, THERE, names.address).await?;
        let verona = House::build("verona.example", &tenants, (inside, names.address), papers);
        let verona = verona.await?;

        let its = folder.certificate(PARIS, PARIS, Some(&authority))?;
        let web = Web::start(WEB, PARIS, &its, (&verona.server_name, &verona.paper)).await?;
        let stage = Self { zone, names, literal, montague, verona, web, authority, folder };
        stage.publish()?;
        Ok(stage)
    }

    /// Tells the world where everybody is, and what to know them by.
    fn publish(&self) -> Result<()> {
        let (montague, verona) = (&self.montague, &self.verona);
        self.lead(MONTAGUE, &montague.server_name, montague.tap.address)?;
        montague.publish_key(&self.zone, &montague.server_name)?;
        for Tenant { domain, target, prooftype, .. } in &TENANTS {
            match *prooftype {
                "dane" => verona.publish_key(&self.zone, target)?,
                "posh" => self.zone.leave_unsigned(name(domain)?),
                _ => (),
            }
            self.lead(domain, target, verona.tap.address)?;
        }
        // She is never met: nobody has asked for her until somebody forges the answer.
        self.lead(ROSALINE, &verona.server_name, verona.tap.address)?;
        self.zone.publish(name(PARIS)?, address(self.web.address)?);
        for house in [montague, verona] {
            self.zone.publish(name(&house.server_name)?, address(house.tap.address)?);
        }
        for tenant in TENANTS.iter().filter(|it| it.target != verona.server_name) {
            self.zone.publish(name(tenant.target)?, address(verona.tap.address)?);
        }
        Ok(())
    }

    /// Tells the world that a domain is served at this host and port.
    fn lead(&self, domain: &str, target: &str, at: SocketAddr) -> Result<()> {
        let owner = name(&format!("_xmpp-server._tcp.{domain}"))?;
        let service = |target| Ok(RData::SRV(SRV::new(0, 0, at.port(), name(target)?)));
        self.zone.publish(owner.clone(), service(target)?);
        self.literal.0.publish(owner, service(&at.ip().to_string())?);
        Ok(())
    }

    /// Forges the DNS of a domain: it is said to be where this server is.
    pub(super) fn forge(&self, domain: &str, server: SocketAddr) -> Result<()> {
        let owner = name(&format!("_xmpp-server._tcp.{domain}"))?;
        let target = name("xmpp.mallory.example")?;
        let service = SRV::new(0, 0, server.port(), target.clone());
        self.zone.forge(owner.clone(), RData::SRV(service));
        self.zone.forge(target, address(server)?);
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

    /// Puts a proxy in front of each house: that of Montague, and the other.
    pub(super) async fn guard(&mut self) -> Result<(Proxy, Proxy)> {
        let (resolver, posh_port) = (self.names.address, self.web.address.port());
        let montague = self.montague.guard((resolver, posh_port), &self.folder).await?;
        let verona = self.verona.guard((resolver, posh_port), &self.folder).await?;
        Ok((montague, verona))
    }
}

impl House {
    async fn build(
        name: &'static str,
        domains: &[&'static str],
        (server, resolver): (Inside, SocketAddr),
        (folder, authority): (&Folder, &Authority),
    ) -> Result<Self> {
        let tap = Tap::open(server.address().ip(), server.address()).await?;
        let server_name = format!("xmpp.{name}");
        let paper = folder.certificate(name, &server_name, Some(authority))?;
        Ok(Self { name, domains: domains.to_vec(), server, resolver, tap, paper, server_name })
    }

    /// Puts a proxy in front of it.
    async fn guard(
        &mut self,
        (resolver, posh_port): (SocketAddr, u16),
        folder: &Folder,
    ) -> Result<Proxy> {
        let orders = Orders {
            name: self.name,
            domains: &self.domains,
            server_name: &self.server_name,
            paper: &self.paper,
            backend: self.server.address(),
            resolver,
            posh_port,
        };
        let proxy = Proxy::start(folder, &orders).await?;
        self.server.ask_at(proxy.dns).await?;
        self.tap.lead_to(proxy.federation);
        self.tap.begin_anew();
        Ok(proxy)
    }

    /// Has its server ask about others anew.
    pub(super) async fn forget(&mut self) -> Result<()> {
        self.server.ask_at(self.resolver).await
    }

    /// Tells the world which key is shown at a host of this house (RFC 7671 §5.1).
    fn publish_key(&self, zone: &Zone, target: &str) -> Result<()> {
        let owner = name(&format!("_{}._tcp.{target}", self.tap.address.port()))?;
        let digest = self.paper.key_digest.clone();
        let key = TLSA::new(CertUsage::DaneEe, Selector::Spki, Matching::Sha256, digest);
        zone.publish(owner, RData::TLSA(key));
        Ok(())
    }
}

impl fmt::Display for House {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

async fn old(domains: &[&str], at: IpAddr, resolver: SocketAddr) -> Result<Inside> {
    Ok(Inside::Old(Server::start(domains, at, resolver).await?, HashMap::new()))
}

/// The record of an address; the demo has no other than those of IPv4.
fn address(of: SocketAddr) -> Result<RData> {
    match of.ip() {
        IpAddr::V4(address) => Ok(RData::A(address.into())),
        IpAddr::V6(address) => Err(Trouble::new(format!("cannot publish {address}"))),
    }
}

/// The domain in the house of Montague.
pub(super) const MONTAGUE: &str = "montague.example";

/// Whoever lives in the other house, each with what it can publish.
pub(super) const TENANTS: [Tenant; 3] = [
    Tenant {
        domain: "capulet.example",
        // A name of its own for its landlord's server, so that the key at it is its own to publish.
        target: "xmpp.capulet.example",
        prooftype: "dane",
        because: "its signed TLSA record names the key",
    },
    Tenant {
        domain: "abbey.example",
        target: "xmpp.verona.example",
        prooftype: "pkix",
        because: "its signed SRV record names a server that is certified",
    },
    Tenant {
        domain: PARIS,
        target: "xmpp.verona.example",
        prooftype: "posh",
        because: "its web server names the certificate, its DNS is unsigned",
    },
];

/// The tenant with a web server.
const PARIS: &str = "paris.example";

/// A domain that nobody has written to.
pub(super) const ROSALINE: &str = "rosaline.example";

const DNS: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 66, 0, 53));
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 66, 0, 1));
const THERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 66, 0, 2));
const WEB: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 66, 0, 80));

/// Where the forger is.
pub(super) const MALLORY: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 66, 0, 66));

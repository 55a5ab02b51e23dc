//! Looks up what one of our own domains publishes, as a peer would.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use ligase_verifier::{
    Data, Domain, Endpoint, Kind, Presented, Prooftype, Question, Request, Role, Service,
    Transport, Verdict, Verifier,
};

use super::judgment::{Check, Ours, Paste, Place, judge, needs_posh};
use super::lead::{Lead, lead, service};
use crate::config::Config;
use crate::connection::rooms::Rooms;
use crate::posh;
use crate::published::{NextKey, Published, Sources, key_name, line, service_name};

/// Whoever goes and looks, with all that is ours.
#[derive(Clone)]
pub(super) struct Surveyor {
    rooms: Arc<Rooms>,
    verifier: Arc<Verifier>,
    config: Arc<Config>,
    next_keys: Arc<[NextKey]>,
}

impl Surveyor {
    /// One that knows the configuration and the certificates as they are now.
    pub(super) fn new(rooms: &Arc<Rooms>, config: Arc<Config>) -> Self {
        // One that cannot be read now is told of by whoever reads the configuration.
        let next_keys = NextKey::read(&config.certificates).unwrap_or_default().into();
        let verifier = rooms.verifier.load_full();
        Self { rooms: Arc::clone(rooms), verifier, config, next_keys }
    }

    /// What is to be said of a domain. Takes no longer than the limits of the verifier allow.
    pub(super) async fn check(&self, domain: &Domain) -> Vec<Check> {
        let ours = self.ours(domain);
        let name = |transport| service_name(service(transport), domain);
        let (starttls, direct_tls) = tokio::join!(
            self.look_up(name(Transport::StartTls), Kind::Srv),
            self.look_up(name(Transport::DirectTls), Kind::Srv),
        );
        let lead = lead(&ours, &[starttls, direct_tls]);
        let mut places = Vec::new();
        if let Lead::Here(here) = &lead {
            for endpoint in here.endpoints.iter().take(PLACES_MAX) {
                places.extend(self.look_at(domain, endpoint).await);
            }
        }
        if !needs_posh(&ours, &lead, &places) {
            return judge(&ours, &lead, &places, None, false);
        }
        let Some(request) = self.request(domain, domain, None) else {
            return judge(&ours, &lead, &places, None, false);
        };
        let examined = self.verifier.examine(&request).await;
        let proves =
            matches!(&examined.posh, Verdict::Proven(it) if it.prooftype() == Prooftype::Posh);
        judge(&ours, &lead, &places, Some(&examined.evidence.posh), proves)
    }

    /// Forgets what was looked up of a domain before.
    pub(super) fn forget(&self, domain: &Domain) {
        self.verifier.forget(domain);
    }

    /// What stands at a place that is ours, and what it makes of us.
    async fn look_at(&self, domain: &Domain, endpoint: &Endpoint) -> Option<Place> {
        // Who goes by TLSA records asks for the certificate by their name (RFC 7671 §10.2).
        let request = self.request(domain, &endpoint.target, Some(endpoint.clone()))?;
        let name = key_name(endpoint.port, &endpoint.target);
        let (tlsa, examined) =
            tokio::join!(self.look_up(name, Kind::Tlsa), self.verifier.examine_by_dns(&request),);
        let published: Vec<_> = tlsa.iter().flat_map(|it| &it.data).collect();
        let is_there = |key: &NextKey| {
            let sha256 = digest(&SHA256, &key.public);
            let is_it = |it: &&Data| {
                matches!(it, Data::Tlsa(it) if (it.usage, it.selector, it.matching) == (3, 1, 1)
                    && it.data == sha256.as_ref())
            };
            published.iter().any(is_it)
        };
        let announced = self.next_keys.iter().all(is_there);
        let endpoint = endpoint.clone();
        Some(Place { endpoint, tlsa, dane: examined.dane, announced })
    }

    async fn look_up(&self, name: String, kind: Kind) -> ligase_verifier::Answer {
        self.verifier.look_up(&Question { name, kind }).await
    }

    /// Whether whoever is shown what we show to those who ask for `name` believes that we speak for
    /// `domain`.
    fn request(
        &self,
        domain: &Domain,
        name: &Domain,
        endpoint: Option<Endpoint>,
    ) -> Option<Request> {
        let shown = self.rooms.tls.identities().shown(name.ascii());
        Some(Request {
            service: Service::Server,
            role: Role::Receiving,
            domain: domain.clone(),
            is_server_name: false,
            endpoint,
            presented: Some(Presented::new(shown.certificate.cert.clone())?),
            at: self.rooms.now(),
        })
    }

    fn ours(&self, domain: &Domain) -> Ours {
        let (identities, config) = (self.rooms.tls.identities(), &self.config);
        let published = Published::new(&Sources {
            server_name: config.server_name.clone(),
            public: config.public,
            domains: vec![domain.clone()],
            identities,
            next_keys: &self.next_keys,
        });
        let names = identities.list().iter().flat_map(|it| it.names.clone()).collect();
        Ours {
            domain: domain.clone(),
            server_name: config.server_name.clone(),
            public: config.public,
            names,
            shown: identities.shown(domain.ascii()).names,
            serves_posh: !config.listen.posh.is_empty(),
            paste: paste(&published, config.public.starttls != 0 && config.public.direct_tls != 0),
        }
    }
}

/// What to publish, as it is pasted; no records with ports in them where nobody can know the port.
fn paste(published: &Published, has_ports: bool) -> Paste {
    let mut paste = Paste::default();
    if has_ports {
        let server_name = &published.server_name;
        let ports = published.ports.iter();
        let tlsa = ports.flat_map(|port| {
            let name = key_name(*port, server_name);
            published.keys.iter().map(move |key| line(&name, "TLSA", &key.data()))
        });
        paste.tlsa = tlsa.collect::<Vec<_>>().join("\n");
    }
    for tenant in &published.hosted {
        if has_ports {
            let each = tenant.services.iter().map(|it| {
                let name = service_name(it.service, &tenant.domain);
                line(&name, "SRV", &it.data(&published.server_name))
            });
            paste.srv = each.collect::<Vec<_>>().join("\n");
        }
        paste.posh = format!("{}\n{}", posh::url(&tenant.domain), tenant.document);
    }
    paste
}

/// Places of one domain that are looked at; ours are one for each way to begin TLS.
const PLACES_MAX: usize = 4;

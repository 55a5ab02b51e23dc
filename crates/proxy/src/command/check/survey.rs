//! Everything that can be found out about a domain, all at once and not for long.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use ligase_verifier::{
    Data, Domain, Endpoint, Evidence, Examination, Finding, Kind, Pins, Presented, Prooftype,
    Published, Question, Reason, Request, Role, Service, Tlsa, Unresolved, Verdict, Verifier,
};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::conversation::Speaker;
use super::facts::{Met, Rrset, Sight, Srv, State, Subject, Survey, Target, Unseen};
use super::places::{Place, blocked, labels, places};
use super::probe::{Found, Probe};

/// Whoever goes and looks. Copies share what they know and what they may do at a time.
#[derive(Clone)]
pub(super) struct Surveyor {
    verifier: Arc<Verifier>,
    service: Service,
    from: Option<Domain>,
    /// Unless DNS is all that may be asked.
    probe: Option<Probe>,
    places: Arc<Semaphore>,
}

impl Surveyor {
    /// A surveyor of one kind of service, who speaks in nobody's name.
    pub(super) fn new(verifier: Arc<Verifier>, service: Service, probe: Option<Probe>) -> Self {
        let places = Arc::new(Semaphore::new(PLACES_MAX));
        Self { verifier, service, from: None, probe, places }
    }

    /// The same surveyor, who speaks in a domain's name.
    #[must_use]
    pub(super) fn speaking_as(&self, from: &Domain) -> Self {
        Self { from: Some(from.clone()), ..self.clone() }
    }

    /// Finds out about a domain. Takes no longer than the limits here and of the verifier allow.
    pub(super) async fn survey(&self, text: &str) -> Survey {
        let (at, started) = now();
        let mut survey = match text.parse::<Domain>() {
            Err(why) => Survey {
                subject: Subject::Invalid(text.to_owned(), why),
                service: self.service,
                starttls: unknown(),
                direct_tls: unknown(),
                targets: Vec::new(),
                targets_beyond: 0,
                posh: None,
                connects: self.probe.is_some(),
                at,
                took: Duration::ZERO,
            },
            Ok(domain) => self.look_around(domain, at).await,
        };
        survey.took = now().1.saturating_duration_since(started);
        survey
    }

    async fn look_around(&self, domain: Domain, at: SystemTime) -> Survey {
        let fetching = async {
            match self.probe {
                Some(_) => Some(self.verifier.posh(&domain, self.service).await),
                None => None,
            }
        };
        let looking = async {
            let [starttls, direct_tls] = labels(self.service);
            let (starttls, direct_tls) =
                tokio::join!(self.srv(&domain, starttls), self.srv(&domain, direct_tls));
            let (places, beyond) = places(&domain, self.service, &starttls, &direct_tls);
            let found = self.look_at(&domain, places, blocked(&starttls, &direct_tls)).await;
            (starttls, direct_tls, found, beyond)
        };
        let (posh, (starttls, direct_tls, targets, targets_beyond)) =
            tokio::join!(fetching, looking);
        let connects = self.probe.is_some();
        Survey {
            subject: Subject::Domain(domain),
            service: self.service,
            starttls,
            direct_tls,
            targets,
            targets_beyond,
            posh,
            connects,
            at,
            took: Duration::ZERO,
        }
    }

    async fn srv(&self, domain: &Domain, label: &str) -> Rrset<Srv> {
        let name = format!("{label}._tcp.{}", domain.ascii());
        let answer = self.verifier.look_up(&Question { name: name.clone(), kind: Kind::Srv }).await;
        let mut found = Rrset::read(answer, &name, |data| match data {
            Data::Srv { priority, weight, port, target } => {
                Some(Srv { priority, weight, port, target })
            }
            Data::Address(_) | Data::Tlsa(_) => None,
        });
        found.records.sort();
        found
    }

    /// Looks at all places at once, as far as others are not being looked at.
    async fn look_at(
        &self,
        domain: &Domain,
        places: Vec<Place>,
        blocked: Option<Unresolved>,
    ) -> Vec<Target> {
        let mut looking = JoinSet::new();
        for (number, place) in places.into_iter().enumerate() {
            let (surveyor, domain) = (self.clone(), domain.clone());
            looking.spawn(async move {
                // Never closed, so there is always a turn to wait for.
                let _turn = surveyor.places.acquire().await;
                (number, surveyor.visit(&domain, place, blocked).await)
            });
        }
        let mut targets = looking.join_all().await;
        targets.sort_by_key(|(number, _)| *number);
        targets.into_iter().map(|(_, target)| target).collect()
    }

    async fn visit(&self, domain: &Domain, place: Place, blocked: Option<Unresolved>) -> Target {
        let Place { endpoint, is_fallback } = place;
        let naming = async {
            // Asked for at once, so that the answers are there when they are looked for.
            let (addresses, _) =
                tokio::join!(self.addresses(&endpoint.target), self.tlsa_at(&endpoint, None));
            let (base, tlsa) = self.tlsa(&endpoint, &addresses).await;
            (addresses, base, tlsa, self.way(&endpoint, blocked).await)
        };
        let named = timeout(NAMES_PATIENCE, naming).await;
        let (addresses, base, tlsa, way) = named.unwrap_or_else(|_| {
            let way = Err(Unseen::Addresses(Unresolved::TimedOut));
            (unknown(), endpoint.target.clone(), unknown(), way)
        });
        let allowed = way.as_ref().map_or(&[][..], |(addresses, _)| addresses);
        let is_refused = |it: &&IpAddr| match &way {
            Ok(_) => !allowed.iter().any(|allowed| allowed.ip() == **it),
            Err(why) => *why == Unseen::Addresses(Unresolved::Forbidden),
        };
        let mut forbidden: Vec<IpAddr> =
            addresses.records.iter().filter(is_refused).copied().collect();
        if ADDRESSES_MAX < addresses.records.len() {
            // Of so many, some were left out for their number.
            forbidden.clear();
        }
        let met = match &self.probe {
            None => Met::Unasked,
            Some(probe) => self.meet(probe, domain, &endpoint, way).await,
        };
        Target { endpoint, is_fallback, addresses, forbidden, base, tlsa, met }
    }

    /// Where to connect to and what name to ask for, if that may be done at all.
    async fn way(
        &self,
        endpoint: &Endpoint,
        blocked: Option<Unresolved>,
    ) -> Result<(Vec<SocketAddr>, Option<Domain>), Unseen> {
        if let Some(why) = blocked {
            return Err(Unseen::Delegation(why));
        }
        let addresses = self.verifier.addresses(endpoint).await.map_err(Unseen::Addresses)?;
        let base = match self.verifier.pins(endpoint).await.map_err(Unseen::Tlsa)? {
            Pins::At(base) => Some(base),
            Pins::Unusable | Pins::None => None,
        };
        let addresses = addresses.into_iter().map(|it| SocketAddr::new(it, endpoint.port));
        Ok((addresses.collect(), base))
    }

    async fn meet(
        &self,
        probe: &Probe,
        domain: &Domain,
        endpoint: &Endpoint,
        way: Result<(Vec<SocketAddr>, Option<Domain>), Unseen>,
    ) -> Met {
        let (addresses, base) = match way {
            Ok(way) => way,
            Err(why) => return Met::Unseen(why, None),
        };
        // The name under which TLSA records stand, else the domain itself (RFC 7673 §3.4).
        let name = base.unwrap_or_else(|| domain.clone());
        let from = self.from.clone().filter(|_| self.service == Service::Server);
        let speaker = Speaker { service: self.service, to: domain.clone(), from };
        match probe.look(&addresses, endpoint.transport, &name, &speaker).await {
            Ok(Found { address, tls, presented, stream }) => {
                let shown = Some(presented.clone());
                let examination = self.examine(domain, Some(endpoint), shown).await;
                let asked_for = name;
                Met::Seen(Box::new(Sight {
                    address,
                    tls,
                    asked_for,
                    presented,
                    examination,
                    stream,
                }))
            }
            Err(why) if why.is_definite() => {
                let examination = self.examine(domain, Some(endpoint), None).await;
                Met::Unseen(why, Some(Box::new(examination)))
            }
            Err(why) => Met::Unseen(why, None),
        }
    }

    async fn addresses(&self, host: &Domain) -> Rrset<IpAddr> {
        let ask = async |kind| {
            let question = Question { name: host.ascii().to_owned(), kind };
            let answer = self.verifier.look_up(&question).await;
            Rrset::read(answer, host.ascii(), |data| match data {
                Data::Address(address) => Some(address),
                Data::Srv { .. } | Data::Tlsa(_) => None,
            })
        };
        let (v4, v6) = tokio::join!(ask(Kind::A), ask(Kind::Aaaa));
        let state = v4.state.max(v6.state);
        let alias = v4.alias.or(v6.alias);
        let mut records = [v4.records, v6.records].concat();
        records.sort();
        Rrset { state, records, alias }
    }

    /// The TLSA records of a place and the name they stand under: what the host is securely an
    /// alias of comes first, then the host itself (RFC 7671 §7).
    async fn tlsa(&self, endpoint: &Endpoint, addresses: &Rrset<IpAddr>) -> (Domain, Rrset<Tlsa>) {
        let target = &endpoint.target;
        let expanded = addresses.alias.as_ref().filter(|_| addresses.state == State::Secure);
        let expanded = expanded.and_then(|it| it.parse::<Domain>().ok());
        let mut found = (target.clone(), unknown());
        for base in expanded.iter().chain([target]) {
            let records = self.tlsa_at(endpoint, Some(base)).await;
            let is_last = !records.state.is_known() || !records.records.is_empty();
            found = (base.clone(), records);
            if is_last {
                break;
            }
        }
        found
    }

    /// The TLSA records of a place under one name, its host's own unless told otherwise.
    async fn tlsa_at(&self, endpoint: &Endpoint, base: Option<&Domain>) -> Rrset<Tlsa> {
        let base = base.unwrap_or(&endpoint.target);
        let name = format!("_{}._tcp.{}", endpoint.port, base.ascii());
        let answer =
            self.verifier.look_up(&Question { name: name.clone(), kind: Kind::Tlsa }).await;
        Rrset::read(answer, &name, |data| match data {
            Data::Tlsa(tlsa) => Some(tlsa),
            Data::Srv { .. } | Data::Address(_) => None,
        })
    }

    /// What the prooftypes say about what was presented at a place.
    async fn examine(
        &self,
        domain: &Domain,
        endpoint: Option<&Endpoint>,
        presented: Option<Presented>,
    ) -> Examination {
        self.judge(domain, endpoint, presented, Role::Receiving).await
    }

    /// What the prooftypes would say if the domain came to somebody and presented that.
    pub(super) async fn examine_as_client(
        &self,
        domain: &Domain,
        presented: Presented,
    ) -> Examination {
        self.judge(domain, None, Some(presented), Role::Initiating).await
    }

    async fn judge(
        &self,
        domain: &Domain,
        endpoint: Option<&Endpoint>,
        presented: Option<Presented>,
        role: Role,
    ) -> Examination {
        let request = Request {
            service: self.service,
            role,
            domain: domain.clone(),
            is_server_name: false,
            endpoint: endpoint.cloned(),
            presented,
            at: now().0,
        };
        // Nearly everything is known by now, so this takes long only if it was forgotten again.
        let examined = timeout(EXAMINE_PATIENCE, self.verifier.examine(&request)).await;
        examined.unwrap_or_else(|_| undetermined())
    }
}

fn unknown<T>() -> Rrset<T> {
    Rrset { state: State::Indeterminate, records: Vec::new(), alias: None }
}

/// What is known when there was no time to find out.
fn undetermined() -> Examination {
    let finding = Finding::DnsLimit;
    let by = |prooftype| Verdict::Undetermined(Reason { prooftype, finding });
    Examination {
        evidence: Evidence {
            endpoints: Published::Unreachable(finding),
            tlsa: Vec::new(),
            posh: Published::Unreachable(finding),
        },
        dane: by(Some(Prooftype::Dane)),
        posh: by(Some(Prooftype::Posh)),
        pkix: by(Some(Prooftype::Pkix)),
        verdict: by(None),
    }
}

#[expect(clippy::disallowed_methods, reason = "whoever goes and looks reads the clock")]
fn now() -> (SystemTime, Instant) {
    (SystemTime::now(), Instant::now())
}

/// As many addresses as the verifier hands out for one host.
const ADDRESSES_MAX: usize = 16;

/// Places looked at at a time, of all domains together. Each holds a few sockets, and a process
/// may commonly have a thousand.
const PLACES_MAX: usize = 64;

/// Addresses and TLSA records of one place.
const NAMES_PATIENCE: Duration = Duration::from_secs(5);

/// Longer than it takes to fetch a POSH document, which may just be under way.
const EXAMINE_PATIENCE: Duration = Duration::from_secs(7);

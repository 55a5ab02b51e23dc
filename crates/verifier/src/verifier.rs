mod forget;
mod remembered;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_lc_rs::rand;
use tokio::time::{Instant, timeout};

use self::remembered::{LOOK_UPS_MAX, Remembered};
use crate::cache::Cache;
use crate::evaluate::{Terms, dane, evaluate};
use crate::evidence::{Evidence, Fingerprint, Pins, Published};
use crate::gather::network::Network;
use crate::gather::posh::{PoshTerms, posh};
use crate::gather::{self, Answer, Lookup, Question, Timed, gather};
use crate::leave::{Freely, Leave, Step};
use crate::observation::{Comparison, Observation, Observer};
use crate::roots::Roots;
use crate::settings::{Dnssec, Settings, SetupError};
use crate::{
    Domain, Endpoint, Finding, Presented, Prooftype, Reason, Request, Service, Unresolved, Verdict,
};

/// Answers whether peers speak for domains, and remembers what it looked up for that.
///
/// Verdicts are not remembered: each is reached anew, from what is published now, at the time that
/// is asked about.
#[derive(Debug)]
pub struct Verifier {
    lookup: Remembered,
    terms: Terms,
    posh_terms: PoshTerms,
    evidence: Cache<Subject, (Arc<Evidence>, SystemTime)>,
    posh: Cache<(Domain, Service), Published<Vec<Fingerprint>>>,
    patience: Duration,
    servers: Vec<SocketAddr>,
    trust_anchors: usize,
    observer: Arc<Observer>,
}

impl Verifier {
    /// A verifier that asks the network. Reads the files that the settings name; sends nothing yet.
    pub fn new(settings: &Settings) -> Result<Self, SetupError> {
        let roots = Roots::load(&settings.roots, settings.revocations.as_deref())?;
        let observer = Arc::<Observer>::default();
        let network = Network::new(settings, &roots, Arc::clone(&observer))?;
        let (servers, trust_anchors) = (network.servers().to_vec(), network.trust_anchors());
        let verifier = Self::with(settings, Arc::new(network), roots, observer);
        Ok(Self { servers, trust_anchors, ..verifier })
    }

    /// A verifier that knows all it will ever know.
    pub fn knowing(settings: &Settings, facts: Arc<dyn Lookup>) -> Result<Self, SetupError> {
        let roots = Roots::load(&settings.roots, settings.revocations.as_deref())?;
        Ok(Self::with(settings, facts, roots, Arc::default()))
    }

    fn with(
        settings: &Settings,
        lookup: Arc<dyn Lookup>,
        roots: Roots,
        observer: Arc<Observer>,
    ) -> Self {
        // Without DNSSEC there is nothing that TLSA records could prove or refute.
        let is_possible = |it: &Prooftype| *it != Prooftype::Dane || settings.dnssec != Dnssec::Off;
        let prooftypes = settings.prooftypes.iter().copied().filter(is_possible).collect();
        let tlsa_usages = settings.tlsa_usages.clone();
        let terms = Terms { prooftypes, tlsa_usages, roots };
        Self {
            lookup: Remembered::new(lookup, settings.limits, Arc::clone(&observer)),
            terms,
            posh_terms: PoshTerms::new(settings),
            evidence: Cache::new(settings.limits.answers_max / ANSWERS_GATHERED, LOOK_UPS_MAX),
            posh: Cache::new(settings.limits.documents_max, FETCHES_MAX),
            patience: settings.limits.gather_patience,
            servers: Vec::new(),
            trust_anchors: 0,
            observer,
        }
    }

    /// Has somebody told what it meets with from now on; the first who asks for it.
    #[must_use]
    pub fn observed_by(self, tell: impl Fn(Observation) + Send + Sync + 'static) -> Self {
        self.observer.listen(tell);
        self
    }

    /// Tells whether the peer speaks for the domain.
    ///
    /// Takes no longer than the limits on gathering and on POSH allow. Cancel-safe.
    pub async fn verify(&self, request: Request) -> Verdict {
        self.verify_by_leave(request, &Freely).await
    }

    /// The same for somebody who has to wait until what is not remembered may be looked up.
    ///
    /// Takes no longer than those limits and that leave. Cancel-safe.
    pub async fn verify_by_leave(&self, request: Request, leave: &dyn Leave) -> Verdict {
        let wants_dane = self.terms.asks(Prooftype::Dane);
        // Whoever waits for leave keeps nobody else from asking about the same.
        let subject = Subject::of(&request);
        let known = self.evidence.recall(&subject, request.at);
        let is_known = known.is_some_and(|(_, until)| request.at < until);
        let taken = if is_known { None } else { Some(leave.take(Step::Dns).await) };
        let gathered = timeout(self.patience, self.gathered(&request, subject, wants_dane)).await;
        drop(taken);
        let Ok(evidence) = gathered else {
            let finding = Finding::DnsLimit;
            return Verdict::Undetermined(Reason { prooftype: None, finding });
        };
        let verdict = evaluate(&request, &evidence, &self.terms);
        if wants_dane && request.presented.is_some() {
            let comparison = Comparison::of(&verdict, &evidence);
            self.observer.tell(Observation::Compared(comparison));
        }

        // Web servers are asked only when it is up to them: they are slow, and a peer chose them.
        let may_help = |it: &Presented| it.valid_until(request.at).is_ok();
        let is_open = matches!(verdict, Verdict::Unproven(_)) && self.terms.asks(Prooftype::Posh);
        if request.is_server_name || !is_open || !request.presented.as_ref().is_some_and(may_help) {
            return verdict;
        }
        let key = (request.domain.clone(), request.service);
        let is_known = self.posh.recall(&key, request.at).is_some();
        let _taken = if is_known { None } else { Some(leave.take(Step::Web).await) };
        let posh = self.posh_of(&request.domain, request.service, request.at, leave).await;
        evaluate(&request, &Evidence { posh, ..Evidence::clone(&evidence) }, &self.terms)
    }

    /// Weighs evidence that is at hand, by the same rules. Waits for nothing, and reads no clock.
    pub fn weigh(&self, request: &Request, evidence: &Evidence) -> Verdict {
        evaluate(request, evidence, &self.terms)
    }

    /// What DNS says about a request: as gathered of late, as long as all of it holds.
    async fn gathered(
        &self,
        request: &Request,
        subject: Subject,
        wants_dane: bool,
    ) -> Arc<Evidence> {
        let ask = async || {
            let lookup = Timed::new(&self.lookup);
            let evidence = gather(&lookup, request, wants_dane).await;
            let until = lookup.until().unwrap_or(request.at);
            ((Arc::new(evidence), until), until)
        };
        let (evidence, until) = self.evidence.get(&subject, request.at, ask).await;
        // The cache keeps for a moment even what may not be kept. One such moment, that of the
        // answers, is enough: two in a row would put off the end of a proof.
        match request.at < until {
            true => evidence,
            false => Arc::new(gather(&self.lookup, request, wants_dane).await),
        }
    }

    /// Tells what each prooftype says by itself, and what it says it by; for people.
    pub async fn examine(&self, request: &Request) -> Examination {
        let mut evidence = gather(&self.lookup, request, true).await;
        if !request.is_server_name {
            let (domain, service) = (&request.domain, request.service);
            evidence.posh = self.posh_of(domain, service, request.at, &Freely).await;
        }
        self.examined(request, evidence)
    }

    /// The same by DNS alone, as if the domain had no web server.
    pub async fn examine_by_dns(&self, request: &Request) -> Examination {
        let evidence = gather(&self.lookup, request, true).await;
        self.examined(request, evidence)
    }

    fn examined(&self, request: &Request, evidence: Evidence) -> Examination {
        let by = |prooftype| {
            evaluate(
                request,
                &evidence,
                &Terms { prooftypes: vec![prooftype], ..self.terms.clone() },
            )
        };
        Examination {
            dane: by(Prooftype::Dane),
            posh: by(Prooftype::Posh),
            pkix: by(Prooftype::Pkix),
            verdict: evaluate(request, &evidence, &self.terms),
            evidence,
        }
    }

    async fn posh_of(
        &self,
        domain: &Domain,
        service: Service,
        at: SystemTime,
        leave: &dyn Leave,
    ) -> Published<Vec<Fingerprint>> {
        let key = (domain.clone(), service);
        let ask = async || {
            let begun = instant();
            let found = posh(&self.lookup, domain, service, at, &self.posh_terms, leave).await;
            let page = match &found.0 {
                Published::Here(..) => Ok(()),
                Published::Absent => Err(None),
                Published::Bogus(finding) | Published::Unreachable(finding) => Err(Some(*finding)),
            };
            self.observer.tell(Observation::Fetched(page, begun.elapsed()));
            found
        };
        self.posh.get(&key, at, ask).await
    }

    /// Tells where a domain's service is, in the order to try: by priority, and by lot within one
    /// priority (RFC 2782). At most 16 places.
    pub async fn delegation(
        &self,
        domain: &Domain,
        service: Service,
    ) -> Result<Vec<Endpoint>, Unresolved> {
        gather::endpoints(&self.lookup, domain, service, now(), draw).await
    }

    /// Tells the addresses of an endpoint, IPv6 and IPv4 in turn. At most 16, and none that peers
    /// may not send us to.
    pub async fn addresses(&self, endpoint: &Endpoint) -> Result<Vec<IpAddr>, Unresolved> {
        let allows = |it| self.posh_terms.reach.allows(it);
        gather::addresses(&self.lookup, &endpoint.target, now(), allows).await
    }

    /// Tells what TLSA records of an endpoint there are, and under which name.
    ///
    /// If that is not known, the endpoint is not to be connected to.
    pub async fn pins(&self, endpoint: &Endpoint) -> Result<Pins, Unresolved> {
        if !self.terms.asks(Prooftype::Dane) {
            return Ok(Pins::None);
        }
        let Some(found) = gather::tlsa(&self.lookup, endpoint, now()).await else {
            return Ok(Pins::None);
        };
        match &found.records {
            Published::Here(records, _) if dane::has_usable(records, &self.terms) => {
                Ok(Pins::At(found.base))
            }
            Published::Here(..) => Ok(Pins::Unusable),
            Published::Absent => Ok(Pins::None),
            Published::Bogus(_) => Err(Unresolved::Bogus),
            Published::Unreachable(Finding::DnsLimit) => Err(Unresolved::TimedOut),
            Published::Unreachable(_) => Err(Unresolved::Failed),
        }
    }

    /// Looks up one set of DNS records, and how far to trust it.
    pub async fn look_up(&self, question: &Question) -> Answer {
        self.lookup.look_up(question, now()).await
    }

    /// Fetches what a domain's web server says about its certificates.
    pub async fn posh(&self, domain: &Domain, service: Service) -> Published<Vec<Fingerprint>> {
        self.posh_of(domain, service, now(), &Freely).await
    }

    /// The DNS servers that are asked, in order.
    pub fn resolver_servers(&self) -> &[SocketAddr] {
        &self.servers
    }

    /// How many trust anchors DNSSEC validation starts at; none if others validate, or nobody.
    pub fn trust_anchors_loaded(&self) -> usize {
        self.trust_anchors
    }

    /// How many DNS answers are remembered, those included that are out of date.
    pub fn answers_remembered(&self) -> usize {
        self.lookup.answers.len()
    }

    /// How many certificate authorities count.
    pub fn roots_loaded(&self) -> usize {
        self.terms.roots.anchors().len()
    }
}

/// What each prooftype says about a peer by itself, and all of them together.
#[derive(Clone, Debug)]
pub struct Examination {
    /// What the domain has published.
    pub evidence: Evidence,
    /// By its TLSA records alone.
    pub dane: Verdict,
    /// By its web server alone.
    pub posh: Verdict,
    /// By certificate authorities alone.
    pub pkix: Verdict,
    /// By all prooftypes that count, as [`Verifier::verify`] tells it.
    pub verdict: Verdict,
}

/// All of a request that evidence depends on.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Subject {
    domain: Domain,
    is_server_name: bool,
    service: Service,
    /// Host and port that we connected to, if it was we who did.
    met: Option<(Domain, u16)>,
}

impl Subject {
    fn of(request: &Request) -> Self {
        Self {
            domain: request.domain.clone(),
            is_server_name: request.is_server_name,
            service: request.service,
            met: request.endpoint.as_ref().map(|it| (it.target.clone(), it.port)),
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the verifier drives look-ups, so it reads the clock"
)]
fn now() -> SystemTime {
    SystemTime::now()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the verifier drives look-ups, so it knows how long they take"
)]
fn instant() -> Instant {
    Instant::now()
}

/// A number from 0 up to and including `max`, by chance.
fn draw(max: u32) -> u32 {
    let mut bytes = [0; 8];
    // Without chance the first offer is as good as any.
    let drawn = rand::fill(&mut bytes).map_or(0, |()| u64::from_le_bytes(bytes));
    // One of 2^64 numbers falls unevenly on 2^32 at most, which nobody will ever notice.
    u32::try_from(drawn % (u64::from(max) + 1)).unwrap_or(0)
}

/// Answers that evidence is made of, at least: SRV records by both names, and, for each host, its
/// addresses of both families and its TLSA records. So evidence takes no more room than answers.
const ANSWERS_GATHERED: usize = 16;

/// Web servers asked at a time. Each holds a connection, for up to ten seconds.
const FETCHES_MAX: usize = 128;

#[cfg(test)]
mod tests;

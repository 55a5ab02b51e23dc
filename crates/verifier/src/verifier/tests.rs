use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use super::*;
use rustls::pki_types::CertificateDer;

use crate::gather::{Facts, Failure, FetchFailure, Kind, Page, Pending, Url};
use crate::leave::Taken;
use crate::mint::{self, Authority, domain, now};
use crate::settings::{Limits, RootSource, Servers};
use crate::{Role, Transport};

fn verifier(facts: Facts, root: &Authority) -> Verifier {
    let roots = Roots::new(vec![root.certificate.clone()]);
    Verifier::with(&Settings::default(), Arc::new(facts), roots, Arc::default())
}

/// Spells out where a service is found.
async fn places(facts: Facts, name: &str) -> String {
    let verifier = verifier(facts, &Authority::root("Root"));
    match verifier.delegation(&domain(name), Service::Server).await {
        Err(unresolved) => unresolved.label().to_owned(),
        Ok(endpoints) => {
            let spell = |it: &Endpoint| {
                let tls = if it.transport == Transport::DirectTls { " tls" } else { "" };
                let secure = if it.secure { " secure" } else { "" };
                format!("{}:{}{tls}{secure}", it.target, it.port)
            };
            endpoints.iter().map(spell).collect::<Vec<_>>().join(", ")
        }
    }
}

const STARTTLS: &str = "_xmpp-server._tcp.v.test";
const DIRECT: &str = "_xmpps-server._tcp.v.test";

#[tokio::test]
async fn a_service_is_where_srv_records_say() {
    let facts = || Facts::new().srv(STARTTLS, 5269, "x.test");
    assert_eq!(places(facts(), "v.test").await, "x.test:5269 secure");
    let both = facts().srv(DIRECT, 5270, "y.test").insecure(DIRECT, Kind::Srv);
    assert_eq!(places(both, "v.test").await, "x.test:5269 secure, y.test:5270 tls");
    let idn = Facts::new().srv("_xmpp-server._tcp.xn--bcher-kva.test", 5269, "x.test");
    assert_eq!(places(idn, "bücher.test").await, "x.test:5269 secure");
}

#[tokio::test]
async fn only_where_nothing_is_published_is_the_domain_its_own_host() {
    assert_eq!(places(Facts::new(), "v.test").await, "v.test:5269");
    let declined = Facts::new().srv(STARTTLS, 0, "");
    assert_eq!(places(declined, "v.test").await, "dns.declined");
    let odd = Facts::new().srv(STARTTLS, 5269, "192.0.2.1");
    assert_eq!(places(odd, "v.test").await, "dns.not_found");
}

#[tokio::test]
async fn a_failed_look_up_is_no_absence() {
    for (failure, label) in [
        (Failure::Bogus, "dns.bogus"),
        (Failure::Failed, "dns.failure"),
        (Failure::TimedOut, "dns.limit"),
    ] {
        for name in [STARTTLS, DIRECT] {
            let facts =
                Facts::new().srv(STARTTLS, 5269, "x.test").failing(name, Kind::Srv, failure);
            assert_eq!(places(facts, "v.test").await, label, "{name}");
        }
    }
    let facts = Facts::new().failing(STARTTLS, Kind::Srv, Failure::Failed).failing(
        DIRECT,
        Kind::Srv,
        Failure::Bogus,
    );
    assert_eq!(places(facts, "v.test").await, "dns.bogus");
}

/// Spells out the addresses of x.test.
async fn addresses(facts: Facts) -> String {
    let verifier = verifier(facts, &Authority::root("Root"));
    let endpoint = Endpoint {
        target: domain("x.test"),
        port: 5269,
        transport: Transport::StartTls,
        secure: true,
    };
    match verifier.addresses(&endpoint).await {
        Err(unresolved) => unresolved.label().to_owned(),
        Ok(found) => found.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
    }
}

fn at(texts: &[&str]) -> Facts {
    let add = |facts: Facts, it: &&str| facts.address("x.test", it.parse().unwrap());
    texts.iter().fold(Facts::new(), add)
}

#[tokio::test]
async fn families_of_addresses_take_turns() {
    let found = addresses(at(&["192.0.2.1", "192.0.2.2", "2001:db8::1"])).await;
    assert_eq!(found, "2001:db8::1 192.0.2.1 192.0.2.2");
    assert_eq!(addresses(at(&["192.0.2.1"])).await, "192.0.2.1");
    assert_eq!(addresses(at(&[])).await, "dns.not_found");
}

#[tokio::test]
async fn addresses_that_peers_may_not_send_us_to_are_left_out() {
    assert_eq!(addresses(at(&["127.0.0.1", "192.0.2.1", "::1"])).await, "192.0.2.1");
    assert_eq!(addresses(at(&["127.0.0.1", "169.254.169.254"])).await, "dns.forbidden_target");
    assert_eq!(addresses(at(&["10.0.0.1"])).await, "10.0.0.1");
}

#[tokio::test]
async fn half_the_addresses_will_do_but_none_is_no_answer() {
    let half = |kind| at(&["192.0.2.1"]).failing("x.test", kind, Failure::Bogus);
    assert_eq!(addresses(half(Kind::Aaaa)).await, "192.0.2.1");
    assert_eq!(addresses(half(Kind::A)).await, "dns.bogus");
}

#[tokio::test]
async fn the_verifier_verifies() {
    let root = Authority::root("Root");
    let verify = async |facts: Facts, name: &str| {
        let request = mint::request("v.test", vec![root.leaf(&[name], |_| ())]);
        match verifier(facts, &root).verify(request).await {
            Verdict::Proven(association) => association.prooftype().as_str(),
            Verdict::Unproven(why) | Verdict::Refuted(why) | Verdict::Undetermined(why) => {
                why.finding.label()
            }
        }
    };
    assert_eq!(verify(Facts::new(), "dns:v.test").await, "pkix");
    assert_eq!(verify(Facts::new(), "dns:x.test").await, "cert.name");
    let secure = || Facts::new().srv(STARTTLS, 5269, "x.test");
    assert_eq!(verify(secure(), "dns:x.test").await, "pkix");
    let insecure = secure().insecure(STARTTLS, Kind::Srv);
    assert_eq!(verify(insecure, "dns:x.test").await, "cert.name");
    for (failure, label) in [(Failure::Bogus, "dns.bogus"), (Failure::Failed, "dns.failure")] {
        let failing = Facts::new().failing(DIRECT, Kind::Srv, failure);
        assert_eq!(verify(failing, "dns:v.test").await, label);
    }
}

/// Spells out where TLSA records of the only endpoint of v.test are found.
async fn tlsa_base(facts: Facts) -> String {
    let facts = facts.srv(STARTTLS, 5269, "x.test");
    let verifier = verifier(facts, &Authority::root("Root"));
    let endpoints = verifier.delegation(&domain("v.test"), Service::Server).await.unwrap();
    match verifier.pins(&endpoints[0]).await {
        Ok(Pins::At(base)) => base.to_string(),
        Ok(Pins::Unusable) => "unusable".to_owned(),
        Ok(Pins::None) => "none".to_owned(),
        Err(unresolved) => unresolved.label().to_owned(),
    }
}

const AT_TARGET: &str = "_5269._tcp.x.test";
const AT_ALIAS: &str = "_5269._tcp.real.test";

#[tokio::test]
async fn tlsa_records_count_where_all_that_leads_to_them_is_secure() {
    let facts = || at(&["192.0.2.1"]).tlsa(AT_TARGET, [3, 1, 1], &[7; 32]);
    assert_eq!(tlsa_base(facts()).await, "x.test");
    assert_eq!(tlsa_base(facts().insecure(STARTTLS, Kind::Srv)).await, "none");
    assert_eq!(tlsa_base(facts().insecure("x.test", Kind::A)).await, "none");
    assert_eq!(tlsa_base(facts().insecure(AT_TARGET, Kind::Tlsa)).await, "none");
    assert_eq!(tlsa_base(at(&["192.0.2.1"])).await, "none");
    // At another port, or at the domain.
    let elsewhere = at(&["192.0.2.1"]).tlsa("_5269._tcp.v.test", [3, 1, 1], &[7; 32]);
    assert_eq!(tlsa_base(elsewhere.tlsa("_5270._tcp.x.test", [3, 1, 1], &[7; 32])).await, "none");
    // Of no use.
    let cut_short = at(&["192.0.2.1"]).tlsa(AT_TARGET, [3, 1, 1], &[7; 31]);
    assert_eq!(tlsa_base(cut_short).await, "unusable");
}

#[tokio::test]
async fn an_endpoint_whose_tlsa_records_cannot_be_read_is_not_to_be_connected_to() {
    let facts = || at(&["192.0.2.1"]);
    for (failure, label) in [
        (Failure::Bogus, "dns.bogus"),
        (Failure::Failed, "dns.failure"),
        (Failure::TimedOut, "dns.limit"),
    ] {
        assert_eq!(tlsa_base(facts().failing(AT_TARGET, Kind::Tlsa, failure)).await, label);
        assert_eq!(tlsa_base(facts().failing("x.test", Kind::A, failure)).await, label);
    }
}

#[tokio::test]
async fn where_a_target_is_an_alias_the_records_at_its_end_come_first() {
    let alias = || at(&["192.0.2.1"]).alias("x.test", Kind::A, "real.test");
    let both = || {
        let facts = alias().tlsa(AT_TARGET, [3, 1, 1], &[7; 32]);
        facts.tlsa(AT_ALIAS, [3, 1, 1], &[8; 32])
    };
    assert_eq!(tlsa_base(both()).await, "real.test");
    assert_eq!(tlsa_base(alias().tlsa(AT_TARGET, [3, 1, 1], &[7; 32])).await, "x.test");
    assert_eq!(tlsa_base(both().insecure(AT_ALIAS, Kind::Tlsa)).await, "x.test");
    assert_eq!(
        tlsa_base(both().failing(AT_ALIAS, Kind::Tlsa, Failure::Failed)).await,
        "dns.failure"
    );
    assert_eq!(tlsa_base(both().insecure("x.test", Kind::A)).await, "none");
}

#[tokio::test]
async fn tlsa_records_decide_about_clients_and_servers() {
    let root = Authority::root("Root");
    let leaf = mint::self_signed(&[], |_| ());
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &mint::key_of(&leaf));
    let facts = at(&["192.0.2.1"]).srv(STARTTLS, 5269, "x.test");
    let verifier = verifier(facts.tlsa(AT_TARGET, [3, 1, 1], digest.as_ref()), &root);
    let endpoints = verifier.delegation(&domain("v.test"), Service::Server).await.unwrap();
    for met in [None, endpoints.first().cloned()] {
        let role = if met.is_some() { Role::Receiving } else { Role::Initiating };
        let ask = |chain| Request { endpoint: met.clone(), role, ..mint::request("v.test", chain) };
        let proven = verifier.verify(ask(vec![leaf.clone()])).await;
        assert!(matches!(proven, Verdict::Proven(it) if it.prooftype() == Prooftype::Dane));
        let other = vec![root.leaf(&["dns:v.test"], |_| ())];
        let refuted = verifier.verify(ask(other)).await;
        assert!(matches!(refuted, Verdict::Refuted(why) if why.finding == Finding::TlsaMismatch));
    }
}

/// What is found of a peer that says it is the server x.test, and shows this.
async fn server(facts: Facts, root: &Authority, leaf: CertificateDer<'static>) -> &'static str {
    let verifier = verifier(facts, root);
    let mut found = Vec::new();
    let met = Endpoint {
        secure: true,
        ..crate::delegation::fallback(&domain("x.test"), Service::Server)
    };
    for endpoint in [None, Some(met)] {
        let role = if endpoint.is_some() { Role::Receiving } else { Role::Initiating };
        let ask = mint::request("x.test", vec![leaf.clone()]);
        let ask = Request { is_server_name: true, endpoint, role, ..ask };
        found.push(match verifier.verify(ask).await {
            Verdict::Proven(association) => association.prooftype().as_str(),
            Verdict::Unproven(why) | Verdict::Refuted(why) | Verdict::Undetermined(why) => {
                why.finding.label()
            }
        });
    }
    assert_eq!(found[0], found[1], "whoever opened the connection");
    found[0]
}

#[tokio::test]
async fn a_server_is_known_by_its_own_name_alone() {
    let root = Authority::root("Root");
    let address = || Facts::new().address("x.test", "192.0.2.1".parse().unwrap());
    let leaf = root.leaf(&["dns:x.test"], |_| ());
    assert_eq!(server(address(), &root, leaf.clone()).await, "pkix");
    assert_eq!(server(address(), &root, root.leaf(&["dns:v.test"], |_| ())).await, "cert.name");
    // An XMPP address names a domain, and a domain is no host.
    let addressed = root.leaf(&["xmpp:x.test"], |_| ());
    assert_eq!(server(address(), &root, addressed).await, "cert.name");
    // Nobody is a server because somebody delegates to it, or because its web server says so.
    let delegated = address()
        .srv("_xmpp-server._tcp.x.test", 5269, "y.test")
        .address("y.test", "192.0.2.2".parse().unwrap());
    assert_eq!(server(delegated, &root, root.leaf(&["dns:y.test"], |_| ())).await, "cert.name");
    let own = mint::self_signed(&["dns:x.test"], |_| ());
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &own);
    let digest = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, digest);
    let page = "https://x.test/.well-known/posh/xmpp-server.json";
    let web = address().page(page, &document(&digest));
    assert_eq!(server(web, &root, own.clone()).await, "cert.chain");

    let key = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &mint::key_of(&own));
    let tlsa = || address().tlsa(AT_TARGET, [3, 1, 1], key.as_ref());
    assert_eq!(server(tlsa(), &root, own.clone()).await, "dane");
    assert_eq!(server(tlsa(), &root, leaf.clone()).await, "dane.mismatch");
    let unsigned = tlsa().insecure("x.test", Kind::A);
    assert_eq!(server(unsigned, &root, own).await, "cert.chain");
    let lost = tlsa().failing(AT_TARGET, Kind::Tlsa, Failure::Failed);
    assert_eq!(server(lost, &root, leaf).await, "dns.failure");
}

/// The verdict on a self-signed certificate of v.test, which has a web server.
async fn self_signed(facts: impl FnOnce(Facts, &str) -> Facts) -> &'static str {
    let leaf = mint::self_signed(&["dns:v.test"], |_| ());
    let fingerprint = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &leaf);
    let fingerprint = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, fingerprint);
    let facts = facts(Facts::new().address("v.test", "192.0.2.1".parse().unwrap()), &fingerprint);
    let request = mint::request("v.test", vec![leaf]);
    match verifier(facts, &Authority::root("Root")).verify(request).await {
        Verdict::Proven(association) => association.prooftype().as_str(),
        Verdict::Unproven(why) | Verdict::Refuted(why) | Verdict::Undetermined(why) => {
            why.finding.label()
        }
    }
}

const POSH: &str = "https://v.test/.well-known/posh/xmpp-server.json";

fn document(digest: &str) -> String {
    format!(r#"{{"fingerprints":[{{"sha-256":"{digest}"}}],"expires":3600}}"#)
}

#[tokio::test]
async fn a_web_server_may_vouch_where_nobody_else_does() {
    let right = |facts: Facts, digest: &str| facts.page(POSH, &document(digest));
    assert_eq!(self_signed(right).await, "posh");
    assert_eq!(self_signed(|facts, _| facts).await, "cert.chain");
    let wrong = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    assert_eq!(self_signed(|facts, _| facts.page(POSH, &document(wrong))).await, "posh.mismatch");
    assert_eq!(self_signed(|facts, _| facts.page(POSH, "{}")).await, "posh.json");
}

#[tokio::test]
async fn no_web_server_overrules_dns() {
    let tlsa = |facts: Facts, digest: &str| {
        let facts = facts.page(POSH, &document(digest)).srv(STARTTLS, 5269, "v.test");
        facts.tlsa("_5269._tcp.v.test", [3, 1, 1], &[7; 32])
    };
    assert_eq!(self_signed(tlsa).await, "dane.mismatch");
    for (failure, label) in [(Failure::Bogus, "dns.bogus"), (Failure::Failed, "dns.failure")] {
        let forged = |facts: Facts, digest: &str| {
            facts.page(POSH, &document(digest)).failing(STARTTLS, Kind::Srv, failure)
        };
        assert_eq!(self_signed(forged).await, label);
    }
}

#[tokio::test]
async fn an_examination_asks_each_prooftype_by_itself() {
    let root = Authority::root("Root");
    let facts = at(&["192.0.2.1"]).srv(STARTTLS, 5269, "x.test");
    let verifier = verifier(facts.tlsa(AT_TARGET, [3, 1, 1], &[7; 32]), &root);
    let request = mint::request("v.test", vec![root.leaf(&["dns:v.test"], |_| ())]);
    let found = verifier.examine(&request).await;
    assert!(matches!(found.pkix, Verdict::Proven(_)));
    let label = |verdict: &Verdict| match verdict {
        Verdict::Proven(_) => "proven",
        Verdict::Unproven(why) | Verdict::Refuted(why) | Verdict::Undetermined(why) => {
            why.finding.label()
        }
    };
    assert_eq!(label(&found.dane), "dane.mismatch");
    assert_eq!(label(&found.posh), "posh.http");
    assert_eq!(found.verdict, found.dane);
    assert_eq!(found.evidence.tlsa.len(), 1);
}

#[test]
fn a_verifier_is_not_set_up_with_what_is_not_there() {
    let missing = std::path::PathBuf::from("/nonexistent/file");
    let sound = || Settings {
        servers: Servers::These(vec!["127.0.0.1:53".parse().unwrap()]),
        roots: RootSource::System,
        ..Settings::default()
    };
    let verifier = Verifier::new(&sound()).unwrap();
    assert_eq!(verifier.resolver_servers(), ["127.0.0.1:53".parse().unwrap()]);
    assert_eq!(verifier.trust_anchors_loaded(), 2);

    let fails = |settings: Settings, error| {
        assert_eq!(Verifier::new(&settings).err(), Some(error));
    };
    fails(Settings { servers: Servers::These(Vec::new()), ..sound() }, SetupError::NoServers);
    let roots = RootSource::File(missing.clone());
    fails(Settings { roots, ..sound() }, SetupError::Roots(missing.clone()));
    let trust_anchor = Some(missing.clone());
    fails(Settings { trust_anchor, ..sound() }, SetupError::TrustAnchor(missing.clone()));
    let revocations = Some(missing.clone());
    fails(Settings { revocations, ..sound() }, SetupError::Revocations(missing));
}

/// A DNS that counts how often it is asked.
#[derive(Debug, Default)]
struct Counted {
    facts: Facts,
    asked: AtomicUsize,
}

impl Lookup for Counted {
    fn look_up<'a>(&'a self, question: &'a Question, at: SystemTime) -> Pending<'a, Answer> {
        self.asked.fetch_add(1, Relaxed);
        self.facts.look_up(question, at)
    }

    fn fetch<'a>(
        &'a self,
        url: &'a Url,
        address: IpAddr,
    ) -> Pending<'a, Result<Page, FetchFailure>> {
        self.facts.fetch(url, address)
    }
}

/// How many questions each of some requests about v.test led to, so many seconds after the first.
async fn questions(facts: Facts, requests: &[(u64, Option<Endpoint>)]) -> Vec<usize> {
    let root = Authority::root("Root");
    let counted = Arc::new(Counted { facts, ..Counted::default() });
    let roots = Roots::new(vec![root.certificate.clone()]);
    let verifier = Verifier::with(&Settings::default(), counted.clone(), roots, Arc::default());
    let mut asked = Vec::new();
    for (seconds, endpoint) in requests {
        let request = mint::request("v.test", vec![root.leaf(&["dns:v.test"], |_| ())]);
        let at = now() + Duration::from_secs(*seconds);
        let request = Request { endpoint: endpoint.clone(), at, ..request };
        let _ = verifier.verify(request).await;
        asked.push(counted.asked.swap(0, Relaxed));
    }
    asked
}

#[tokio::test]
async fn what_was_gathered_counts_until_the_first_answer_goes_stale() {
    let minute = Duration::from_secs(60);
    let facts =
        || at(&["192.0.2.1"]).srv(STARTTLS, 5269, "x.test").tlsa(AT_TARGET, [3, 1, 1], &[7; 32]);
    let ask = async |facts: Facts| questions(facts, &[(0, None), (59, None), (60, None)]).await;
    // Two names of the service, two families of addresses, and the records of one host.
    assert_eq!(ask(facts()).await, [5, 0, 0]);
    assert_eq!(ask(facts().ttl(AT_TARGET, Kind::Tlsa, minute)).await, [5, 0, 1]);
    assert_eq!(ask(facts().ttl(STARTTLS, Kind::Srv, minute)).await, [5, 0, 1]);
    // That there is no other address, too.
    assert_eq!(ask(facts().ttl("x.test", Kind::Aaaa, minute)).await, [5, 0, 1]);
    // Records that may not be kept are kept for a second, and no longer for being gathered late.
    let fleeting = facts().ttl(AT_TARGET, Kind::Tlsa, Duration::ZERO);
    assert_eq!(
        questions(fleeting, &[(0, None), (0, None), (1, None), (2, None)]).await,
        [5, 0, 1, 1]
    );
    let lost = facts().failing(AT_TARGET, Kind::Tlsa, Failure::Failed);
    assert_eq!(questions(lost, &[(0, None), (4, None), (5, None)]).await, [5, 0, 1]);
}

#[tokio::test]
async fn what_was_gathered_counts_for_the_endpoint_that_was_met() {
    let facts = at(&["192.0.2.1"]).srv(STARTTLS, 5269, "x.test").srv(STARTTLS, 5270, "y.test");
    let met = |target: &str, port| {
        let transport = Transport::StartTls;
        Some(Endpoint { target: domain(target), port, transport, secure: true })
    };
    let (x, y) = (met("x.test", 5269), met("y.test", 5270));
    let requests = [(0, x.clone()), (0, x), (0, y.clone()), (0, y), (0, None), (0, None)];
    assert_eq!(questions(facts, &requests).await, [5, 0, 3, 0, 0, 0]);
}

#[tokio::test]
async fn evidence_at_hand_is_weighed_by_the_same_rules() {
    let root = Authority::root("Root");
    let facts = at(&["192.0.2.1"]).srv(STARTTLS, 5269, "x.test");
    let verifier = verifier(facts.tlsa(AT_TARGET, [3, 1, 1], &[7; 32]), &root);
    let request = mint::request("v.test", vec![root.leaf(&["dns:v.test"], |_| ())]);
    let found = verifier.examine(&request).await;
    assert_eq!(verifier.weigh(&request, &found.evidence), found.verdict);
    let nothing =
        Evidence { endpoints: Published::Absent, tlsa: Vec::new(), posh: Published::Absent };
    assert!(matches!(verifier.weigh(&request, &nothing), Verdict::Proven(_)));
}

/// A DNS that never answers.
#[derive(Debug)]
struct Silence;

impl Lookup for Silence {
    fn look_up<'a>(&'a self, _: &'a Question, _: SystemTime) -> Pending<'a, Answer> {
        Box::pin(std::future::pending())
    }

    fn fetch<'a>(&'a self, _: &'a Url, _: IpAddr) -> Pending<'a, Result<Page, FetchFailure>> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn a_verification_ends() {
    let root = Authority::root("Root");
    let limits = Limits { gather_patience: Duration::from_millis(1), ..Limits::default() };
    let settings = Settings { limits, ..Settings::default() };
    let roots = Roots::new(vec![root.certificate.clone()]);
    let verifier = Verifier::with(&settings, Arc::new(Silence), roots, Arc::default());
    let request = mint::request("v.test", vec![root.leaf(&["dns:v.test"], |_| ())]);
    let verdict = verifier.verify(request).await;
    assert!(matches!(verdict, Verdict::Undetermined(why) if why.finding == Finding::DnsLimit));
}

#[tokio::test]
async fn without_dane_a_failed_look_up_takes_away_no_certificate() {
    let root = Authority::root("Root");
    let settings = Settings { prooftypes: vec![Prooftype::Pkix], ..Settings::default() };
    let facts = Facts::new().failing(STARTTLS, Kind::Srv, Failure::Failed);
    let roots = Roots::new(vec![root.certificate.clone()]);
    let verifier = Verifier::with(&settings, Arc::new(facts), roots, Arc::default());
    let request = mint::request("v.test", vec![root.leaf(&["dns:v.test"], |_| ())]);
    assert!(matches!(verifier.verify(request).await, Verdict::Proven(_)));
}

#[tokio::test]
async fn an_answer_is_remembered_for_its_time_and_no_longer_than_we_say() {
    let facts = Facts::new().srv(STARTTLS, 1, "x.test").ttl(STARTTLS, Kind::Srv, WEEK);
    let remembered = Remembered::new(Arc::new(facts), Limits::default(), Arc::default());
    let question = Question { name: STARTTLS.to_owned(), kind: Kind::Srv };
    let answer = remembered.look_up(&question, now()).await.unwrap();
    assert_eq!(answer.expires, now() + Duration::from_secs(3600));
}

const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);

/// Whoever counts hears of every look-up, comparison and page once, whatever came of it.
#[tokio::test]
async fn whoever_counts_is_told() {
    use std::sync::Mutex;

    use crate::Observation::{Compared, Fetched, LookedUp, Recalled};
    use crate::Security;

    let root = Authority::root("Root");
    let told = async |facts: Facts, name: &str| {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let witness = Arc::clone(&seen);
        let verifier = verifier(facts, &root);
        let verifier = verifier.observed_by(move |it| witness.lock().unwrap().push(it));
        let leaf = root.leaf(&[name], |_| ());
        for _ in 0..2 {
            let _ = verifier.verify(mint::request("v.test", vec![leaf.clone()])).await;
        }
        std::mem::take(&mut *seen.lock().unwrap())
    };
    let count =
        |seen: &[Observation], what: Observation| seen.iter().filter(|it| **it == what).count();

    let seen = told(Facts::new(), "dns:w.test").await;
    // SRV records of two names, and two families of addresses to ask for a page.
    assert_eq!(count(&seen, LookedUp(Ok(Security::Secure))), 4, "{seen:?}");
    assert_eq!(count(&seen, Recalled(false)), 4, "{seen:?}");
    assert_eq!(count(&seen, Compared(Comparison::Insecure)), 2, "{seen:?}");
    assert_eq!(seen.iter().filter(|it| matches!(it, Fetched(Err(_), _))).count(), 1, "{seen:?}");

    let secure = || {
        Facts::new().srv(STARTTLS, 5269, "x.test").address("x.test", "192.0.2.1".parse().unwrap())
    };
    let seen = told(secure(), "dns:v.test").await;
    assert_eq!(count(&seen, Compared(Comparison::Absent)), 2, "{seen:?}");
    let tlsa = |kind| secure().tlsa("_5269._tcp.x.test", kind, &[7; 32]);
    let seen = told(tlsa([3, 1, 1]), "dns:v.test").await;
    assert_eq!(count(&seen, Compared(Comparison::Mismatch)), 2, "{seen:?}");
    let seen = told(tlsa([7, 1, 1]), "dns:v.test").await;
    assert_eq!(count(&seen, Compared(Comparison::Unusable)), 2, "{seen:?}");
    let seen = told(secure().failing(STARTTLS, Kind::Srv, Failure::Bogus), "dns:v.test").await;
    assert_eq!(count(&seen, LookedUp(Err(Failure::Bogus))), 1, "{seen:?}");
    assert_eq!(count(&seen, Compared(Comparison::Failed)), 2, "{seen:?}");
}

/// A DNS that counts the questions it has not answered yet.
#[derive(Debug, Default)]
struct Counting {
    open: AtomicUsize,
    most: AtomicUsize,
}

impl Lookup for Counting {
    fn look_up<'a>(&'a self, question: &'a Question, at: SystemTime) -> Pending<'a, Answer> {
        Box::pin(async move {
            self.most.fetch_max(self.open.fetch_add(1, Relaxed) + 1, Relaxed);
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            self.open.fetch_sub(1, Relaxed);
            let facts = (0..16).fold(Facts::new(), |facts, number| {
                let host = format!("x{number}.test");
                let facts = facts.srv(STARTTLS, 5269, &host);
                facts.address(&host, "192.0.2.1".parse().unwrap())
            });
            facts.look_up(question, at).await
        })
    }

    fn fetch<'a>(&'a self, _: &'a Url, _: IpAddr) -> Pending<'a, Result<Page, FetchFailure>> {
        Box::pin(std::future::ready(Err(FetchFailure::Unconnected)))
    }
}

/// Whoever claims a domain with many hosts makes us ask about a few of them at a time.
#[tokio::test]
async fn a_domain_with_many_hosts_takes_few_turns() {
    let lookup = Arc::new(Counting::default());
    let root = Authority::root("Root");
    let roots = Roots::new(vec![root.certificate.clone()]);
    let verifier = Verifier::with(
        &Settings::default(),
        Arc::<Counting>::clone(&lookup),
        roots,
        Arc::default(),
    );
    let request = mint::request("v.test", vec![root.leaf(&["dns:v.test"], |_| ())]);
    let verdict = verifier.verify(request).await;
    assert!(matches!(verdict, Verdict::Proven(_)), "{verdict:?}");
    let most = lookup.most.load(Relaxed);
    assert!((3..=8).contains(&most), "{most} at a time");
}

/// What leave was asked for, in order; and whether it is given.
#[derive(Default)]
struct Asked {
    steps: std::sync::Mutex<Vec<String>>,
    held: Arc<AtomicUsize>,
    refuses: Option<Step>,
}

impl Leave for Asked {
    fn take(&self, step: Step) -> Pending<'_, Taken> {
        let held = self.held.fetch_add(1, Relaxed);
        self.steps.lock().unwrap().push(format!("{step:?} beside {held}"));
        let refuses = self.refuses == Some(step);
        Box::pin(async move {
            if refuses {
                std::future::pending::<()>().await;
            }
            Taken::until_dropped(Held(Arc::clone(&self.held)))
        })
    }
}

struct Held(Arc<AtomicUsize>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

const VOUCHING: &str = "https://v.test/.well-known/posh/xmpp-server.json";

#[tokio::test]
async fn leave_is_asked_for_each_step_that_is_not_remembered() {
    let root = Authority::root("Root");
    let elsewhere = || Page { status: 302, location: Some("/there".into()), body: Vec::new() };
    let facts = || {
        let facts = Facts::new().address("v.test", "192.0.2.1".parse().unwrap());
        facts.web(VOUCHING, Ok(elsewhere()))
    };
    let steps = async |verifier: &Verifier, name: &str| {
        let request = mint::request("v.test", vec![root.leaf(&[name], |_| ())]);
        let leave = Asked::default();
        let _ = verifier.verify_by_leave(request, &leave).await;
        assert_eq!(leave.held.load(Relaxed), 0, "all of it is given back");
        leave.steps.into_inner().unwrap().join(", ")
    };
    let verifier = verifier(facts(), &root);
    // Whom an authority has certified never waits for web servers.
    assert_eq!(steps(&verifier, "dns:v.test").await, "Dns beside 0");
    assert_eq!(steps(&verifier, "dns:v.test").await, "");
    let connect = "Connect(192.0.2.1) beside 1";
    assert_eq!(steps(&verifier, "dns:x.test").await, format!("Web beside 0, {connect}, {connect}"));
    assert_eq!(steps(&verifier, "dns:x.test").await, "");
}

#[tokio::test]
async fn who_waits_for_leave_keeps_nobody_from_asking_about_the_same() {
    let root = Authority::root("Root");
    let verifier = verifier(Facts::new(), &root);
    let request = || mint::request("v.test", vec![root.leaf(&["dns:v.test"], |_| ())]);
    for step in [Step::Dns, Step::Web] {
        let leave = Asked { refuses: Some(step), ..Asked::default() };
        let other = match step {
            Step::Dns => request(),
            Step::Web | Step::Connect(_) => {
                mint::request("v.test", vec![root.leaf(&["dns:x.test"], |_| ())])
            }
        };
        let waiting = verifier.verify_by_leave(other.clone(), &leave);
        tokio::select! {
            biased;
            _ = waiting => panic!("it has no leave"),
            _ = verifier.verify(other) => (),
        }
    }
}

use std::fs;
use std::io::Write as _;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

use ligase_verifier::{
    Answer, Domain, Evidence, Facts, FetchFailure, Fingerprint, Kind, Lookup, Page, Pending,
    Presented, Prooftype, Published, Question, Request, Role, RootSource, Service, Settings, Tlsa,
    Url, Verdict, Verifier,
};
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::CertificateDer;
use tokio::runtime::Runtime;

use crate::proof::noon;

/// What all inputs have in common: a peer's certificate, and a file that changes.
struct Common {
    runtime: Runtime,
    leaf: CertificateDer<'static>,
    roots: PathBuf,
    lists: PathBuf,
}

static COMMON: LazyLock<Common> = LazyLock::new(|| {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["a.test".to_owned()]).unwrap();
    let leaf = params.self_signed(&key).unwrap();
    let folder = std::env::temp_dir();
    let file = |kind| folder.join(format!("ligase-fuzz-{}-{kind}.pem", std::process::id()));
    let (roots, lists) = (file("roots"), file("lists"));
    fs::write(&roots, leaf.pem()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    Common { runtime, leaf: leaf.der().clone(), roots, lists }
});

fn settings(prooftype: Prooftype) -> Settings {
    Settings {
        roots: RootSource::File(COMMON.roots.clone()),
        prooftypes: vec![prooftype],
        ..Settings::default()
    }
}

fn request(domain: &str, presented: Vec<CertificateDer<'static>>) -> Request {
    Request {
        service: Service::Server,
        role: Role::Initiating,
        domain: domain.parse().unwrap(),
        is_server_name: false,
        endpoint: None,
        presented: Presented::new(presented),
        at: noon(),
    }
}

/// A web on which every page is this one.
#[derive(Debug)]
struct Web {
    facts: Facts,
    page: Page,
}

impl Lookup for Web {
    fn look_up<'a>(&'a self, question: &'a Question, at: SystemTime) -> Pending<'a, Answer> {
        self.facts.look_up(question, at)
    }

    fn fetch<'a>(
        &'a self,
        _url: &'a Url,
        _address: IpAddr,
    ) -> Pending<'a, Result<Page, FetchFailure>> {
        Box::pin(async { Ok(self.page.clone()) })
    }
}

/// A document about certificates: it counts only what it says in full, for no longer than it may, and
/// leads to nobody whom it does not name.
pub(super) fn posh(input: &[u8]) {
    let [kind, input @ ..] = input else {
        return;
    };
    let text = String::from_utf8_lossy(input).into_owned();
    let page = match kind % 4 {
        0..3 => Page { status: 200, location: None, body: input.to_vec() },
        _ => Page { status: 302, location: Some(text), body: Vec::new() },
    };
    let facts = Facts::new().address("a.test", IpAddr::from([192, 0, 2, 1]));
    let web = Web { facts, page };
    let settings = settings(Prooftype::Posh);
    let longest = settings.limits.posh_lifetime_max;
    let verifier = Verifier::knowing(&settings, Arc::new(web)).unwrap();
    let domain: Domain = "a.test".parse().unwrap();
    let before = SystemTime::now();
    let found = COMMON.runtime.block_on(verifier.posh(&domain, Service::Server));
    let Published::Here(fingerprints, until) = found else {
        return;
    };
    assert!(!fingerprints.is_empty());
    assert!(until <= SystemTime::now() + longest && before <= until);
    // A certificate that no fingerprint is of is nobody's.
    let is_digest = |it: &Fingerprint| {
        it.sha256 == Presented::new(vec![COMMON.leaf.clone()]).map(|it| it.sha256())
    };
    let request = request("a.test", vec![COMMON.leaf.clone()]);
    let listed = fingerprints.iter().any(is_digest);
    let evidence = Evidence {
        endpoints: Published::Absent,
        tlsa: Vec::new(),
        posh: Published::Here(fingerprints, noon() + Duration::from_secs(60)),
    };
    let verdict = verifier.weigh(&request, &evidence);
    assert!(listed || !matches!(verdict, Verdict::Proven(_)), "{verdict:?}");
}

/// SRV and TLSA records of any content: nobody is proven whose certificate or key is not in them.
pub(super) fn dns_data(input: &[u8]) {
    let [usage, selector, matching, port, input @ ..] = input else {
        return;
    };
    let (target, data) = match input.iter().position(|&byte| byte == 0) {
        Some(end) => (&input[..end], &input[end + 1..]),
        None => (&b"x.a.test"[..], input),
    };
    let target = String::from_utf8_lossy(target).into_owned();
    let kind = [usage % 6, selector % 4, matching % 4];
    let place = format!("_{}._tcp.{target}", 5200 + u16::from(*port));
    let facts = Facts::new()
        .srv("_xmpp-server._tcp.a.test", 5200 + u16::from(*port), &target)
        .address(&target, IpAddr::from([192, 0, 2, 1]))
        .tlsa(&place, kind, data)
        .ttl(&place, Kind::Tlsa, Duration::from_secs(u64::from(*port)));
    let verifier = Verifier::knowing(&settings(Prooftype::Dane), Arc::new(facts)).unwrap();
    let request = request("a.test", vec![COMMON.leaf.clone()]);
    let examined = COMMON.runtime.block_on(verifier.examine(&request));
    let [usage, selector, matching] = kind;
    let record = Tlsa { usage, selector, matching, data: data.to_vec() };
    let presented = request.presented.as_ref().unwrap();
    if let Verdict::Proven(association) = examined.verdict {
        assert_eq!(association.domain(), &request.domain);
        let whole = [presented.leaf().to_vec(), presented.spki().unwrap_or_default().to_vec()];
        let shown = &whole[usize::from(selector)];
        let fits = match matching {
            0 => shown == data,
            1 => selector != 0 || presented.sha256() == data,
            _ => data.len() == 64,
        };
        assert!(fits, "{record:?}");
        assert!(association.expires() <= request.at + Duration::from_secs(u64::from(*port)));
    }
}

/// A certificate: whoever it names is named by one of its identifiers, and none is named by a name
/// that holds what no name may.
pub(super) fn certificate(input: &[u8]) {
    let Some(presented) = Presented::new(vec![CertificateDer::from(input.to_vec())]) else {
        return;
    };
    let names = presented.names();
    assert!(names.dns.len() + names.srv.len() + names.xmpp.len() <= 4096);
    for asked in ["a.test", "b.a.test", "xn--9ca.test", "capulet.example"] {
        let domain: Domain = asked.parse().unwrap();
        let parent = asked.split_once('.').map_or("", |(_, parent)| parent);
        let fits = |it: &str| {
            let it = it.strip_suffix('.').unwrap_or(it);
            let wild = it.strip_prefix("*.").is_some_and(|it| it.eq_ignore_ascii_case(parent));
            it.eq_ignore_ascii_case(asked) || wild
        };
        let by_dns = names.dns.iter().any(|it| fits(it));
        let by_service = names.srv.iter().any(|it| {
            it.split_once('.').is_some_and(|(service, name)| {
                service.eq_ignore_ascii_case("_xmpp-server") && fits(name)
            })
        });
        let by_address = names.xmpp.iter().any(|it| it.parse().as_ref() == Ok(&domain));
        let named = presented.is_for(&domain, Service::Server);
        assert!(!named || by_dns || by_service || by_address, "{names:?} for {asked}");
    }
    // It is from nobody who counts, unless it is that authority's own.
    let verifier = Verifier::knowing(&settings(Prooftype::Pkix), Arc::new(Facts::new())).unwrap();
    let chain = vec![CertificateDer::from(input.to_vec())];
    let verdict = COMMON.runtime.block_on(verifier.verify(request("a.test", chain)));
    let is_own = input == &COMMON.leaf[..];
    assert!(is_own || !matches!(verdict, Verdict::Proven(_)), "{verdict:?}");
}

/// A file of revocation lists: it is taken as a whole, or the program does not start.
pub(super) fn crl(input: &[u8]) {
    let [form, input @ ..] = input else {
        return;
    };
    let mut file = fs::File::create(&COMMON.lists).unwrap();
    if form & 1 == 0 {
        file.write_all(input).unwrap();
    } else {
        let text = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, input);
        writeln!(file, "-----BEGIN X509 CRL-----\n{text}\n-----END X509 CRL-----").unwrap();
    }
    let revocations = Some(COMMON.lists.clone());
    let settings = Settings { revocations, ..settings(Prooftype::Pkix) };
    if let Ok(verifier) = Verifier::knowing(&settings, Arc::new(Facts::new())) {
        let request = request("a.test", vec![COMMON.leaf.clone()]);
        let _ = COMMON.runtime.block_on(verifier.verify(request));
    }
}

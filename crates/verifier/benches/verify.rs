//! How long a verdict takes, and what it allocates: `cargo bench -p ligase-verifier`.
//!
//! "weigh" is the pure half alone, on evidence at hand; "verify" is all of it, with everything that
//! DNS said remembered. Ends with an error if a verdict by the domain's own key (usage 3) takes
//! longer than [`LIMIT`], or one on a hostile domain longer than [`HOSTILE_LIMIT`].

#![expect(clippy::expect_used, reason = "a bench that cannot go on has failed")]

use std::alloc::System;
use std::iter;
use std::net::IpAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use aws_lc_rs::digest::{SHA256, digest};
use ligase_verifier::{
    Domain, Endpoint, Evidence, Facts, Kind, Presented, Published, Question, Request, Role,
    RootSource, Service, Settings, Tlsa, TlsaAt, Transport, Verdict, Verifier,
};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
    PublicKeyData,
};
use rustls::pki_types::CertificateDer;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use time::OffsetDateTime;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The most that a verdict by the domain's own key may take.
const LIMIT: Duration = Duration::from_micros(20);

/// The most that the worst that a domain and its peer can think of may take. It keeps a thread from
/// its other work.
const HOSTILE_LIMIT: Duration = Duration::from_millis(50);

/// A public authority, one below it, and a leaf below that.
struct Chain {
    root_pem: String,
    shown: Vec<CertificateDer<'static>>,
    leaf_key: Vec<u8>,
}

impl Chain {
    fn new() -> Self {
        let authority = |name: &str| {
            let mut params = CertificateParams::default();
            params.distinguished_name = DistinguishedName::new();
            params.distinguished_name.push(DnType::CommonName, name);
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params
        };
        let key = || KeyPair::generate().expect("a key");
        let (root_key, middle_key, leaf_key) = (key(), key(), key());
        let root = authority("Root").self_signed(&root_key).expect("a root");
        let above = Issuer::new(authority("Root"), root_key);
        let middle = authority("Middle").signed_by(&middle_key, &above).expect("an authority");
        let above = Issuer::new(authority("Middle"), middle_key);
        let leaf = CertificateParams::new(["v.test".to_owned()]).expect("a name");
        let leaf = leaf.signed_by(&leaf_key, &above).expect("a leaf");
        Self {
            root_pem: root.pem(),
            shown: [&leaf, &middle, &root].map(|it| it.der().clone()).to_vec(),
            leaf_key: leaf_key.subject_public_key_info(),
        }
    }
}

/// One domain, and how it proves itself.
struct Case {
    name: &'static str,
    record: Option<([u8; 3], Vec<u8>)>,
}

fn main() -> ExitCode {
    let chain = Chain::new();
    let roots = std::env::temp_dir().join(format!("ligase-bench-{}.pem", std::process::id()));
    std::fs::write(&roots, &chain.root_pem).expect("a file of roots");
    let settings = Settings { roots: RootSource::File(roots.clone()), ..Settings::default() };
    let sha256 = |of: &[u8]| digest(&SHA256, of).as_ref().to_vec();
    let cases = [
        Case { name: "dane 3 1 1", record: Some(([3, 1, 1], sha256(&chain.leaf_key))) },
        Case { name: "dane 3 0 1", record: Some(([3, 0, 1], sha256(&chain.shown[0]))) },
        Case { name: "dane 2 0 1", record: Some(([2, 0, 1], sha256(&chain.shown[2]))) },
        Case { name: "dane 1 1 1", record: Some(([1, 1, 1], sha256(&chain.leaf_key))) },
        Case { name: "pkix", record: None },
    ];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime");
    let mut is_fast = true;
    println!("{:<24}{:>10}{:>14}", "", "time", "allocations");
    for case in cases {
        let name = "_5269._tcp.x.test";
        let facts = Facts::new()
            .srv("_xmpp-server._tcp.v.test", 5269, "x.test")
            .address("x.test", IpAddr::from([192, 0, 2, 1]));
        let facts = match &case.record {
            Some((parameters, data)) => facts.tlsa(name, *parameters, data),
            None => facts,
        };
        let verifier = Verifier::knowing(&settings, Arc::new(facts)).expect("a verifier");
        let request = runtime.block_on(request(&verifier, &chain));
        let evidence = runtime.block_on(verifier.examine(&request)).evidence;
        let prove = |verdict| assert!(matches!(verdict, Verdict::Proven(_)), "{verdict:?}");

        let weigh = measure(&format!("weigh {}", case.name), || {
            prove(verifier.weigh(&request, &evidence));
        });
        let verify = measure(&format!("verify {}", case.name), || {
            prove(runtime.block_on(verifier.verify(request.clone())));
        });
        let is_own = case.record.is_some_and(|([usage, ..], _)| usage == 3);
        is_fast &= !is_own || weigh.max(verify) <= LIMIT;

        if is_own {
            let question = Question { name: name.to_owned(), kind: Kind::Tlsa };
            measure("look up TLSA", || {
                runtime.block_on(verifier.look_up(&question)).expect("an answer");
            });
        }
    }
    is_fast &= weigh_hostile(&settings, &chain) <= HOSTILE_LIMIT;
    std::fs::remove_file(&roots).expect("the file of roots");
    match is_fast {
        true => ExitCode::SUCCESS,
        false => {
            println!("slower than it may be");
            ExitCode::FAILURE
        }
    }
}

/// A domain that publishes as much as is remembered of it, at as many hosts as are looked at, and
/// a peer that shows as many certificates, in order that we look for a path for each.
fn weigh_hostile(settings: &Settings, chain: &Chain) -> Duration {
    let (leaf, middle) = (&chain.shown[0], &chain.shown[1]);
    let shown: Vec<_> = iter::once(leaf).chain(iter::repeat_n(middle, 15)).cloned().collect();
    let sha256 = |of: &[u8]| digest(&SHA256, of).as_ref().to_vec();
    let record = |number: u32| {
        let other = chain.leaf_key.iter().chain(&number.to_be_bytes()).copied().collect::<Vec<_>>();
        let (selector, matching, data) = match number % 4 {
            0 => (0, 1, sha256(middle)),
            1 => (1, 0, chain.leaf_key.clone()),
            _ => (1, 1, sha256(&other)),
        };
        Tlsa { usage: if number.is_multiple_of(3) { 0 } else { 2 }, selector, matching, data }
    };
    let until = SystemTime::from(OffsetDateTime::now_utc()) + Duration::from_secs(3600);
    let endpoint = |number: u16| Endpoint {
        target: format!("x{number}.test").parse().expect("a domain"),
        port: 5269,
        transport: Transport::StartTls,
        secure: true,
    };
    let endpoints: Vec<Endpoint> = (0..16).map(endpoint).collect();
    let tlsa = endpoints.iter().map(|endpoint| TlsaAt {
        endpoint: endpoint.clone(),
        base: endpoint.target.clone(),
        records: Published::Here((0..120).map(record).collect(), until),
    });
    let evidence = Evidence {
        tlsa: tlsa.collect(),
        endpoints: Published::Here(endpoints, until),
        posh: Published::Absent,
    };
    let verifier = Verifier::knowing(settings, Arc::new(Facts::new())).expect("a verifier");
    let request = Request {
        service: Service::Server,
        role: Role::Receiving,
        domain: "w.test".parse().expect("a domain"),
        is_server_name: false,
        endpoint: None,
        presented: Presented::new(shown),
        at: SystemTime::from(OffsetDateTime::now_utc()),
    };
    measure_some("weigh what is hostile", 1, || {
        let verdict = verifier.weigh(&request, &evidence);
        assert!(matches!(verdict, Verdict::Refuted(_)), "{verdict:?}");
    })
}

/// A question about v.test, whose only endpoint showed a chain.
async fn request(verifier: &Verifier, chain: &Chain) -> Request {
    let domain: Domain = "v.test".parse().expect("a domain");
    let endpoints = verifier.delegation(&domain, Service::Server).await.expect("an endpoint");
    Request {
        service: Service::Server,
        role: Role::Receiving,
        domain,
        is_server_name: false,
        endpoint: endpoints.into_iter().next(),
        presented: Presented::new(chain.shown.clone()),
        at: SystemTime::from(OffsetDateTime::now_utc()),
    }
}

fn measure(name: &str, act: impl FnMut()) -> Duration {
    measure_some(name, BATCH, act)
}

/// Prints how long an act takes, by the median of many batches, and what it allocates.
#[expect(clippy::disallowed_methods, reason = "a bench reads the clock, and nothing else")]
fn measure_some(name: &str, batch: usize, mut act: impl FnMut()) -> Duration {
    for _ in 0..batch {
        act();
    }
    let region = Region::new(ALLOCATOR);
    let mut times: Vec<Duration> = Vec::with_capacity(BATCHES);
    for _ in 0..BATCHES {
        let started = Instant::now();
        for _ in 0..batch {
            act();
        }
        times.push(started.elapsed());
    }
    let stats = region.change();
    times.sort_unstable();
    let runs = (BATCHES * batch) as f64;
    let median = times[BATCHES / 2] / batch as u32;
    // The list of times was one of them.
    let allocations = (stats.allocations + stats.reallocations - 1) as f64 / runs;
    println!("{name:<24}{:>7.1} µs{allocations:>14.1}", median.as_secs_f64() * 1e6);
    median
}

/// Acts between two looks at the clock.
const BATCH: usize = 200;

/// So many that the median is not moved by whoever else uses the machine.
const BATCHES: usize = 51;

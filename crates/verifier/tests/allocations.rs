//! What a cached verification allocates. Alone in its program, since all threads are counted.

use std::alloc::System;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

use aws_lc_rs::digest::{SHA256, digest};
use ligase_verifier::{
    Facts, Presented, Prooftype, Request, Role, Service, Settings, Verdict, Verifier,
};
use rcgen::{CertificateParams, KeyPair, PublicKeyData};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use time::OffsetDateTime;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// A domain with one host, whose key is in its TLSA record.
#[tokio::test]
async fn a_cached_verification_by_dane_allocates_nothing() {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["x.test".to_owned()]).unwrap();
    let leaf = params.self_signed(&key).unwrap().der().clone();
    let pin = digest(&SHA256, &key.subject_public_key_info());
    let facts = Facts::new()
        .srv("_xmpp-server._tcp.v.test", 5269, "x.test")
        .address("x.test", IpAddr::from([192, 0, 2, 1]))
        .tlsa("_5269._tcp.x.test", [3, 1, 1], pin.as_ref());
    let settings = Settings { prooftypes: vec![Prooftype::Dane], ..Settings::default() };
    let verifier = Verifier::knowing(&settings, Arc::new(facts)).unwrap();

    let domain = "v.test".parse().unwrap();
    let endpoint = verifier.delegation(&domain, Service::Server).await.unwrap().remove(0);
    let request = Request {
        service: Service::Server,
        role: Role::Receiving,
        domain,
        is_server_name: false,
        endpoint: Some(endpoint),
        presented: Presented::new(vec![leaf]),
        at: SystemTime::from(OffsetDateTime::now_utc()),
    };
    let verify = async || {
        let verdict = verifier.verify(request.clone()).await;
        assert!(matches!(verdict, Verdict::Proven(_)), "{verdict:?}");
    };
    verify().await;
    let region = Region::new(ALLOCATOR);
    for _ in 0..100 {
        verify().await;
    }
    let stats = region.change();
    assert_eq!((stats.allocations, stats.reallocations), (0, 0), "{stats:?}");
}

//! What ligase makes of chains.

use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use ligase_tests::OrFail;
use ligase_verifier::{
    Facts, Finding, Pins, Presented, Prooftype, Request, Role, RootSource, Service, Settings,
    Verdict as Found, Verifier,
};
use rustls::pki_types::CertificateDer;
use time::OffsetDateTime;

use crate::openssl::Verdict;

/// The domain that the peer would speak for.
pub(crate) const DOMAIN: &str = "v.test";

/// The host of the domain, by signed records, and where its TLSA records are.
pub(crate) const HOST: &str = "x.host.test";

/// A TLSA record.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Record {
    /// Usage, selector, matching type.
    pub(crate) parameters: [u8; 3],
    pub(crate) data: Vec<u8>,
}

impl Record {
    /// The record as zone files and openssl write it.
    pub(crate) fn text(&self) -> String {
        let [usage, selector, matching] = self.parameters;
        let data: String = self.data.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{usage} {selector} {matching} {data}")
    }
}

/// The verdict on a chain that was shown at the only endpoint of the domain; and, where no record
/// counts, what is made of it without them.
pub(crate) async fn ask(
    roots: &Path,
    chain: Vec<CertificateDer<'static>>,
    records: &[Record],
) -> (Verdict, Found) {
    let facts = Facts::new()
        .srv(&format!("_xmpp-server._tcp.{DOMAIN}"), 5269, HOST)
        .address(HOST, [192, 0, 2, 1].into());
    let add = |facts: Facts, it: &Record| {
        facts.tlsa(&format!("_5269._tcp.{HOST}"), it.parameters, &it.data)
    };
    let facts = records.iter().fold(facts, add);
    let roots = RootSource::File(roots.to_owned());
    let settings = Settings { roots, ..Settings::default() };
    let verifier = Verifier::knowing(&settings, Arc::new(facts)).or_fail("set up a verifier");

    let domain = DOMAIN.parse().or_fail("read a domain");
    let endpoints = verifier.delegation(&domain, Service::Server).await.or_fail("find the host");
    let endpoint = endpoints.into_iter().next().or_fail("find the endpoint");
    let pins = verifier.pins(&endpoint).await.or_fail("find its records");
    let binds = matches!(pins, Pins::At(_));
    let request = Request {
        service: Service::Server,
        role: Role::Receiving,
        domain,
        is_server_name: false,
        endpoint: Some(endpoint),
        presented: Presented::new(chain),
        at: SystemTime::from(OffsetDateTime::now_utc()),
    };
    let found = verifier.verify(request).await;
    let verdict = match &found {
        Found::Proven(proof) if proof.prooftype() == Prooftype::Dane => Verdict::Accepted,
        Found::Refuted(reason) if reason.finding == Finding::TlsaMismatch => Verdict::Refused,
        Found::Proven(_) | Found::Unproven(_) => Verdict::NoRecords,
        Found::Refuted(_) | Found::Undetermined(_) => {
            panic!("a verdict out of thin air: {found:?}")
        }
    };
    // Who says beforehand that records count must not pass over them later, nor the reverse.
    assert_eq!(binds, verdict != Verdict::NoRecords, "{records:?}");
    (verdict, found)
}

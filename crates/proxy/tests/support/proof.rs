//! What the verifier may find, the proven case by its own hand: there is no other way to get one.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use ligase_verifier::{
    Domain, Facts, Presented, Prooftype, Request, Role, RootSource, Service, Settings, Verdict,
    Verifier,
};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::CertificateDer;

/// The verdict on a peer that shows a certificate for `name` from an authority that counts.
pub(crate) fn proven(name: &str) -> Verdict {
    proven_for(name, Duration::from_secs(3600))
}

/// The same, until so long after [`noon`].
pub(crate) fn proven_for(name: &str, lifetime: Duration) -> Verdict {
    let authority = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = params.self_signed(&authority).unwrap();
    let issuer = Issuer::from_params(&params, &authority);
    let domain: Domain = name.parse().unwrap();
    let mut leaf = CertificateParams::new(vec![domain.ascii().to_owned()]).unwrap();
    leaf.not_after = (noon() + lifetime).into();
    let leaf = leaf.signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap();

    static FILES: AtomicU32 = AtomicU32::new(0);
    let number = FILES.fetch_add(1, Ordering::Relaxed);
    let file = format!("ligase-root-{}-{number}.pem", std::process::id());
    let path = std::env::temp_dir().join(file);
    fs::write(&path, root.pem()).unwrap();
    let settings = Settings {
        roots: RootSource::File(path.clone()),
        prooftypes: vec![Prooftype::Pkix],
        ..Settings::default()
    };
    let verifier = Verifier::knowing(&settings, Arc::new(Facts::new())).unwrap();
    fs::remove_file(path).unwrap();

    let request = Request {
        service: Service::Server,
        role: Role::Initiating,
        domain,
        is_server_name: false,
        endpoint: None,
        presented: Presented::new(vec![leaf.der().clone()]),
        at: noon(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let verdict = runtime.block_on(verifier.verify(request));
    assert!(matches!(verdict, Verdict::Proven(_)), "{verdict:?}");
    verdict
}

/// When the verifier is asked; in 2030, before the authority ends.
pub(crate) fn noon() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_893_456_000)
}

/// What a peer presented that calls itself `name`. The machines only hand it on.
pub(crate) fn presented(name: &str) -> Presented {
    Presented::new(vec![CertificateDer::from(name.as_bytes().to_vec())]).unwrap()
}

use std::fs;
use std::path::PathBuf;

use rcgen::{CertificateParams, KeyPair};

use super::*;

/// A file of authorities, which is gone afterwards.
struct File(PathBuf);

impl File {
    fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("ligase-{}-{name}.pem", std::process::id()));
        fs::write(&path, text).unwrap();
        Self(path)
    }

    fn load(&self) -> Result<Roots, SetupError> {
        Roots::load(&RootSource::File(self.0.clone()), None)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn authority() -> String {
    let key = KeyPair::generate().unwrap();
    CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap().pem()
}

#[test]
fn all_authorities_of_a_file_count() {
    let file = File::new("two", &format!("Of whom?\n{}\n{}", authority(), authority()));
    let roots = file.load().unwrap();
    assert_eq!(roots.anchors().len(), 2);
    for anchor in roots.anchors() {
        assert!(roots.certificate(anchor).is_some());
    }
    let stranger = File::new("stranger", &authority()).load().unwrap();
    assert!(stranger.anchors().iter().all(|it| roots.certificate(it).is_none()));
    assert!(roots.revocations().is_empty());
    assert_eq!(format!("{roots:?}"), "Roots { anchors: 2, .. }");
}

/// Whoever names a file wants somebody to count; with nobody in it, all peers would be strangers.
#[test]
fn a_file_without_an_authority_is_a_mistake() {
    let nonsense = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let broken = "-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----\n";
    for (name, text) in [("empty", ""), ("nonsense", nonsense), ("broken", broken)] {
        let file = File::new(name, text);
        assert!(matches!(file.load(), Err(SetupError::Roots(path)) if path == file.0), "{name}");
    }
    let missing = RootSource::File("/nonexistent/roots.pem".into());
    assert!(matches!(Roots::load(&missing, None), Err(SetupError::Roots(_))));
}

/// One that cannot be read is left out, and the others count.
#[test]
fn what_is_no_authority_spoils_no_other() {
    let nonsense = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let file = File::new("mixed", &format!("{nonsense}{}", authority()));
    assert_eq!(file.load().unwrap().anchors().len(), 1);
}

#[test]
fn lists_of_what_was_revoked_are_read_or_refused() {
    let file = File::new("revoking", &authority());
    let source = RootSource::File(file.0.clone());
    let nonsense = "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n";
    for (name, text) in [("no-list", ""), ("no-crl", nonsense)] {
        let lists = File::new(name, text);
        let loaded = Roots::load(&source, Some(&lists.0));
        assert!(matches!(loaded, Err(SetupError::Revocations(path)) if path == lists.0), "{name}");
    }
}

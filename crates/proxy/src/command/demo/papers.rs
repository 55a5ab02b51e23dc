//! Everything that is kept in files: authorities, certificates, configurations.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData as _,
};

use super::trouble::{Result, While};
use crate::tls::identity::{Files, Identities};

/// A folder of our own, which is gone when this is dropped.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
}

/// A certificate authority that everybody trusts, because the demo says so.
#[derive(Debug)]
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate in files.
#[derive(Clone, Debug)]
pub(super) struct Paper {
    /// The chain.
    pub(super) chain: PathBuf,
    /// The private key.
    pub(super) key: PathBuf,
    /// SHA-256 of its public key, as a TLSA record of the kind 3 1 1 has it (RFC 7671 §5.1).
    pub(super) key_digest: Vec<u8>,
}

impl Folder {
    /// A fresh folder that nobody else may look into.
    pub(super) fn new() -> Result<Self> {
        let doing = "make a temporary folder";
        let mut chance = [0; 8];
        rand::fill(&mut chance).or_trouble(doing)?;
        let name = format!("ligase-demo-{:016x}", u64::from_be_bytes(chance));
        let path = std::env::temp_dir().join(name);
        private(&path).or_trouble(doing)?;
        Ok(Self { path })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file in it: where that is.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.path.join(name);
        fs::write(&path, text).or_trouble(&format!("write {name}"))?;
        Ok(path)
    }

    /// Makes a folder in it: where that is.
    pub(super) fn folder(&self, name: &str) -> Result<PathBuf> {
        let path = self.path.join(name);
        private(&path).or_trouble(&format!("make the folder {name}"))?;
        Ok(path)
    }

    /// Makes an authority; its certificate is `ca.crt`.
    pub(super) fn authority(&self, name: &str) -> Result<Authority> {
        let doing = "make a certificate authority";
        let key = KeyPair::generate().or_trouble(doing)?;
        let mut params = params(name, &[]).or_trouble(doing)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).or_trouble(doing)?;
        self.write("ca.crt", &certificate.pem())?;
        Ok(Authority { issuer: Issuer::new(params, key) })
    }

    /// Makes a certificate for a server of this name, signed by `authority` or by its own key.
    pub(super) fn certificate(
        &self,
        file: &str,
        name: &str,
        authority: Option<&Authority>,
    ) -> Result<Paper> {
        let doing = &format!("make a certificate for {name}");
        let key = KeyPair::generate().or_trouble(doing)?;
        let mut params = params(name, &[name.to_owned()]).or_trouble(doing)?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        // What public authorities issue today: for servers only.
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = match authority {
            Some(authority) => params.signed_by(&key, &authority.issuer),
            None => params.self_signed(&key),
        };
        let public = digest(&SHA256, &key.subject_public_key_info());
        Ok(Paper {
            chain: self.write(&format!("{file}.crt"), &certificate.or_trouble(doing)?.pem())?,
            key: self.write(&format!("{file}.key"), &key.serialize_pem())?,
            key_digest: public.as_ref().to_vec(),
        })
    }
}

impl Paper {
    /// The certificate, ready to be shown.
    pub(super) fn identities(&self) -> Result<Identities> {
        let files = Files { chain: self.chain.clone(), key: self.key.clone() };
        Identities::load(vec![files]).or_trouble("read a certificate")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Nobody is left to be told; the system cleans its temporary folder sooner or later.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Makes a folder that nobody else may look into: keys are written there.
fn private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().mode(0o700).create(path)
}

#[expect(clippy::disallowed_methods, reason = "certificates are made here and now")]
fn params(name: &str, names: &[String]) -> std::result::Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    let now = SystemTime::now();
    params.not_before = (now - LENIENCE).into();
    params.not_after = (now + LIFETIME).into();
    Ok(params)
}

/// Clocks are never quite the same.
const LENIENCE: Duration = Duration::from_secs(60 * 60);

/// Longer than anybody lets the demo stay.
const LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);

//! Certificates of every kind of key, and the authorities that sign them.

use std::time::Duration;

use ligase_tests::{Leaf, OrFail};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PKCS_RSA_SHA256,
    PublicKeyData, RsaKeySize,
};
use rustls::pki_types::CertificateDer;
use time::OffsetDateTime;

/// A kind of key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Rsa,
    P256,
    P384,
    Ed25519,
}

pub(crate) const KINDS: [Kind; 4] = [Kind::Rsa, Kind::P256, Kind::P384, Kind::Ed25519];

impl Kind {
    /// A new key.
    pub(crate) fn key(self) -> KeyPair {
        match self {
            Self::Rsa => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048),
            Self::P256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256),
            Self::P384 => KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384),
            Self::Ed25519 => KeyPair::generate_for(&PKCS_ED25519),
        }
        .or_fail("make a key")
    }
}

/// A certificate, with its key as TLSA records know it.
#[derive(Clone, Debug)]
pub(crate) struct Certificate {
    pub(crate) der: CertificateDer<'static>,
    /// The whole SubjectPublicKeyInfo, in DER.
    pub(crate) public_key: Vec<u8>,
    pub(crate) pem: String,
}

impl Certificate {
    fn new(signed: &rcgen::Certificate, key: &KeyPair) -> Self {
        let public_key = key.subject_public_key_info();
        Self { der: signed.der().clone(), public_key, pem: signed.pem() }
    }
}

/// An authority and its certificate.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) certificate: Certificate,
}

impl Authority {
    fn root(name: &str, kind: Kind, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let (mut params, key) = (authority(name), kind.key());
        change(&mut params);
        let signed = params.self_signed(&key).or_fail("sign a root");
        let certificate = Certificate::new(&signed, &key);
        Self { issuer: Issuer::new(params, key), certificate }
    }

    fn below(&self, name: &str, kind: Kind, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let (mut params, key) = (authority(name), kind.key());
        change(&mut params);
        let signed = params.signed_by(&key, &self.issuer).or_fail("sign an authority");
        let certificate = Certificate::new(&signed, &key);
        Self { issuer: Issuer::new(params, key), certificate }
    }

    /// A leaf that this authority vouches for.
    pub(crate) fn issue(&self, params: &CertificateParams, key: &KeyPair) -> Certificate {
        Certificate::new(&params.signed_by(key, &self.issuer).or_fail("sign a leaf"), key)
    }
}

/// All authorities with one kind of key.
pub(crate) struct House {
    /// Trusted by everybody.
    pub(crate) root: Authority,
    pub(crate) authority: Authority,
    /// Below the root, expired.
    pub(crate) late: Authority,
    /// Below the root, and its certificate does not say that it is an authority.
    pub(crate) layman: Authority,
    /// Trusted by nobody.
    pub(crate) own_root: Authority,
    pub(crate) own_authority: Authority,
    /// Trusted by nobody, and expired.
    pub(crate) late_root: Authority,
    pub(crate) below_late_root: Authority,
}

impl House {
    pub(crate) fn new(kind: Kind) -> Self {
        let name = |it: &str| format!("{it} {kind:?}");
        let is_late = |it: &mut CertificateParams| it.not_after = in_days(-1);
        let root = Authority::root(&name("Root"), kind, |_| ());
        let own_root = Authority::root(&name("Own Root"), kind, |_| ());
        let late_root = Authority::root(&name("Late Root"), kind, is_late);
        Self {
            authority: root.below(&name("Authority"), kind, |_| ()),
            late: root.below(&name("Late"), kind, is_late),
            layman: root.below(&name("Layman"), kind, |it| it.is_ca = IsCa::ExplicitNoCa),
            own_authority: own_root.below(&name("Own Authority"), kind, |_| ()),
            below_late_root: late_root.below(&name("Below Late Root"), kind, |_| ()),
            root,
            own_root,
            late_root,
        }
    }
}

/// A leaf on its own word.
pub(crate) fn self_signed(params: &CertificateParams, key: &KeyPair) -> Certificate {
    Certificate::new(&params.self_signed(key).or_fail("sign a leaf"), key)
}

/// A leaf that names these domains, and has no other fault.
pub(crate) fn naming(domains: &[&str]) -> CertificateParams {
    Leaf::of(domains).params()
}

/// A day before or after this one.
fn in_days(days: i64) -> OffsetDateTime {
    OffsetDateTime::now_utc() + time::Duration::days(days)
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    (params.not_before, params.not_after) = (in_days(-30), in_days(365));
    params
}

/// How long anything may take here that takes a moment.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

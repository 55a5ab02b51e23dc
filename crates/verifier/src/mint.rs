//! Certificates for the tests, good and bad; all of them live around [`now`].

use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use time::OffsetDateTime;
use yasna::models::ObjectIdentifier;
use yasna::{DERWriter, Tag};

use crate::{Domain, Presented, Request, Role, Service};

/// The time at which the tests take place: 2030-01-01.
pub(crate) fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(NOW)
}

/// A day before or after the tests, as certificates write it.
pub(crate) fn day(offset: i64) -> OffsetDateTime {
    seconds(offset * 24 * 3600)
}

/// A day before or after the day on which the tests are run, for code that reads the clock.
pub(crate) fn day_of_clock(offset: i64) -> OffsetDateTime {
    OffsetDateTime::now_utc() + time::Duration::days(offset)
}

/// A second before or after the tests, as certificates write it.
pub(crate) fn seconds(offset: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(i64::try_from(NOW).unwrap() + offset).unwrap()
}

/// A domain that is known to be one.
pub(crate) fn domain(text: &str) -> Domain {
    text.parse().unwrap()
}

/// A certificate authority.
pub(crate) struct Authority {
    params: CertificateParams,
    key: KeyPair,
    pub(crate) certificate: CertificateDer<'static>,
}

impl Authority {
    /// An authority on its own word.
    pub(crate) fn root(name: &str) -> Self {
        let (params, key) = (authority(name), KeyPair::generate().unwrap());
        let certificate = params.self_signed(&key).unwrap().der().clone();
        Self { params, key, certificate }
    }

    /// An authority below this one.
    pub(crate) fn authority(
        &self,
        name: &str,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Self {
        let (mut params, key) = (authority(name), KeyPair::generate().unwrap());
        change(&mut params);
        let certificate = params.signed_by(&key, &self.issuer()).unwrap().der().clone();
        Self { params, key, certificate }
    }

    /// A leaf below this authority.
    pub(crate) fn leaf(
        &self,
        names: &[&str],
        change: impl FnOnce(&mut CertificateParams),
    ) -> CertificateDer<'static> {
        self.leaf_with_key(names, change).0
    }

    /// A leaf below this authority, and its key.
    pub(crate) fn leaf_with_key(
        &self,
        names: &[&str],
        change: impl FnOnce(&mut CertificateParams),
    ) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        let key = KeyPair::generate().unwrap();
        let mut params = leaf(names);
        change(&mut params);
        let leaf = params.signed_by(&key, &self.issuer()).unwrap().der().clone();
        (leaf, PrivateKeyDer::Pkcs8(key.serialize_der().into()))
    }

    pub(crate) fn issuer(&self) -> Issuer<'_, &KeyPair> {
        Issuer::from_params(&self.params, &self.key)
    }
}

/// A leaf on its own word.
pub(crate) fn self_signed(
    names: &[&str],
    change: impl FnOnce(&mut CertificateParams),
) -> CertificateDer<'static> {
    let mut params = leaf(names);
    change(&mut params);
    params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().clone()
}

/// The key of a certificate, in DER.
pub(crate) fn key_of(certificate: &CertificateDer<'_>) -> Vec<u8> {
    let presented = Presented::new(vec![certificate.clone().into_owned()]).unwrap();
    presented.spki().unwrap().to_vec()
}

/// A question about `name`, asked of a peer that connected to us.
pub(crate) fn request(name: &str, chain: Vec<CertificateDer<'static>>) -> Request {
    Request {
        service: Service::Server,
        role: Role::Initiating,
        domain: domain(name),
        is_server_name: false,
        endpoint: None,
        presented: Presented::new(chain),
        at: now(),
    }
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = common_name(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    // Long enough for the day on which the tests are run, too.
    (params.not_before, params.not_after) = (day(-5000), day(5000));
    params
}

fn leaf(names: &[&str]) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = common_name("somebody");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    (params.not_before, params.not_after) = (day(-30), day(60));
    if !names.is_empty() {
        params.custom_extensions = vec![alternative_names(names)];
    }
    params
}

/// A subject's common name.
pub(crate) fn common_name(name: &str) -> DistinguishedName {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, name);
    subject
}

/// A subjectAltName extension; `dns:x`, `srv:x`, `xmpp:x`. Nothing is checked.
fn alternative_names(names: &[&str]) -> CustomExtension {
    let der = yasna::construct_der(|writer| {
        writer.write_sequence(|writer| {
            for name in names {
                let (kind, value) = name.split_once(':').unwrap();
                write_name(writer.next(), kind, value);
            }
        });
    });
    CustomExtension::from_oid_content(&[2, 5, 29, 17], der)
}

fn write_name(writer: DERWriter<'_>, kind: &str, value: &str) {
    let last = match kind {
        "dns" => {
            return writer
                .write_tagged_implicit(Tag::context(2), |it| it.write_bytes(value.as_bytes()));
        }
        "srv" => 7,
        "xmpp" => 5,
        _ => panic!("no kind of name: {kind}"),
    };
    writer.write_tagged_implicit(Tag::context(0), |writer| {
        writer.write_sequence(|writer| {
            let oid = ObjectIdentifier::from_slice(&[1, 3, 6, 1, 5, 5, 7, 8, last]);
            writer.next().write_oid(&oid);
            writer.next().write_tagged(Tag::context(0), |writer| match kind {
                "srv" => writer.write_ia5_string(value),
                _ => writer.write_utf8_string(value),
            });
        });
    });
}

/// 2030-01-01 in seconds since 1970.
const NOW: u64 = 1_893_456_000;

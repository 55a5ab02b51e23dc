use std::time::{Duration, SystemTime};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand;
use ligase_verifier::Domain;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CustomExtension, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PublicKeyData, SerialNumber,
};
use yasna::models::ObjectIdentifier;
use yasna::{DERWriter, Tag};

/// A certificate for the authority itself, which may sign end entities and nothing else.
pub(super) fn authority(key: &KeyPair, now: SystemTime) -> Result<Certificate, rcgen::Error> {
    let mut made = params(now, now + AUTHORITY_LIFE)?;
    // A trust store may hold several of ours; their names tell them apart as their keys do.
    let digest = digest(&SHA256, &key.subject_public_key_info());
    let mark: String = digest.as_ref()[..4].iter().map(|it| format!("{it:02x}")).collect();
    made.distinguished_name.push(DnType::CommonName, format!("ligase local CA {mark}"));
    made.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    made.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    made.self_signed(key)
}

/// A certificate that says of whoever holds `key` that it is `domain`, as client and as server.
pub(super) fn leaf(
    domain: &Domain,
    now: SystemTime,
    until: SystemTime,
    key: &KeyPair,
    issuer: &Issuer<'static, KeyPair>,
) -> Result<Certificate, rcgen::Error> {
    let mut made = params(now, until)?;
    // X.520 allows no more in a common name, and some parsers insist. Nobody looks at it where
    // there is a subjectAltName (RFC 9525 §2).
    if domain.ascii().len() <= COMMON_NAME_MAX {
        made.distinguished_name.push(DnType::CommonName, domain.ascii());
    }
    made.custom_extensions = vec![subject_alt_name(domain)];
    made.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    made.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    made.use_authority_key_identifier_extension = true;
    made.signed_by(key, issuer)
}

/// What all our certificates have in common.
fn params(now: SystemTime, until: SystemTime) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "ligase");
    params.serial_number = Some(serial()?);
    params.not_before = (now - LENIENCE).into();
    params.not_after = until.into();
    Ok(params)
}

/// Never twice the same, though keys may be (RFC 5280 §4.1.2.2).
fn serial() -> Result<SerialNumber, rcgen::Error> {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes).map_err(|_| rcgen::Error::RemoteKeyError)?;
    // Positive, and of one length.
    bytes[0] = bytes[0] & 0x7f | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

/// The domain as DNS-ID and as SRV-ID (RFC 6120 §13.7.1.2).
///
/// COMPAT(ejabberd 23.01): an XmppAddr beside them makes its stream crash when it reads the names,
/// and names the domain no better than these two.
///
/// Written by hand because an SRV-ID is an IA5String (RFC 4985 §2), and a library that finds
/// another kind of string there rejects the whole extension.
fn subject_alt_name(domain: &Domain) -> CustomExtension {
    let der = yasna::construct_der(|writer| {
        writer.write_sequence(|writer| {
            writer.next().write_tagged_implicit(Tag::context(DNS_NAME), |writer| {
                writer.write_ia5_string(domain.ascii());
            });
            other_name(writer.next(), ON_DNS_SRV, |writer| {
                writer.write_ia5_string(&format!("_xmpp-server.{}", domain.ascii()));
            });
        });
    });
    CustomExtension::from_oid_content(SUBJECT_ALT_NAME, der)
}

fn other_name(writer: DERWriter<'_>, oid: &[u64], value: impl FnOnce(DERWriter<'_>)) {
    writer.write_tagged_implicit(Tag::context(OTHER_NAME), |writer| {
        writer.write_sequence(|writer| {
            writer.next().write_oid(&ObjectIdentifier::from_slice(oid));
            writer.next().write_tagged(Tag::context(0), value);
        });
    });
}

/// Choices of a GeneralName (RFC 5280 §4.2.1.6).
const OTHER_NAME: u64 = 0;
const DNS_NAME: u64 = 2;

const SUBJECT_ALT_NAME: &[u64] = &[2, 5, 29, 17];

/// id-on-dnsSRV (RFC 4985 §2).
const ON_DNS_SRV: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 8, 7];

/// ub-common-name (RFC 5280 appendix A.1).
const COMMON_NAME_MAX: usize = 64;

/// How far the clocks of two processes on one host may be apart, and then some.
const LENIENCE: Duration = Duration::from_secs(60 * 60);

/// Long enough to outlive most connections, short enough that a stolen key soon is of no use.
pub(super) const LEAF_LIFE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Ten years: replacing the authority means changing the backend's trust store by hand.
const AUTHORITY_LIFE: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

//! Certificate: an authority of the world's own, and leaves good and bad.

use std::fs;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CustomExtension,
    DistinguishedName, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyIdMethod,
    KeyPair, KeyUsagePurpose, NameConstraints, PublicKeyData, RevokedCertParams, SerialNumber,
};
use time::{Duration, OffsetDateTime};
use yasna::models::ObjectIdentifier;
use yasna::{DERWriterSeq, Tag};

use crate::OrFail;

/// A certificate authority.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    /// The certificates between a leaf's and the one that is trusted.
    chain: String,
}

/// What an authority may not do that another has made (RFC 5280 §4.2.1.9, §4.2.1.10).
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Constraint {
    /// Be an authority at all: it is a leaf that signs.
    NoAuthority,
    /// Make authorities.
    NoMoreAuthorities,
    /// Vouch for names other than those below this one.
    Only(String),
    /// Vouch for this name.
    Not(String),
    /// Vouch for anybody any more: it is of the past.
    Expired,
    /// Nothing; but before its certificate it shows an older one, which is of the past (RFC 4158 §1.3).
    ExpiredToo,
}

impl Authority {
    /// An authority of that name, which nobody trusts yet.
    pub fn new(name: &str) -> Self {
        let key = KeyPair::generate().or_fail("make a key");
        let mut params = CertificateParams::default();
        params.distinguished_name = called(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let now = OffsetDateTime::now_utc();
        params.not_before = now - Duration::days(30);
        params.not_after = now + Duration::days(365);
        let pem = params.self_signed(&key).or_fail("sign an authority").pem();
        Self { issuer: Issuer::new(params, key), pem, chain: String::new() }
    }

    /// An authority that this one has made, under a constraint; what it signs comes with its
    /// certificate.
    pub fn delegate(&self, constraint: &Constraint) -> Self {
        let key = KeyPair::generate().or_fail("make a key");
        let leaf = Leaf::of(&["a.lab"]);
        let is_past = *constraint == Constraint::Expired;
        let mut params = if is_past { leaf.expired().params() } else { leaf.params() };
        params.key_usages.push(KeyUsagePurpose::KeyCertSign);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let subtree = |name: &String| vec![GeneralSubtree::DnsName(name.clone())];
        match constraint {
            Constraint::NoAuthority => params.is_ca = IsCa::ExplicitNoCa,
            Constraint::NoMoreAuthorities => {
                params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
            }
            Constraint::Only(name) => {
                params.name_constraints = Some(NameConstraints {
                    permitted_subtrees: subtree(name),
                    excluded_subtrees: Vec::new(),
                });
            }
            Constraint::Not(name) => {
                params.name_constraints = Some(NameConstraints {
                    permitted_subtrees: Vec::new(),
                    excluded_subtrees: subtree(name),
                });
            }
            Constraint::Expired | Constraint::ExpiredToo => (),
        }
        let signed = |params: &CertificateParams| {
            let signed = params.signed_by(&key, &self.issuer);
            signed.or_fail("sign an authority").pem()
        };
        let pem = signed(&params);
        let mut chain = format!("{pem}{}", self.chain);
        if *constraint == Constraint::ExpiredToo {
            let past = Leaf::of(&[]).expired().params();
            let mut older = params.clone();
            (older.not_before, older.not_after) = (past.not_before, past.not_after);
            chain.insert_str(0, &signed(&older));
        }
        Self { issuer: Issuer::new(params, key), pem, chain }
    }

    /// Its certificate, as whoever trusts it keeps it.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// The list of what it has revoked: these certificates, as PEM (RFC 5280 §5).
    pub fn revoke(&self, certificates: &[&Certificate]) -> String {
        let now = OffsetDateTime::now_utc();
        let revoked = |it: &&Certificate| {
            Some(RevokedCertParams {
                serial_number: it.serial.clone()?,
                revocation_time: now,
                reason_code: None,
                invalidity_date: None,
            })
        };
        let list = CertificateRevocationListParams {
            this_update: now,
            next_update: now + Duration::days(1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: certificates.iter().filter_map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = list.signed_by(&self.issuer).and_then(|it| it.pem());
        list.or_fail("sign a list of revoked certificates")
    }

    /// A leaf without any fault that names these domains.
    pub fn issue(&self, domains: &[&str]) -> Certificate {
        Leaf::of(domains).signed_by(self)
    }
}

/// What a certificate says its key may be used for (RFC 5280 §4.2.1.12).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Purpose {
    /// To be a TLS server and a TLS client.
    Both,
    /// To be a TLS server, as public authorities allow today.
    Server,
    /// To be a TLS client.
    Client,
    /// To sign mail.
    Mail,
    /// To sign programs.
    Code,
    /// To tell the time.
    Time,
}

/// A leaf before it is signed.
#[derive(Clone, Debug)]
pub struct Leaf {
    subject: String,
    domains: Vec<String>,
    service_names: Vec<String>,
    addresses: Vec<String>,
    purpose: Purpose,
    valid: std::ops::Range<Duration>,
}

impl Leaf {
    /// A leaf that names these domains by DNS-ID, for both purposes, valid today.
    pub fn of(domains: &[&str]) -> Self {
        let domains: Vec<_> = domains.iter().map(|&it| it.to_owned()).collect();
        let subject = domains.first().map_or("nobody", String::as_str);
        Self {
            subject: subject.to_owned(),
            domains,
            service_names: Vec::new(),
            addresses: Vec::new(),
            purpose: Purpose::Both,
            valid: -Duration::DAY..90 * Duration::DAY,
        }
    }

    /// Is called so; what programs took for a name once (RFC 9525 §6.3).
    pub fn called(mut self, name: &str) -> Self {
        name.clone_into(&mut self.subject);
        self
    }

    /// Names these services, too (SRV-ID, RFC 4985), whatever they are.
    pub fn with_services(mut self, names: &[&str]) -> Self {
        self.service_names = names.iter().map(|&it| it.to_owned()).collect();
        self
    }

    /// Names the XMPP server service of these domains, too (SRV-ID, RFC 4985).
    pub fn with_service_names(mut self, domains: &[&str]) -> Self {
        self.service_names = domains.iter().map(|it| format!("_xmpp-server.{it}")).collect();
        self
    }

    /// Names these domains by XmppAddr, too (RFC 6120 §13.7.1.4).
    pub fn with_addresses(mut self, domains: &[&str]) -> Self {
        self.addresses = domains.iter().map(|&it| it.to_owned()).collect();
        self
    }

    /// For this purpose only.
    pub fn only_for(mut self, purpose: Purpose) -> Self {
        self.purpose = purpose;
        self
    }

    /// Valid until yesterday.
    pub fn expired(mut self) -> Self {
        self.valid = -90 * Duration::DAY..-Duration::DAY;
        self
    }

    /// Valid for so many more seconds.
    pub fn for_seconds(mut self, seconds: i64) -> Self {
        self.valid.end = Duration::seconds(seconds);
        self
    }

    /// Valid from tomorrow.
    pub fn of_tomorrow(mut self) -> Self {
        self.valid = Duration::DAY..90 * Duration::DAY;
        self
    }

    /// Valid in an hour.
    pub fn of_the_next_hour(mut self) -> Self {
        self.valid.start = Duration::HOUR;
        self
    }

    /// The certificate, signed by an authority.
    pub fn signed_by(&self, authority: &Authority) -> Certificate {
        let key = KeyPair::generate().or_fail("make a key");
        let params = self.params();
        let signed = params.signed_by(&key, &authority.issuer).or_fail("sign a leaf");
        let mut certificate = Certificate::new(&signed, &key, params.serial_number);
        certificate.chain.push_str(&authority.chain);
        certificate
    }

    /// The certificate, signed by its own key.
    pub fn self_signed(&self) -> Certificate {
        let key = KeyPair::generate().or_fail("make a key");
        let params = self.params();
        let signed = params.self_signed(&key).or_fail("sign a leaf");
        Certificate::new(&signed, &key, params.serial_number)
    }

    /// What it says, for whoever signs it with keys of their own.
    pub fn params(&self) -> CertificateParams {
        let mut params = CertificateParams::default();
        let mut serial = [0; 8];
        rand::fill(&mut serial).or_fail("draw a serial number");
        params.serial_number = Some(SerialNumber::from(u64::from_be_bytes(serial)));
        params.distinguished_name = called(&self.subject);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = match self.purpose {
            Purpose::Both => {
                vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth]
            }
            Purpose::Server => vec![ExtendedKeyUsagePurpose::ServerAuth],
            Purpose::Client => vec![ExtendedKeyUsagePurpose::ClientAuth],
            Purpose::Mail => vec![ExtendedKeyUsagePurpose::EmailProtection],
            Purpose::Code => vec![ExtendedKeyUsagePurpose::CodeSigning],
            Purpose::Time => vec![ExtendedKeyUsagePurpose::TimeStamping],
        };
        let now = OffsetDateTime::now_utc();
        params.not_before = now + self.valid.start;
        params.not_after = now + self.valid.end;
        // The names are written here, because an SRV-ID is an IA5String, of which rcgen knows none.
        params.custom_extensions =
            vec![CustomExtension::from_oid_content(SUBJECT_ALT_NAME, self.names())];
        params
    }

    /// The subject alternative names (RFC 5280 §4.2.1.6).
    fn names(&self) -> Vec<u8> {
        yasna::construct_der(|writer| {
            writer.write_sequence(|names| {
                for domain in &self.domains {
                    let dns = names.next();
                    dns.write_tagged_implicit(Tag::context(2), |it| it.write_ia5_string(domain));
                }
                for name in &self.service_names {
                    other_name(names, ID_ON_DNS_SRV, |it| it.write_ia5_string(name));
                }
                for address in &self.addresses {
                    other_name(names, ID_ON_XMPP_ADDR, |it| it.write_utf8_string(address));
                }
            });
        })
    }
}

/// A certificate and its key.
#[derive(Clone, Debug)]
pub struct Certificate {
    der: Vec<u8>,
    public_key: Vec<u8>,
    chain: String,
    key: String,
    serial: Option<SerialNumber>,
}

impl Certificate {
    fn new(signed: &rcgen::Certificate, key: &KeyPair, serial: Option<SerialNumber>) -> Self {
        Self {
            serial,
            der: signed.der().to_vec(),
            public_key: key.subject_public_key_info(),
            chain: signed.pem(),
            key: key.serialize_pem(),
        }
    }

    /// The certificate, as PEM.
    pub fn chain(&self) -> &str {
        &self.chain
    }

    /// The key, as PEM.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The SHA-256 of the certificate, in lower-case hexadecimal.
    pub fn digest(&self) -> String {
        digest_of(&self.der)
    }

    /// The SHA-256 digest of the certificate.
    pub fn sha256(&self) -> Vec<u8> {
        digest(&SHA256, &self.der).as_ref().to_vec()
    }

    /// The certificate, as DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Its public key (SubjectPublicKeyInfo), as DER.
    pub fn public_key(&self) -> &[u8] {
        &self.public_key
    }

    /// The TLSA data that pins its key: DANE-EE, public key, SHA-256 (RFC 6698 §2.1).
    pub fn tlsa(&self) -> String {
        format!("3 1 1 {}", digest_of(&self.public_key))
    }

    /// The certificate with another's key, as somebody has it who only saw it.
    pub fn stolen_by(&self, thief: &Self) -> Self {
        Self { key: thief.key.clone(), ..self.clone() }
    }

    /// Writes `NAME.crt` and `NAME.key` into a folder, and returns where they are.
    pub fn write(&self, folder: &Path, name: &str) -> (PathBuf, PathBuf) {
        let chain = folder.join(format!("{name}.crt"));
        let key = folder.join(format!("{name}.key"));
        fs::write(&chain, &self.chain).or_fail("write a certificate");
        fs::write(&key, &self.key).or_fail("write a key");
        (chain, key)
    }
}

fn called(name: &str) -> DistinguishedName {
    let mut called = DistinguishedName::new();
    called.push(DnType::CommonName, name);
    called
}

/// Writes one name of a kind that X.509 does not know (RFC 5280 §4.2.1.6, otherName).
fn other_name(
    names: &mut DERWriterSeq<'_>,
    kind: &[u64],
    value: impl FnOnce(yasna::DERWriter<'_>),
) {
    names.next().write_tagged_implicit(Tag::context(0), |name| {
        name.write_sequence(|parts| {
            parts.next().write_oid(&ObjectIdentifier::from_slice(kind));
            parts.next().write_tagged(Tag::context(0), value);
        });
    });
}

/// The SHA-256 of anything, in lower-case hexadecimal.
pub fn digest_of(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

const SUBJECT_ALT_NAME: &[u64] = &[2, 5, 29, 17];
const ID_ON_DNS_SRV: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 8, 7];
const ID_ON_XMPP_ADDR: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 8, 5];

#[cfg(test)]
mod tests;

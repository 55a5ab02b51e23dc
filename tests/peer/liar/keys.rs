//! Keys of zones, and what is signed by them.

use std::time::{SystemTime, UNIX_EPOCH};

use hickory_resolver::proto::dnssec::crypto::EcdsaSigningKey;
use hickory_resolver::proto::dnssec::rdata::{DNSKEY, DNSSECRData, DS, RRSIG, SigInput};
use hickory_resolver::proto::dnssec::{Algorithm, DigestType, PublicKeyBuf, SigningKey, TBS};
use hickory_resolver::proto::rr::{DNSClass, Name, RData, Record, SerialNumber};
use ligase_tests::OrFail;

/// The keys of every zone of the liar's: one is named by the zone above and signs both, the other
/// signs all else.
pub(crate) struct Keys {
    above: Key,
    zone: Key,
}

struct Key {
    signs: EcdsaSigningKey,
    published: DNSKEY,
    tag: u16,
}

/// How something is signed.
#[derive(Clone, Debug)]
pub(crate) struct Seal {
    /// The zone that is said to have done it.
    pub(crate) signer: Name,
    /// From when to when it holds, in seconds from now.
    pub(crate) period: (i64, i64),
    /// Whether the zone's keys are signed by one that nobody above knows.
    pub(crate) is_unvouched: bool,
}

impl Seal {
    /// As a zone signs that has no fault.
    pub(crate) fn of(zone: &Name) -> Self {
        Self { signer: zone.clone(), period: (-HOUR, 24 * HOUR), is_unvouched: false }
    }
}

impl Keys {
    pub(crate) fn new() -> Self {
        Self { above: Key::new(ZONE_KEY | ENTRY_POINT), zone: Key::new(ZONE_KEY) }
    }

    /// What a zone publishes.
    pub(crate) fn published(&self) -> [DNSKEY; 2] {
        [self.above.published.clone(), self.zone.published.clone()]
    }

    /// What the zone above says of the keys.
    pub(crate) fn digest(&self, zone: &Name) -> DS {
        let digest = self.above.published.to_digest(zone, DigestType::SHA256);
        let digest = digest.or_fail("digest a key").as_ref().to_vec();
        DS::new(self.above.tag, ALGORITHM, DigestType::SHA256, digest)
    }

    /// The signature of some records that have one name and type.
    pub(crate) fn sign(&self, set: &[Record], seal: &Seal) -> Option<Record> {
        let first = set.first()?;
        let is_about_keys = matches!(first.data, RData::DNSSEC(DNSSECRData::DNSKEY(_)));
        let key = if is_about_keys && !seal.is_unvouched { &self.above } else { &self.zone };
        let input = SigInput {
            type_covered: first.record_type(),
            algorithm: ALGORITHM,
            num_labels: first.name.num_labels(),
            original_ttl: first.ttl,
            sig_expiration: in_seconds(seal.period.1),
            sig_inception: in_seconds(seal.period.0),
            key_tag: key.tag,
            signer_name: seal.signer.clone(),
        };
        let signed = TBS::from_input(&first.name, DNSClass::IN, &input, set.iter());
        let signature = key.signs.sign(&signed.or_fail("digest records"));
        let signature = signature.or_fail("sign records");
        Some(signature_record(first, input, signature))
    }
}

impl Key {
    fn new(flags: u16) -> Self {
        let key = EcdsaSigningKey::generate_pkcs8(ALGORITHM).or_fail("make a key");
        let signs = EcdsaSigningKey::from_pkcs8(&key, ALGORITHM).or_fail("read a key");
        let public = signs.to_public_key().or_fail("publish a key");
        let published = DNSKEY::with_flags(flags, public);
        let tag = published.calculate_key_tag().or_fail("number a key");
        Self { signs, published, tag }
    }
}

fn signature_record(of: &Record, input: SigInput, signature: Vec<u8>) -> Record {
    let data = RData::DNSSEC(DNSSECRData::RRSIG(RRSIG::from_sig(input, signature)));
    Record::from_rdata(of.name.clone(), of.ttl, data)
}

/// Keys of one number that nobody has the other half of, so that every one of them has to be tried
/// (CVE-2023-50387).
pub(crate) fn crowd(count: u8) -> Vec<DNSKEY> {
    (0..count).map(alike).collect()
}

/// As many signatures of some records, by that number, of which none holds.
pub(crate) fn forgeries(set: &[Record], signer: &Name, count: u8) -> Vec<Record> {
    let Some(first) = set.first() else { return Vec::new() };
    let forged = |number: u8| {
        let input = SigInput {
            type_covered: first.record_type(),
            algorithm: CROWD,
            num_labels: first.name.num_labels(),
            original_ttl: first.ttl,
            sig_expiration: in_seconds(24 * HOUR),
            sig_inception: in_seconds(-HOUR),
            key_tag: CROWD_TAG,
            signer_name: signer.clone(),
        };
        signature_record(first, input, noise(number, 1))
    };
    (0..count).map(forged).collect()
}

/// A key of the crowd's number, unlike the others.
fn alike(number: u8) -> DNSKEY {
    let mut modulus = noise(number, 0);
    let key = |modulus: &[u8]| {
        let public = [&[3, 1, 0, 1], modulus].concat();
        DNSKEY::with_flags(ZONE_KEY, PublicKeyBuf::new(public, CROWD))
    };
    let tag = |key: &DNSKEY| key.calculate_key_tag().or_fail("number a key");
    // The number is a sum of words (RFC 4034 appendix B), in which a carry counts again.
    modulus[WORD..WORD + 2].copy_from_slice(&[0, 0]);
    let missing = CROWD_TAG.wrapping_sub(tag(&key(&modulus)));
    for word in [missing, missing.wrapping_sub(1), missing.wrapping_add(1)] {
        modulus[WORD..WORD + 2].copy_from_slice(&word.to_be_bytes());
        let key = key(&modulus);
        if tag(&key) == CROWD_TAG {
            return key;
        }
    }
    panic!("no key of number {CROWD_TAG} is like {number}");
}

/// An odd number of 4096 bits, always the same.
fn noise(number: u8, kind: u8) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ (u64::from(number) << 8) ^ u64::from(kind);
    let mut bytes: Vec<u8> = (0..SIZE)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[3]
        })
        .collect();
    // A signature has to be less than the number that it is checked by.
    bytes[0] = if kind == 0 { 0xff } else { 0x7f };
    bytes[SIZE - 1] |= 1;
    bytes
}

#[expect(clippy::disallowed_methods, reason = "signatures are made as if on some other day")]
fn in_seconds(seconds: i64) -> SerialNumber {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).or_fail("read the clock").as_secs();
    let then = now.saturating_add_signed(seconds);
    // The lower bits are those that are meant (RFC 4034 §3.1.5).
    SerialNumber::new(u32::try_from(then & u64::from(u32::MAX)).or_fail("take half of a number"))
}

/// What every zone is signed with.
pub(crate) const ALGORITHM: Algorithm = Algorithm::ECDSAP256SHA256;

/// What the crowd claims to sign with: a key is any number, so that each can be given any tag.
const CROWD: Algorithm = Algorithm::RSASHA256;
const CROWD_TAG: u16 = 4711;

const ZONE_KEY: u16 = 0x0100;
const ENTRY_POINT: u16 = 0x0001;

/// Octets of a key of the crowd, and where the word is that makes its number; it begins at an even
/// place of the record.
const SIZE: usize = 512;
const WORD: usize = 100;

const HOUR: i64 = 3600;

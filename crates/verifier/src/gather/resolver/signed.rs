//! Records, the signatures that come with them, and whether one of these holds.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use hickory_resolver::proto::dnssec::rdata::{DNSKEY, DNSSECRData, RRSIG};
use hickory_resolver::proto::dnssec::{PublicKey, Verifier};
use hickory_resolver::proto::rr::{DNSClass, Name, RData, Record, RecordType};

/// All records of one name and type in a section of a message, with their signatures.
#[derive(Debug)]
pub(super) struct Signed<'a> {
    pub(super) name: &'a Name,
    /// The records, with one TTL, none twice (RFC 4034 §6.3).
    pub(super) records: Vec<Record>,
    signatures: Vec<(&'a RRSIG, u32)>,
}

/// The keys of a zone, all of them vouched for by the zone above, up to an anchor.
#[derive(Debug)]
pub(super) struct Keys {
    pub(super) zone: Name,
    keys: Vec<(u16, DNSKEY)>,
    /// When the first signature on the way from the anchor ends.
    ends: Seconds,
}

/// A signature that holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seal {
    /// For how many seconds what it covers may be believed (RFC 4035 §5.3.3).
    pub(super) ttl: u32,
    /// When the signature, or one on the way to it from the anchor, ends.
    pub(super) ends: Seconds,
    /// How many labels of the name were signed; fewer than it has if a wildcard made it.
    pub(super) labels: u8,
}

impl<'a> Signed<'a> {
    /// The records of a name and type; none if there are none.
    pub(super) fn find(section: &'a [Record], name: &Name, kind: RecordType) -> Option<Self> {
        let is_at = |it: &&Record| it.name == *name && it.dns_class == DNSClass::IN;
        let here = || section.iter().filter(is_at);
        let ttl = here().filter(|it| it.record_type() == kind).map(|it| it.ttl).min()?;
        let first = here().find(|it| it.record_type() == kind)?;
        let mut records: Vec<Record> = Vec::new();
        for record in here().filter(|it| it.record_type() == kind) {
            records.push(canonical(record, ttl));
        }
        records.sort();
        records.dedup_by(|one, other| one.data == other.data);
        let signatures = here().filter_map(|it| Some((signature(it)?, it.ttl)));
        let covers = |it: &(&RRSIG, u32)| it.0.input().type_covered == kind;
        let signatures = signatures.filter(covers).take(SIGNATURES_MAX).collect();
        Some(Self { name: &first.name, records, signatures })
    }

    /// Who claims to have signed this, each named once. Only a zone that the name is in can
    /// (RFC 4035 §5.3.1).
    pub(super) fn signers(&self) -> Vec<&'a Name> {
        let mut signers = Vec::new();
        for (signature, _) in &self.signatures {
            let signer = &signature.input().signer_name;
            if signer.zone_of(self.name) && !signers.contains(&signer) {
                signers.push(signer);
            }
        }
        signers.truncate(SIGNERS_MAX);
        signers
    }

    /// Looks for a signature that one of the keys made and that holds at that time.
    pub(super) fn verify(&self, keys: &Keys, at: Seconds, effort: &Effort) -> Option<Seal> {
        if RECORDS_MAX < self.records.len() {
            return None;
        }
        for (signature, ttl) in &self.signatures {
            let input = signature.input();
            let (from, to) = (input.sig_inception.get(), input.sig_expiration.get());
            let is_meant = input.signer_name == keys.zone
                && keys.zone.zone_of(self.name)
                && input.num_labels <= self.name.num_labels()
                && at.is_between(Seconds(from), Seconds(to));
            if !is_meant {
                continue;
            }
            let its = |it: &&(u16, DNSKEY)| {
                it.0 == input.key_tag && it.1.public_key().algorithm() == input.algorithm
            };
            // Many keys of one tag are made on purpose (CVE-2023-50387).
            for (_, key) in keys.keys.iter().filter(its).take(TAG_SHARERS_MAX) {
                if !effort.allows_signature() {
                    return None;
                }
                if key.verify_rrsig(self.name, DNSClass::IN, signature, self.records.iter()).is_ok()
                {
                    let ends = Seconds(to).or_earlier(keys.ends, at);
                    let ttl = self.records.first().map_or(0, |it| it.ttl).min(*ttl);
                    let ttl = ttl.min(input.original_ttl).min(at.until(ends));
                    return Some(Seal { ttl, ends, labels: input.num_labels });
                }
            }
        }
        None
    }

    /// The same as [`verify`](Self::verify), but no wildcard will do.
    pub(super) fn verify_itself(&self, keys: &Keys, at: Seconds, effort: &Effort) -> Option<Seal> {
        self.verify(keys, at, effort).filter(|it| it.labels == self.name.num_labels())
    }
}

/// A record as it is signed: names are in lower case (RFC 4034 §6.2), and one set has one TTL.
///
/// The library would do so only after it has sorted them.
fn canonical(record: &Record, ttl: u32) -> Record {
    let mut record = record.clone();
    record.ttl = ttl;
    #[expect(clippy::wildcard_enum_match_arm, reason = "we look at no other types with names")]
    match &mut record.data {
        RData::CNAME(alias) => alias.0 = alias.0.to_lowercase(),
        RData::SRV(srv) => srv.target = srv.target.to_lowercase(),
        // An alias for a tree is nothing that the library knows. No length of a label is a letter.
        RData::Unknown { code: RecordType::DNAME, rdata } => rdata.anything.make_ascii_lowercase(),
        _ => (),
    }
    record
}

fn signature(record: &Record) -> Option<&RRSIG> {
    let RData::DNSSEC(DNSSECRData::RRSIG(signature)) = &record.data else {
        return None;
    };
    Some(signature)
}

impl Keys {
    /// Keys that sign for a zone, until at most that time.
    pub(super) fn new<'a>(
        zone: Name,
        keys: impl Iterator<Item = &'a DNSKEY>,
        ends: Seconds,
    ) -> Arc<Self> {
        // A revoked key signs nothing but its own end (RFC 5011 §2.1).
        let is_usable = |it: &&DNSKEY| {
            let key = it.public_key();
            it.zone_key()
                && !it.revoke()
                && key.algorithm().is_supported()
                && key.public_bytes().len() <= KEY_SIZE_MAX
        };
        let keys = keys.filter(is_usable);
        let keys = keys.filter_map(|it| Some((it.calculate_key_tag().ok()?, it.clone())));
        Arc::new(Self { zone, keys: keys.take(KEYS_MAX).collect(), ends })
    }
}

/// A point in time as signatures have it: seconds since 1970, forgetting all but the lower 32 bits
/// (RFC 4034 §3.1.5).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Seconds(pub(super) u32);

impl Seconds {
    pub(super) fn of(at: SystemTime) -> Self {
        let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
        // The lower bits are those that are meant.
        Self(u32::try_from(since.as_secs() & u64::from(u32::MAX)).unwrap_or_default())
    }

    /// The furthest that a point in time can lie ahead.
    pub(super) fn farthest(self) -> Self {
        Self(self.0.wrapping_add(HALF))
    }

    fn is_between(self, from: Self, to: Self) -> bool {
        self.0.wrapping_sub(from.0) <= HALF && to.0.wrapping_sub(self.0) <= HALF
    }

    /// Seconds from here to there, which is later.
    fn until(self, there: Self) -> u32 {
        let seconds = there.0.wrapping_sub(self.0);
        if seconds <= HALF { seconds } else { 0 }
    }

    /// The earlier of two points that lie ahead.
    fn or_earlier(self, other: Self, at: Self) -> Self {
        if at.until(self) <= at.until(other) { self } else { other }
    }
}

/// What one look-up may cost us, whoever it is that made the answers costly.
#[derive(Debug)]
pub(super) struct Effort {
    signatures: AtomicU32,
    questions: AtomicU32,
}

impl Effort {
    pub(super) fn new() -> Self {
        let (signatures, questions) = (CHECKS_MAX.into(), QUESTIONS_MAX.into());
        Self { signatures, questions }
    }

    /// What it may cost to learn who signs one zone, whatever else was spent.
    pub(super) fn part() -> Self {
        Self { signatures: ZONE_CHECKS.into(), questions: ZONE_QUESTIONS.into() }
    }

    /// Whether enough is left for a [part](Self::part).
    pub(super) fn affords_part(&self) -> bool {
        let left = |it: &AtomicU32| it.load(Ordering::Relaxed);
        ZONE_CHECKS <= left(&self.signatures) && ZONE_QUESTIONS <= left(&self.questions)
    }

    /// Takes note of what a part has cost.
    pub(super) fn spend(&self, part: &Self) {
        for (left, most, of_part) in [
            (&self.signatures, ZONE_CHECKS, &part.signatures),
            (&self.questions, ZONE_QUESTIONS, &part.questions),
        ] {
            let spent = most.saturating_sub(of_part.load(Ordering::Relaxed));
            let less = |it: u32| Some(it.saturating_sub(spent));
            let _ = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        }
    }

    /// Takes note of one signature that is checked; false if it should not be.
    pub(super) fn allows_signature(&self) -> bool {
        take(&self.signatures)
    }

    /// Takes note of one question that is asked; false if it should not be.
    pub(super) fn allows_question(&self) -> bool {
        take(&self.questions)
    }
}

fn take(left: &AtomicU32) -> bool {
    let less = |it: u32| it.checked_sub(1);
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
}

/// Half of all the numbers that a time can be: what is further off is behind (RFC 1982).
const HALF: u32 = u32::MAX / 2;

/// Signatures of one set that are looked at. A zone in the middle of a change of keys and of
/// algorithms has four.
const SIGNATURES_MAX: usize = 8;

/// Records of one set that are worth sorting and digesting.
const RECORDS_MAX: usize = 256;

/// Zones that may claim to have signed one set. More than one makes no sense.
const SIGNERS_MAX: usize = 2;

/// Keys of one tag that are tried. Two in one zone are an accident of one in thousands.
const TAG_SHARERS_MAX: usize = 2;

/// Keys of a zone that are remembered; the largest zones have ten.
const KEYS_MAX: usize = 24;

/// Octets of one key: 8192 bits, which are more than anybody uses, and an exponent.
const KEY_SIZE_MAX: usize = 1024 + 8;

/// Signatures that are checked in one look-up, at some 0.1 ms each. An alias of an alias in another
/// country takes thirty.
const CHECKS_MAX: u32 = 128;

/// Questions that are asked in one look-up. An alias of an alias in another country takes twenty.
const QUESTIONS_MAX: u32 = 64;

/// Of these, for one zone: its digests or the lack of them, and its keys. In the middle of a change
/// of keys and of algorithms it takes twenty.
const ZONE_CHECKS: u32 = 32;

/// Questions about one zone: for its digests and for its keys.
const ZONE_QUESTIONS: u32 = 2;

#[cfg(test)]
mod tests;

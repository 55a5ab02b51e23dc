use hickory_resolver::proto::dnssec::rdata::NSEC3;
use hickory_resolver::proto::rr::{Name, RecordType};

use super::super::Security;
use super::{Cut, cut_by, lacks, leads_away};

/// What the NSEC3 records of a zone prove (RFC 5155 §8). All of them have been verified.
#[derive(Debug)]
pub(super) struct Hashed<'a> {
    zone: &'a Name,
    records: Vec<(Vec<u8>, &'a NSEC3)>,
}

/// What encloses a name that does not exist (RFC 5155 §8.3).
struct Encloser<'a> {
    /// The longest ancestor that exists.
    closest: Name,
    /// The record that proves that nothing lies between the two.
    next_closer: &'a NSEC3,
}

impl<'a> Hashed<'a> {
    pub(super) fn new(zone: &'a Name) -> Self {
        Self { zone, records: Vec::new() }
    }

    pub(super) fn add(&mut self, owner: &Name, nsec3: &'a NSEC3) {
        let is_like_others = self.records.first().is_none_or(|(_, it)| {
            it.iterations() == nsec3.iterations() && it.salt() == nsec3.salt()
        });
        // What has other flags is of a kind that we do not know (RFC 5155 §8.2).
        if owner.base_name() == *self.zone
            && is_like_others
            && nsec3.flags() <= 1
            && let Some(hash) = owner.iter().next().and_then(base32)
        {
            self.records.push((hash, nsec3));
        }
    }

    pub(super) fn absence(&self, name: &Name, kind: RecordType) -> Option<Security> {
        if self.is_too_costly() {
            return Some(Security::Insecure);
        }
        if let Some(nsec3) = self.at(name) {
            return lacks(nsec3.type_set(), kind).then_some(Security::Secure);
        }
        let encloser = self.encloser(name)?;
        let wildcard = encloser.closest.prepend_label("*").ok()?;
        let is_absent = match self.at(&wildcard) {
            Some(nsec3) => lacks(nsec3.type_set(), kind),
            None => self.covering(&wildcard).is_some(),
        };
        is_absent.then(|| security_by(encloser.next_closer))
    }

    pub(super) fn no_closer(&self, closer: &Name) -> Option<Security> {
        if self.is_too_costly() {
            return Some(Security::Insecure);
        }
        self.covering(closer).map(security_by)
    }

    pub(super) fn cut(&self, name: &Name) -> Option<Cut> {
        if self.is_too_costly() {
            return Some(Cut::Unsigned);
        }
        if let Some(nsec3) = self.at(name) {
            return cut_by(nsec3.type_set());
        }
        match self.encloser(name)?.next_closer.opt_out() {
            true => Some(Cut::Unsigned),
            false => Some(Cut::None),
        }
    }

    /// Whether hashing costs so much that nothing is proven (RFC 9276 §3.2).
    fn is_too_costly(&self) -> bool {
        self.records.iter().any(|(_, it)| ITERATIONS_MAX < it.iterations())
    }

    fn encloser(&self, name: &Name) -> Option<Encloser<'a>> {
        let (all, least) = (name.iter().count(), self.zone.iter().count());
        for labels in (least..all).rev() {
            let closest = name.trim_to(labels);
            let Some(nsec3) = self.at(&closest) else {
                continue;
            };
            if leads_away(nsec3.type_set()) {
                return None;
            }
            let next_closer = self.covering(&name.trim_to(labels + 1))?;
            return Some(Encloser { closest, next_closer });
        }
        None
    }

    /// What there is at a name itself.
    fn at(&self, name: &Name) -> Option<&'a NSEC3> {
        let hash = self.hash(name)?;
        self.records.iter().find(|(owner, _)| *owner == hash).map(|(_, nsec3)| *nsec3)
    }

    /// The record that proves that a name does not exist.
    fn covering(&self, name: &Name) -> Option<&'a NSEC3> {
        let hash = self.hash(name)?;
        let covers = |(owner, nsec3): &&(Vec<u8>, &'a NSEC3)| {
            let next = nsec3.next_hashed_owner_name();
            match owner.as_slice() < next {
                true => *owner < hash && hash.as_slice() < next,
                // The last one leads back to the first.
                false => *owner < hash || hash.as_slice() < next,
            }
        };
        self.records.iter().find(covers).map(|(_, nsec3)| *nsec3)
    }

    fn hash(&self, name: &Name) -> Option<Vec<u8>> {
        let (_, nsec3) = self.records.first()?;
        let hash = nsec3.hash_algorithm().hash(nsec3.salt(), name, nsec3.iterations()).ok()?;
        Some(hash.as_ref().to_vec())
    }
}

/// Where unsigned zones may be left out, nothing is secure about what is not there (RFC 5155 §9.2).
fn security_by(next_closer: &NSEC3) -> Security {
    match next_closer.opt_out() {
        true => Security::Insecure,
        false => Security::Secure,
    }
}

/// Reads a hash as names have it (RFC 4648 §7, without padding).
fn base32(label: &[u8]) -> Option<Vec<u8>> {
    if label.len() != SHA1_DIGITS {
        return None;
    }
    let (mut octets, mut held, mut bits) = (Vec::new(), 0_u32, 0);
    for digit in label {
        let value = match digit.to_ascii_lowercase() {
            it @ b'0'..=b'9' => it - b'0',
            it @ b'a'..=b'v' => it - b'a' + 10,
            _ => return None,
        };
        held = (held << 5) + u32::from(value);
        bits += 5;
        if 8 <= bits {
            bits -= 8;
            octets.push(u8::try_from(held >> bits & 0xff).ok()?);
        }
    }
    Some(octets)
}

/// The only hash there is has 160 bits (RFC 5155 §11).
const SHA1_DIGITS: usize = 32;

/// What zones were once told they could afford (RFC 5155 §10.3), and where unbound and BIND draw
/// the line. Zones should have none (RFC 9276 §3.1).
const ITERATIONS_MAX: u16 = 150;

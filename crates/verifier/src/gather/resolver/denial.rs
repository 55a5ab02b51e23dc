//! Proof of what a zone does not have: NSEC (RFC 4034 §4) and NSEC3 (RFC 5155).

mod hashed;
mod plain;

use hickory_resolver::proto::dnssec::rdata::DNSSECRData;
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType, RecordTypeSet};

use self::hashed::Hashed;
use self::plain::Plain;
use super::Security;
use super::signed::{Effort, Keys, Seconds, Signed};

/// What a message proves about names that a zone does not have. All of it is signed by that zone.
#[derive(Debug)]
pub(super) struct Denial<'a> {
    plain: Plain<'a>,
    hashed: Hashed<'a>,
    /// For how many seconds all of it may be believed.
    pub(super) ttl: u32,
}

/// What a denial says of a name at which a zone may begin.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Cut {
    /// A zone begins here, or may, and nobody signs it.
    Unsigned,
    /// No zone begins here.
    None,
}

impl<'a> Denial<'a> {
    /// Reads and verifies what a zone denies in the authority section of a message.
    pub(super) fn read(
        authorities: &'a [Record],
        keys: &'a Keys,
        at: Seconds,
        effort: &Effort,
    ) -> Self {
        let mut ttl = u32::MAX;
        let mut plain = Plain::new(&keys.zone);
        let mut hashed = Hashed::new(&keys.zone);
        let mut seen: Vec<&Name> = Vec::new();
        for record in authorities {
            let kind = record.record_type();
            let denies = matches!(kind, RecordType::NSEC | RecordType::NSEC3);
            if !denies || seen.contains(&&record.name) || DENIALS_MAX <= seen.len() {
                continue;
            }
            seen.push(&record.name);
            // One record speaks for one name, and for none that a wildcard made.
            let Some(set) = Signed::find(authorities, &record.name, kind) else { continue };
            let [only] = &set.records[..] else { continue };
            let Some(its) = set.verify_itself(keys, at, effort) else { continue };
            if only.data != record.data {
                continue;
            }
            ttl = ttl.min(its.ttl);
            if let RData::DNSSEC(DNSSECRData::NSEC(nsec)) = &record.data {
                plain.add(&record.name, nsec);
            } else if let RData::DNSSEC(DNSSECRData::NSEC3(nsec3)) = &record.data {
                hashed.add(&record.name, nsec3);
            }
        }
        Self { plain, hashed, ttl }
    }

    /// Who claims to have signed what denies something in this section.
    pub(super) fn signers(authorities: &'a [Record]) -> Vec<&'a Name> {
        let mut signers = Vec::new();
        for record in authorities {
            let RData::DNSSEC(DNSSECRData::RRSIG(signature)) = &record.data else { continue };
            let input = signature.input();
            let denies = matches!(input.type_covered, RecordType::NSEC | RecordType::NSEC3);
            if denies && !signers.contains(&&input.signer_name) {
                signers.push(&input.signer_name);
            }
        }
        signers.truncate(SIGNERS_MAX);
        signers
    }

    /// How securely a name has no records of a type; none if that is not proven.
    pub(super) fn absence(&self, name: &Name, kind: RecordType) -> Option<Security> {
        if !self.plain.zone().zone_of(name) {
            return None;
        }
        self.plain.absence(name, kind).or_else(|| self.hashed.absence(name, kind))
    }

    /// How securely nothing is closer to a name than the wildcard that has so many labels without
    /// its asterisk (RFC 4035 §5.3.4, RFC 5155 §8.8).
    pub(super) fn no_closer(&self, name: &Name, labels: u8) -> Option<Security> {
        let closer = name.trim_to(usize::from(labels) + 1);
        self.plain.no_closer(&closer).or_else(|| self.hashed.no_closer(&closer))
    }

    /// What a name is where a zone may begin (RFC 4035 §5.2, RFC 5155 §8.9, RFC 6840 §4.4); none if
    /// that is not proven.
    pub(super) fn cut(&self, name: &Name) -> Option<Cut> {
        self.plain.cut(name).or_else(|| self.hashed.cut(name))
    }
}

/// Whether the types at a name say that it has none of one type, nor an alias.
fn lacks(types: &RecordTypeSet, kind: RecordType) -> bool {
    // What the zone above says of a zone that begins here is about its DS records only, and what
    // the zone itself says is about all others (RFC 6840 §4.1).
    let speaks = match kind == RecordType::DS {
        true => !types.contains(RecordType::SOA),
        false => !is_cut(types),
    };
    speaks && !types.contains(kind) && !types.contains(RecordType::CNAME)
}

/// Whether the types at a name say that another zone begins there.
fn is_cut(types: &RecordTypeSet) -> bool {
    types.contains(RecordType::NS) && !types.contains(RecordType::SOA)
}

/// Whether names below one with these types are somebody else's.
fn leads_away(types: &RecordTypeSet) -> bool {
    is_cut(types) || types.contains(RecordType::DNAME)
}

/// What the types at a name say of a zone that may begin there.
fn cut_by(types: &RecordTypeSet) -> Option<Cut> {
    match types.contains(RecordType::NS) {
        // The zone's own word about itself is not what was asked for.
        true if types.contains(RecordType::SOA) || types.contains(RecordType::DS) => None,
        true => Some(Cut::Unsigned),
        false => Some(Cut::None),
    }
}

/// Records in one message that are looked at because they deny something. Three or four make the
/// longest proof, and an alias may bring some more.
const DENIALS_MAX: usize = 16;

/// Zones that may claim to have signed a denial. An alias may lead from one to another.
const SIGNERS_MAX: usize = 3;

#[cfg(test)]
mod tests;

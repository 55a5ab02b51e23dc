//! Proof that a wildcard was rightly used (RFC 4035 §5.3.4).

use hickory_resolver::proto::dnssec::rdata::{DNSSECRData, NSEC};
use hickory_resolver::proto::op::Message;
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};

/// Tells whether a message has secure records of a type that a wildcard made for a name, and
/// secure proof that no closer name exists.
pub(super) fn is_proven(message: &Message, name: &Name, kind: RecordType) -> bool {
    let is_meant = |it: &&Record| it.record_type() == kind && it.name == *name;
    let mut records = message.answers.iter().filter(is_meant).peekable();
    if records.peek().is_none() || !records.all(|it| it.proof.is_secure()) {
        return false;
    }
    let Some((labels, signer)) = signed_by(&message.answers, name, kind) else {
        return false;
    };
    if name.num_labels() <= labels {
        return false;
    }

    let closer = name.trim_to(usize::from(labels) + 1);
    message.authorities.iter().any(|it| {
        let RData::DNSSEC(DNSSECRData::NSEC(nsec)) = &it.data else {
            return false;
        };
        // A zone speaks for its own names only.
        let by = signed_by(&message.authorities, &it.name, RecordType::NSEC);
        it.proof.is_secure()
            && by.is_some_and(|(_, its_signer)| its_signer == signer)
            && denies(&it.name, nsec, &closer)
    })
}

/// Tells whether a record proves that neither a name nor anything below it exists.
fn denies(owner: &Name, nsec: &NSEC, name: &Name) -> bool {
    let (next, types) = (nsec.next_domain_name(), nsec.type_set());
    // Below a delegation or an alias for a tree, names are somebody else's (RFC 6840 §4.1).
    let is_cut = types.contains(RecordType::NS) && !types.contains(RecordType::SOA)
        || types.contains(RecordType::DNAME);
    let is_last = next <= owner;
    owner < name
        && (name < next || is_last && next.zone_of(name))
        && !(is_cut && owner.zone_of(name))
        // A name with another below it exists, if only as a step on the way.
        && !name.zone_of(next)
}

/// What all signatures of some records agree on: how many labels of the name were signed, and by
/// which zone. None if they do not.
fn signed_by<'a>(records: &'a [Record], name: &Name, kind: RecordType) -> Option<(u8, &'a Name)> {
    let mut agreed = None;
    for record in records {
        let RData::DNSSEC(DNSSECRData::RRSIG(signature)) = &record.data else {
            continue;
        };
        let input = signature.input();
        if record.name != *name || input.type_covered != kind {
            continue;
        }
        let this = (input.num_labels, &input.signer_name);
        if *agreed.get_or_insert(this) != this {
            return None;
        }
    }
    agreed
}

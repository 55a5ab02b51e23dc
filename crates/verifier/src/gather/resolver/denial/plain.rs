use hickory_resolver::proto::dnssec::rdata::NSEC;
use hickory_resolver::proto::rr::{Name, RecordType};

use super::super::Security;
use super::{Cut, cut_by, lacks, leads_away};

/// What the NSEC records of a zone prove (RFC 4035 §5.4). All of them have been verified.
#[derive(Debug)]
pub(super) struct Plain<'a> {
    zone: &'a Name,
    records: Vec<(&'a Name, &'a NSEC)>,
}

impl<'a> Plain<'a> {
    pub(super) fn new(zone: &'a Name) -> Self {
        Self { zone, records: Vec::new() }
    }

    pub(super) fn zone(&self) -> &'a Name {
        self.zone
    }

    pub(super) fn add(&mut self, owner: &'a Name, nsec: &'a NSEC) {
        self.records.push((owner, nsec));
    }

    pub(super) fn absence(&self, name: &Name, kind: RecordType) -> Option<Security> {
        let is_absent = match self.at(name) {
            Some(nsec) => lacks(nsec.type_set(), kind),
            None => self.is_step(name) || self.is_nowhere(name, kind),
        };
        is_absent.then_some(Security::Secure)
    }

    pub(super) fn no_closer(&self, closer: &Name) -> Option<Security> {
        self.covering(closer).map(|_| Security::Secure)
    }

    pub(super) fn cut(&self, name: &Name) -> Option<Cut> {
        match self.at(name) {
            Some(nsec) => cut_by(nsec.type_set()),
            None if self.is_step(name) || self.covering(name).is_some() => Some(Cut::None),
            None => None,
        }
    }

    /// What there is at a name itself.
    fn at(&self, name: &Name) -> Option<&'a NSEC> {
        self.records.iter().find(|(owner, _)| *owner == name).map(|(_, nsec)| *nsec)
    }

    /// Whether a name exists only as a step on the way to others.
    fn is_step(&self, name: &Name) -> bool {
        self.spanning(name).any(|(_, nsec)| name.zone_of(nsec.next_domain_name()))
    }

    /// Whether a name does not exist, and neither does the wildcard that would make it, or not with
    /// records of that type.
    fn is_nowhere(&self, name: &Name, kind: RecordType) -> bool {
        let Some((owner, nsec)) = self.covering(name) else {
            return false;
        };
        // The next name may exist, and all above it and above the owner do.
        let enclosers = [common(owner, name), common(nsec.next_domain_name(), name)];
        let closest = enclosers.into_iter().max_by_key(|it| it.iter().count());
        let Some(Ok(wildcard)) = closest.map(|it| it.prepend_label("*")) else {
            return false;
        };
        match self.at(&wildcard) {
            Some(nsec) => lacks(nsec.type_set(), kind),
            None => self.is_step(&wildcard) || self.covering(&wildcard).is_some(),
        }
    }

    /// The record that proves that neither a name nor anything below it exists.
    fn covering(&self, name: &Name) -> Option<(&'a Name, &'a NSEC)> {
        self.spanning(name).find(|(_, nsec)| !name.zone_of(nsec.next_domain_name()))
    }

    /// Records between whose ends a name lies, and which may speak of it.
    fn spanning(&self, name: &Name) -> impl Iterator<Item = (&'a Name, &'a NSEC)> {
        self.records.iter().copied().filter(move |(owner, nsec)| {
            let next = nsec.next_domain_name();
            let is_last = next == self.zone;
            self.zone.zone_of(name)
                && *owner < name
                && (name < next || is_last)
                && !(leads_away(nsec.type_set()) && owner.zone_of(name))
        })
    }
}

/// The closest name that encloses two others.
fn common(one: &Name, other: &Name) -> Name {
    let labels = one.iter().rev().zip(other.iter().rev());
    let shared = labels.take_while(|(its, others)| its.eq_ignore_ascii_case(others)).count();
    other.trim_to(shared)
}

use std::time::SystemTime;

use hickory_resolver::proto::op::Message;
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use hickory_resolver::proto::serialize::binary::BinDecodable;

use super::anchors::Anchors;
use super::denial::Denial;
use super::signed::{Effort, Seconds, Signed};
use super::upstream::Upstream;
use super::zones::{Standing, Zones};
use super::{Failure, Security, Step, negative_lifetime};

/// Checks every signature from the trust anchors down, and takes nobody's word.
///
/// Only records of the very name asked about answer a question, and only proof by the zone that the
/// name is in denies it. What cannot be proven is bogus, unless the zone above proves that nobody
/// signs the name (RFC 4035 §5).
pub(super) struct Validating {
    zones: Zones,
}

/// A question, and what may be spent on it.
struct Asked<'a> {
    name: &'a Name,
    kind: RecordType,
    at: SystemTime,
    effort: &'a Effort,
}

impl Validating {
    pub(super) fn new(upstream: Upstream, anchors: Anchors) -> Self {
        Self { zones: Zones::new(upstream, anchors) }
    }

    /// How many trust anchors there are.
    pub(super) fn trust_anchors(&self) -> usize {
        self.zones.trust_anchors()
    }

    /// Asks for one name; once more if the keys that the answer fails by may be out of date.
    pub(super) async fn step(
        &self,
        name: &Name,
        kind: RecordType,
        at: SystemTime,
        effort: &Effort,
    ) -> Result<Step, Failure> {
        let asked = Asked { name, kind, at, effort };
        match self.judge(&asked).await {
            Err(Failure::Bogus) if self.zones.forget(name, at) => self.judge(&asked).await,
            judged => judged,
        }
    }

    async fn judge(&self, asked: &Asked<'_>) -> Result<Step, Failure> {
        let (name, kind) = (asked.name, asked.kind);
        let message = self.zones.ask(name, kind, asked.effort).await?;
        if let Some(mut set) = Signed::find(&message.answers, name, kind) {
            let (security, ttl) = self.trust(&message, &set, asked).await?;
            set.records.iter_mut().for_each(|it| it.ttl = ttl);
            return Ok(Step::Data(set.records, security));
        }
        if let Some(set) = alias_for_tree(&message, name) {
            let (security, ttl) = self.trust(&message, &set, asked).await?;
            return Ok(Step::Alias(redirected(&set, name)?, security, ttl));
        }
        if let Some(set) = Signed::find(&message.answers, name, RecordType::CNAME) {
            let (security, ttl) = self.trust(&message, &set, asked).await?;
            let [Record { data: RData::CNAME(target), .. }] = &set.records[..] else {
                return Err(Failure::Bogus); // There can be only one (RFC 2181 §10.1).
            };
            return Ok(Step::Alias(target.0.clone(), security, ttl));
        }
        self.absence(&message, asked).await
    }

    /// How far some records can be trusted, and for how many seconds.
    async fn trust(
        &self,
        message: &Message,
        set: &Signed<'_>,
        asked: &Asked<'_>,
    ) -> Result<(Security, u32), Failure> {
        let (at, effort) = (asked.at, asked.effort);
        let now = Seconds::of(at);
        let ttl = set.records.first().map_or(0, |it| it.ttl);
        for signer in set.signers() {
            let keys = match self.zones.standing(signer, at, effort).await? {
                // Which need not hold for the name, if an anchor lies between the two.
                Standing::Unsigned => break,
                Standing::Signed(keys) if keys.zone == *signer => keys,
                Standing::Signed(_) => continue, // Not a zone.
            };
            let Some(seal) = set.verify(&keys, now, effort) else {
                continue;
            };
            if !self.is_within(signer, set.name, asked).await? {
                continue;
            }
            if seal.labels == set.name.num_labels() {
                return Ok((Security::Secure, seal.ttl));
            }
            // A wildcard may speak for a name only if nothing closer does.
            let denial = Denial::read(&message.authorities, &keys, now, effort);
            if let Some(security) = denial.no_closer(set.name, seal.labels) {
                return Ok((security, seal.ttl.min(denial.ttl)));
            }
        }
        // It is the name asked about that matters: an alias for a tree may stand above its anchor.
        match self.zones.standing(asked.name, at, effort).await? {
            Standing::Unsigned => Ok((Security::Insecure, ttl)),
            Standing::Signed(_) => Err(Failure::Bogus),
        }
    }

    /// Whether a name is in this very zone, and not in another below it: only the zone that holds a
    /// record can sign it (RFC 4035 §5.3.1). What a zone signed before it gave a name away would
    /// hold for weeks otherwise.
    ///
    /// Zones begin at names of hosts and domains; to ask about those of services would cost a
    /// question for each.
    async fn is_within(
        &self,
        zone: &Name,
        name: &Name,
        asked: &Asked<'_>,
    ) -> Result<bool, Failure> {
        let is_service = |it: &Name| it.iter().next().is_some_and(|label| label.starts_with(b"_"));
        let mut host = name.clone();
        while is_service(&host) && host != *zone {
            host = host.base_name();
        }
        if host == *zone {
            return Ok(true);
        }
        match self.zones.standing(&host, asked.at, asked.effort).await? {
            Standing::Signed(keys) => Ok(keys.zone == *zone),
            Standing::Unsigned => Ok(false),
        }
    }

    /// What a message without records of the name says about it.
    async fn absence(&self, message: &Message, asked: &Asked<'_>) -> Result<Step, Failure> {
        let (name, at, effort) = (asked.name, asked.at, asked.effort);
        let now = Seconds::of(at);
        let ttl = negative_lifetime(message);
        for signer in Denial::signers(&message.authorities) {
            if !signer.zone_of(name) {
                continue;
            }
            let keys = match self.zones.standing(signer, at, effort).await? {
                Standing::Unsigned => break,
                Standing::Signed(keys) if keys.zone == *signer => keys,
                Standing::Signed(_) => continue, // Not a zone.
            };
            let denial = Denial::read(&message.authorities, &keys, now, effort);
            if let Some(security) = denial.absence(name, asked.kind) {
                return Ok(Step::Nothing(security, ttl.min(denial.ttl)));
            }
        }
        match self.zones.standing(name, at, effort).await? {
            // Where nobody signs, an answer about something else is still no answer.
            Standing::Unsigned if message.answers.is_empty() => {
                Ok(Step::Nothing(Security::Insecure, ttl))
            }
            // An absence without proof is a stripped answer.
            Standing::Unsigned | Standing::Signed(_) => Err(Failure::Bogus),
        }
    }
}

/// The alias for a whole tree that a name is in (RFC 6672), if a message has one.
fn alias_for_tree<'a>(message: &'a Message, name: &Name) -> Option<Signed<'a>> {
    let encloses = |it: &&Record| {
        it.record_type() == RecordType::DNAME && it.name.zone_of(name) && it.name != *name
    };
    let found = message.answers.iter().find(encloses)?;
    Signed::find(&message.answers, &found.name, RecordType::DNAME)
}

/// Where an alias for a tree leads for a name in it. What the server has made of it is not looked
/// at.
fn redirected(set: &Signed<'_>, name: &Name) -> Result<Name, Failure> {
    let [Record { data: RData::Unknown { rdata, .. }, .. }] = &set.records[..] else {
        return Err(Failure::Bogus); // There can be only one (RFC 6672 §2.4).
    };
    let target = Name::from_bytes(&rdata.anything).map_err(|_| Failure::Bogus)?;
    let kept = name.iter().count() - set.name.iter().count();
    let redirected = Name::from_labels(name.iter().take(kept));
    let redirected = redirected.and_then(|it| it.append_domain(&target));
    // Too long to exist (RFC 6672 §2.2).
    redirected.map_err(|_| Failure::Failed)
}

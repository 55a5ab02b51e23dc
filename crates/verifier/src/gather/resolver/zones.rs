//! Which zones are signed, and by which keys: the way from the anchors down to a name.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use hickory_resolver::proto::dnssec::rdata::{DNSKEY, DNSSECRData, DS};
use hickory_resolver::proto::dnssec::{DigestType, PublicKey};
use hickory_resolver::proto::op::{Message, Query};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};

use super::Failure;
use super::anchors::Anchors;
use super::denial::{Cut, Denial};
use super::signed::{Effort, Keys, Seconds, Signed};
use super::upstream::Upstream;
use crate::cache::Cache;

/// Tells who signs a name, and remembers for a short time what it learnt on the way there.
pub(super) struct Zones {
    upstream: Upstream,
    anchors: Anchors,
    known: Cache<Name, Known>,
}

/// Who signs a name.
#[derive(Clone, Debug)]
pub(super) enum Standing {
    /// The zone that it is in, with these keys.
    Signed(Arc<Keys>),
    /// Nobody, and somebody who is signed says so.
    Unsigned,
}

/// What is known of a name at which a zone may begin.
#[derive(Clone, Debug)]
enum Known {
    /// One does, and it has these keys.
    Signed(Arc<Keys>),
    /// One does, or may, and from here on nobody signs.
    Unsigned,
    /// None does.
    NoCut,
    /// That it is not known.
    Failed(Failure),
}

impl Zones {
    pub(super) fn new(upstream: Upstream, anchors: Anchors) -> Self {
        Self { upstream, anchors, known: Cache::new(KNOWN_MAX, ASKING_MAX) }
    }

    /// How many trust anchors there are.
    pub(super) fn trust_anchors(&self) -> usize {
        self.anchors.count()
    }

    /// Asks for records, with their signatures.
    pub(super) async fn ask(
        &self,
        name: &Name,
        kind: RecordType,
        effort: &Effort,
    ) -> Result<Message, Failure> {
        match effort.allows_question() {
            true => self.upstream.ask_signed(&Query::query(name.clone(), kind)).await,
            false => Err(Failure::Failed),
        }
    }

    /// Tells who signs a name; from the closest anchor down, one zone at a time.
    pub(super) async fn standing(
        &self,
        name: &Name,
        at: SystemTime,
        effort: &Effort,
    ) -> Result<Standing, Failure> {
        // Nobody vouches for what is below no anchor (RFC 4035 §4.3).
        let Some(anchor) = self.anchors.closest(name) else {
            return Ok(Standing::Unsigned);
        };
        let learn = || async {
            let part = Effort::part();
            let learnt = self.anchored(anchor, at, &part).await;
            effort.spend(&part);
            remember(learnt, at)
        };
        if !effort.affords_part() {
            return Err(Failure::Failed);
        }
        let mut zone = match self.known.get(anchor, at, learn).await {
            Known::Signed(keys) => keys,
            Known::Failed(failure) => return Err(failure),
            Known::Unsigned | Known::NoCut => return Err(Failure::Bogus),
        };
        for labels in (anchor.iter().count()..=name.iter().count()).skip(1) {
            let cut = name.trim_to(labels).to_lowercase();
            // What is learnt is told to all who wait for it, so nobody begins who might have to give
            // up halfway, and what each has left does not matter then.
            if !effort.affords_part() {
                return Err(Failure::Failed);
            }
            let learn = || async {
                let part = Effort::part();
                let learnt = self.cut(&cut, &zone, at, &part).await;
                effort.spend(&part);
                remember(learnt, at)
            };
            match self.known.get(&cut, at, learn).await {
                Known::Signed(keys) => zone = keys,
                Known::Unsigned => return Ok(Standing::Unsigned),
                Known::NoCut => (),
                Known::Failed(failure) => return Err(failure),
            }
        }
        Ok(Standing::Signed(zone))
    }

    /// Forgets what was learnt on the way to a name, unless that is news. Tells whether anything
    /// was.
    pub(super) fn forget(&self, name: &Name, at: SystemTime) -> bool {
        let ways = (0..=name.iter().count()).map(|labels| name.trim_to(labels).to_lowercase());
        let forgotten = ways.filter(|it| self.known.forget(it, at - NEWS));
        0 < forgotten.count()
    }

    /// The keys of a zone that we were told to trust.
    async fn anchored(&self, zone: &Name, at: SystemTime, effort: &Effort) -> Learnt {
        let trusts = |it: &DNSKEY| self.anchors.vouch(zone, it);
        let ends = Seconds::of(at).farthest();
        self.keys(zone, trusts, ends, at, effort).await
    }

    /// What there is at a name below a signed zone: another zone, perhaps.
    async fn cut(&self, name: &Name, above: &Keys, at: SystemTime, effort: &Effort) -> Learnt {
        let message = self.ask(name, RecordType::DS, effort).await?;
        let now = Seconds::of(at);
        let Some(set) = Signed::find(&message.answers, name, RecordType::DS) else {
            return no_signed_zone(&message, name, above, now, effort).ok_or(Failure::Bogus);
        };
        let seal = set.verify_itself(above, now, effort).ok_or(Failure::Bogus)?;
        let digests = usable(&set.records);
        if digests.is_empty() {
            // Signed, but in no way that we know (RFC 4035 §5.2).
            return Ok((Known::Unsigned, seal.ttl));
        }
        let vouches = |it: &DNSKEY| digests.iter().any(|digest| vouch(digest, name, it));
        let (keys, ttl) = self.keys(name, vouches, seal.ends, at, effort).await?;
        Ok((keys, ttl.min(seal.ttl)))
    }

    /// The keys of a zone, signed by those of them that somebody vouches for (RFC 4035 §5.2).
    async fn keys(
        &self,
        zone: &Name,
        vouches: impl Fn(&DNSKEY) -> bool,
        ends: Seconds,
        at: SystemTime,
        effort: &Effort,
    ) -> Learnt {
        let message = self.ask(zone, RecordType::DNSKEY, effort).await?;
        let set = Signed::find(&message.answers, zone, RecordType::DNSKEY);
        let set = set.ok_or(Failure::Bogus)?;
        let published = || set.records.iter().filter_map(key);
        let trusted = published().take(KEYS_MAX).filter(|it| vouches(it));
        let trusted = Keys::new(zone.clone(), trusted, ends);
        let now = Seconds::of(at);
        let seal = set.verify_itself(&trusted, now, effort).ok_or(Failure::Bogus)?;
        Ok((Known::Signed(Keys::new(zone.clone(), published(), seal.ends)), seal.ttl))
    }
}

/// What was learnt, and for how many seconds it holds.
type Learnt = Result<(Known, u32), Failure>;

fn remember(learnt: Learnt, at: SystemTime) -> (Known, SystemTime) {
    match learnt {
        Ok((known, ttl)) => (known, at + Duration::from_secs(ttl.into()).min(LIFETIME_MAX)),
        // The next who asks may be luckier.
        Err(failure) => (Known::Failed(failure), at),
    }
}

/// What a message without DS records proves about a name; none if nothing.
fn no_signed_zone(
    message: &Message,
    name: &Name,
    above: &Keys,
    now: Seconds,
    effort: &Effort,
) -> Option<(Known, u32)> {
    // Where an alias is, or below one for a whole tree, no zone begins. To be wrong about that
    // would only make us look for signatures where there are none.
    let aliases = message.answers.iter().filter(|it| {
        it.record_type() == RecordType::CNAME && it.name == *name
            || it.record_type() == RecordType::DNAME && it.name.zone_of(name)
    });
    for alias in aliases.take(ALIASES_MAX) {
        let set = Signed::find(&message.answers, &alias.name, alias.record_type())?;
        if let Some(seal) = set.verify(above, now, effort) {
            return Some((Known::NoCut, seal.ttl));
        }
    }
    let denial = Denial::read(&message.authorities, above, now, effort);
    let known = match denial.cut(name)? {
        Cut::Unsigned => Known::Unsigned,
        Cut::None => Known::NoCut,
    };
    Some((known, denial.ttl))
}

/// The digests in these records that can be checked and are worth it.
fn usable(records: &[Record]) -> Vec<&DS> {
    let digests = records.iter().filter_map(digest);
    let is_known = |it: &&DS| it.algorithm().is_supported() && it.digest_type().is_supported();
    let mut digests: Vec<&DS> = digests.filter(is_known).take(DIGESTS_MAX).collect();
    // Beside a better one, SHA-1 says nothing (RFC 4509 §3).
    if digests.iter().any(|it| it.digest_type() != DigestType::SHA1) {
        digests.retain(|it| it.digest_type() != DigestType::SHA1);
    }
    digests
}

/// Whether a digest is that of a key.
fn vouch(digest: &DS, zone: &Name, key: &DNSKEY) -> bool {
    digest.algorithm() == key.public_key().algorithm()
        && key.calculate_key_tag().is_ok_and(|it| it == digest.key_tag())
        && digest.covers(zone, key).unwrap_or(false)
}

fn digest(record: &Record) -> Option<&DS> {
    let RData::DNSSEC(DNSSECRData::DS(digest)) = &record.data else {
        return None;
    };
    Some(digest)
}

fn key(record: &Record) -> Option<&DNSKEY> {
    let RData::DNSSEC(DNSSECRData::DNSKEY(key)) = &record.data else {
        return None;
    };
    Some(key)
}

/// How long it is remembered who signs a zone: long enough for all look-ups about one peer.
const LIFETIME_MAX: Duration = Duration::from_secs(60);

/// What was learnt so shortly ago would not be learnt otherwise now.
const NEWS: Duration = Duration::from_secs(5);

/// Names at which zones may begin: a few for each of some hundreds of peers, 25 KiB each at most.
const KNOWN_MAX: usize = 2048;

/// Questions about zones in flight: no fewer than look-ups in flight, each of which learns about one
/// zone at a time. If they were, a few zones that are slow on purpose would keep all others waiting.
const ASKING_MAX: usize = 1024;

/// Keys of a zone that are looked at for those whose digests we know; the largest zones have ten.
const KEYS_MAX: usize = 24;

/// Digests of one zone that are compared with each of its keys. Two for each of two keys are usual.
const DIGESTS_MAX: usize = 16;

/// Aliases in one message that may stand in the place of a zone.
const ALIASES_MAX: usize = 2;

#[cfg(test)]
mod tests;

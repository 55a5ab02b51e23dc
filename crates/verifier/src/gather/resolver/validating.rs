use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::net::dnssec::DnssecDnsHandle;
use hickory_resolver::net::xfer::{DnsHandle, FirstAnswer};
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::dnssec::Proof;
use hickory_resolver::proto::dnssec::rdata::{DNSKEY, DNSSECRData};
use hickory_resolver::proto::op::{Message, Query, ResponseCode};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use tokio::sync::OnceCell;

use super::anchors::Anchors;
use super::upstream::Upstream;
use super::{
    Failure, Security, Step, failure, negative_lifetime, records_at, request_options, wildcard,
};
use crate::settings::SetupError;

/// Checks every signature from the trust anchors down, and takes nobody's word.
///
/// The library says of each record how far it could be proven. What that means for the *question*
/// is judged here: only records of the very name asked about answer it, and only proof that
/// encloses that name denies it.
pub(super) struct Validating {
    upstream: Upstream,
    anchors: Anchors,
    /// Set once the keys are known, which takes a look-up where we only have their digests.
    validating: OnceCell<DnssecDnsHandle<Upstream>>,
}

impl Validating {
    pub(super) fn new(servers: &[SocketAddr], anchors: Anchors) -> Result<Self, SetupError> {
        let upstream = Upstream::new(servers)?;
        Ok(Self { upstream, anchors, validating: OnceCell::new() })
    }

    /// How many trust anchors there are.
    pub(super) fn trust_anchors(&self) -> usize {
        self.anchors.count()
    }

    async fn validating(&self) -> Result<&DnssecDnsHandle<Upstream>, NetError> {
        let learn = || async {
            let mut published = Vec::new();
            for zone in self.anchors.zones() {
                let query = Query::query(zone.clone(), RecordType::DNSKEY);
                let asked = self.upstream.lookup(query, request_options(true));
                let response = asked.first_answer().await?;
                let keys = response.answers.iter().filter_map(key);
                published.extend(keys.take(KEYS_MAX).map(|it| (zone.clone(), it.clone())));
            }
            let anchors = self.anchors.with(&published).ok_or(DnsError::DnssecBogus)?;
            let upstream = self.upstream.clone();
            let handle = DnssecDnsHandle::with_trust_anchor(upstream, Arc::new(anchors));
            let handle = handle.validation_cache_size(VALIDATIONS_MAX);
            // What is bogus for want of a key must not stay so.
            Ok(handle.negative_validation_ttl(Duration::ZERO..=Duration::ZERO))
        };
        self.validating.get_or_try_init(learn).await
    }

    /// Asks for one name, once more if what came back was not enough to judge the answer by.
    pub(super) async fn step(&self, name: &Name, kind: RecordType) -> Result<Step, Failure> {
        let mut unanswered = Failure::Failed;
        for _ in 0..TRIES_MAX {
            match Upstream::noting(self.judged(name, kind)).await {
                (Err(Failure::Bogus), Some(failure)) => unanswered = failure,
                (judged, _) => return judged,
            }
        }
        Err(unanswered)
    }

    async fn judged(&self, name: &Name, kind: RecordType) -> Result<Step, Failure> {
        let error = match self.ask(name, kind).await {
            Ok(message) => return judge(&message, name, kind),
            Err(error) => error,
        };
        let NetError::Dns(error) = error else {
            return Err(failure(&error));
        };
        match error {
            DnsError::Nsec { response, .. } if is_alias(&response, name, kind) => {
                // The denial is of the name that the alias leads to. Prove the alias by itself.
                let cname = RecordType::CNAME;
                match self.ask(name, cname).await {
                    Ok(message) => judge_alias(&message, name),
                    Err(NetError::Dns(DnsError::Nsec { response, .. }))
                        if wildcard::is_proven(&response, name, cname) =>
                    {
                        judge_alias(&response, name)
                    }
                    Err(_) => Err(Failure::Bogus),
                }
            }
            // The library looks for proof that the wildcard does not exist, where only a closer
            // name must not.
            DnsError::Nsec { response, .. } if wildcard::is_proven(&response, name, kind) => {
                judge(&response, name, kind)
            }
            // Hashes so costly that they prove nothing (RFC 9276 §3.2), over a name of that zone.
            DnsError::Nsec { proof: Proof::Insecure, response, .. }
                if has_hashes_for(&response, name) =>
            {
                Ok(Step::Nothing(Security::Insecure, negative_lifetime(&response)))
            }
            DnsError::ResponseCode(_) => Err(Failure::Failed),
            // An absence without proof is a stripped answer until shown otherwise.
            DnsError::NoRecordsFound(_) | DnsError::DnssecBogus | DnsError::Nsec { .. } | _ => {
                Err(Failure::Bogus)
            }
        }
    }

    async fn ask(&self, name: &Name, kind: RecordType) -> Result<Message, NetError> {
        let query = Query::query(name.clone(), kind);
        let handle = self.validating().await?;
        let response = handle.lookup(query, request_options(true)).first_answer().await?;
        Ok(response.into_message())
    }
}

fn key(record: &Record) -> Option<&DNSKEY> {
    let RData::DNSSEC(DNSSECRData::DNSKEY(key)) = &record.data else {
        return None;
    };
    Some(key)
}

/// What a message says about a name.
fn judge(message: &Message, name: &Name, kind: RecordType) -> Result<Step, Failure> {
    let data = records_at(message, name, kind);
    if !data.is_empty() {
        let security = security_of(message, &data)?;
        return Ok(Step::Data(data.into_iter().cloned().collect(), security));
    }
    if is_alias(message, name, kind) {
        return judge_alias(message, name);
    }
    if message.answers.iter().any(|it| it.record_type() != RecordType::RRSIG) {
        return Err(Failure::Bogus); // Answers, and none of them ours.
    }
    if !matches!(message.metadata.response_code, ResponseCode::NoError | ResponseCode::NXDomain) {
        return Err(Failure::Failed);
    }

    let lifetime = negative_lifetime(message);
    let authorities = || message.authorities.iter();
    let is_of_zone =
        authorities().any(|it| is_soa(it) && it.proof.is_secure() && it.name.zone_of(name));
    if is_of_zone && has_denial(message) {
        return Ok(Step::Nothing(Security::Secure, lifetime));
    }
    // The library believes any insecure authority. Only one that encloses the name can speak of
    // it; with none at all it has itself proven that the name is in no signed zone.
    let encloses = |it: &Record| it.proof.is_insecure() && it.name.zone_of(name);
    if authorities().next().is_none() || authorities().any(encloses) {
        return Ok(Step::Nothing(Security::Insecure, lifetime));
    }
    Err(Failure::Bogus)
}

fn is_alias(message: &Message, name: &Name, kind: RecordType) -> bool {
    records_at(message, name, kind).is_empty()
        && !records_at(message, name, RecordType::CNAME).is_empty()
}

fn judge_alias(message: &Message, name: &Name) -> Result<Step, Failure> {
    let aliases = records_at(message, name, RecordType::CNAME);
    let [alias] = aliases[..] else {
        return Err(Failure::Bogus);
    };
    let RData::CNAME(target) = &alias.data else {
        return Err(Failure::Bogus);
    };
    Ok(Step::Alias(target.0.clone(), security_of(message, &aliases)?, alias.ttl))
}

/// The least security of some records of one name and type.
fn security_of(message: &Message, records: &[&Record]) -> Result<Security, Failure> {
    let mut security = Security::Secure;
    for record in records {
        match record.proof {
            Proof::Secure => (),
            Proof::Insecure => security = Security::Insecure,
            Proof::Bogus | Proof::Indeterminate => return Err(Failure::Bogus),
        }
    }
    // What a wildcard makes is secure only with proof that the name itself does not exist (RFC
    // 4035 §5.3.4), which the library does not ask for where it meets insecure authorities.
    let is_expanded = records.first().is_some_and(|it| is_expanded(message, it));
    if security == Security::Secure && is_expanded && !has_denial(message) {
        return Err(Failure::Bogus);
    }
    Ok(security)
}

/// Tells whether a record's signature was made for a wildcard.
fn is_expanded(message: &Message, record: &Record) -> bool {
    message.answers.iter().any(|it| {
        let RData::DNSSEC(DNSSECRData::RRSIG(signature)) = &it.data else {
            return false;
        };
        let signed = signature.input();
        it.name == record.name
            && signed.type_covered == record.record_type()
            && signed.num_labels < record.name.num_labels()
    })
}

fn has_denial(message: &Message) -> bool {
    message.authorities.iter().any(|it| {
        matches!(it.record_type(), RecordType::NSEC | RecordType::NSEC3) && it.proof.is_secure()
    })
}

fn has_hashes_for(message: &Message, name: &Name) -> bool {
    message.authorities.iter().any(|it| {
        it.record_type() == RecordType::NSEC3
            && it.proof.is_secure()
            && it.name.base_name().zone_of(name)
    })
}

fn is_soa(record: &Record) -> bool {
    record.record_type() == RecordType::SOA
}

/// One key that did not come is no reason to give up; the patience of the look-up ends it.
const TRIES_MAX: usize = 2;

/// Keys and signatures that are remembered, so that a zone's keys are not checked for each of its
/// records; a few for each zone on the way to a thousand peers.
const VALIDATIONS_MAX: usize = 4096;

/// Keys of a zone that are looked at for the one whose digest we know; real zones have two or three.
const KEYS_MAX: usize = 16;

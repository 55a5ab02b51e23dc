//! What the demo's DNS says: one signed zone, and the lies of whoever can forge answers.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hickory_resolver::proto::dnssec::crypto::EcdsaSigningKey;
use hickory_resolver::proto::dnssec::rdata::{DNSKEY, DNSSECRData, NSEC, RRSIG};
use hickory_resolver::proto::dnssec::{Algorithm, DnssecSigner, PublicKey as _, SigningKey as _};
use hickory_resolver::proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_resolver::proto::rr::rdata::{NS, SOA};
use hickory_resolver::proto::rr::{DNSClass, Name, RData, Record, RecordSet, RecordType};

use super::trouble::{Result, While};

/// A root zone that holds everything there is, signed when asked.
///
/// There is one key, so a validating resolver needs no more; who does not sign is said by that key.
/// What does not exist is denied by a record made for the question (RFC 9824 §3).
pub(super) struct Zone {
    signer: DnssecSigner,
    records: Mutex<Records>,
    lies: Mutex<Records>,
}

type Records = BTreeMap<(Name, RecordType), Vec<RData>>;

impl Zone {
    /// A zone of its own key, and nothing else.
    pub(super) fn new() -> Result<Self> {
        let doing = "make a key for the demo's DNS";
        let algorithm = Algorithm::ECDSAP256SHA256;
        let key = EcdsaSigningKey::generate_pkcs8(algorithm).or_trouble(doing)?;
        let key = EcdsaSigningKey::from_pkcs8(&key, algorithm).or_trouble(doing)?;
        let public = DNSKEY::from_key(&key.to_public_key().or_trouble(doing)?);
        let signer = DnssecSigner::new(public.clone(), Box::new(key), Name::root(), LIFETIME);
        let zone = Self { signer, records: Mutex::default(), lies: Mutex::default() };
        zone.publish(Name::root(), RData::DNSSEC(DNSSECRData::DNSKEY(public)));
        zone.publish(Name::root(), RData::SOA(soa()));
        Ok(zone)
    }

    /// The key that resolvers must trust, as a line of a zone file.
    pub(super) fn trust_anchor(&self) -> String {
        let key = self.signer.dnskey().public_key();
        let (algorithm, key) = (u8::from(key.algorithm()), STANDARD.encode(key.public_bytes()));
        format!(". 3600 IN DNSKEY 257 3 {algorithm} {key}\n")
    }

    /// Adds a record.
    pub(super) fn publish(&self, name: Name, data: RData) {
        let mut records = lock(&self.records);
        let set = records.entry((name, data.record_type())).or_default();
        set.push(data);
    }

    /// Says that a zone of somebody else begins here, who does not sign it.
    pub(super) fn leave_unsigned(&self, name: Name) {
        let nameserver = RData::NS(NS(name.clone()));
        self.publish(name, nameserver);
    }

    /// From now on somebody answers questions for this name, and cannot sign.
    pub(super) fn forge(&self, name: Name, data: RData) {
        lock(&self.lies).insert((name, data.record_type()), vec![data]);
    }

    /// The forger is gone.
    pub(super) fn be_honest(&self) {
        lock(&self.lies).clear();
    }

    /// The answer to a message; `None` where it is no question.
    pub(super) fn answer(&self, message: &[u8]) -> Option<Vec<u8>> {
        let asked = Message::from_vec(message).ok()?;
        if asked.metadata.message_type != MessageType::Query {
            return None;
        }
        let mut answer = Message::response(asked.metadata.id, OpCode::Query);
        answer.metadata.recursion_desired = asked.metadata.recursion_desired;
        answer.metadata.recursion_available = true;
        answer.metadata.authoritative = true;
        match asked.queries.as_slice() {
            [query] => {
                answer.add_query(query.clone());
                let filled = self.fill(&mut answer, query);
                if filled.is_err() {
                    answer.metadata.response_code = ResponseCode::ServFail;
                }
            }
            _ => answer.metadata.response_code = ResponseCode::FormErr,
        }
        let wants_signatures = asked.edns.as_ref().is_some_and(|it| it.flags().dnssec_ok);
        if let Some(mut edns) = asked.edns {
            edns.set_max_payload(PAYLOAD_MAX);
            answer.set_edns(edns);
        }
        answer.maybe_strip_dnssec_records(wants_signatures).to_vec().ok()
    }

    fn fill(&self, answer: &mut Message, query: &Query) -> Result<()> {
        // Names are compared as they are written everywhere else: in lower case.
        let name = query.name().to_lowercase();
        let key = (name.clone(), query.query_type());
        if let Some(lie) = lock(&self.lies).get(&key) {
            let forged = lie.iter().cloned();
            answer.add_answers(forged.map(|data| Record::from_rdata(name.clone(), TTL, data)));
            return Ok(());
        }
        let records = lock(&self.records);
        let found = records.get(&key);
        // Whether a zone begins here is for the zone above to say (RFC 4035 §3.1.4.1).
        if let Some(cut) = cut(&records, &name).filter(|it| key != (it.clone(), RecordType::DS)) {
            let found = found.into_iter().flatten().cloned();
            answer.add_answers(found.map(|data| Record::from_rdata(name.clone(), TTL, data)));
            if answer.answers.is_empty() {
                answer.add_authorities([Record::from_rdata(cut, TTL, RData::SOA(soa()))]);
            }
            return Ok(());
        }
        if let Some(found) = found {
            answer.add_answers(self.signed(&name, found)?);
            return Ok(());
        }
        let here = (name.clone(), RecordType::ZERO)..;
        let types = records.range(here).take_while(|it| it.0.0 == name);
        let types: Vec<_> = types.map(|(key, _)| key.1).collect();
        let denial = NSEC::new_cover_self(name.prepend_label(&b"\0"[..]).or_trouble(SIGN)?, types);
        answer.add_authorities(self.signed(&Name::root(), &[RData::SOA(soa())])?);
        let denial = RData::DNSSEC(DNSSECRData::NSEC(denial));
        answer.add_authorities(self.signed(&name, &[denial])?);
        Ok(())
    }

    /// Records of one name and type, with their signature.
    #[expect(clippy::disallowed_methods, reason = "signatures are made when they are asked for")]
    fn signed(&self, name: &Name, data: &[RData]) -> Result<Vec<Record>> {
        let Some(first) = data.first() else {
            return Ok(Vec::new());
        };
        let mut set = RecordSet::with_ttl(name.clone(), first.record_type(), TTL);
        for data in data {
            set.add_rdata(data.clone());
        }
        let since = SystemTime::now() - LENIENCE;
        let signature = RRSIG::from_rrset(&set, DNSClass::IN, since.into(), &self.signer);
        let signature = RData::DNSSEC(DNSSECRData::RRSIG(signature.or_trouble(SIGN)?));
        let mut records: Vec<_> = set.records_without_rrsigs().cloned().collect();
        records.push(Record::from_rdata(name.clone(), TTL, signature));
        Ok(records)
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Zone").finish_non_exhaustive()
    }
}

/// Where the unsigned zone begins that a name is in, if it is in one.
fn cut(records: &Records, name: &Name) -> Option<Name> {
    let ways = (1..=name.iter().count()).map(|labels| name.trim_to(labels));
    ways.into_iter().find(|it| records.contains_key(&(it.clone(), RecordType::NS)))
}

fn lock(records: &Mutex<Records>) -> MutexGuard<'_, Records> {
    records.lock().unwrap_or_else(PoisonError::into_inner)
}

fn soa() -> SOA {
    SOA::new(Name::root(), Name::root(), 1, 3600, 600, 86_400, TTL)
}

const SIGN: &str = "sign what the demo's DNS says";

/// Seconds: answers may be remembered for as long as the demo is watched, and no longer.
const TTL: u32 = 300;

/// The size of a UDP answer that crosses any network in one piece; ours are far shorter.
const PAYLOAD_MAX: u16 = 1232;

/// How long signatures hold: longer than anybody lets the demo stay.
const LIFETIME: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Signatures begin this much in the past, since clocks are never quite the same.
const LENIENCE: Duration = Duration::from_secs(60 * 60);

#[cfg(test)]
mod tests;

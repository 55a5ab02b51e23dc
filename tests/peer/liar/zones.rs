//! Zones that the liar has, and what it would say if it told the truth.

use hickory_resolver::proto::dnssec::Nsec3HashAlgorithm;
use hickory_resolver::proto::dnssec::rdata::{DNSSECRData, NSEC, NSEC3};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::rdata::tlsa::{CertUsage, Matching, Selector};
use hickory_resolver::proto::rr::rdata::{NS, SOA, TLSA};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use ligase_tests::OrFail;

use super::keys::{Keys, Seal};
use super::lies::Lie;

/// A zone.
pub(crate) struct Zone {
    pub(crate) name: Name,
    pub(crate) signing: Signing,
    records: Vec<Record>,
    pub(crate) lies: Vec<Lie>,
}

/// Whether a zone is signed, and how it denies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Signing {
    None,
    Nsec,
    /// By hashes, so many times over again.
    Nsec3(u16),
}

/// What is said to a question.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) code: ResponseCode,
    /// Whether all of it is said to be checked (AD).
    pub(crate) is_authentic: bool,
    pub(crate) answers: Vec<Record>,
    pub(crate) authorities: Vec<Record>,
}

impl Zone {
    pub(crate) fn new(name: Name, signing: Signing) -> Self {
        let (records, lies) = (Vec::new(), Vec::new());
        Self { name, signing, records, lies }
    }

    /// A name as a zone file has it: below the zone, unless it ends with a dot.
    pub(crate) fn name(&self, text: &str) -> Result<Name, String> {
        let relative = match text {
            "@" => return Ok(self.name.clone()),
            _ => Name::from_ascii(text).map_err(|error| error.to_string())?,
        };
        if text.ends_with('.') {
            return Ok(relative);
        }
        relative.append_domain(&self.name).map_err(|error| error.to_string())
    }

    /// Adds a record as a zone file has it.
    pub(crate) fn add(&mut self, name: &str, kind: &str, data: &str) -> Result<(), String> {
        let record = self.record(self.name(name)?, kind, data)?;
        self.records.push(record);
        Ok(())
    }

    pub(crate) fn record(&self, name: Name, kind: &str, data: &str) -> Result<Record, String> {
        let kind: RecordType = kind.parse().map_err(|_| format!("no such type: {kind}"))?;
        let data = if kind == RecordType::TLSA {
            tlsa(data)?
        } else {
            let (head, last) = data.rsplit_once(' ').unwrap_or(("", data));
            let has_name = matches!(kind, RecordType::SRV | RecordType::CNAME);
            let last = if has_name { self.name(last)?.to_string() } else { last.to_owned() };
            let data = format!("{head} {last}");
            RData::try_from_str(kind, data.trim()).map_err(|error| error.to_string())?
        };
        Ok(Record::from_rdata(name, TTL, data))
    }

    /// All that there is of a name and type in this zone and at the top of those below it.
    pub(crate) fn set(
        &self,
        name: &Name,
        kind: RecordType,
        below: &[Below],
        keys: &Keys,
    ) -> Vec<Record> {
        let here = self.records.iter().filter(|it| it.name == *name && it.record_type() == kind);
        let mut set: Vec<Record> = here.cloned().collect();
        let mut add = |data: RData| set.push(Record::from_rdata(name.clone(), TTL, data));
        let child = below.iter().find(|it| it.name == *name);
        if *name == self.name && kind == RecordType::SOA {
            add(RData::SOA(self.soa()));
        } else if *name == self.name && kind == RecordType::NS {
            add(RData::NS(NS(self.name.clone())));
        } else if *name == self.name && kind == RecordType::DNSKEY && self.signing != Signing::None
        {
            for key in keys.published() {
                add(RData::DNSSEC(DNSSECRData::DNSKEY(key)));
            }
        } else if kind == RecordType::DS && child.is_some_and(|it| it.is_signed) {
            add(RData::DNSSEC(DNSSECRData::DS(keys.digest(name))));
        }
        set
    }

    /// What the zone says about a name and type, signed as this says.
    pub(crate) fn tell(
        &self,
        (name, kind): (&Name, RecordType),
        below: &[Below],
        keys: &Keys,
        seal: &Seal,
    ) -> Answer {
        let mut set = self.set(name, kind, below, keys);
        if set.is_empty() {
            set = self.set(name, RecordType::CNAME, below, keys);
        }
        let (mut answers, mut authorities) = (Vec::new(), Vec::new());
        if set.is_empty() {
            let soa = RData::SOA(self.soa());
            let soa = vec![Record::from_rdata(self.name.clone(), TTL, soa)];
            authorities = self.sealed(soa, keys, seal);
            if let Some(denial) = self.denial(name, below) {
                authorities.extend(self.sealed(vec![denial], keys, seal));
            }
        } else {
            answers = self.sealed(set, keys, seal);
        }
        Answer { code: ResponseCode::NoError, is_authentic: false, answers, authorities }
    }

    /// Some records of one name and type, and their signature.
    pub(crate) fn sealed(&self, mut set: Vec<Record>, keys: &Keys, seal: &Seal) -> Vec<Record> {
        if self.signing != Signing::None {
            set.extend(keys.sign(&set, seal));
        }
        set
    }

    /// That a name, which is said to be there, has no other types than those it has (RFC 9824).
    fn denial(&self, name: &Name, below: &[Below]) -> Option<Record> {
        let mut types: Vec<RecordType> = vec![RecordType::RRSIG];
        let here = self.records.iter().filter(|it| it.name == *name);
        types.extend(here.map(Record::record_type));
        if *name == self.name {
            types.extend([RecordType::SOA, RecordType::NS, RecordType::DNSKEY]);
        }
        match below.iter().find(|it| it.name == *name) {
            Some(it) if it.is_signed => types.extend([RecordType::NS, RecordType::DS]),
            Some(_) => types.push(RecordType::NS),
            None => (),
        }
        let (owner, data) = match self.signing {
            Signing::None => return None,
            Signing::Nsec => {
                types.push(RecordType::NSEC);
                let next = name.prepend_label(&[0_u8][..]).or_fail("find the next name");
                (name.clone(), DNSSECRData::NSEC(NSEC::new(next, types)))
            }
            Signing::Nsec3(iterations) => {
                let sha1 = Nsec3HashAlgorithm::SHA1;
                let hash = sha1.hash(&[], name, iterations).or_fail("hash a name");
                let hash = hash.as_ref().to_vec();
                let owner = self.name.prepend_label(base32(&hash)).or_fail("name a hash");
                let mut next = hash;
                if let Some(last) = next.last_mut() {
                    *last = last.wrapping_add(1);
                }
                let nsec3 = NSEC3::new(sha1, false, iterations, Vec::new(), next, types);
                (owner, DNSSECRData::NSEC3(nsec3))
            }
        };
        Some(Record::from_rdata(owner, TTL, RData::DNSSEC(data)))
    }

    fn soa(&self) -> SOA {
        SOA::new(self.name.clone(), self.name.clone(), 1, 3600, 600, 86400, 5)
    }
}

/// A zone below another, as that one knows it.
pub(crate) struct Below {
    pub(crate) name: Name,
    pub(crate) is_signed: bool,
}

/// TLSA data, sound or not: three numbers, and hexadecimal digits or `-` for none.
fn tlsa(data: &str) -> Result<RData, String> {
    let parts: Vec<&str> = data.split(' ').collect();
    let [usage, selector, matching, digits] = parts[..] else {
        return Err(format!("no TLSA data: {data}"));
    };
    let number = |text: &str| text.parse::<u8>().map_err(|_| format!("no number: {text}"));
    let digits = digits.trim_matches('-');
    let byte = |at: usize| {
        let pair = digits.get(at..at + 2).ok_or("half a byte")?;
        u8::from_str_radix(pair, 16).map_err(|_| format!("no byte: {pair}"))
    };
    let bytes: Result<Vec<u8>, String> = (0..digits.len()).step_by(2).map(byte).collect();
    let (usage, selector) = (CertUsage::from(number(usage)?), Selector::from(number(selector)?));
    let matching = Matching::from(number(matching)?);
    Ok(RData::TLSA(TLSA::new(usage, selector, matching, bytes?)))
}

/// Twenty octets as a label (RFC 5155 §3.3).
fn base32(hash: &[u8]) -> String {
    let digit = |at: usize| {
        let bits = (0..5).map(|it| 5 * at + it);
        let bit = |it: usize| usize::from(hash[it / 8] >> (7 - it % 8) & 1);
        let value = bits.fold(0, |value, it| value << 1 | bit(it));
        char::from(b"0123456789abcdefghijklmnopqrstuv"[value])
    };
    (0..hash.len() * 8 / 5).map(digit).collect()
}

/// How long answers may be remembered, in seconds.
const TTL: u32 = 60;

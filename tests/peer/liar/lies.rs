//! Ways to bend what is said about one name and type.

use hickory_resolver::proto::dnssec::rdata::{DNSSECRData, RRSIG};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};

use ligase_tests::LIES;

use super::keys::{Keys, Seal, crowd, forgeries};
use super::zones::{Answer, Zone};

/// One way to bend one answer.
pub(crate) struct Lie {
    pub(crate) name: Name,
    pub(crate) kind: RecordType,
    how: How,
    /// How often it was told.
    told: usize,
}

/// What becomes of an answer.
#[derive(Debug)]
pub(crate) enum Fate {
    Said(Answer),
    /// Nothing is said.
    Lost,
    /// By UDP it is cut short, and by TCP the connection ends.
    Cut,
}

enum How {
    /// The signatures are of that time, in hours from now.
    Dated(i64, i64),
    /// The signatures are said to be of another zone.
    Signer(Name),
    /// The keys are signed by a key that nobody above knows.
    Unvouched,
    /// One bit of each signature is changed.
    Bend,
    /// The signatures are taken away.
    Strip,
    /// It is said to be checked.
    Authentic,
    /// There is nothing but this code.
    Code(ResponseCode),
    Lost,
    Cut,
    /// It is this one record instead, and nobody signs it.
    Forge(Record),
    /// Each question is answered by the next of these, and the last stays; all are signed.
    Turn(Vec<Record>),
    /// What denies names this one as where it comes from.
    Source(Name),
    /// As many keys, or signatures, that nothing tells apart.
    Crowd(u8),
}

impl Lie {
    /// Reads `HOW [ARGUMENT]` about a name and type of a zone.
    pub(crate) fn read(zone: &Zone, name: &str, kind: &str, how: &str) -> Result<Self, String> {
        let name = zone.name(name)?;
        let (word, rest) = how.split_once(' ').unwrap_or((how, ""));
        let record = |data: &str| zone.record(name.clone(), kind, data);
        if !LIES.contains(&word) {
            return Err(format!("no such lie: {word}"));
        }
        let how = match word {
            "expired" => How::Dated(-30 * 24, -1),
            "last-month" => How::Dated(-60 * 24, -30 * 24),
            "future" => How::Dated(2, 30 * 24),
            "signer" => How::Signer(zone.name(rest)?),
            "unvouched" => How::Unvouched,
            "bend" => How::Bend,
            "strip" => How::Strip,
            "authentic" => How::Authentic,
            "fails" => How::Code(ResponseCode::ServFail),
            "refused" => How::Code(ResponseCode::Refused),
            "no-name" => How::Code(ResponseCode::NXDomain),
            "empty" => How::Code(ResponseCode::NoError),
            "lost" => How::Lost,
            "cut" => How::Cut,
            "forge" => How::Forge(record(rest)?),
            "turn" => {
                let turns: Result<Vec<_>, _> = rest.split(" / ").map(record).collect();
                How::Turn(turns?)
            }
            "source" => How::Source(zone.name(rest)?),
            "crowd" => How::Crowd(rest.parse().map_err(|_| "how many?")?),
            _ => return Err(format!("no such lie: {word}")),
        };
        let kind = kind.parse().map_err(|_| format!("no such type: {kind}"))?;
        Ok(Self { name, kind, how, told: 0 })
    }

    /// How it has records signed.
    pub(crate) fn seal(&self, seal: &mut Seal) {
        match &self.how {
            How::Dated(from, to) => seal.period = (from * 3600, to * 3600),
            How::Signer(name) => seal.signer = name.clone(),
            How::Unvouched => seal.is_unvouched = true,
            How::Bend
            | How::Strip
            | How::Authentic
            | How::Code(_)
            | How::Lost
            | How::Cut
            | How::Forge(_)
            | How::Turn(_)
            | How::Source(_)
            | How::Crowd(_) => (),
        }
    }

    /// Bends an answer.
    pub(crate) fn tell(
        &mut self,
        zone: (&Name, bool),
        answer: Answer,
        keys: &Keys,
        seal: &Seal,
    ) -> Fate {
        let mut answer = answer;
        let turn = self.told;
        self.told += 1;
        match &self.how {
            How::Dated(..) | How::Signer(_) | How::Unvouched => (),
            How::Lost => return Fate::Lost,
            How::Cut => return Fate::Cut,
            How::Bend => each(&mut answer, bend),
            How::Strip => {
                answer.answers.retain(|it| it.record_type() != RecordType::RRSIG);
                answer.authorities.retain(|it| it.record_type() != RecordType::RRSIG);
            }
            How::Authentic => answer.is_authentic = true,
            How::Code(code) => {
                (answer.answers, answer.authorities) = (Vec::new(), Vec::new());
                answer.code = *code;
            }
            How::Forge(record) => {
                (answer.answers, answer.authorities) = (vec![record.clone()], Vec::new());
            }
            How::Turn(records) => {
                if let Some(record) = records.get(turn.min(records.len() - 1)) {
                    let mut record = record.clone();
                    record.ttl = 0;
                    answer.answers = vec![record];
                    let signature = keys.sign(&answer.answers, seal).filter(|_| zone.1);
                    answer.answers.extend(signature);
                    answer.authorities.clear();
                }
            }
            How::Source(name) => {
                for it in &mut answer.authorities {
                    if it.record_type() == RecordType::SOA {
                        it.name = name.clone();
                    }
                }
            }
            How::Crowd(count) => gather(&mut answer, zone.0, *count, keys, seal),
        }
        Fate::Said(answer)
    }
}

/// Puts a crowd in the place of a set's signature; among keys, they are a crowd themselves, and
/// rightly signed.
fn gather(answer: &mut Answer, zone: &Name, count: u8, keys: &Keys, seal: &Seal) {
    answer.answers.retain(|it| it.record_type() != RecordType::RRSIG);
    let Some(first) = answer.answers.first().cloned() else { return };
    if first.record_type() == RecordType::DNSKEY {
        for key in crowd(count) {
            let data = RData::DNSSEC(DNSSECRData::DNSKEY(key));
            answer.answers.push(Record::from_rdata(first.name.clone(), first.ttl, data));
        }
        answer.answers.extend(keys.sign(&answer.answers, seal));
    } else {
        answer.answers.extend(forgeries(&answer.answers, zone, count));
    }
}

fn each(answer: &mut Answer, change: impl Fn(&mut Record)) {
    answer.answers.iter_mut().chain(&mut answer.authorities).for_each(change);
}

/// Changes one bit in a signature.
fn bend(record: &mut Record) {
    let RData::DNSSEC(DNSSECRData::RRSIG(signature)) = &record.data else { return };
    let mut bits = signature.sig().to_vec();
    if let Some(bit) = bits.last_mut() {
        *bit ^= 1;
    }
    let bent = RRSIG::from_sig(signature.input().clone(), bits);
    record.data = RData::DNSSEC(DNSSECRData::RRSIG(bent));
}

//! Ways to lie about one name, its zone and its neighbors.

use hickory_resolver::proto::dnssec::rdata::DNSSECRData;
use hickory_resolver::proto::op::{Message, Query, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, CNAME, NULL};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use hickory_resolver::proto::serialize::binary::BinEncodable;
use ligase_tests::OrFail;

use crate::liar::{Fate, Source};

/// Who is lied about.
#[derive(Clone, Debug)]
pub(crate) struct Victim {
    pub(crate) name: String,
    pub(crate) kind: RecordType,
    pub(crate) zone: &'static str,
}

/// One way to lie.
#[derive(Debug)]
pub(crate) struct Lie {
    pub(crate) what: &'static str,
    /// Which answers are bent.
    about: About,
    /// Whether it changes nothing that matters, so that it is to be seen through.
    pub(crate) is_harmless: bool,
    bend: fn(&mut Message, &Victim, &Source) -> Fate,
}

/// Which answers are bent.
#[derive(Clone, Copy, Debug)]
enum About {
    /// The one to the question.
    It,
    /// The one about the zone's keys, or their digests.
    Its(RecordType),
    /// All of them.
    All,
}

impl Lie {
    const fn new(
        what: &'static str,
        about: About,
        bend: fn(&mut Message, &Victim, &Source) -> Fate,
    ) -> Self {
        Self { what, about, is_harmless: false, bend }
    }

    const fn harmless(self) -> Self {
        Self { is_harmless: true, ..self }
    }

    /// Bends an answer if it is about the victim.
    pub(crate) fn tell(
        &self,
        query: &Query,
        message: &mut Message,
        victim: &Victim,
        source: &Source,
    ) -> Fate {
        let (asked, kind) = (query.name(), query.query_type());
        let is_meant = match self.about {
            About::It => *asked == name(&victim.name) && kind == victim.kind,
            About::Its(meant) => *asked == name(victim.zone) && kind == meant,
            About::All => true,
        };
        if !is_meant {
            return Fate::Honest;
        }
        (self.bend)(message, victim, source)
    }
}

fn name(text: &str) -> Name {
    let mut name = Name::from_ascii(text).or_fail("read a name");
    name.set_fqdn(true);
    name
}

fn is_signature(record: &Record) -> bool {
    record.record_type() == RecordType::RRSIG
}

fn denies(record: &Record) -> bool {
    let mut kind = record.record_type();
    if let RData::DNSSEC(DNSSECRData::RRSIG(signature)) = &record.data {
        kind = signature.input().type_covered;
    }
    matches!(kind, RecordType::NSEC | RecordType::NSEC3)
}

/// Takes the records of another answer, whatever they are about.
fn replace(message: &mut Message, other: Message) -> Fate {
    message.answers = other.answers;
    message.authorities = other.authorities;
    message.metadata.response_code = other.metadata.response_code;
    Fate::Bent
}

/// Takes the answers of another, and says that they are about the victim.
fn rename(message: &mut Message, victim: &Victim, other: Message) -> Fate {
    message.answers = other.answers;
    for record in &mut message.answers {
        record.name = name(&victim.name);
    }
    message.metadata.response_code = ResponseCode::NoError;
    Fate::Bent
}

/// Denies everything, by the authority of another answer.
fn deny(message: &mut Message, other: Message) -> Fate {
    message.answers.clear();
    message.authorities = other.authorities;
    message.metadata.response_code = ResponseCode::NXDomain;
    Fate::Bent
}

/// A name in the victim's zone.
fn near(victim: &Victim, label: &str) -> String {
    format!("{label}.{}.", victim.zone)
}

/// All of them.
pub(crate) const ALL: [Lie; 37] = [
    Lie::new("nothing is changed", About::All, |_, _, _| Fate::Bent).harmless(),
    Lie::new("records come twice and in another order", About::It, |it, _, _| {
        let again: Vec<Record> = it.answers.iter().rev().cloned().collect();
        it.answers.extend(again);
        it.authorities.reverse();
        Fate::Bent
    })
    .harmless(),
    Lie::new("unsigned records of others are added", About::It, |it, _, _| {
        let forged = RData::A(A::new(192, 0, 2, 66));
        it.answers.push(Record::from_rdata(name("bank.lab."), 60, forged.clone()));
        it.additionals.push(Record::from_rdata(name("xmpp.p256.lab."), 60, forged));
        Fate::Bent
    })
    .harmless(),
    Lie::new("what is there is said not to be", About::It, |it, _, _| {
        it.metadata.response_code = match it.metadata.response_code == ResponseCode::NXDomain {
            true => ResponseCode::NoError,
            false => ResponseCode::NXDomain,
        };
        Fate::Bent
    })
    .harmless(),
    Lie::new("TTLs are a year", About::All, |it, _, _| {
        it.answers.iter_mut().chain(&mut it.authorities).for_each(|it| it.ttl = 31_536_000);
        Fate::Bent
    })
    .harmless(),
    Lie::new("signatures are stripped", About::It, |it, _, _| {
        it.answers.retain(|it| !is_signature(it));
        it.authorities.retain(|it| !is_signature(it));
        Fate::Bent
    }),
    Lie::new("all signatures everywhere are stripped", About::All, |it, _, _| {
        it.answers.retain(|it| !is_signature(it));
        it.authorities.retain(|it| !is_signature(it));
        Fate::Bent
    }),
    Lie::new("signatures are stripped, AD is set", About::All, |it, _, _| {
        it.answers.retain(|it| !is_signature(it));
        it.authorities.retain(|it| !is_signature(it));
        it.metadata.authentic_data = true;
        Fate::Bent
    }),
    Lie::new("what denies is dropped", About::It, |it, _, _| {
        it.authorities.retain(|it| !denies(it));
        Fate::Bent
    }),
    Lie::new("there is nothing at all", About::It, |it, _, _| {
        it.answers.clear();
        it.authorities.clear();
        it.metadata.response_code = ResponseCode::NoError;
        Fate::Bent
    }),
    Lie::new("there is nothing, says an unsigned zone", About::It, |it, _, source| {
        deny(it, source.tell("nope.unsigned.lab.", RecordType::A))
    }),
    Lie::new("there is nothing, says the root to another", About::It, |it, _, source| {
        deny(it, source.tell("nope.", RecordType::A))
    }),
    Lie::new("there is nothing, as with a name nearby", About::It, |it, victim, source| {
        deny(it, source.tell(&near(victim, "a"), RecordType::A))
    }),
    Lie::new("there is nothing, as with one that is last", About::It, |it, victim, source| {
        deny(it, source.tell(&near(victim, "zzzz"), RecordType::A))
    }),
    Lie::new("there is nothing, as with another type", About::It, |it, victim, source| {
        deny(it, source.tell(&near(victim, "v4"), RecordType::AAAA))
    }),
    Lie::new("there is nothing, as in another signed zone", About::It, |it, _, source| {
        deny(it, source.tell("nope.ed.lab.", RecordType::A))
    }),
    Lie::new("there is nothing, says the zone above", About::It, |it, _, source| {
        deny(it, source.tell("nope.lab.", RecordType::A))
    }),
    Lie::new("there is nothing, as with an unsigned child", About::It, |it, victim, source| {
        deny(it, source.tell(&near(victim, "sub"), RecordType::DS))
    }),
    Lie::new("the records are another name's", About::It, |it, victim, source| {
        replace(it, source.tell(&near(victim, "_5270._tcp.xmpp"), victim.kind))
    }),
    Lie::new("the records are another name's, renamed", About::It, |it, victim, source| {
        rename(it, victim, source.tell(&near(victim, "_5270._tcp.xmpp"), RecordType::TLSA))
    }),
    Lie::new("the records are another zone's, renamed", About::It, |it, victim, source| {
        let other = victim.name.replace(victim.zone, "ed.lab");
        rename(it, victim, source.tell(&other, victim.kind))
    }),
    Lie::new("the records are a wildcard's", About::It, |it, victim, source| {
        let other = source.tell(&near(victim, "z.wild"), RecordType::A);
        it.authorities.clone_from(&other.authorities);
        rename(it, victim, other)
    }),
    Lie::new("the records are changed", About::It, |it, victim, _| {
        let forged = RData::A(A::new(192, 0, 2, 66));
        it.answers.retain(|it| it.record_type() != victim.kind);
        it.answers.push(Record::from_rdata(name(&victim.name), 60, forged));
        Fate::Bent
    }),
    Lie::new("one record is added", About::It, |it, victim, _| {
        // As TLSA of usage 0 as well as as SRV of a host named a.
        let rdata = NULL::with(vec![0, 1, 0, 1, 20, 149, 1, 97, 0]);
        let data = match victim.kind == RecordType::A {
            true => RData::A(A::new(192, 0, 2, 66)),
            false => RData::Unknown { code: victim.kind, rdata },
        };
        it.answers.push(Record::from_rdata(name(&victim.name), 60, data));
        it.metadata.response_code = ResponseCode::NoError;
        Fate::Bent
    }),
    Lie::new("it is an alias of an unsigned name", About::It, |it, victim, _| {
        let alias = RData::CNAME(CNAME(name("xmpp.unsigned.lab.")));
        it.answers = vec![Record::from_rdata(name(&victim.name), 60, alias)];
        Fate::Bent
    }),
    Lie::new("it is another name's signed alias", About::It, |it, victim, source| {
        rename(it, victim, source.tell(&near(victim, "c-out"), RecordType::CNAME))
    }),
    Lie::new("it is a wildcard's signed alias", About::It, |it, victim, source| {
        let other = source.tell(&near(victim, "z.w-cname-out"), RecordType::CNAME);
        it.authorities.clone_from(&other.authorities);
        rename(it, victim, other)
    }),
    Lie::new("its zone is an alias of an unsigned one", About::It, |it, victim, _| {
        let target = name("unsigned.lab.").to_bytes().or_fail("write a name");
        let data = RData::Unknown { code: RecordType::DNAME, rdata: NULL::with(target) };
        it.answers = vec![Record::from_rdata(name(victim.zone), 60, data)];
        Fate::Bent
    }),
    Lie::new("digests: none, without proof", About::Its(RecordType::DS), |it, _, _| {
        it.answers.clear();
        it.authorities.clear();
        Fate::Bent
    }),
    Lie::new(
        "digests: none, says an unsigned zone",
        About::Its(RecordType::DS),
        |it, _, source| deny(it, source.tell("nope.unsigned.lab.", RecordType::A)),
    ),
    Lie::new("digests: none, as with another zone", About::Its(RecordType::DS), |it, _, source| {
        deny(it, source.tell("unsigned.lab.", RecordType::DS))
    }),
    Lie::new("digests: none, as below opt-out", About::Its(RecordType::DS), |it, _, source| {
        deny(it, source.tell("unsigned.opt.", RecordType::DS))
    }),
    Lie::new("digests: none, says the zone itself", About::Its(RecordType::DS), |it, victim, s| {
        deny(it, s.tell(&format!("{}.", victim.zone), RecordType::AAAA))
    }),
    Lie::new("digests: the server fails", About::Its(RecordType::DS), |it, _, _| {
        it.answers.clear();
        it.authorities.clear();
        it.metadata.response_code = ResponseCode::ServFail;
        Fate::Bent
    }),
    Lie::new("keys: another zone's, renamed", About::Its(RecordType::DNSKEY), |it, v, source| {
        let zone = Victim { name: v.zone.to_owned(), ..v.clone() };
        rename(it, &zone, source.tell("ed.lab.", RecordType::DNSKEY))
    }),
    Lie::new("keys: the server fails", About::Its(RecordType::DNSKEY), |it, _, _| {
        it.answers.clear();
        it.metadata.response_code = ResponseCode::ServFail;
        Fate::Bent
    }),
    Lie::new("keys: lost", About::Its(RecordType::DNSKEY), |_, _, _| Fate::Lost),
];

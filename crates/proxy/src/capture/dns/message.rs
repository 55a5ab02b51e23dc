//! DNS messages on the wire (RFC 1035 §4): as much of them as one question needs.

use std::net::IpAddr;

/// A query with one question, read as far as we must.
#[derive(Debug)]
pub(super) struct Query<'a> {
    message: &'a [u8],
    /// Where the question ends.
    end: usize,
    /// Where each label of the name begins, with its length octet.
    labels: Vec<usize>,
    edns: Option<Edns>,
}

/// What the asker says about itself in its OPT record (RFC 6891 §6.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Edns {
    payload_max: u16,
    dnssec_ok: bool,
}

/// What to do with a message that is no query we understand.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Unread {
    /// Nothing: it is no query at all, and an answer might be answered in turn.
    Silent,
    /// Say so.
    Refuse(Vec<u8>),
}

/// What a query comes to that we answer ourselves.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Outcome {
    /// The service is at this address and port.
    Service {
        /// Written as the target's name.
        address: IpAddr,
        port: u16,
    },
    /// The name has no records of this type.
    NoData,
    /// Something else is wrong.
    Fail(Rcode),
}

/// Response codes (RFC 1035 §4.1.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub(super) enum Rcode {
    NoError = 0,
    FormatError = 1,
    ServerFailure = 2,
    NameError = 3,
    NotImplemented = 4,
    Refused = 5,
}

impl<'a> Query<'a> {
    /// Reads the header, the one question and the OPT record, if there is one.
    ///
    /// Everything is bounds-checked; names are not decompressed, because nothing stands before
    /// the question that a pointer in it could point to.
    pub(super) fn read(message: &'a [u8]) -> Result<Self, Unread> {
        if message.len() < HEADER || message[2] & RESPONSE != 0 {
            return Err(Unread::Silent);
        }
        let refuse = |rcode| Unread::Refuse(header(message, rcode, [0; 4]));
        if message[2] & OPCODE != 0 {
            return Err(refuse(Rcode::NotImplemented));
        }
        if u16_at(message, 4) != Some(1) {
            return Err(refuse(Rcode::FormatError));
        }
        let (labels, end) = name(message).ok_or_else(|| refuse(Rcode::FormatError))?;
        let end = end + 4;
        if message.len() < end {
            return Err(refuse(Rcode::FormatError));
        }
        Ok(Self { message, end, labels, edns: edns(message, end) })
    }

    /// The message as it came.
    pub(super) fn message(&self) -> &[u8] {
        self.message
    }

    /// The labels of the name, in lower case.
    pub(super) fn labels(&self) -> Vec<Vec<u8>> {
        let label = |at: &usize| {
            let length = usize::from(self.message[*at]);
            self.message[at + 1..at + 1 + length].to_ascii_lowercase()
        };
        self.labels.iter().map(label).collect()
    }

    /// The type asked for.
    pub(super) fn kind(&self) -> u16 {
        u16_at(self.message, self.end - 4).unwrap_or(0)
    }

    /// The class asked for.
    pub(super) fn class(&self) -> u16 {
        u16_at(self.message, self.end - 2).unwrap_or(0)
    }

    /// How long an answer over UDP the asker can take (RFC 6891 §6.2.3).
    pub(super) fn payload_max(&self) -> usize {
        let said = self.edns.map_or(0, |edns| edns.payload_max);
        usize::from(said.max(PLAIN_PAYLOAD_MAX))
    }

    /// An answer of others as it may go out over UDP: whole if it is no longer than the asker can
    /// take and than what passes without fragments, whatever the asker says; else the question
    /// alone, marked as cut, so that it is asked again over TCP. Whoever forges where a query is
    /// from gains little by it, whatever we are answered.
    pub(super) fn fit(&self, answer: Vec<u8>) -> Vec<u8> {
        let fits = answer.len() <= self.payload_max().min(OUR_PAYLOAD_MAX.into());
        let Some(&[id, number, flags, codes]) = answer.first_chunk().filter(|_| !fits) else {
            return answer;
        };
        let mut out = Vec::with_capacity(ANSWER_USUAL);
        out.extend_from_slice(&[id, number, flags | TRUNCATED, codes]);
        out.extend_from_slice(&[0, 1, 0, 0, 0, 0, 0, u8::from(self.edns.is_some())]);
        out.extend_from_slice(&self.message[HEADER..self.end]);
        if let Some(edns) = self.edns {
            opt(&mut out, edns.dnssec_ok);
        }
        out
    }

    /// Whether an answer with this number is one to this question.
    ///
    /// Failures may leave the question out; some servers then do.
    pub(super) fn is_answered_by(&self, answer: &[u8], id: [u8; 2]) -> bool {
        let (Some(flags), Some(rcode)) = (answer.get(2), rcode(answer)) else {
            return false;
        };
        if answer.len() < HEADER || answer[..2] != id || flags & RESPONSE == 0 {
            return false;
        }
        match u16_at(answer, 4) {
            Some(1) => answer
                .get(HEADER..self.end)
                .is_some_and(|it| it.eq_ignore_ascii_case(&self.message[HEADER..self.end])),
            Some(0) => rcode != Rcode::NoError as u8 && rcode != Rcode::NameError as u8,
            _ => false,
        }
    }

    /// Our own answer.
    pub(super) fn answer(&self, outcome: &Outcome) -> Vec<u8> {
        let (rcode, answers, authorities) = match outcome {
            Outcome::Service { .. } => (Rcode::NoError, 1, 0),
            Outcome::NoData => (Rcode::NoError, 0, 1),
            Outcome::Fail(rcode) => (*rcode, 0, 0),
        };
        let additional = u16::from(self.edns.is_some());
        let counts = [1, answers, authorities, additional];
        let mut out = header(self.message, rcode, counts);
        out.extend_from_slice(&self.message[HEADER..self.end]);
        match outcome {
            Outcome::Service { address, port } => service(&mut out, *address, *port),
            Outcome::NoData => self.authority(&mut out),
            Outcome::Fail(_) => (),
        }
        if let Some(edns) = self.edns {
            opt(&mut out, edns.dnssec_ok);
        }
        out
    }

    /// Says for how long there is nothing to be found (RFC 2308 §3): a negative answer without an
    /// SOA record is asked for again at once by some and cached at will by others.
    fn authority(&self, out: &mut Vec<u8>) {
        // The domain that the service was asked for, without the two labels before it.
        let owner = self.labels.get(2).copied().unwrap_or(HEADER);
        let owner = POINTER | u16::try_from(owner).unwrap_or(0);
        record(out, owner, SOA, |out| {
            // Nobody to ask and nobody to write to.
            out.extend_from_slice(&[0, 0]);
            // Serial, refresh, retry, expire, minimum.
            for number in [1, TTL, TTL, TTL, TTL] {
                out.extend_from_slice(&number.to_be_bytes());
            }
        });
    }
}

/// The response code of a message.
pub(super) fn rcode(message: &[u8]) -> Option<u8> {
    message.get(3).map(|flags| flags & RCODE)
}

/// Whether an answer was cut to fit.
pub(super) fn is_truncated(message: &[u8]) -> bool {
    message.get(2).is_some_and(|flags| flags & TRUNCATED != 0)
}

/// The header of an answer to this message, with its number and what it wished for.
fn header(message: &[u8], rcode: Rcode, counts: [u16; 4]) -> Vec<u8> {
    let mut out = Vec::with_capacity(ANSWER_USUAL);
    out.extend_from_slice(&message[..2]);
    out.push(RESPONSE | message[2] & (OPCODE | RECURSION_DESIRED));
    out.push(RECURSION_AVAILABLE | message[3] & CHECKING_DISABLED | rcode as u8);
    for count in counts {
        out.extend_from_slice(&count.to_be_bytes());
    }
    out
}

/// Where the labels of the question's name begin, and where it ends.
fn name(message: &[u8]) -> Option<(Vec<usize>, usize)> {
    let mut labels = Vec::new();
    let mut at = HEADER;
    loop {
        match message.get(at)? {
            0 if at + 1 - HEADER <= NAME_MAX => return Some((labels, at + 1)),
            length @ 1..=LABEL_MAX => {
                labels.push(at);
                at += 1 + usize::from(*length);
            }
            _ => return None,
        }
        if HEADER + NAME_MAX < at || message.len() < at {
            return None;
        }
    }
}

/// The OPT record among what follows the question; `None` if there is none to be found.
fn edns(message: &[u8], end: usize) -> Option<Edns> {
    let count = |at| u16_at(message, at).map(usize::from);
    let records = count(6)? + count(8)? + count(10)?;
    let mut at = end;
    for _ in 0..records.min(RECORDS_MAX) {
        let start = skip_name(message, at)?;
        let kind = u16_at(message, start)?;
        if kind == OPT && message.get(at) == Some(&0) {
            return Some(Edns {
                payload_max: u16_at(message, start + 2)?,
                dnssec_ok: message.get(start + 6)? & DNSSEC_OK != 0,
            });
        }
        at = start + 10 + usize::from(u16_at(message, start + 8)?);
    }
    None
}

/// Where the name that begins here ends, compressed or not. Goes only forward.
fn skip_name(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match message.get(at)? {
            0 => return Some(at + 1),
            length @ 1..=LABEL_MAX => at += 1 + usize::from(*length),
            0xc0..=0xff => return Some(at + 2),
            _ => return None,
        }
    }
}

fn u16_at(message: &[u8], at: usize) -> Option<u16> {
    let bytes = message.get(at..)?.first_chunk()?;
    Some(u16::from_be_bytes(*bytes))
}

/// An SRV record (RFC 2782) whose target is an address, written as if it were a name.
fn service(out: &mut Vec<u8>, address: IpAddr, port: u16) {
    record(out, POINTER | HEADER as u16, SRV, |out| {
        // Priority and weight: there is only this one.
        out.extend_from_slice(&[0, 0, 0, 0]);
        out.extend_from_slice(&port.to_be_bytes());
        let text = address.to_string();
        for label in text.split('.') {
            // The longest is an IPv6 address, of 39 octets.
            out.push(label.len() as u8);
            out.extend_from_slice(label.as_bytes());
        }
        out.push(0);
    });
}

fn record(out: &mut Vec<u8>, owner: u16, kind: u16, data: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(&owner.to_be_bytes());
    out.extend_from_slice(&kind.to_be_bytes());
    out.extend_from_slice(&INTERNET.to_be_bytes());
    out.extend_from_slice(&TTL.to_be_bytes());
    let length = out.len();
    out.extend_from_slice(&[0, 0]);
    data(out);
    let written = (out.len() - length - 2) as u16;
    out[length..length + 2].copy_from_slice(&written.to_be_bytes());
}

/// Our own OPT record (RFC 6891 §6.1.2), without options.
fn opt(out: &mut Vec<u8>, dnssec_ok: bool) {
    out.push(0);
    out.extend_from_slice(&OPT.to_be_bytes());
    out.extend_from_slice(&OUR_PAYLOAD_MAX.to_be_bytes());
    let flags = if dnssec_ok { DNSSEC_OK } else { 0 };
    out.extend_from_slice(&[0, 0, flags, 0, 0, 0]);
}

const HEADER: usize = 12;
/// RFC 1035 §2.3.4, with the root's octet.
const NAME_MAX: usize = 255;
const LABEL_MAX: u8 = 63;

/// Bits of the third and fourth octets of a header (RFC 1035 §4.1.1, RFC 4035 §3.1.6).
const RESPONSE: u8 = 0x80;
const OPCODE: u8 = 0x78;
const TRUNCATED: u8 = 0x02;
const RECURSION_DESIRED: u8 = 0x01;
const RECURSION_AVAILABLE: u8 = 0x80;
const CHECKING_DISABLED: u8 = 0x10;
const RCODE: u8 = 0x0f;

/// The first octet of an OPT record's flags (RFC 3225 §3).
const DNSSEC_OK: u8 = 0x80;

/// What makes two octets a pointer (RFC 1035 §4.1.4).
const POINTER: u16 = 0xc000;

/// Types and classes.
pub(super) const SRV: u16 = 33;
pub(super) const IXFR: u16 = 251;
pub(super) const AXFR: u16 = 252;
pub(super) const INTERNET: u16 = 1;
const SOA: u16 = 6;
const OPT: u16 = 41;

/// What a server can take that does not say (RFC 1035 §4.2.1).
const PLAIN_PAYLOAD_MAX: u16 = 512;

/// What passes without fragments nearly everywhere (DNS flag day 2020, RFC 6891 §6.2.5).
const OUR_PAYLOAD_MAX: u16 = 1232;

/// A query has one record beside its question, seldom two.
const RECORDS_MAX: usize = 8;

/// Seconds for which our answers may be kept: they only change when we are configured anew.
const TTL: u32 = 60;

/// Room for an answer with the longest of names.
const ANSWER_USUAL: usize = 384;

#[cfg(test)]
pub(super) mod tests;

use hickory_resolver::proto::op::Message;
use hickory_resolver::proto::rr::RecordType;

use super::*;

/// A query for this name and type, with an OPT record if a payload size is given.
pub(in crate::capture::dns) fn query(name: &str, kind: u16, payload: Option<u16>) -> Vec<u8> {
    let additional = u8::from(payload.is_some());
    let mut out = vec![0xab, 0xcd, RECURSION_DESIRED, CHECKING_DISABLED];
    out.extend_from_slice(&[0, 1, 0, 0, 0, 0, 0, additional]);
    for label in name.split('.').filter(|it| !it.is_empty()) {
        out.push(label.len().try_into().unwrap());
        out.extend_from_slice(label.as_bytes());
    }
    out.push(0);
    out.extend_from_slice(&kind.to_be_bytes());
    out.extend_from_slice(&INTERNET.to_be_bytes());
    if let Some(payload) = payload {
        out.extend_from_slice(&[0, 0, 41]);
        out.extend_from_slice(&payload.to_be_bytes());
        out.extend_from_slice(&[0, 0, DNSSEC_OK, 0, 0, 0]);
    }
    out
}

/// What somebody else reads in our answer.
fn read(answer: &[u8]) -> Message {
    Message::from_vec(answer).unwrap()
}

#[test]
fn a_query_is_read() {
    let bytes = query("_XMPP-Server._tcp.Capulet.example", SRV, Some(1400));
    let read = Query::read(&bytes).unwrap();
    let labels = read.labels().into_iter().flat_map(String::from_utf8);
    let labels: Vec<_> = labels.collect();
    assert_eq!(labels, ["_xmpp-server", "_tcp", "capulet", "example"]);
    assert_eq!((read.kind(), read.class()), (SRV, INTERNET));
    assert_eq!(read.payload_max(), 1400);

    let bytes = query(".", SRV, None);
    let read = Query::read(&bytes).unwrap();
    assert!(read.labels().is_empty());
    assert_eq!(read.payload_max(), 512);
}

#[test]
fn a_service_is_answered_with_an_address_for_a_name() {
    for (address, expect) in [("127.0.0.1", "127.0.0.1."), ("::1", r"\:\:1.")] {
        let bytes = query("_xmpp-server._tcp.capulet.example", SRV, Some(1232));
        let outcome = Outcome::Service { address: address.parse().unwrap(), port: 7270 };
        let answer = read(&Query::read(&bytes).unwrap().answer(&outcome));
        let [record] = answer.answers.as_slice() else {
            panic!("{answer:?}");
        };
        assert_eq!(record.name.to_string(), "_xmpp-server._tcp.capulet.example.");
        assert_eq!(record.ttl, TTL);
        assert_eq!(record.data.to_string(), format!("0 0 7270 {expect}"));
        assert!(answer.authorities.is_empty());
    }
}

#[test]
fn nothing_is_answered_with_how_long_there_will_be_nothing() {
    let bytes = query("_xmpps-server._tcp.capulet.example", SRV, None);
    let query = Query::read(&bytes).unwrap();
    let answer = read(&query.answer(&Outcome::NoData));
    assert_eq!(answer.metadata.response_code.low(), 0);
    assert!(answer.answers.is_empty());
    let [record] = answer.authorities.as_slice() else {
        panic!("{answer:?}");
    };
    assert_eq!(record.record_type(), RecordType::SOA);
    assert_eq!(record.name.to_string(), "capulet.example.");
    assert_eq!(record.data.to_string(), ". . 1 60 60 60 60");
    assert!(answer.edns.is_none());
}

#[test]
fn an_answer_returns_what_the_query_brought() {
    let bytes = query("_Xmpps-Server._tcp.capulet.example", SRV, Some(4000));
    let bytes_answered = Query::read(&bytes).unwrap().answer(&Outcome::NoData);
    // The question in its own spelling, which some compare.
    assert!(bytes_answered.windows(13).any(|it| it == b"_Xmpps-Server"));
    let answer = read(&bytes_answered);
    assert_eq!(answer.metadata.id, 0xabcd);
    assert!(answer.metadata.recursion_desired && answer.metadata.recursion_available);
    assert!(answer.metadata.checking_disabled && !answer.metadata.authentic_data);
    assert!(!answer.metadata.authoritative && !answer.metadata.truncation);
    let edns = answer.edns.unwrap();
    assert!(edns.flags().dnssec_ok);
    assert_eq!((edns.max_payload(), edns.version()), (OUR_PAYLOAD_MAX, 0));
}

/// What becomes of this message, changed so at this place.
#[track_caller]
fn check_unread(at: usize, byte: u8, expect: Option<Rcode>) {
    let mut bytes = query("a.example", SRV, None);
    bytes[at] = byte;
    let found = match Query::read(&bytes).unwrap_err() {
        Unread::Silent => None,
        Unread::Refuse(answer) => {
            assert_eq!(answer.len(), HEADER);
            assert_eq!(answer[..2], bytes[..2]);
            rcode(&answer)
        }
    };
    assert_eq!(found, expect.map(|it| it as u8));
}

#[test]
fn what_is_no_query_gets_no_answer_and_what_is_none_of_ours_a_short_one() {
    check_unread(2, RESPONSE, None);
    check_unread(2, 5 << 3, Some(Rcode::NotImplemented));
    check_unread(5, 0, Some(Rcode::FormatError));
    check_unread(5, 2, Some(Rcode::FormatError));
    // A label that is too long, a pointer, a label of a kind that was never made.
    check_unread(12, 64, Some(Rcode::FormatError));
    check_unread(12, 0xc0, Some(Rcode::FormatError));
    check_unread(12, 0x40, Some(Rcode::FormatError));
    check_unread(12, 60, Some(Rcode::FormatError));
    let bytes = query("a.example", SRV, None);
    for length in 0..HEADER {
        assert_eq!(Query::read(&bytes[..length]).unwrap_err(), Unread::Silent);
    }
    for length in HEADER..bytes.len() {
        let cut = Query::read(&bytes[..length]);
        assert!(matches!(cut, Err(Unread::Refuse(_))), "{length}");
    }
}

#[test]
fn a_name_has_no_more_than_255_octets() {
    let label = "a".repeat(63);
    let longest = format!("{label}.{label}.{label}.{}", "a".repeat(61));
    let bytes = query(&longest, SRV, None);
    let answer = Query::read(&bytes).unwrap().answer(&Outcome::NoData);
    assert!(answer.len() <= 512);
    let longer = query(&format!("{longest}a"), SRV, None);
    assert!(Query::read(&longer).is_err());
}

/// Whether an answer of this length fits by UDP into what an asker that says so can take.
#[track_caller]
fn check_fit(payload: Option<u16>, length: usize, fits: bool) {
    let bytes = query("long.capulet.example", 16, payload);
    let query = Query::read(&bytes).unwrap();
    let mut whole = query.answer(&Outcome::Fail(Rcode::NameError));
    whole.resize(length, 0);
    let found = query.fit(whole.clone());
    if fits {
        assert_eq!(found, whole, "{payload:?} {length}");
        return;
    }
    let answer = read(&found);
    assert!(answer.metadata.truncation, "{payload:?} {length}");
    assert_eq!(found[..2], whole[..2]);
    assert_eq!(rcode(&found), Some(Rcode::NameError as u8));
    assert_eq!(found[HEADER..query.end], bytes[HEADER..query.end]);
    assert!(answer.answers.is_empty() && answer.authorities.is_empty());
    assert_eq!(answer.edns.is_some(), payload.is_some());
    assert!(query.is_answered_by(&found, [0xab, 0xcd]));
}

#[test]
fn no_datagram_is_longer_than_its_asker_can_take_or_than_passes_whole() {
    for (payload, length_max) in [
        (None, 512),
        (Some(0), 512),
        (Some(511), 512),
        (Some(700), 700),
        (Some(1232), 1232),
        (Some(4096), 1232),
        (Some(u16::MAX), 1232),
    ] {
        check_fit(payload, length_max, true);
        check_fit(payload, length_max + 1, false);
        check_fit(payload, usize::from(u16::MAX), false);
    }
}

#[test]
fn only_the_answer_to_this_question_is_one() {
    let bytes = query("a.example", SRV, None);
    let query = Query::read(&bytes).unwrap();
    let id = [7, 7];
    let mut right = query.answer(&Outcome::NoData);
    right[..2].copy_from_slice(&id);
    let changed = |at: usize, byte: u8| {
        let mut answer = right.clone();
        answer[at] = byte;
        query.is_answered_by(&answer, id)
    };
    assert!(query.is_answered_by(&right, id));
    assert!(changed(13, b'A'), "case is no matter");
    assert!(!changed(13, b'b'));
    assert!(!changed(0, 8), "another number");
    assert!(!changed(2, 0), "a query");
    assert!(!changed(5, 0), "no question, yet no failure");
    assert!(!changed(24, 34), "another type");
    assert!(!query.is_answered_by(&right[..20], id));
    assert!(!query.is_answered_by(&[], id));
    let refused = [7, 7, RESPONSE, 5, 0, 0, 0, 0, 0, 0, 0, 0];
    assert!(query.is_answered_by(&refused, id));
}

/// Numbers that look random and are the same each time (xorshift).
pub(in crate::capture::dns) fn noise() -> impl FnMut(usize) -> usize {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap() % below
    }
}

#[test]
fn no_garbage_is_too_much() {
    let mut noise = noise();
    let whole = query("_xmpp-server._tcp.capulet.example", SRV, Some(1232));
    let mut read = 0;
    for _ in 0..200_000 {
        let mut bytes = whole.clone();
        for _ in 0..=noise(4) {
            let at = noise(bytes.len());
            bytes[at] = noise(256).try_into().unwrap();
        }
        bytes.truncate(noise(2 * bytes.len()));
        let Ok(query) = Query::read(&bytes) else {
            continue;
        };
        read += 1;
        for outcome in [Outcome::NoData, Outcome::Fail(Rcode::Refused)] {
            let answer = query.answer(&outcome);
            assert_eq!(answer[..2], bytes[..2]);
            assert!(query.is_answered_by(&answer, [bytes[0], bytes[1]]));
        }
    }
    assert!(10_000 < read, "only {read} were read");
}

use super::*;
use crate::tests::{element, pair};

fn read(text: &str) -> Result<Option<Dialback>, StreamError> {
    Dialback::read(&element(text))
}

fn id(text: &str) -> StreamId {
    StreamId(text.into())
}

fn keys() -> Keys {
    Keys::new(&[b"s3cr3tf0rd14lb4ck".to_vec()])
}

const XMPP_KEY: &str = "37c69b1cf07a3f67c04a5ef5902fa5114f2c76fe4a2686482ba5b89323075643";
const VERONA_KEY: &str = "b4835385f37fe2895af6c196b59097b16862406db80559900d96bf6fa7d23df3";

#[test]
fn keys_are_those_of_xep_0185() {
    let id = id("D60000229F");
    for (originating, receiving, key) in [
        ("example.org", "xmpp.example.com", XMPP_KEY),
        ("capulet.example", "montague.example", VERONA_KEY),
    ] {
        let pair = pair(originating, receiving);
        assert_eq!(keys().make(&pair, &id), key);
        assert!(keys().is_ours(&pair, &id, key));
    }
}

/// B04, CVE-2016-0756.
#[test]
fn a_key_is_good_for_its_own_pair_and_stream_only() {
    let ours = pair("capulet.example", "montague.example");
    let stream = id("D60000229F");
    let check = |pair: &DomainPair, stream: &str, key: &str| {
        assert!(!keys().is_ours(pair, &id(stream), key), "{pair} {stream} {key}");
    };
    check(&ours.reversed(), "D60000229F", VERONA_KEY);
    check(&pair("apulet.example", "montague.example"), "D60000229F", VERONA_KEY);
    check(&ours, "d60000229f", VERONA_KEY);
    check(&ours, "D60000229", VERONA_KEY);
    check(&ours, "", VERONA_KEY);
    check(&ours, "D60000229F", &VERONA_KEY.to_uppercase());
    check(&ours, "D60000229F", &VERONA_KEY[..63]);
    check(&ours, "D60000229F", &format!("{VERONA_KEY}0"));
    check(&ours, "D60000229F", &format!(" {VERONA_KEY}"));
    check(&ours, "D60000229F", "");
    // The id may hold what separates it from the names; the names may not.
    let shifted = pair("example", "montague.example");
    check(&shifted, "capulet.example D60000229F", VERONA_KEY);
    assert!(keys().is_ours(&ours, &stream, VERONA_KEY));
}

#[test]
fn former_secrets_are_still_known_but_make_no_keys() {
    let (new, old) = (b"new".to_vec(), b"s3cr3tf0rd14lb4ck".to_vec());
    let both = Keys::new(&[new.clone(), old]);
    let (pair, id) = (pair("capulet.example", "montague.example"), id("D60000229F"));
    assert!(both.is_ours(&pair, &id, VERONA_KEY));
    let made = both.make(&pair, &id);
    assert_ne!(made, VERONA_KEY);
    assert!(both.is_ours(&pair, &id, &made));
    assert_eq!(made, Keys::new(std::slice::from_ref(&new)).make(&pair, &id));
    assert!(!Keys::new(&[new]).is_ours(&pair, &id, VERONA_KEY));
}

#[test]
fn a_secret_that_is_listed_twice_is_as_good_as_once() {
    let secret = b"s3cr3tf0rd14lb4ck".to_vec();
    let pair = pair("capulet.example", "montague.example");
    for times in 1..4 {
        let keys = Keys::new(&vec![secret.clone(); times]);
        assert!(keys.is_ours(&pair, &id("D60000229F"), VERONA_KEY), "{times}");
    }
}

#[test]
fn keys_tell_nothing_about_themselves() {
    assert_eq!(format!("{:?}", keys()), "Keys");
}

#[test]
fn without_a_secret_no_key_is_good() {
    let (pair, id) = (pair("capulet.example", "montague.example"), id("D60000229F"));
    let none = Keys::new(&[]);
    assert!(!none.is_ours(&pair, &id, &none.make(&pair, &id)));
}

#[test]
fn elements_are_read_as_they_are_meant() {
    let pair = pair("sender.tld", "target.tld");
    let result = |word| Dialback { part: Part::Result, pair: pair.clone(), word };
    let verify = |word| Dialback { part: Part::Verify(id("S1")), pair: pair.clone(), word };
    let key = || Word::Request("00ff".into());
    let error = |name: &str| {
        format!(
            "<db:result from='sender.tld' to='target.tld' type='error'><error type='cancel'>\
             <{name} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></db:result>"
        )
    };
    let address = "from='sender.tld' to='target.tld'";
    for (text, expect) in [
        (format!("<db:result {address}>00ff</db:result>"), result(key())),
        (format!("<db:result {address}>\n\t 00ff \r\n</db:result>"), result(key())),
        (format!("<db:result {address}>00<x/>ff</db:result>"), result(key())),
        (format!("<db:result {address}><![CDATA[00]]>f&#102;</db:result>"), result(key())),
        // The key-less form of the draft.
        (format!("<db:result {address}/>"), result(Word::Request(String::new()))),
        (format!("<db:result {address}>  </db:result>"), result(Word::Request(String::new()))),
        (format!("<db:result {address} type='valid'/>"), result(Word::Valid)),
        // Prosody echoes the id and the key.
        (format!("<db:result {address} type='valid' id='S'>00ff</db:result>"), result(Word::Valid)),
        (format!("<db:result {address} type='invalid'/>"), result(Word::Invalid)),
        (format!("<db:result {address} type='VALID'/>"), result(Word::Unknown)),
        (format!("<db:result {address} type=''/>"), result(Word::Unknown)),
        (format!("<db:result {address} type='valid '/>"), result(Word::Unknown)),
        (format!("<db:result {address} type='error'/>"), result(Word::Error(None))),
        (error("item-not-found"), result(Word::Error(Some(DialbackError::ItemNotFound)))),
        // ejabberd.
        (error("not-allowed"), result(Word::Error(Some(DialbackError::NotAllowed)))),
        // XEP-0220 §2.5 lists this one, which is no stanza error.
        (error("remote-connection-failed"), result(Word::Error(None))),
        (format!("<db:verify {address} id='S1'>00ff</db:verify>"), verify(key())),
        (format!("<db:verify {address} id='S1' type='valid'/>"), verify(Word::Valid)),
        (format!("<db:verify {address} id='S1' type='invalid'/>"), verify(Word::Invalid)),
        (format!("<db:verify {address} id='S1' type='maybe'/>"), verify(Word::Unknown)),
    ] {
        assert_eq!(read(&text), Ok(Some(expect)), "{text}");
    }
}

#[test]
fn what_is_no_dialback_is_left_to_others() {
    assert_eq!(read("<db:other from='a.test' to='l.test'/>"), Ok(None));
    assert_eq!(read("<db:Result from='a.test' to='l.test'/>"), Ok(None));
}

/// B05, E-10.
#[test]
fn addresses_that_are_no_domains_end_the_stream() {
    let check = |text: &str, violation| {
        let error = read(text).unwrap_err();
        assert_eq!(error.condition, Condition::ImproperAddressing, "{text}");
        assert_eq!(error.violation, Some(violation), "{text}");
    };
    for (from, violation) in [
        ("", Violation::DialbackAddressing),
        ("u@a.test", Violation::DialbackAddressing),
        ("a.test/x", Violation::DialbackAddressing),
        ("a.test l.test", Violation::DomainMalformed),
        ("192.0.2.1", Violation::DomainMalformed),
        ("faß.test", Violation::DomainAmbiguous),
    ] {
        for part in ["result", "verify"] {
            check(&format!("<db:{part} id='1' from='{from}' to='l.test'/>"), violation);
            check(&format!("<db:{part} id='1' from='a.test' to='{from}'/>"), violation);
        }
    }
    for part in ["result", "verify"] {
        check(&format!("<db:{part} id='1' to='l.test'/>"), Violation::DialbackAddressing);
        check(&format!("<db:{part} id='1' from='a.test'/>"), Violation::DialbackAddressing);
        check(
            &format!("<db:{part} id='1' db:from='a.test' to='l.test'/>"),
            Violation::DialbackAddressing,
        );
    }
}

#[test]
fn a_verify_request_names_its_stream() {
    for attributes in ["", " id=''"] {
        let error = read(&format!("<db:verify from='a.test' to='l.test'{attributes}/>"));
        let error = error.unwrap_err();
        assert_eq!(error.condition, Condition::BadFormat);
        assert_eq!(error.violation, Some(Violation::DialbackType));
    }
}

#[test]
fn elements_are_written_as_in_xep_0220() {
    let pair = pair("sender.tld", "target.tld");
    let check = |part: Part, word: Word, expect: &str| {
        let dialback = Dialback { part, pair: pair.clone(), word };
        assert_eq!(dialback.to_xml(), expect);
        assert_eq!(read(expect), Ok(Some(dialback)), "{expect}");
    };
    let address = "from='sender.tld' to='target.tld'";
    let verify = || Part::Verify(id("a'b&c"));
    let result = || Part::Result;
    check(
        result(),
        Word::Request("00ff".into()),
        &format!("<db:result {address}>00ff</db:result>"),
    );
    check(
        verify(),
        Word::Request("00ff".into()),
        &format!("<db:verify {address} id='a&apos;b&amp;c'>00ff</db:verify>"),
    );
    check(result(), Word::Valid, &format!("<db:result {address} type='valid'/>"));
    check(result(), Word::Invalid, &format!("<db:result {address} type='invalid'/>"));
    check(
        verify(),
        Word::Valid,
        &format!("<db:verify {address} id='a&apos;b&amp;c' type='valid'/>"),
    );
    check(
        result(),
        Word::Error(Some(DialbackError::ItemNotFound)),
        &format!(
            "<db:result {address} type='error'><error type='cancel'>\
             <item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></db:result>"
        ),
    );
}

/// The types of RFC 6120 §8.3.3.
#[test]
fn every_error_has_its_type_and_is_read_again() {
    for (error, kind) in [
        (DialbackError::BadRequest, "modify"),
        (DialbackError::Forbidden, "auth"),
        (DialbackError::ItemNotFound, "cancel"),
        (DialbackError::NotAcceptable, "modify"),
        (DialbackError::NotAllowed, "cancel"),
        (DialbackError::NotAuthorized, "auth"),
        (DialbackError::PolicyViolation, "modify"),
        (DialbackError::RemoteServerNotFound, "cancel"),
        (DialbackError::RemoteServerTimeout, "wait"),
        (DialbackError::ResourceConstraint, "wait"),
    ] {
        let dialback = Dialback {
            part: Part::Result,
            pair: pair("sender.tld", "target.tld"),
            word: Word::Error(Some(error)),
        };
        let xml = dialback.to_xml();
        assert!(xml.contains(&format!("<error type='{kind}'><{} ", error.as_str())), "{xml}");
        assert_eq!(read(&xml), Ok(Some(dialback)));
    }
}

#[test]
fn an_answer_bears_the_pair_of_its_request_turned_round() {
    let request = read("<db:verify from='r.test' to='s.test' id='S1'>00ff</db:verify>");
    let answer = request.unwrap().unwrap().answer(Word::Valid);
    assert_eq!(answer.to_xml(), "<db:verify from='s.test' to='r.test' id='S1' type='valid'/>");
}

#[test]
fn an_id_is_said_again_as_it_was_read() {
    let asked =
        read("<db:verify from='r.test' to='s.test' id='a&#10;b&#9;c&#13;d&amp;'>00</db:verify>");
    let asked = asked.unwrap().unwrap();
    assert_eq!(read(&asked.to_xml()), Ok(Some(asked)));
}

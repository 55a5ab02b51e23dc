use super::*;
use crate::tests::{domain, header};

fn read(attributes: &str) -> Result<Header, StreamError> {
    Header::read(&header(attributes))
}

/// A header in one line: who, to whom, which stream, how new.
fn show(header: &Header) -> String {
    let name = |it: &Option<Domain>| it.as_ref().map_or("-", Domain::as_str).to_owned();
    let id = header.id.as_ref().map_or("-", |id| &id.0);
    let version = if header.version_1 { "1" } else { "0" };
    format!("{} {} {id} {version}", name(&header.from), name(&header.to))
}

#[test]
fn headers_of_all_ages_are_read() {
    for (attributes, expect) in [
        ("from='a.test' to='l.test' version='1.0'", "a.test l.test - 1"),
        ("from='a.test' to='l.test' id='D60000229F'", "a.test l.test D60000229F 0"),
        // XEP-0238 §2: some name nobody, some name the empty string.
        ("", "- - - 0"),
        ("from='' to='' id=''", "- - - 0"),
        ("to='L.TEST.' version='1.0'", "- l.test - 1"),
        ("from='xn--bcher-kva.example' version='1.0'", "bücher.example - - 1"),
        // Attributes that we do not know, and those of other namespaces.
        ("stream:from='v.test' from='a.test' foo='bar' xml:lang='de'", "a.test - - 0"),
        ("id='a&amp;b&apos;c'", "- - a&b'c 0"),
    ] {
        assert_eq!(show(&read(attributes).unwrap()), expect, "{attributes}");
    }
}

#[test]
fn an_id_that_is_too_long_to_keep_is_none() {
    let id = |length: usize| read(&format!("id='{}'", "x".repeat(length))).unwrap().id;
    assert!(id(256).is_some());
    assert!(id(257).is_none());
}

#[test]
fn versions_are_numbers_and_neither_text_nor_fractions() {
    for (version, expect) in [
        ("1.0", true),
        ("1.1", true),
        ("1.10", true),
        ("2.0", true),
        ("10.0", true),
        ("01.0", true),
        ("0.9", false),
        ("0.99", false),
        ("0.0", false),
    ] {
        let header = read(&format!("version='{version}'")).unwrap();
        assert_eq!(header.version_1, expect, "{version}");
    }
    for version in ["", "1", "1.", ".1", "1.0.0", "x", "1,0", "-1.0", "99999.0", "1.99999"] {
        let error = read(&format!("version='{version}'")).unwrap_err();
        assert_eq!(error.condition, Condition::UnsupportedVersion, "{version}");
        assert_eq!(error.violation, Some(Violation::StreamVersion));
    }
}

#[test]
fn addresses_that_are_no_domains_are_refused() {
    for (address, violation) in [
        ("u@l.test", Violation::DomainMalformed),
        ("l.test/x", Violation::DomainMalformed),
        ("198.18.0.2", Violation::DomainMalformed),
        ("[::1]", Violation::DomainMalformed),
        ("v..test", Violation::DomainMalformed),
        (".v.test", Violation::DomainMalformed),
        ("-v.test", Violation::DomainMalformed),
        ("a b.test", Violation::DomainMalformed),
        (" l.test", Violation::DomainMalformed),
        ("faß.test", Violation::DomainAmbiguous),
        ("ｖ.test", Violation::DomainAmbiguous),
        ("v\u{ad}.test", Violation::DomainAmbiguous),
        ("v\u{3002}test", Violation::DomainAmbiguous),
    ] {
        for name in ["from", "to"] {
            let error = read(&format!("{name}='{address}'")).unwrap_err();
            assert_eq!(error.condition, Condition::ImproperAddressing, "{address}");
            assert_eq!(error.violation, Some(violation), "{address}");
        }
    }
    // Only who is older than version 1.0 may name the empty string.
    for empty in ["from='' version='1.0'", "to='' version='1.0'"] {
        let error = read(empty).unwrap_err();
        assert_eq!(error.condition, Condition::ImproperAddressing, "{empty}");
        assert_eq!(error.violation, Some(Violation::DomainMalformed), "{empty}");
    }
    let long = "a".repeat(3072);
    assert!(read(&format!("to='{long}'")).is_err());
    let label = "a".repeat(64);
    assert!(read(&format!("to='{label}.test'")).is_err());
}

#[test]
fn a_stream_of_another_content_is_no_stream_between_servers() {
    for content in ["xmlns='jabber:client'", "xmlns=''", "xmlns:db='jabber:server:dialback'"] {
        let mut element = header("version='1.0'");
        element.attributes.retain(|(name, _)| name != "xmlns");
        let (name, value) = content.split_once('=').unwrap();
        let value = value.trim_matches('\'').to_owned();
        element.attributes.push((name.to_owned(), value));
        let error = Header::read(&element).unwrap_err();
        assert_eq!(error.condition, Condition::InvalidNamespace, "{content}");
    }
}

#[test]
fn an_answer_turns_the_addresses_round_and_bears_our_id() {
    let id = || StreamId("ours".into());
    let default = domain("ligase.test");
    for (attributes, expect) in [
        ("from='a.test' to='l.test' version='1.0'", "l.test a.test ours 1"),
        ("from='a.test' to='l.test'", "l.test a.test ours 0"),
        ("id='theirs' version='1.0'", "ligase.test - ours 1"),
        ("from='a.test'", "ligase.test a.test ours 0"),
    ] {
        let answer = read(attributes).unwrap().answer(&default, id());
        assert_eq!(show(&answer), expect, "{attributes}");
    }
}

#[test]
fn headers_are_written_as_the_oldest_servers_want_them() {
    let header = Header {
        from: Some(domain("l.test")),
        to: Some(domain("bücher.example")),
        id: Some(StreamId("a'b<c&\"".into())),
        version_1: true,
    };
    assert_eq!(
        header.to_xml(),
        "<?xml version='1.0'?><stream:stream xmlns='jabber:server' \
         xmlns:db='jabber:server:dialback' xmlns:stream='http://etherx.jabber.org/streams' \
         from='l.test' to='bücher.example' id='a&apos;b&lt;c&amp;&quot;' version='1.0' \
         xml:lang='en'>"
    );
    assert_eq!(
        Header::default().to_xml(),
        "<?xml version='1.0'?><stream:stream xmlns='jabber:server' \
         xmlns:db='jabber:server:dialback' xmlns:stream='http://etherx.jabber.org/streams' \
         xml:lang='en'>"
    );
}

#[test]
fn what_is_written_is_read_again() {
    for attributes in [
        "from='a.test' to='l.test' id='x&lt;&apos;&quot;&amp;y' version='1.0'",
        "to='bücher.example'",
        "",
    ] {
        let header = read(attributes).unwrap();
        let mut buffer = bytes::BytesMut::from(header.to_xml().as_str());
        let mut framer = crate::stream::Framer::new(crate::tests::LIMITS);
        match framer.next(&mut buffer) {
            Ok(Some(crate::stream::Piece::Header(element))) => {
                assert_eq!(Header::read(&element), Ok(header));
            }
            other => panic!("{other:?}"),
        }
    }
}

/// What must not be said twice on one stream is known by this.
#[test]
fn a_header_of_ours_is_known_among_our_other_words() {
    let header = read("from='a.test' to='l.test' id='1' version='1.0'").unwrap();
    assert!(Header::is_in(&header.to_xml()));
    for other in ["", "</stream:stream>", "<message/>", "<!-- <?xml version='1.0'?> -->"] {
        assert!(!Header::is_in(other), "{other}");
    }
}

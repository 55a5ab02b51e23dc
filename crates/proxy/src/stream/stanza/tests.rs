use bytes::BytesMut;

use super::*;
use crate::stream::{Element, Framer, Limits, Piece};

const LIMITS: Limits = Limits { element: 262_144, depth: 128, attributes: 256 };

/// The first element behind a header with these attributes.
fn raw_behind(header: &str, element: &str) -> Raw {
    let header = format!(
        "<stream:stream xmlns:stream='http://etherx.jabber.org/streams' {header}>{element}"
    );
    let mut buffer = BytesMut::from(header.as_str());
    let mut framer = Framer::new(LIMITS);
    let opened = framer.next(&mut buffer);
    assert!(matches!(opened, Ok(Some(Piece::Header(_)))), "{opened:?}");
    match framer.next(&mut buffer) {
        Ok(Some(Piece::Element(raw))) => raw,
        other => panic!("no element: {other:?}"),
    }
}

fn read_behind(header: &str, element: &str) -> Result<Stanza, StreamError> {
    Stanza::read(&raw_behind(header, element), &mut None)
}

fn read(element: &str) -> Stanza {
    read_behind("xmlns='jabber:server'", element).unwrap()
}

fn text(stanza: &Stanza) -> &str {
    std::str::from_utf8(stanza.bytes()).unwrap()
}

/// What a stanza behind a header becomes; `=` if it stays what it was, to the very address.
#[track_caller]
fn check(header: &str, stanza: &str, expect: &str) {
    let raw = raw_behind(header, stanza);
    let read = Stanza::read(&raw, &mut None).unwrap();
    let is_same = raw.bytes().as_ptr() == read.bytes().as_ptr();
    if expect == "=" {
        assert_eq!(text(&read), stanza);
        assert!(is_same, "bytes were copied for nothing");
    } else {
        assert_eq!(text(&read), expect);
        assert!(!is_same);
    }
    // It stands alone: behind a bare header it means the same.
    let alone = raw_behind("xmlns='jabber:server'", text(&read));
    let again = Stanza::read(&alone, &mut None).unwrap();
    assert_eq!(text(&again), text(&read));
    assert_eq!(again.pair, read.pair);
}

/// What is said about a stanza that is refused.
#[track_caller]
fn refused(stanza: &str, expect: &str) {
    let error = read_behind("xmlns='jabber:server'", stanza).unwrap_err();
    let violation = error.violation.expect("every refusal is blamed on something");
    assert_eq!(format!("{} {}", violation.as_str(), error.condition.as_str()), expect);
}

const BARE: &str = "xmlns='jabber:server'";

#[test]
fn a_stanza_that_needs_nothing_stays_the_same_bytes() {
    check(BARE, "<message from='a.test' to='b.test'/>", "=");
    check(BARE, "<iq id=\"1\" to=\"u@b.test/r\" from=\"a.test\"><q xmlns='u'/></iq>", "=");
    check(BARE, "<presence from='a@a.test/x/y@z' to='b.test' xml:lang='de'/>", "=");
    check(BARE, "<message xmlns='jabber:server' from='a.test' to='b.test'></message>", "=");
    check(BARE, "<message from='a.test' to='b.test/It&apos;s &lt;&#x41;'/>", "=");
    check(BARE, "<message from='a.test' to='b.test'><e:p xmlns:e='urn:e'/></message>", "=");
    // What the header declares is of no matter where it is not used.
    let header = "xmlns='jabber:server' xmlns:e='urn:e' xmlns:db='jabber:server:dialback'";
    check(header, "<message from='a.test' to='b.test'><e xmlns='urn:e'/></message>", "=");
    check(header, "<message xmlns:e='f' from='a.test' to='b.test'><e:p/></message>", "=");
    check(header, "<message from='a.test' to='b.test'><body>e:p</body></message>", "=");
}

#[test]
fn prefixes_of_the_header_are_declared_where_they_are_used() {
    let header = "xmlns='jabber:server' xmlns:e='urn:e?a=b' xmlns:f=\"it's>\" xmlns:g='\"'";
    check(
        header,
        "<message from='a.test' to='b.test'><e:p/></message>",
        "<message xmlns:e='urn:e?a=b' from='a.test' to='b.test'><e:p/></message>",
    );
    check(
        header,
        "<message\n  from='a.test' to='b.test' f:k='1'/>",
        "<message xmlns:f=\"it's>\"\n  from='a.test' to='b.test' f:k='1'/>",
    );
    check(
        header,
        "<message from='a.test' to='b.test'><x><g:p xmlns:e='h'><e:q/></g:p></x></message>",
        "<message xmlns:g='\"' from='a.test' to='b.test'><x><g:p xmlns:e='h'><e:q/></g:p></x></message>",
    );
    // Declared further in, and used outside of that too.
    check(
        header,
        "<message from='a.test' to='b.test'><e:p xmlns:e='h'/><e:q/></message>",
        "<message xmlns:e='urn:e?a=b' from='a.test' to='b.test'><e:p xmlns:e='h'/><e:q/></message>",
    );
    check(
        header,
        "<message from='a.test' to='b.test'><stream:x/></message>",
        "<message xmlns:stream='http://etherx.jabber.org/streams' from='a.test' to='b.test'>\
         <stream:x/></message>",
    );
}

#[test]
fn a_prefix_is_forgotten_with_the_stanza_that_used_it() {
    let header = "<stream:stream xmlns='jabber:server' xmlns:e='urn:e' \
        xmlns:stream='http://etherx.jabber.org/streams'>";
    let stanza = "<message from='a.test' to='b.test'><e:p/></message>";
    let plain = "<message from='a.test' to='b.test'/>";
    let mut buffer = BytesMut::from(format!("{header}{stanza}{plain}").as_str());
    let mut framer = Framer::new(LIMITS);
    let mut inherited = Vec::new();
    while let Ok(Some(piece)) = framer.next(&mut buffer) {
        if let Piece::Element(raw) = piece {
            inherited.push(raw.inherits().count());
        }
    }
    assert_eq!(inherited, [1, 0]);
}

#[test]
fn the_language_of_the_stream_goes_along() {
    let header = "xmlns='jabber:server' xml:lang='de-CH'";
    check(
        header,
        "<message from='a.test' to='b.test'><body>Grüezi</body></message>",
        "<message xml:lang='de-CH' from='a.test' to='b.test'><body>Grüezi</body></message>",
    );
    check(header, "<message from='a.test' xml:lang='en' to='b.test'/>", "=");
    check(header, "<message from='a.test' xml:lang='' to='b.test'/>", "=");
    // A language of something within is not the stanza's own.
    check(
        header,
        "<message from='a.test' to='b.test'><body xml:lang='en'/></message>",
        "<message xml:lang='de-CH' from='a.test' to='b.test'><body xml:lang='en'/></message>",
    );
    // What is no language is nobody's.
    for header in ["xml:lang=''", "xml:lang='a b'", "xml:lang='&lt;'"] {
        let header = format!("xmlns='jabber:server' {header}");
        check(&header, "<message from='a.test' to='b.test'/>", "=");
    }
}

#[test]
fn domains_are_spelled_in_the_canonical_way() {
    check(
        BARE,
        "<message from='Juliet@Capulet.Example/Balcony' to='Montague.Example'/>",
        "<message from='Juliet@capulet.example/Balcony' to='montague.example'/>",
    );
    check(
        BARE,
        "<message to=\"B.TEST/'&quot;\" from='a.test'/>",
        "<message to=\"b.test/&apos;&quot;\" from='a.test'/>",
    );
    check(
        BARE,
        "<message from='&#97;.test' to='u&#64;b.test/&amp;'/>",
        "<message from='a.test' to='u@b.test/&amp;'/>",
    );
    check(
        "xmlns='jabber:server' xmlns:e='e' xml:lang='en'",
        "<message to='B.test' e:k='' from='A.test'/>",
        "<message xmlns:e='e' xml:lang='en' to='b.test' e:k='' from='a.test'/>",
    );
    let stanza = read("<iq from='A@A.Test' to='&#66;.test'/>");
    assert_eq!(stanza.pair.to_string(), "a.test to b.test");
    assert_eq!(stanza.kind, Kind::Iq);
}

#[test]
fn addresses_must_be_there_and_be_addresses() {
    let addressing = "stream.addressing improper-addressing";
    refused("<message from='a.test'/>", addressing);
    refused("<message to='b.test'/>", addressing);
    refused("<message from='a.test' b:to='b.test' xmlns:b='u'/>", addressing);
    let long = format!("u@l1.test/{}", "r".repeat(1024));
    let long_local = format!("{}@l1.test", "u".repeat(1024));
    for address in [
        "",
        "@l1.test",
        "u@l1.test/",
        "a.test@",
        "/r",
        "u@/r",
        "@",
        "a b@l1.test",
        "a&amp;b@l1.test",
        "a&#10;b@l1.test",
        "u@l1.test/&#x7f;",
        "u@l1.test/a&#9;b",
        &long,
        &long_local,
    ] {
        refused(&format!("<message from='a.test' to='{address}'/>"), addressing);
        refused(&format!("<message from='{address}' to='a.test'/>"), addressing);
    }
    let malformed = "domain.malformed improper-addressing";
    refused("<message from='a.test' to='u@v@l1.test'/>", malformed);
    refused("<message from='a..test' to='l1.test'/>", malformed);
    refused("<message from='a.test' to=' l1.test'/>", malformed);
    refused("<message from='a.test' to='l1.test&#0000032;'/>", malformed);
}

#[test]
fn the_longest_parts_pass() {
    let (local, resource) = ("u".repeat(1023), "r".repeat(1023));
    check(BARE, &format!("<message from='a.test' to='{local}@b.test/{resource}'/>"), "=");
}

#[test]
fn only_stanzas_between_servers_are_stanzas() {
    let namespace = "xml.namespace unsupported-stanza-type";
    refused("<message xmlns='jabber:client' from='m@v.test' to='u@l1.test'/>", namespace);
    refused("<iq xmlns='jabber:component:accept' from='v.test' to='l1.test'/>", namespace);
    refused("<message xmlns='' from='m@v.test' to='u@l1.test'/>", namespace);
    refused("<n:message xmlns:n='jabber:server' from='a.test' to='b.test'/>", namespace);
    refused("<n:message xmlns:n='urn:n' from='a.test' to='b.test'/>", namespace);
    let element = "stream.element unsupported-stanza-type";
    refused("<Message from='a.test' to='b.test'/>", element);
    refused("<messages from='a.test' to='b.test'/>", element);
    // Whatever the content namespace of the stream is, it is the stanza's own that counts.
    let error = read_behind("xmlns='jabber:client'", "<message from='a.test' to='b.test'/>");
    assert_eq!(error.unwrap_err().violation, Some(Violation::XmlNamespace));
    check(
        "xmlns='jabber:client'",
        "<message xmlns='jabber:server' from='a.test' to='b.test'/>",
        "=",
    );
}

#[test]
fn a_run_of_stanzas_is_remembered_and_its_end_is_noticed() {
    let mut last = None;
    let mut pair = |from: &str, to: &str| {
        let stanza = format!("<message from='{from}' to='{to}'/>");
        let stanza = Stanza::read(&raw_behind(BARE, &stanza), &mut last);
        stanza.map_or_else(|_| "refused".to_owned(), |it| it.pair.to_string())
    };
    assert_eq!(pair("a.test", "b.test"), "a.test to b.test");
    assert_eq!(pair("u@a.test/r", "b.test"), "a.test to b.test");
    assert_eq!(pair("a.test", "c.test"), "a.test to c.test");
    assert_eq!(pair("c.test", "a.test"), "c.test to a.test");
    assert_eq!(pair("c.test", ".."), "refused");
    assert_eq!(pair("C.test", "a.test"), "c.test to a.test");
    assert_eq!(pair("C.test", "a.test"), "c.test to a.test");
}

#[test]
fn a_bounce_goes_back_with_the_same_id() {
    let stanza =
        read("<message from='romeo@a.test/x' id='m1' to='juliet@b.test'><body/></message>");
    let bounce = stanza.bounce("remote-server-not-found", "cancel", None).unwrap();
    assert_eq!(
        text(&bounce),
        "<message type='error' to='romeo@a.test/x' id='m1' from='juliet@b.test'>\
         <error type='cancel' by='b.test'>\
         <remote-server-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>\
         </error></message>"
    );
    assert_eq!(bounce.pair, stanza.pair.reversed());
    assert_eq!(bounce.kind, Kind::Message);
}

#[test]
fn what_a_bounce_repeats_cannot_break_out() {
    let stanza = read(
        "<iq from='A.test/&apos;&lt;' to=\"b.test/'\" id=\"'&quot;&#10;&lt;\" type='get'><q/></iq>",
    );
    let bounce = stanza.bounce("remote-server-timeout", "wait", Some("<&'\"")).unwrap();
    let element = Element::read(&raw_behind(BARE, text(&bounce))).unwrap();
    assert_eq!(element.attribute("to"), Some("a.test/'<"));
    assert_eq!(element.attribute("from"), Some("b.test/'"));
    assert_eq!(element.attribute("id"), Some("'\"\n<"));
    assert_eq!(element.attribute("type"), Some("error"));
    let error = element.child("jabber:server", "error").unwrap();
    let stanzas = "urn:ietf:params:xml:ns:xmpp-stanzas";
    assert!(error.child(stanzas, "remote-server-timeout").is_some());
    assert_eq!(error.child(stanzas, "text").unwrap().text(), "<&'\"");
}

#[test]
fn a_refusal_carries_our_own_mark() {
    let stanza = read("<presence from='a.test' to='b.test'/>");
    assert_eq!(
        text(&stanza.refuse().unwrap()),
        "<presence type='error' to='a.test' from='b.test'>\
         <error type='auth' by='b.test'>\
         <not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>\
         <invalid-connection xmlns='urn:x-ligase:dna:0'/>\
         </error></presence>"
    );
}

/// Who could have any stanza taken for a refusal could take a pair's right to leave with a word.
#[test]
fn a_refusal_is_an_error_and_bears_the_mark() {
    let mark = "<error><invalid-connection xmlns='urn:x-ligase:dna:0'/></error>";
    for (kind, content, is_refusal) in [
        ("type='error'", mark, true),
        ("type='&#101;rror'", mark, true),
        ("type='chat'", mark, false),
        ("", mark, false),
        ("type='error'", "<error><invalid-connection xmlns='urn:x-ligase:dna:1'/></error>", false),
        ("type='error'", "<error><not-authorized/></error>", false),
        ("type='error'", "", false),
    ] {
        let text = format!("<message {kind} from='a.test' to='b.test'>{content}</message>");
        let stanza = read(&text);
        assert_eq!(stanza.is_refusal(), is_refusal, "{text}");
        assert_eq!(stanza.to_text(), text);
    }
}

/// Whoever wants to have a right taken back gets others to quote these words.
#[test]
fn a_refusal_is_what_the_error_itself_says() {
    let mark = "<invalid-connection xmlns='urn:x-ligase:dna:0'/>";
    let error = |of_type: &str, content: &str| {
        read(&format!("<message {of_type}from='a.test' to='b.test'>{content}</message>"))
    };
    let of_type = "type='error' ";
    let refusal = format!("<error type='auth'>{mark}</error>");
    assert!(error(of_type, &refusal).is_refusal());
    assert!(error(of_type, &format!("<body>x</body>{refusal}")).is_refusal());
    assert!(!error("", &refusal).is_refusal());
    assert!(!error("type='chat' ", &refusal).is_refusal());
    for quoted in [
        mark.to_owned(),
        format!("<body><![CDATA[{refusal}]]></body>"),
        format!("<error><![CDATA[{mark}]]></error>"),
        format!("<error xmlns='urn:e'>{mark}</error>"),
        format!("<error><x>{mark}</x></error>"),
        format!("<x>{refusal}</x><error/>"),
        format!("<error/>{mark}"),
    ] {
        assert!(!error(of_type, &quoted).is_refusal(), "{quoted}");
    }
    // What cannot be looked into is none.
    let much = format!("<error>{}{mark}</error>", "<x/>".repeat(3000));
    assert!(!error(of_type, &much).is_refusal());
}

#[test]
fn errors_and_results_never_bounce() {
    for kind in Kind::ALL.map(Kind::as_str) {
        for (attribute, bounces) in [
            ("", true),
            ("type='get'", true),
            ("type='set'", true),
            ("type='chat'", true),
            ("type='unavailable'", true),
            ("type='subscribe'", true),
            ("type=''", true),
            ("x:type='error' xmlns:x='u'", true),
            ("type='error'", false),
            ("type='result'", false),
            ("type='&#101;rror'", false),
            ("type='r&#x65;sult'", false),
        ] {
            let stanza = read(&format!("<{kind} from='a.test' {attribute} to='b.test'/>"));
            assert_eq!(stanza.may_bounce(), bounces, "{kind} {attribute}");
            let bounce = stanza.bounce("resource-constraint", "wait", None);
            assert_eq!(bounce.is_some(), bounces);
            assert_eq!(stanza.refuse().is_some(), bounces);
            if let Some(bounce) = bounce {
                assert!(!bounce.may_bounce());
                assert!(read(text(&bounce)).bounce("a", "b", None).is_none());
            }
        }
    }
}

#[test]
fn a_detached_stanza_leaves_its_buffer() {
    let mut stanza = read("<message from='a.test' to='b.test'/>");
    let before = stanza.bytes().clone();
    stanza.detach();
    assert_eq!(*stanza.bytes(), before);
    assert_ne!(stanza.bytes().as_ptr(), before.as_ptr());
}

/// Whatever is inherited comes on top of what was sent, and the next on the way takes no more than we
/// do. RFC 6120 §13.12; P-14.
#[test]
fn a_stanza_that_has_become_more_than_its_stream_takes_is_not_sent_on() {
    let sized = |more: &str, length: usize| {
        let around = format!("<message {more}from='a.test' to='b.test'></message>").len();
        let body = "x".repeat(length - around);
        format!("<message {more}from='a.test' to='b.test'>{body}</message>")
    };
    let language = "xmlns='jabber:server' xml:lang='en'";
    let grown = " xml:lang='en'".len();
    let attributes = |count: usize| {
        let more: String = (2..count).map(|n| format!("a{n}='' ")).collect();
        format!("<message {more}from='a.test' to='b.test'/>")
    };
    let prefixes = |count: usize, used: &str| {
        let nested: String = (0..count / 4)
            .map(|n| format!("<a xmlns:a{n}='u' xmlns:b{n}='u' xmlns:c{n}='u' xmlns:d{n}='u'>"))
            .collect();
        let end = "</a>".repeat(count / 4);
        format!("<message from='a.test' to='b.test'>{nested}{used}{end}</message>")
    };
    let foreign = "xmlns='jabber:server' xmlns:e='urn:e'";
    for (header, stanza, is_excessive) in [
        (BARE, sized("", LIMITS.element), false),
        (language, sized("", LIMITS.element - grown), false),
        (language, sized("", LIMITS.element - grown + 1), true),
        (language, sized("xml:lang='de' ", LIMITS.element), false),
        (BARE, attributes(256), false),
        (language, attributes(255), false),
        (language, attributes(256), true),
        (foreign, prefixes(256, ""), false),
        (foreign, prefixes(252, "<e:e/>"), false),
        (foreign, prefixes(256, "<e:e/>"), true),
    ] {
        let read = read_behind(header, &stanza).unwrap();
        assert_eq!(read.is_excessive(), is_excessive, "{header} {stanza:.200}");
        assert_eq!(read.grown(), read.bytes().len() - stanza.len());
        // So it is for the next one on the way, who is told no word of this.
        let mut framer = Framer::new(LIMITS);
        let ours = "<stream:stream xmlns:stream='http://etherx.jabber.org/streams' \
            xmlns='jabber:server' xmlns:db='jabber:server:dialback'>";
        framer.next(&mut BytesMut::from(ours)).unwrap();
        let taken = framer.next(&mut BytesMut::from(text(&read)));
        assert_eq!(taken.is_err(), is_excessive, "{header} {stanza:.200}");
        let bounce = read.bounce("policy-violation", "modify", None).unwrap();
        assert!(bounce.bytes().len() < 400, "{}", text(&bounce));
    }
}

/// A bounce repeats what a stanza is known by: in as many bytes, and only as far as streams go.
#[test]
fn a_bounce_is_not_longer_than_its_stream_takes() {
    let known_by = |id: &str| {
        let stanza = read(&format!("<iq type='get' from='a.test' to='b.test' id=\"{id}\"/>"));
        stanza.bounce("service-unavailable", "cancel", None).map(|it| it.bytes().len())
    };
    let short = known_by("x").unwrap();
    assert_eq!(known_by(&"'".repeat(100_000)), Some(short + 99_999));
    let most = LIMITS.element - short + 1;
    assert_eq!(known_by(&"'".repeat(most)), Some(LIMITS.element));
    assert_eq!(known_by(&"'".repeat(most + 1)), None);
}

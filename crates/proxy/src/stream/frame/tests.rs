use super::*;

const LIMITS: Limits = Limits { element: 10_000, depth: 8, attributes: 16 };

const STREAM: &str = "<stream:stream to='l.test' version='1.0' xmlns='jabber:server' \
    xmlns:db='jabber:server:dialback' xmlns:stream='http://etherx.jabber.org/streams'>";

/// A reader of an open stream.
fn reader() -> Reader {
    let mut reader = Reader::new(LIMITS);
    assert!(matches!(reader.next(&mut STREAM.into()), Ok(Some(Frame::Header(_)))));
    reader
}

/// What an element on an open stream is understood as.
fn frame(text: &str) -> String {
    match reader().next(&mut text.into()) {
        Ok(Some(Frame::Stanza(stanza))) => format!("Stanza({})", stanza.pair),
        Ok(frame) => format!("{:?}", frame.expect("nothing is missing")),
        Err(error) => error.condition.as_str().to_owned(),
    }
}

#[test]
fn whatever_a_stream_may_hold_is_understood() {
    let cases = [
        (
            "<stream:error><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
            "Error(Some(Reset))",
        ),
        ("<stream:error><reset/></stream:error>", "Error(None)"),
        ("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "StartTls"),
        ("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "Proceed"),
        ("<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "TlsFailure"),
        ("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", "Success"),
        ("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><aborted/></failure>", "SaslFailure"),
        (
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'> = </auth>",
            "Auth(Authorization { mechanism: \"EXTERNAL\", response: \"=\" })",
        ),
        ("<bidi xmlns='urn:xmpp:bidi'/>", "Bidi(false)"),
        ("<bidi xmlns='urn:xmpp:bidi'><dna xmlns='urn:x-ligase:dna:0'/></bidi>", "Bidi(true)"),
        ("<r xmlns='urn:xmpp:sm:3'/>", "Management(Request)"),
        ("<other xmlns='urn:xmpp:sm:3'/>", "Unknown"),
        ("<db:other from='a.test' to='l.test'/>", "Unknown"),
        ("<message from='u@a.test' to='v@l.test'/>", "Stanza(a.test to l.test)"),
        ("</stream:stream>", "Close"),
        // What the right name means in another namespace is not for us.
        ("<starttls/>", "Unknown"),
        ("<success xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "Unknown"),
        ("<error/>", "Unknown"),
        // A stanza's name in another namespace is how one is smuggled past whoever checks it.
        (
            "<message xmlns='jabber:client' from='u@a.test' to='v@l.test'/>",
            "unsupported-stanza-type",
        ),
        ("<a></b>", "not-well-formed"),
    ];
    for (text, expect) in cases {
        assert_eq!(frame(text), expect, "{text}");
    }
    let features =
        frame("<stream:features><bidi xmlns='urn:xmpp:features:bidi'/></stream:features>");
    assert!(features.starts_with("Features("), "{features}");
    let claim = frame("<db:result from='a.test' to='l.test'>key</db:result>");
    assert!(claim.starts_with("Dialback("), "{claim}");
}

#[test]
fn what_was_looked_at_is_told_once() {
    let mut reader = reader();
    let mut buffer: BytesMut = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><a>".into();
    assert!(reader.look_ahead(&mut buffer));
    assert!(reader.look_ahead(&mut buffer), "looking twice changes nothing");
    assert!(matches!(reader.next(&mut buffer), Ok(Some(Frame::Proceed))));
    assert!(!reader.look_ahead(&mut buffer));
    buffer.extend_from_slice(b"</b>");
    assert!(reader.look_ahead(&mut buffer));
    assert!(reader.next(&mut buffer).is_err());
}

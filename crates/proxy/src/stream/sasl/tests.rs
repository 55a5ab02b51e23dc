use super::*;
use crate::stream::Frame;
use crate::tests::{domain, frame};

/// What is said to this `<auth/>` where EXTERNAL was offered for a.test.
fn check(auth: &str) -> Result<(), (&'static str, Option<Violation>)> {
    let Frame::Auth(auth) = frame(auth) else {
        panic!("{auth}");
    };
    let checked = auth.check(Some(&domain("a.test")));
    checked.map_err(|error| (error.condition, error.violation))
}

fn external(identity: &[u8]) -> String {
    auth("mechanism='EXTERNAL'", &BASE64_STANDARD.encode(identity))
}

fn auth(attributes: &str, response: &str) -> String {
    format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' {attributes}>{response}</auth>")
}

/// K-04, N14.
#[test]
fn nobody_is_authorized_but_as_the_name_that_was_offered() {
    let mechanism = Err(("invalid-mechanism", Some(Violation::SaslMechanism)));
    let encoding = |condition| Err((condition, Some(Violation::SaslEncoding)));
    let identity = Err(("invalid-authzid", Some(Violation::SaslAuthzid)));
    for (auth, expect) in [
        (external(b"a.test"), Ok(())),
        (external(b"A.TEST."), Ok(())),
        (auth("mechanism='EXTERNAL'", "="), Ok(())),
        (auth("mechanism='EXTERNAL'", " YS50ZXN0\n"), Ok(())),
        (auth("mechanism='EXTERNAL'", ""), encoding("malformed-request")),
        (auth("mechanism='EXTERNAL'", "  "), encoding("malformed-request")),
        (auth("mechanism='EXTERNAL'", "%%%"), encoding("incorrect-encoding")),
        (auth("mechanism='EXTERNAL'", "YS50ZXN0="), encoding("incorrect-encoding")),
        (auth("mechanism='EXTERNAL'", "YS50 ZXN0"), encoding("incorrect-encoding")),
        (external(b"v.test"), identity),
        (external(b"a.test\0v.test"), identity),
        (external(b"\0a.test"), identity),
        (external(b"u@a.test"), identity),
        (external(b"sub.a.test"), identity),
        (external(b"\xff\xfe"), identity),
        (external("faß.test".as_bytes()), identity),
        (auth("mechanism='PLAIN'", "YS50ZXN0"), mechanism),
        (auth("mechanism='external'", "YS50ZXN0"), mechanism),
        (auth("mechanism=''", "YS50ZXN0"), mechanism),
        (auth("", "YS50ZXN0"), mechanism),
        (auth("x:mechanism='EXTERNAL' xmlns:x='urn:x'", "YS50ZXN0"), mechanism),
    ] {
        assert_eq!(check(&auth), expect, "{auth}");
    }
}

#[test]
fn where_nothing_was_offered_nothing_is_granted() {
    for response in ["=", "YS50ZXN0", "", "%%%"] {
        let auth = Authorization { mechanism: "EXTERNAL".into(), response: response.into() };
        let error = auth.check(None).unwrap_err();
        assert_eq!(error.condition, "not-authorized", "{response}");
        assert_eq!(error.violation, Some(Violation::SaslOrder), "{response}");
    }
}

#[test]
fn we_spell_out_who_we_are() {
    assert_eq!(
        Authorization::request(&domain("sender.tld")),
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>c2VuZGVyLnRsZA==</auth>"
    );
    // What we ask for, we would grant.
    assert_eq!(check(&Authorization::request(&domain("a.test"))), Ok(()));
}

#[test]
fn failures_and_success_are_written_as_they_are_read() {
    let error = SaslError { condition: "invalid-authzid", violation: None };
    assert_eq!(
        error.to_xml(),
        "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><invalid-authzid/></failure>"
    );
    assert!(matches!(frame(&error.to_xml()), Frame::SaslFailure));
    assert!(matches!(frame(SUCCESS), Frame::Success));
}

use super::*;
use crate::stream::Frame;
use crate::tests::frame;

/// RFC 6120 §8.3.3, §10.4.3.
#[test]
fn every_error_has_its_condition_and_type() {
    let why = || "why".to_owned();
    for (error, condition, kind, text) in [
        (
            StanzaError::RemoteServerNotFound(why()),
            "remote-server-not-found",
            "cancel",
            Some("why"),
        ),
        (StanzaError::RemoteServerTimeout(why()), "remote-server-timeout", "wait", Some("why")),
        (StanzaError::InternalServerError(why()), "internal-server-error", "cancel", Some("why")),
        (
            StanzaError::ResourceConstraint,
            "resource-constraint",
            "wait",
            Some("Too many stanzas wait for this domain"),
        ),
        (StanzaError::NotAuthorized, "not-authorized", "auth", None),
        (
            StanzaError::TooLarge,
            "policy-violation",
            "modify",
            Some("The stanza is larger than the federation proxy passes on"),
        ),
    ] {
        assert_eq!(error.condition(), condition);
        assert_eq!(error.kind(), kind, "{condition}");
        assert_eq!(error.text(), text, "{condition}");
    }
}

/// P-12: for each kind and type.
#[test]
fn errors_and_results_never_come_back() {
    for kind in ["message", "presence", "iq"] {
        for (stanza_type, comes_back) in [
            (None, true),
            (Some("chat"), true),
            (Some("get"), true),
            (Some("set"), true),
            (Some("unavailable"), true),
            (Some("ERROR"), true),
            (Some("error"), false),
            (Some("result"), false),
            (Some("&#101;rror"), false),
        ] {
            let of_type = stanza_type.map_or(String::new(), |it| format!("type='{it}' "));
            let text = format!("<{kind} {of_type}id='1' from='u@a.test' to='v@l.test/x'/>");
            let Frame::Stanza(stanza) = frame(&text) else {
                panic!("{text}");
            };
            let error = StanzaError::NotAuthorized;
            let bounce = stanza.bounce(error.condition(), error.kind(), error.text());
            assert_eq!(bounce.is_some(), comes_back, "{text}");
            let Some(bounce) = bounce else { continue };
            assert_eq!(bounce.pair, stanza.pair.reversed());
            let again = bounce.bounce(error.condition(), error.kind(), error.text());
            assert!(again.is_none(), "an error is answered with an error: {text}");
        }
    }
}

//! Negotiation, as an attacker does it up to where it attacks, and what must come of that.

use std::time::Duration;

use ligase_tests::{Certificate, Stream};

use super::script::{claim, header};

/// Negotiates TLS; the features offered after it.
pub(super) fn secure(
    stream: &Stream,
    from: &str,
    to: &str,
    certificate: Option<&Certificate>,
) -> String {
    stream.send(&header(from, to));
    let offered = features(stream);
    assert!(offered.contains("<starttls"), "{offered}");
    stream.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    let answer = next(stream);
    assert!(answer.starts_with("<proceed"), "{answer}");
    let secured = stream.start_tls(to, certificate);
    assert!(secured.is_ok(), "{secured:?}");
    stream.send(&header(from, to));
    features(stream)
}

/// Claims a pair that must be granted.
pub(super) fn authorize(stream: &Stream, from: &str, to: &str) {
    stream.send(&claim(from, to));
    let answer = next(stream);
    let valid = answer.starts_with("<db:result") && answer.contains("type='valid'");
    assert!(valid, "{from} to {to}: {answer}");
}

/// The header of a stream that the proxy opened.
pub(super) fn answer_header(from: &str, to: &str, id: &str) -> String {
    header(from, to).replace(" version='1.0'>", &format!(" id='{id}' version='1.0'>"))
}

/// Takes a header, after its declaration.
pub(super) fn next_header(stream: &Stream) -> String {
    let said = next(stream);
    if said.starts_with("<?xml") { next(stream) } else { said }
}

/// Takes the header and the features after it.
pub(super) fn features(stream: &Stream) -> String {
    let opened = next_header(stream);
    assert!(opened.starts_with("<stream:stream"), "{opened}");
    let offered = next(stream);
    assert!(offered.starts_with("<stream:features"), "{offered}");
    offered
}

pub(super) fn next(stream: &Stream) -> String {
    match stream.next_within(PATIENCE) {
        Some(said) => said,
        None => panic!("nothing is said; {:?}", stream.end_within(Duration::ZERO)),
    }
}

/// A stream error of one of these conditions, after a header if there was none, and the end; and
/// not a word of what was said before.
pub(super) fn expect_error(stream: &Stream, conditions: &[String]) {
    let Some((said, how)) = stream.end_within(PATIENCE) else {
        panic!("it did not end; it said {:?}", stream.next_within(Duration::ZERO));
    };
    assert_eq!(how, "by the other end", "after {said:?}");
    let ends = conditions.iter().map(|condition| {
        format!(
            "<stream:error><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>\
             </stream:error></stream:stream>"
        )
    });
    let Some(front) = ends.into_iter().find_map(|end| said.strip_suffix(&end).map(str::to_owned))
    else {
        panic!("said {said:?}, and not {conditions:?}");
    };
    let rest = match front.strip_prefix("<?xml version='1.0'?><stream:stream ") {
        Some(header) => header.split_once('>').map_or(header, |(_, rest)| rest),
        None => &front,
    };
    assert_eq!(rest, "", "said before the error");
    assert!(said.len() < 2048, "{} bytes are more than it takes", said.len());
}

pub(super) const AUTH: &str =
    "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>";

pub(super) const DIALBACK: &str =
    "<dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback>";

/// Longer than any answer takes on a busy machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

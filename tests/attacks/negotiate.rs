//! Negotiation, as an attacker does it up to where it attacks, and what must come of that.

use std::time::Duration;

use ligase_tests::xml::attribute;
use ligase_tests::{Certificate, Stream};

use crate::bytes::{claim, header};
use crate::deeds::{PATIENCE, Told};

/// What somebody is answered who opens a stream.
pub(crate) struct Opened {
    /// The id of the stream.
    pub(crate) id: String,
    pub(crate) features: String,
}

/// Negotiates TLS; what is answered after it.
pub(crate) fn secure(
    stream: &Stream,
    from: &str,
    to: &str,
    certificate: Option<&Certificate>,
) -> Result<Opened, String> {
    stream.send(&header(from, to));
    offered(&features(stream)?.features, "<starttls")?;
    stream.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    let answer = next(stream, PATIENCE)?;
    offered(&answer, "<proceed")?;
    stream.start_tls(to, certificate)?;
    stream.send(&header(from, to));
    features(stream)
}

/// Claims a pair that must be granted.
pub(crate) fn authorize(stream: &Stream, from: &str, to: &str) -> Told {
    stream.send(&claim(from, to));
    let answer = next(stream, PATIENCE)?;
    let is_valid = answer.starts_with("<db:result") && answer.contains("type='valid'");
    if is_valid { Ok(()) } else { Err(format!("{from} to {to} is not granted: {answer}")) }
}

/// The header of a stream that the proxy opened.
pub(crate) fn answer_header(from: &str, to: &str, id: &str) -> String {
    header(from, to).replace(" version='1.0'>", &format!(" id='{id}' version='1.0'>"))
}

/// Takes a header, after its declaration.
pub(crate) fn next_header(stream: &Stream) -> Result<String, String> {
    let said = next(stream, PATIENCE)?;
    if said.starts_with("<?xml") { next(stream, PATIENCE) } else { Ok(said) }
}

/// Takes the header and the features after it.
pub(crate) fn features(stream: &Stream) -> Result<Opened, String> {
    let header = next_header(stream)?;
    offered(&header, "<stream:stream")?;
    let features = next(stream, PATIENCE)?;
    offered(&features, "<stream:features")?;
    let id = attribute(&header, "id").unwrap_or_default().to_owned();
    Ok(Opened { id, features })
}

/// Looks that what is said holds this.
pub(crate) fn offered(said: &str, part: &str) -> Told {
    if said.contains(part) { Ok(()) } else { Err(format!("heard {said:?}, not {part:?}")) }
}

/// Takes the next thing said.
pub(crate) fn next(stream: &Stream, patience: Duration) -> Result<String, String> {
    let said = stream.next_within(patience);
    said.ok_or_else(|| match stream.end_within(Duration::ZERO) {
        Some((said, how)) => format!("it ended {how} and said {said:?}"),
        None => "nothing is said".to_owned(),
    })
}

/// Waits for the end; all that was said before it.
pub(crate) fn end(stream: &Stream, patience: Duration) -> Result<(String, String), String> {
    stream
        .end_within(patience)
        .ok_or_else(|| format!("it did not end; it said {:?}", stream.next_within(Duration::ZERO)))
}

/// A stream error of one of these conditions, after a header if there was none, and the end; and
/// not a word of what was said before.
pub(crate) fn expect_error(stream: &Stream, conditions: &[String], patience: Duration) -> Told {
    let (said, how) = end(stream, patience)?;
    if how != "by the other end" {
        return Err(format!("it ended {how} after {said:?}"));
    }
    let front = conditions.iter().find_map(|condition| {
        said.strip_suffix(&format!(
            "<stream:error><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>\
             </stream:error></stream:stream>"
        ))
    });
    let Some(front) = front else {
        return Err(format!("it said {said:?}, not {conditions:?}"));
    };
    let rest = match front.strip_prefix("<?xml version='1.0'?><stream:stream ") {
        Some(header) => header.split_once('>').map_or(header, |(_, rest)| rest),
        None => front,
    };
    if !rest.is_empty() {
        return Err(format!("it said {rest:?} before the error"));
    }
    if SAID_MAX < said.len() {
        return Err(format!("it takes {} bytes to say so", said.len()));
    }
    Ok(())
}

pub(crate) const AUTH: &str =
    "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>";

pub(crate) const DIALBACK: &str =
    "<dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback>";

/// Whoever breaks a rule is told so in fewer bytes than it takes to make anything of them.
const SAID_MAX: usize = 2048;

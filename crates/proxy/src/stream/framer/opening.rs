//! The start tag of a stream, read out.

use super::scope::Scope;
use super::tag::{Attribute, StartTag};
use super::{Inherited, decode};
use crate::stream::{Condition, Element, StreamError, Violation};

const STREAMS: &[u8] = b"http://etherx.jabber.org/streams";
const XML_LANG: &str = "{http://www.w3.org/XML/1998/namespace}lang";

/// Whether a stream may have this name (RFC 6120 §4.8.1). Any prefix will do: we write our own.
pub(super) fn check(name: &[u8], namespace: &[u8]) -> Result<(), StreamError> {
    if namespace != STREAMS {
        let because = "a root outside of the streams namespace";
        return Err(Condition::InvalidNamespace.because(because).blame(Violation::XmlNamespace));
    }
    if name != b"stream" {
        let because = "a root that is no stream";
        return Err(Condition::BadFormat.because(because).blame(Violation::StreamElement));
    }
    Ok(())
}

/// Reads the header's attributes, its declarations among them.
pub(super) fn read(
    piece: &[u8],
    start: &StartTag,
    attributes: &[Attribute],
    scope: &mut Scope,
) -> Result<Element, StreamError> {
    let mut element = Element::new(&text(STREAMS), &text(start.name.local(piece)));
    let nothing = Inherited::default();
    for Attribute { name, value } in attributes {
        let key = match name.prefix(piece) {
            None | Some(b"xmlns") => text(name.span.of(piece)),
            Some(prefix) => {
                let namespace = scope.resolve(piece, prefix, &nothing)?;
                let namespace = text(namespace.of(piece, &nothing));
                format!("{{{namespace}}}{}", text(name.local(piece)))
            }
        };
        let value = decode(value.of(piece)).into_owned();
        element.attributes.push((key, value));
    }
    Ok(element)
}

/// What the header gives to all that follows it.
pub(super) fn inherited(
    piece: &[u8],
    header: &Element,
    scope: &Scope,
) -> Result<Inherited, StreamError> {
    let mut inherited = Inherited::new(header.attribute("xmlns").unwrap_or_default().to_owned());
    for (prefix, namespace) in scope.declared(piece) {
        // `xml` is known everywhere and need not be passed on.
        if prefix != b"xml" {
            inherited.declare(text(prefix), text(namespace))?;
        }
    }
    if let Some(language) = header.attribute(XML_LANG) {
        inherited.speak(language.to_owned());
    }
    Ok(inherited)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

//! Elements that we look into: features, dialback, SASL, errors.
//!
//! This is the one room that knows the XML library. It is given only what the framer let through.

use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, NamespaceResolver, PrefixDeclaration, ResolveResult};
use quick_xml::reader::NsReader;

use super::{Condition, Raw, StreamError, Violation};

/// An element with its names resolved and its references replaced.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Element {
    /// The namespace of its name; empty if it has none.
    pub namespace: String,
    /// Its name, without prefix.
    pub name: String,
    /// Names and values of its attributes, as they came. The name of an attribute that has a
    /// namespace is `{namespace}name`.
    pub attributes: Vec<(String, String)>,
    /// What it holds, as it came; neighboring pieces of text are one.
    pub children: Vec<Node>,
}

/// What an element may hold.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Node {
    /// Another element.
    Element(Element),
    /// Text, CDATA included.
    Text(String),
}

/// Most elements and pieces of text in an element that we look into, all depths taken together.
/// Features with every extension that is known hold some fifty; a tree takes some thirty times the
/// room of its tags, which is what this bounds.
const NODES_MAX: usize = 1024;

impl Element {
    /// An element that has nothing yet but its name.
    pub fn new(namespace: &str, name: &str) -> Self {
        Self { namespace: namespace.to_owned(), name: name.to_owned(), ..Self::default() }
    }

    /// Reads a first-level element.
    ///
    /// # Errors
    ///
    /// `policy-violation` where it holds more than anybody needs to tell us.
    pub fn read(raw: &Raw) -> Result<Self, StreamError> {
        let text = str::from_utf8(raw.bytes()).map_err(|_| disagreement())?;
        let mut reader = NsReader::from_str(text);
        inherit(raw, reader.resolver_mut()).map_err(|_| disagreement())?;
        let mut open: Vec<Self> = Vec::new();
        for _ in 0..EVENTS_MAX {
            let closed = match reader.read_event().map_err(|_| disagreement())? {
                Event::Start(start) => {
                    open.push(opened(&start, reader.resolver())?);
                    continue;
                }
                Event::Empty(start) => opened(&start, reader.resolver())?,
                Event::End(_) => open.pop().ok_or_else(disagreement)?,
                Event::Text(text) => {
                    push_text(&mut open, &text.xml10_content())?;
                    continue;
                }
                Event::CData(text) => {
                    push_text(&mut open, &text.xml10_content())?;
                    continue;
                }
                Event::GeneralRef(reference) => {
                    push_text(&mut open, &resolve(&reference)?)?;
                    continue;
                }
                Event::Comment(_)
                | Event::Decl(_)
                | Event::PI(_)
                | Event::DocType(_)
                | Event::Eof => return Err(disagreement()),
            };
            match open.last_mut() {
                Some(parent) => parent.children.push(Node::Element(closed)),
                None => return Ok(closed),
            }
        }
        let because = "an element of more parts than we look into";
        Err(Condition::PolicyViolation.because(because).blame(Violation::XmlTooBig))
    }

    /// Whether this is the element of this namespace and name.
    pub fn is(&self, namespace: &str, name: &str) -> bool {
        self.namespace == namespace && self.name == name
    }

    /// The value of an attribute, by a name without namespace or by `{namespace}name`.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The first element of this namespace and name in it.
    pub fn child(&self, namespace: &str, name: &str) -> Option<&Self> {
        self.elements().find(|it| it.is(namespace, name))
    }

    /// The elements in it.
    pub fn elements(&self) -> impl Iterator<Item = &Self> {
        self.children.iter().filter_map(|child| match child {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// The text in it, without that of the elements in it.
    pub fn text(&self) -> String {
        self.children
            .iter()
            .filter_map(|child| match child {
                Node::Text(text) => Some(text.as_str()),
                Node::Element(_) => None,
            })
            .collect()
    }
}

/// Most events in reading an element: each node is at most a start and an end.
const EVENTS_MAX: usize = 2 * NODES_MAX;

/// Tells the resolver what the stream header has declared.
fn inherit(raw: &Raw, resolver: &mut NamespaceResolver) -> Result<(), quick_xml::Error> {
    // The framer has its own limit, which this one need not repeat.
    resolver.set_max_namespace_bindings(usize::MAX);
    let default = Namespace(raw.stream().default_namespace());
    resolver.add(PrefixDeclaration::Default, default)?;
    for (prefix, namespace) in raw.inherits() {
        resolver.add(PrefixDeclaration::Named(prefix), Namespace(namespace))?;
    }
    Ok(())
}

/// The element that a start tag opens.
fn opened(start: &BytesStart<'_>, resolver: &NamespaceResolver) -> Result<Element, StreamError> {
    let (namespace, name) = resolver.resolve_element(start.name());
    let mut element = Element::new(bound(&namespace)?, name.as_ref());
    for attribute in start.attributes().with_checks(false) {
        let attribute = attribute.map_err(|_| disagreement())?;
        if attribute.key.as_namespace_binding().is_some() {
            continue;
        }
        let (namespace, name) = resolver.resolve_attribute(attribute.key);
        let name = match bound(&namespace)? {
            "" => name.as_ref().to_owned(),
            namespace => format!("{{{namespace}}}{}", name.as_ref()),
        };
        let value =
            attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|_| disagreement())?;
        element.attributes.push((name, value.into_owned()));
    }
    Ok(element)
}

fn bound<'a>(namespace: &'a ResolveResult<'a>) -> Result<&'a str, StreamError> {
    match namespace {
        ResolveResult::Bound(Namespace(namespace)) => Ok(namespace),
        ResolveResult::Unbound => Ok(""),
        ResolveResult::Unknown(_) => Err(disagreement()),
    }
}

/// Adds text to the element that is open inmost.
fn push_text(open: &mut [Element], text: &str) -> Result<(), StreamError> {
    let children = &mut open.last_mut().ok_or_else(disagreement)?.children;
    match children.last_mut() {
        Some(Node::Text(last)) => last.push_str(text),
        Some(Node::Element(_)) | None if text.is_empty() => (),
        Some(Node::Element(_)) | None => children.push(Node::Text(text.to_owned())),
    }
    Ok(())
}

/// What a reference stands for.
fn resolve(reference: &BytesRef<'_>) -> Result<String, StreamError> {
    match reference.resolve_char_ref() {
        Ok(Some(character)) => Ok(character.into()),
        Ok(None) => {
            resolve_predefined_entity(reference).map(str::to_owned).ok_or_else(disagreement)
        }
        Err(_) => Err(disagreement()),
    }
}

/// Why reading fails that cannot fail: the framer and the library differ about what XML is. To
/// close the stream is the one safe thing to do then.
fn disagreement() -> StreamError {
    Condition::NotWellFormed
        .because("an element that two parsers read differently")
        .blame(Violation::XmlNotWellFormed)
}

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::str;
use std::sync::Arc;

use bytes::Bytes;

use super::names::Name;
use super::reference::decode;
use super::scope::{PREFIXES_MAX, Source, Used};
use super::{Inherited, Limits, characters};

/// A whole first-level element as it was received, and where in it to find what.
///
/// It is well-formed, also with regard to namespaces, and within the limits of its stream.
#[derive(Clone, Debug)]
pub struct Raw {
    pub(super) bytes: Bytes,
    /// Length of the start tag.
    pub(super) head: usize,
    pub(super) name: Name,
    pub(super) namespace: Source,
    /// The prefixes that are used somewhere inside.
    pub(super) used: Used,
    pub(super) stream: Arc<Inherited>,
    /// What it was held to.
    pub(super) limits: Limits,
}

impl Raw {
    /// What the framer would never let through, for tests of those who rely on that.
    #[cfg(test)]
    pub(in crate::stream) fn unchecked(bytes: &'static [u8]) -> Self {
        Self {
            bytes: Bytes::from_static(bytes),
            head: bytes.len(),
            name: Name::default(),
            namespace: Source::Default,
            used: Used::default(),
            stream: Arc::default(),
            limits: Limits { element: usize::MAX, depth: usize::MAX, attributes: usize::MAX },
        }
    }

    /// The element, from `<` to `>`, as received.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Its start tag, or the whole of an empty element.
    pub fn head(&self) -> &[u8] {
        self.bytes.get(..self.head).unwrap_or_default()
    }

    /// Its name, as it is spelled.
    pub fn qualified_name(&self) -> &[u8] {
        self.name.span.of(&self.bytes)
    }

    /// Its name without the prefix.
    pub fn local_name(&self) -> &[u8] {
        self.name.local(&self.bytes)
    }

    /// Whether its name has a prefix.
    pub fn is_prefixed(&self) -> bool {
        self.name.is_prefixed()
    }

    /// The namespace of its name; empty if it has none.
    pub fn namespace(&self) -> &str {
        str::from_utf8(self.namespace.of(&self.bytes, &self.stream)).unwrap_or_default()
    }

    /// Whether it is the element of this namespace and name.
    pub fn is(&self, namespace: &str, name: &str) -> bool {
        self.local_name() == name.as_bytes() && self.namespace() == namespace
    }

    /// The value of the attribute spelled `name`, references resolved.
    pub fn attribute(&self, name: &str) -> Option<Cow<'_, str>> {
        attributes(self.head()).find(|it| it.name == name.as_bytes()).map(|it| decode(it.value))
    }

    /// What its stream gave it.
    pub fn stream(&self) -> &Inherited {
        &self.stream
    }

    /// The prefixes declared on the stream header that it uses, each with its namespace.
    pub fn inherits(&self) -> impl Iterator<Item = (&str, &str)> {
        self.stream
            .prefixes()
            .enumerate()
            .filter(|(index, _)| self.used.inherits >> index & 1 == 1)
            .map(|(_, prefix)| prefix)
    }

    /// The longest that its stream takes in.
    pub fn longest(&self) -> usize {
        self.limits.element
    }

    /// Whether its stream would not have taken it in if it were of so many bytes, had so many
    /// attributes on its start tag, and declared all it inherits.
    pub fn would_exceed(&self, bytes: usize, attributes: usize) -> bool {
        let prefixes = self.used.declares + self.used.inherits.count_ones() as usize;
        let limits = &self.limits;
        limits.element < bytes || limits.attributes < attributes || PREFIXES_MAX < prefixes
    }
}

/// An attribute or a namespace declaration as it stands in a start tag.
#[derive(Clone, Copy, Debug)]
pub(in crate::stream) struct RawAttribute<'a> {
    /// The name as it is spelled.
    pub(in crate::stream) name: &'a [u8],
    /// What stands between the quotes.
    pub(in crate::stream) value: &'a [u8],
    /// Offset of the value from the start of the tag.
    pub(in crate::stream) at: usize,
}

/// The attributes and declarations of the start tag that `head` begins with, which is one that the
/// framer let through.
pub(in crate::stream) fn attributes(head: &[u8]) -> Attributes<'_> {
    let name = head.iter().position(|&byte| ends_name(byte));
    Attributes { head, at: name.unwrap_or(head.len()) }
}

/// Whether `byte` ends the name in a start tag.
fn ends_name(byte: u8) -> bool {
    characters::is_space(byte) || matches!(byte, b'=' | b'/' | b'>')
}

/// Reads attributes one by one. See [`attributes`].
pub(in crate::stream) struct Attributes<'a> {
    head: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Attributes<'a> {
    type Item = RawAttribute<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let start = characters::skip_space(self.head, self.at);
        let rest = self.head.get(start..)?;
        let name = rest.get(..rest.iter().position(|&byte| ends_name(byte))?)?;
        if name.is_empty() {
            return None;
        }
        let opening = rest.iter().position(|byte| matches!(byte, b'\'' | b'"'))?;
        let value = rest.get(opening + 1..)?;
        let value = value.get(..memchr::memchr(*rest.get(opening)?, value)?)?;
        let at = start + opening + 1;
        self.at = at + value.len() + 1;
        Some(RawAttribute { name, value, at })
    }
}

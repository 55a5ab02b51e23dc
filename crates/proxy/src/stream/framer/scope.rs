//! Namespaces in XML 1.0: which prefix stands for what, where.

use super::Inherited;
use super::reject::{excessive, not_well_formed};
use super::span::Span;
use super::tag::{Attribute, StartTag};
use crate::stream::{StreamError, Violation};

/// Longest namespace name in bytes. The longest in use have about a hundred; a name is compared
/// whenever attributes with prefixes meet, and copied to every stanza that inherits it.
const NAMESPACE_MAX: usize = 1024;

/// Most prefixes declared at any one place, all open elements taken together. Every prefix that is
/// used is looked for among them, so they bound the work that a short tag can cause.
pub(super) const PREFIXES_MAX: usize = 256;

/// From how many attributes on sorting is quicker than comparing each with each.
const SORTED_FROM: usize = 12;

const XML: &[u8] = b"http://www.w3.org/XML/1998/namespace";
const XMLNS: &[u8] = b"http://www.w3.org/2000/xmlns/";

/// The prefixes declared by the open elements of a piece.
#[derive(Debug, Default)]
pub(super) struct Scope {
    bindings: Vec<Binding>,
    /// How many there have been in the piece at one place, at most.
    most: usize,
    /// Which of the prefixes that the stream header declares the piece has used: one bit each.
    inherits: u64,
}

/// What a piece does with prefixes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Used {
    /// One bit for each of the header's prefixes that it uses.
    pub(super) inherits: u64,
    /// How many it declares at one place, at most.
    pub(super) declares: usize,
}

/// A prefix and what it stands for, both as the piece spells them.
#[derive(Clone, Copy, Debug)]
struct Binding {
    /// A digest of the prefix, so that most of those that are not sought are passed by quickly.
    digest: u64,
    prefix: Span,
    namespace: Span,
    depth: usize,
}

/// The namespace of a name, by where it was declared.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Source {
    /// On the stream header, for names without a prefix.
    Default,
    /// On the stream header, for its prefix of this index.
    Header(usize),
    /// In the piece itself.
    Piece(Span),
    /// Nowhere, because `xml` always stands for the same.
    Xml,
}

impl Source {
    pub(super) fn of<'a>(self, piece: &'a [u8], header: &'a Inherited) -> &'a [u8] {
        match self {
            Self::Default => header.default_namespace().as_bytes(),
            Self::Header(index) => header.namespace_at(index).as_bytes(),
            Self::Piece(span) => span.of(piece),
            Self::Xml => XML,
        }
    }
}

impl Scope {
    /// Forgets the piece that was read and tells which prefixes it used.
    pub(super) fn finish(&mut self) -> Used {
        self.bindings.clear();
        let (inherits, declares) = (self.inherits, self.most);
        (self.inherits, self.most) = (0, 0);
        Used { inherits, declares }
    }

    /// How many bytes it holds in memory besides itself.
    pub(super) fn held(&self) -> usize {
        self.bindings.capacity() * size_of::<Binding>()
    }

    /// Enters an element: declares its prefixes, resolves its names and tells its namespace.
    ///
    /// For names without a prefix only the element's own default namespace is known here, and the
    /// header's: what stands between matters to nobody, because nothing is looked up for them.
    pub(super) fn enter(
        &mut self,
        piece: &[u8],
        element: (&StartTag, &[Attribute]),
        depth: usize,
        header: &Inherited,
    ) -> Result<Source, StreamError> {
        let (tag, attributes) = element;
        let mut namespace = Source::Default;
        let mut prefixed = 0;
        for attribute in attributes {
            match (attribute.name.prefix(piece), attribute.name.local(piece)) {
                (None, b"xmlns") => {
                    check(b"", attribute.value.of(piece))?;
                    namespace = Source::Piece(attribute.value);
                }
                (Some(b"xmlns"), prefix) => {
                    check(prefix, attribute.value.of(piece))?;
                    if self.bindings.len() == PREFIXES_MAX {
                        let because = "more prefixes than may be declared at one place";
                        return Err(excessive(Violation::XmlAttributes, because));
                    }
                    self.bindings.push(Binding {
                        digest: digest(prefix),
                        prefix: attribute.name.local_span(),
                        namespace: attribute.value,
                        depth,
                    });
                    self.most = self.most.max(self.bindings.len());
                }
                (Some(_), _) => prefixed += 1,
                (None, _) => (),
            }
        }
        are_distinct(attributes.iter().map(|it| it.name.span.of(piece)))?;
        self.are_distinct_expanded(piece, attributes, prefixed, header)?;
        match tag.name.prefix(piece) {
            Some(prefix) => self.resolve(piece, prefix, header),
            None => Ok(namespace),
        }
    }

    /// Leaves the element of this depth: what it declared holds no longer.
    pub(super) fn leave(&mut self, depth: usize) {
        while self.bindings.last().is_some_and(|it| depth <= it.depth) {
            self.bindings.pop();
        }
    }

    /// Every prefix that is declared now, and its namespace.
    pub(super) fn declared<'a>(
        &'a self,
        piece: &'a [u8],
    ) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        self.bindings.iter().map(|it| (it.prefix.of(piece), it.namespace.of(piece)))
    }

    /// Finds what `prefix` stands for here.
    pub(super) fn resolve(
        &mut self,
        piece: &[u8],
        prefix: &[u8],
        header: &Inherited,
    ) -> Result<Source, StreamError> {
        if prefix == b"xml" {
            return Ok(Source::Xml);
        }
        let digest = digest(prefix);
        let is_sought = |it: &&Binding| it.digest == digest && it.prefix.of(piece) == prefix;
        if let Some(found) = self.bindings.iter().rev().find(is_sought) {
            return Ok(Source::Piece(found.namespace));
        }
        let Some(index) = header.find(prefix) else {
            return Err(not_well_formed("a prefix that nobody declared"));
        };
        self.inherits |= 1 << index;
        Ok(Source::Header(index))
    }

    /// Two attributes must differ also once their prefixes are resolved (Namespaces in XML §6.3).
    fn are_distinct_expanded(
        &mut self,
        piece: &[u8],
        attributes: &[Attribute],
        prefixed: usize,
        header: &Inherited,
    ) -> Result<(), StreamError> {
        let mut names = Vec::with_capacity(prefixed);
        for Attribute { name, .. } in attributes {
            match name.prefix(piece) {
                None | Some(b"xmlns") => (),
                Some(prefix) => names.push((name, self.resolve(piece, prefix, header)?)),
            }
        }
        are_distinct(
            names.iter().map(|(name, source)| (name.local(piece), source.of(piece, header))),
        )
    }
}

/// FNV-1a. Somebody who makes prefixes meet in it gains that they are compared after all.
fn digest(prefix: &[u8]) -> u64 {
    prefix.iter().fold(0xCBF2_9CE4_8422_2325, |digest, &byte| {
        (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    })
}

/// Whether a declaration may be made (Namespaces in XML §3, §5), and passed on.
fn check(prefix: &[u8], namespace: &[u8]) -> Result<(), StreamError> {
    if NAMESPACE_MAX < namespace.len() {
        let because = "a namespace name that is too long";
        return Err(excessive(Violation::XmlTooBig, because));
    }
    // A parser joins a namespace and a name to one string with a separator between: some with a
    // control character, some with a line feed. Where the namespace holds it too, the parser gives
    // up on the stream, and all that share the stream suffer. References have no honest use here,
    // and could bring in the same character by another way.
    if namespace.iter().any(|&byte| byte < b' ' || byte == b'&') {
        let because = "a namespace name that parsers disagree about";
        return Err(excessive(Violation::XmlBackendUnsafe, because));
    }
    let is_illegal = prefix == b"xmlns"
        || namespace == XMLNS
        || (prefix == b"xml") != (namespace == XML)
        || (!prefix.is_empty() && namespace.is_empty());
    if is_illegal {
        return Err(not_well_formed("a namespace that may not be declared so"));
    }
    Ok(())
}

/// Whether no two of `names` are the same.
fn are_distinct<T: Ord>(
    names: impl ExactSizeIterator<Item = T> + Clone,
) -> Result<(), StreamError> {
    let is_repeated = if names.len() < SORTED_FROM {
        names
            .clone()
            .enumerate()
            .any(|(index, name)| names.clone().take(index).any(|other| other == name))
    } else {
        let mut names: Vec<T> = names.collect();
        names.sort_unstable();
        names.windows(2).any(|two| two.first() == two.last())
    };
    if is_repeated {
        return Err(not_well_formed("an attribute given twice"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;

use super::reject::excessive;
use crate::stream::{StreamError, Violation};

/// What a stream header gives to every stanza that follows it: namespaces and a language.
///
/// A stanza that leaves for another stream loses them, so they are declared on it (RFC 6120
/// §4.7.4, §4.8.5).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Inherited {
    default_namespace: String,
    prefixes: Vec<(String, String)>,
    /// How many bytes their declarations take.
    declared: usize,
    language: Option<String>,
}

/// Most prefixes on a stream header. Servers declare three; each stanza keeps a bit for every one.
const PREFIXES_MAX: usize = 64;

/// How many bytes the declarations on a stream header may take, all prefixes together. Servers' take
/// some two hundred. Every stanza may come to bear all of them, however short it was: this bounds
/// what a peer can have us send on for a few bytes of its own.
const DECLARED_MAX: usize = 2048;

/// What a declaration takes besides the prefix and the namespace.
const DECLARING: usize = " xmlns:=''".len();

/// Longest language tag that is passed on: RFC 5646 §4.4.1 asks for at least 35 characters.
const LANGUAGE_MAX: usize = 64;

impl Inherited {
    /// Nothing inherited yet but a default namespace.
    pub(super) fn new(default_namespace: String) -> Self {
        Self { default_namespace, ..Self::default() }
    }

    /// Adds a prefix; the caller has made sure that it is new.
    pub(super) fn declare(&mut self, prefix: String, namespace: String) -> Result<(), StreamError> {
        if self.prefixes.len() == PREFIXES_MAX {
            let because = "more prefixes than a stream header may declare";
            return Err(excessive(Violation::XmlAttributes, because));
        }
        self.declared += DECLARING + prefix.len() + namespace.len();
        if DECLARED_MAX < self.declared {
            let because = "longer declarations than a stream header may hand on";
            return Err(excessive(Violation::XmlTooBig, because));
        }
        self.prefixes.push((prefix, namespace));
        Ok(())
    }

    /// Sets the language, if it is one: anything that cannot be a language tag is forgotten.
    pub(super) fn speak(&mut self, language: String) {
        let is_tag = (1..=LANGUAGE_MAX).contains(&language.len())
            && language.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        self.language = is_tag.then_some(language);
    }

    /// The namespace of names without a prefix: the content namespace of the stream (RFC 6120
    /// §4.8.2). Empty if none was declared.
    pub fn default_namespace(&self) -> &str {
        &self.default_namespace
    }

    /// The prefixes that were declared, each with its namespace.
    pub fn prefixes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.prefixes.iter().map(|(prefix, namespace)| (prefix.as_str(), namespace.as_str()))
    }

    /// The stream's `xml:lang`.
    pub fn language(&self) -> Option<&str> {
        self.language.as_deref()
    }

    /// How many bytes it holds in memory besides itself, roughly.
    pub(super) fn held(&self) -> usize {
        let prefixes = self.prefixes.capacity() * size_of::<(String, String)>();
        prefixes + self.declared + self.default_namespace.len()
    }

    /// The place of `prefix` among the prefixes.
    pub(super) fn find(&self, prefix: &[u8]) -> Option<usize> {
        self.prefixes.iter().position(|(known, _)| known.as_bytes() == prefix)
    }

    /// The namespace of the prefix at `index`; empty for an index that `find` never gave.
    pub(super) fn namespace_at(&self, index: usize) -> &str {
        self.prefixes.get(index).map_or("", |(_, namespace)| namespace)
    }
}

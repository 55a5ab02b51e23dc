//! What is changed about a stanza that leaves the stream it came by.

use bytes::Bytes;

use super::Value;
use super::address::{Address, Spelled};
use crate::stream::Raw;
use crate::stream::framer::escape;

/// A stretch of the stanza, and what is to stand in its place.
#[derive(Debug)]
pub(super) struct Edit {
    at: usize,
    length: usize,
    text: Vec<u8>,
}

/// Declares on the stanza what it inherits from its stream: the prefixes that it uses, and the
/// language, unless it names one (RFC 6120 §4.7.4, §4.8.5). Tells how many attributes that makes.
pub(super) fn inherit(raw: &Raw, has_language: bool, edits: &mut Vec<Edit>) -> usize {
    let mut text = Vec::new();
    let mut more = 0;
    for (prefix, namespace) in raw.inherits() {
        // It stood between quotes without a reference, so one kind of quote at least is not in it;
        // and it must not come to hold one, or nobody would take it.
        let quote = if namespace.contains('\'') { '"' } else { '\'' };
        let declaration = format!(" xmlns:{prefix}={quote}{namespace}{quote}");
        text.extend_from_slice(declaration.as_bytes());
        more += 1;
    }
    if let Some(language) = raw.stream().language()
        && !has_language
    {
        text.extend_from_slice(b" xml:lang");
        quote(language, &mut text);
        more += 1;
    }
    if !text.is_empty() {
        edits.push(Edit { at: 1 + raw.qualified_name().len(), length: 0, text });
    }
    more
}

/// Writes an address anew if its domain is not spelled in the canonical way, or might be taken for
/// another by a reader who is careless about references.
pub(super) fn respell(
    value: &Value<'_>,
    address: &Address<'_>,
    domain: &Spelled,
    edits: &mut Vec<Edit>,
) {
    let mut parts = value.raw.split(|&byte| byte == b'/');
    let is_plain = parts.next().is_some_and(|bare| !bare.contains(&b'&'));
    if is_plain && domain.is_canonical() {
        return;
    }
    let mut text = Vec::with_capacity(value.raw.len());
    if let Some(local) = address.local {
        escape(local, &mut text);
        text.push(b'@');
    }
    escape(domain.domain.as_str(), &mut text);
    if let Some(resource) = address.resource {
        text.push(b'/');
        escape(resource, &mut text);
    }
    edits.push(Edit { at: value.at, length: value.raw.len(), text });
}

/// Carries the edits out. Without any the stanza stays the very same bytes.
pub(super) fn apply(stanza: &Bytes, mut edits: Vec<Edit>) -> Bytes {
    if edits.is_empty() {
        return stanza.clone();
    }
    edits.sort_unstable_by_key(|edit| edit.at);
    let more: usize = edits.iter().map(|edit| edit.text.len()).sum();
    let mut edited = Vec::with_capacity(stanza.len() + more);
    let mut done = 0;
    for edit in &edits {
        edited.extend_from_slice(stanza.get(done..edit.at).unwrap_or_default());
        edited.extend_from_slice(&edit.text);
        done = edit.at + edit.length;
    }
    edited.extend_from_slice(stanza.get(done..).unwrap_or_default());
    edited.into()
}

/// Writes a value as it stood between quotes, in quotes of one kind or the other.
pub(super) fn requote(raw: &[u8], into: &mut Vec<u8>) {
    // One kind of quote at least is not in it.
    let quote = if raw.contains(&b'\'') { b'"' } else { b'\'' };
    into.extend([b'=', quote]);
    into.extend_from_slice(raw);
    into.push(quote);
}

/// Writes `='value'`.
pub(super) fn quote(value: &str, into: &mut Vec<u8>) {
    into.extend_from_slice(b"='");
    escape(value, into);
    into.push(b'\'');
}

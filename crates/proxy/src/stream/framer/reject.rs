//! The ways a framer ends a stream, each with the rule that was broken.

use crate::stream::{Condition, StreamError, Violation};

/// The bytes are no XML, or break Namespaces in XML (RFC 6120 §4.9.3.13).
pub(super) fn not_well_formed(because: &'static str) -> StreamError {
    Condition::NotWellFormed.because(because).blame(Violation::XmlNotWellFormed)
}

/// XML that XMPP does without (RFC 6120 §11.1).
pub(super) fn restricted(because: &'static str) -> StreamError {
    Condition::RestrictedXml.because(because).blame(Violation::XmlRestricted)
}

/// Something other than UTF-8 (RFC 6120 §11.6).
pub(super) fn encoding(because: &'static str) -> StreamError {
    Condition::UnsupportedEncoding.because(because).blame(Violation::XmlEncoding)
}

/// More of something than we take from anybody.
pub(super) fn excessive(violation: Violation, because: &'static str) -> StreamError {
    Condition::PolicyViolation.because(because).blame(violation)
}

/// Characters where only elements may stand (RFC 6120 §4.9.3.1).
pub(super) fn text_between(because: &'static str) -> StreamError {
    Condition::BadFormat.because(because).blame(Violation::StreamText)
}

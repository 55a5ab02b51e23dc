//! Fingerprints from the domain's web server against the leaf that was presented (RFC 7711 §3.3).

use std::time::SystemTime;

use aws_lc_rs::digest::{SHA512, digest};

use crate::evidence::{Fingerprint, Published};
use crate::{Finding, Presented};

/// Tells until when the domain's web server vouches for what was presented; or why it does not,
/// and `None` if it says nothing at all.
pub(super) fn judge(
    presented: &Presented,
    published: &Published<Vec<Fingerprint>>,
    at: SystemTime,
) -> Result<SystemTime, Option<Finding>> {
    let (fingerprints, expires) = match published {
        Published::Here(fingerprints, expires) => (fingerprints, *expires),
        Published::Absent => return Err(None),
        Published::Bogus(finding) | Published::Unreachable(finding) => return Err(Some(*finding)),
    };
    if !fingerprints.iter().any(|it| is_match(it, presented)) {
        return Err(Some(Finding::PoshMismatch));
    }
    // The fingerprint stands for authorities and names, but not for the dates (RFC 7711 §6).
    let not_after = presented.valid_until(at)?;
    Ok(expires.min(not_after))
}

/// Tells whether the leaf has all digests of a descriptor that we can compute, and at least one.
fn is_match(fingerprint: &Fingerprint, presented: &Presented) -> bool {
    let sha256 = fingerprint.sha256.as_ref().map(|it| *it == presented.sha256());
    let sha512 =
        fingerprint.sha512.as_ref().map(|it| it == digest(&SHA512, presented.leaf()).as_ref());
    matches!((sha256, sha512), (Some(true), Some(true) | None) | (None, Some(true)))
}

#[cfg(test)]
mod tests;

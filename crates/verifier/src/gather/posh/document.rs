use std::time::Duration;

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};

use crate::Finding;
use crate::evidence::Fingerprint;

/// A POSH document (RFC 7711 §3).
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Document {
    /// The fingerprints of the certificates that count.
    Fingerprints(Vec<Fingerprint>),
    /// Where these fingerprints are.
    Reference(String),
}

impl Document {
    /// Reads a document, and for how long it holds.
    pub(super) fn parse(body: &[u8]) -> Result<(Self, Duration), Finding> {
        let malformed = Finding::PoshMalformed;
        let document: Map<String, Value> = serde_json::from_slice(body).map_err(|_| malformed)?;
        let found = match (document.get("fingerprints"), document.get("url")) {
            (Some(Value::Array(found)), None) if FINGERPRINTS_MAX < found.len() => {
                return Err(Finding::PoshTooLarge);
            }
            (Some(Value::Array(found)), None) if !found.is_empty() => {
                let read = |it: &Value| fingerprint(it).ok_or(malformed);
                Self::Fingerprints(found.iter().map(read).collect::<Result<_, _>>()?)
            }
            (None, Some(Value::String(url))) => Self::Reference(url.clone()),
            _ => return Err(malformed),
        };
        let lifetime = document.get("expires").and_then(Value::as_u64).ok_or(malformed)?;
        match lifetime {
            0 => Err(Finding::PoshExpired),
            _ => Ok((found, Duration::from_secs(lifetime.min(LIFETIME_MAX)))),
        }
    }
}

/// Reads a descriptor. Digests that we do not know are passed over; if it has no other, it is
/// there and matches nothing.
fn fingerprint(descriptor: &Value) -> Option<Fingerprint> {
    let digests = descriptor.as_object()?;
    let sha256 = digests.get("sha-256").map(digest);
    let sha512 = digests.get("sha-512").map(digest);
    // One that is there and cannot be read is not passed over.
    if sha256 == Some(None) || sha512 == Some(None) {
        return None;
    }
    Some(Fingerprint { sha256: sha256.flatten(), sha512: sha512.flatten() })
}

fn digest<const LENGTH: usize>(digest: &Value) -> Option<[u8; LENGTH]> {
    BASE64.decode(digest.as_str()?).ok()?.try_into().ok()
}

/// The RFC's own examples leave out padding here and there (RFC 7711 §3.1).
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// As many servers as a large hoster has. A document stays in memory as long as it holds.
const FINGERPRINTS_MAX: usize = 256;

/// No document is worth more than a week, whatever it says.
const LIFETIME_MAX: u64 = 7 * 24 * 3600;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::str::FromStr;

use hickory_resolver::proto::dnssec::rdata::{DNSKEY, DS};
use hickory_resolver::proto::dnssec::{Algorithm, DigestType, PublicKey, TrustAnchors};
use hickory_resolver::proto::rr::Name;

use crate::settings::SetupError;

/// Where validation starts: the keys of some zones, or the digests of such keys.
pub(super) struct Anchors {
    keys: TrustAnchors,
    digests: Vec<(Name, DS)>,
    /// Whose they are.
    zones: Vec<Name>,
    count: usize,
}

impl Anchors {
    /// Reads a file of DNSKEY and DS records; without one, takes the root of the public DNS.
    pub(super) fn load(path: Option<&Path>) -> Result<Self, SetupError> {
        let Some(path) = path else {
            let keys = TrustAnchors::default();
            let (digests, zones) = (Vec::new(), vec![Name::root()]);
            return Ok(Self { count: keys.len(), keys, digests, zones });
        };
        let text = std::fs::read_to_string(path).ok();
        text.and_then(|it| Self::parse(&it)).ok_or_else(|| SetupError::TrustAnchor(path.to_owned()))
    }

    /// Reads records, one a line: name, perhaps a TTL, perhaps a class, type, data; comments
    /// behind a semicolon. Refuses what it does not understand, and a file that says nothing.
    fn parse(text: &str) -> Option<Self> {
        let (mut keys, mut digests, mut zones) = (String::new(), Vec::new(), Vec::new());
        for line in text.lines() {
            let words: Vec<&str> = line.split(';').next()?.split_whitespace().collect();
            let [name, ref rest @ ..] = words[..] else {
                continue;
            };
            let is_type =
                |it: &&str| ["DNSKEY", "DS"].iter().any(|its| it.eq_ignore_ascii_case(its));
            let at = rest.iter().take(3).position(is_type)?;
            let data = rest.get(at + 1..)?;
            let zone = Name::from_ascii(name).ok()?;
            match rest[at].eq_ignore_ascii_case("DS") {
                true => digests.push((zone.clone(), digest(data)?)),
                false => keys += &format!("{name} IN DNSKEY {}\n", data.join(" ")),
            }
            zones.push(zone);
        }
        let keys = TrustAnchors::from_str(&keys).ok()?;
        let count = zones.len();
        (0 < count).then_some(Self { keys, digests, zones, count })
    }

    /// How many keys and digests there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// The closest zone with an anchor that encloses a name.
    pub(super) fn closest(&self, name: &Name) -> Option<&Name> {
        let enclosing = self.zones.iter().filter(|it| it.zone_of(name));
        enclosing.max_by_key(|it| it.iter().count())
    }

    /// Whether this is a key of that zone.
    pub(super) fn vouch(&self, zone: &Name, key: &DNSKEY) -> bool {
        let is_meant = |(its_zone, digest): &(Name, DS)| {
            its_zone == zone
                && digest.algorithm() == PublicKey::algorithm(key.public_key())
                && digest.covers(zone, key).unwrap_or(false)
        };
        self.keys.contains_with_name(key.public_key(), &zone.into())
            || self.digests.iter().any(is_meant)
    }
}

/// Reads the data of a DS record (RFC 4034 §5.3).
fn digest(words: &[&str]) -> Option<DS> {
    let [tag, algorithm, kind, ref digest @ ..] = *words else {
        return None;
    };
    let digest = digest.concat();
    let octet = |at: usize| u8::from_str_radix(digest.get(at..at + 2)?, 16).ok();
    let octets: Option<Vec<u8>> = (0..digest.len()).step_by(2).map(octet).collect();
    let kind = DigestType::from(u8::from_str(kind).ok()?);
    let length = match kind {
        DigestType::SHA256 => 32,
        DigestType::SHA384 => 48,
        // SHA-1 no longer says which key is meant (RFC 8624 §3.3).
        DigestType::SHA1 | DigestType::Unknown(_) | _ => return None,
    };
    let octets = octets.filter(|it| it.len() == length)?;
    let algorithm = Algorithm::from_u8(u8::from_str(algorithm).ok()?);
    Some(DS::new(tag.parse().ok()?, algorithm, kind, octets))
}

#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use stringprep::nameprep;

/// The domainpart of an address, normalized when it was parsed (RFC 7622 §3.2).
///
/// Two `Domain`s are equal exactly when they name the same DNS domain, so they may be compared,
/// hashed and used as keys without further thought. Cloning one copies no text.
///
/// A name that two standards read differently is none. XMPP servers that prepare addresses by
/// IDNA2003 read `faß.example` as `fass.example`, while DNS, by IDNA2008, finds somebody else under
/// `xn--fa-hia.example`; whoever owned the one could speak as the other.
#[derive(Clone)]
pub struct Domain {
    ascii: Arc<str>,
    /// Set when the spelling on XML streams is another one than in DNS.
    spelling: Option<Arc<str>>,
}

/// Text that is no domain name we would speak to or for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum InvalidDomain {
    /// It is no domain name at all: an IP address, an address with a local part, a bad label.
    Malformed,
    /// It is one, but the standards differ on which.
    Ambiguous,
}

impl Domain {
    /// The name as DNS and TLS write it: lower-case A-labels, no trailing dot.
    pub fn ascii(&self) -> &str {
        &self.ascii
    }

    /// The one spelling used on XML streams: lower-case U-labels, no trailing dot.
    pub fn as_str(&self) -> &str {
        self.spelling.as_ref().unwrap_or(&self.ascii)
    }
}

impl FromStr for Domain {
    type Err = InvalidDomain;

    /// Reads a name, with or without a trailing dot, in A-labels, U-labels or both, in any case.
    fn from_str(text: &str) -> Result<Self, InvalidDomain> {
        let text = text.strip_suffix('.').unwrap_or(text);
        if TEXT_MAX < text.len() {
            return Err(InvalidDomain::Malformed);
        }
        if text.is_ascii() && !has_a_label(text) {
            return match is_hostname(text) {
                true => Ok(Self { ascii: lower_case(text), spelling: None }),
                false => Err(InvalidDomain::Malformed),
            };
        }
        international(text)
    }
}

/// Reads a name that has A-labels, U-labels or something else outside ASCII.
fn international(text: &str) -> Result<Domain, InvalidDomain> {
    let ascii_is_sound = text
        .bytes()
        .filter(u8::is_ascii)
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.');
    if !ascii_is_sound || text.split('.').any(str::is_empty) {
        return Err(InvalidDomain::Malformed);
    }

    // More than upper and lower case of one character is more than one reading: full-width forms,
    // ligatures, invisible characters, look-alikes of the dot.
    if !text.chars().all(only_folds_case) {
        return Err(InvalidDomain::Ambiguous);
    }

    let ascii = Uts46::new()
        .to_ascii(text.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast, DnsLength::Verify)
        .map_err(|_| malformed_if(text.is_ascii()))?;
    if !is_hostname(&ascii) {
        return Err(InvalidDomain::Malformed);
    }
    let (spelling, sound) =
        Uts46::new().to_unicode(ascii.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast);
    sound.map_err(|_| InvalidDomain::Malformed)?;

    // The spelling must be what IDNA2003 makes of what was written, and must stay as it is: it is
    // what a server behind us will read.
    let written = text.split('.').zip(spelling.split('.'));
    let agreed = written.into_iter().all(|(written, label)| {
        let read = nameprep(label).is_ok_and(|prepared| prepared == label);
        let same = starts_a_label(written) || nameprep(written).is_ok_and(|it| it == label);
        read && same
    });
    // Servers prepare names as a whole. One with letters from left to right in one label and from
    // right to left in another is none to them then (RFC 3454 §6), and whoever brought it to their
    // stream would have ended that for everybody.
    // What is refused as it is spelled is no better for having been written as DNS does: neither
    // letters with two readings, nor an A-label that stands for what begins like another one
    // (RFC 5891 §4.2.3.1).
    let whole = nameprep(&spelling).is_ok_and(|prepared| prepared == spelling)
        && spelling.chars().all(only_folds_case)
        && !has_a_label(&spelling);
    if !agreed || !whole || text.split('.').count() != spelling.split('.').count() {
        return Err(InvalidDomain::Ambiguous);
    }
    let spelling = (spelling != ascii).then(|| Arc::from(&*spelling));
    Ok(Domain { ascii: Arc::from(&*ascii), spelling })
}

fn malformed_if(is_ascii: bool) -> InvalidDomain {
    match is_ascii {
        true => InvalidDomain::Malformed,
        false => InvalidDomain::Ambiguous,
    }
}

/// Tells whether IDNA2003 makes no more of a character than lower case, and nothing of ASCII.
fn only_folds_case(c: char) -> bool {
    let mut buffer = [0; 4];
    let alone: &str = c.encode_utf8(&mut buffer);
    let folded = nameprep(alone);
    c.is_ascii() || folded.is_ok_and(|it| !it.is_ascii() && it.chars().eq(c.to_lowercase()))
}

/// Tells whether ASCII text is a host name: letters, digits and inner hyphens, within the bounds
/// of DNS (RFC 1035 §2.3), and no IPv4 address in any of its spellings.
fn is_hostname(text: &str) -> bool {
    let sound = !text.is_empty() && text.len() <= NAME_MAX && text.split('.').all(is_label);
    // No top-level domain is a number (RFC 3696 §2), but the last part of every address is.
    let last = text.rsplit('.').next().unwrap_or(text);
    let hex = last.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("0x"));
    let number = last.bytes().all(|byte| byte.is_ascii_digit())
        || hex && last.bytes().skip(2).all(|byte| byte.is_ascii_hexdigit());
    sound && !number
}

fn is_label(label: &str) -> bool {
    !label.is_empty()
        && label.len() <= LABEL_MAX
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn has_a_label(text: &str) -> bool {
    text.split('.').any(starts_a_label)
}

fn starts_a_label(label: &str) -> bool {
    label.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("xn--"))
}

fn lower_case(text: &str) -> Arc<str> {
    match text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => text.to_ascii_lowercase().into(),
        false => text.into(),
    }
}

impl PartialEq for Domain {
    fn eq(&self, other: &Self) -> bool {
        self.ascii == other.ascii
    }
}

impl Eq for Domain {}

impl Hash for Domain {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.ascii.hash(state);
    }
}

impl Ord for Domain {
    fn cmp(&self, other: &Self) -> Ordering {
        self.ascii.cmp(&other.ascii)
    }
}

impl PartialOrd for Domain {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Domain").field(&self.as_str()).finish()
    }
}

impl InvalidDomain {
    /// The reason as metrics and logs name it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Malformed => "domain.malformed",
            Self::Ambiguous => "domain.ambiguous",
        }
    }
}

impl fmt::Display for InvalidDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "not a domain name",
            Self::Ambiguous => "a domain name that different standards read differently",
        })
    }
}

impl std::error::Error for InvalidDomain {}

/// A name in DNS has at most 255 octets on the wire (RFC 1035 §2.3.4), which is 253 as text.
const NAME_MAX: usize = 253;

/// A label in DNS has at most 63 octets (RFC 1035 §2.3.4).
const LABEL_MAX: usize = 63;

/// A domainpart has at most 1023 octets (RFC 7622 §3.2); nothing longer is worth normalizing.
const TEXT_MAX: usize = 1023;

#[cfg(test)]
mod tests;

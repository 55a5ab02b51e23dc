use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The domainpart of an address, normalized when it was parsed.
///
/// Two `Domain`s are equal exactly when they name the same DNS domain, so they may be compared,
/// hashed and used as keys without further thought.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Domain(Arc<str>);

/// Text that is no domain name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum InvalidDomain {
    /// No domain name at all.
    Malformed,
    /// A name that two standards read differently.
    Ambiguous,
}

impl Domain {
    /// As DNS and TLS write it: lower-case A-labels.
    pub fn ascii(&self) -> &str {
        &self.0
    }

    /// As XML streams write it: U-labels.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Domain {
    type Err = InvalidDomain;

    fn from_str(text: &str) -> Result<Self, InvalidDomain> {
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let sound = !name.is_empty()
            && name.len() <= 253
            && name.split('.').all(|label| {
                !label.is_empty()
                    && label.len() <= 63
                    && label
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b == b'-')
            });
        if sound {
            Ok(Self(name.into()))
        } else {
            Err(InvalidDomain::Malformed)
        }
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
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

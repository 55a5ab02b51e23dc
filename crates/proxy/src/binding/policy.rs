use std::collections::HashMap;

use ligase_verifier::Domain;

/// What a peer must show before anything passes between it and us, from lax to strict.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub enum Level {
    /// Dialback will do, even in the clear (XEP-0220).
    Any,
    /// Dialback will do, but over TLS.
    #[default]
    Encrypted,
    /// A certificate that a trusted authority vouches for (PKIX), or better.
    Pkix,
    /// A domain name association by any prooftype (RFC 7712).
    Dna,
}

impl Level {
    /// As the configuration spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dna => "dna",
            Self::Pkix => "pkix",
            Self::Encrypted => "encrypted",
            Self::Any => "any",
        }
    }

    /// Whether a peer that is not proven may fall back to Server Dialback.
    pub fn allows_dialback(self) -> bool {
        match self {
            Self::Any | Self::Encrypted => true,
            Self::Pkix | Self::Dna => false,
        }
    }

    /// Whether a stream may stay in the clear.
    pub fn allows_plaintext(self) -> bool {
        self == Self::Any
    }
}

/// Which level applies to which peer.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Policy {
    /// For every peer that no other rule names.
    pub default: Level,
    /// For single domains.
    pub exact: HashMap<Domain, Level>,
    /// For every domain below a name (`*.gov.example`); the longest suffix wins.
    pub suffixes: Vec<(Domain, Level)>,
}

/// A rule of the policy.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Rule<'a> {
    /// It names the peer.
    Exact,
    /// It is for every domain below this name.
    Below(&'a Domain),
    /// It is for every peer that no other rule names.
    Default,
}

impl Policy {
    /// What `peer` must show.
    pub fn level(&self, peer: &Domain) -> Level {
        self.rule(peer).0
    }

    /// What `peer` must show, and which rule says so.
    pub fn rule(&self, peer: &Domain) -> (Level, Rule<'_>) {
        if let Some(level) = self.exact.get(peer) {
            return (*level, Rule::Exact);
        }
        let below = |suffix: &Domain| {
            peer.ascii().strip_suffix(suffix.ascii()).is_some_and(|rest| rest.ends_with('.'))
        };
        self.suffixes
            .iter()
            .filter(|(suffix, _)| below(suffix))
            .max_by_key(|(suffix, _)| suffix.ascii().len())
            .map_or((self.default, Rule::Default), |(suffix, level)| (*level, Rule::Below(suffix)))
    }
}

#[cfg(test)]
mod tests;

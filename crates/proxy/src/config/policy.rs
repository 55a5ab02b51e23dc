//! The section that says what peers must show, and what of it counts.

use std::collections::HashMap;

use ligase_verifier::Prooftype;

use super::file::{Section, one_of};
use super::values::{domain, level};
use crate::binding::Policy;

/// What peers must show, and what of it counts.
pub(super) struct Believed {
    /// The levels.
    pub(super) policy: Policy,
    /// The prooftypes that count, in the order written.
    pub(super) prooftypes: Vec<Prooftype>,
    /// The usages of TLSA records that count, by number.
    pub(super) tlsa_usages: Vec<u8>,
}

/// Reads the section.
pub(super) fn policy(mut section: Section<'_>) -> Believed {
    let mut policy = Policy {
        default: section.text("default", level).unwrap_or_default(),
        exact: HashMap::new(),
        suffixes: Vec::new(),
    };
    let mut peers = section.section("peers");
    for (name, text) in peers.pairs() {
        let (suffix, bare) = match name.strip_prefix("*.") {
            Some(bare) => (true, bare),
            None => (false, name.as_str()),
        };
        let key = format!("{name:?}");
        match (domain(bare), level(&text)) {
            (Ok(peer), Ok(level)) => {
                let twice = if suffix {
                    let twice = policy.suffixes.iter().any(|(it, _)| *it == peer);
                    policy.suffixes.push((peer, level));
                    twice
                } else {
                    policy.exact.insert(peer, level).is_some()
                };
                if twice {
                    peers.problem(
                        &key,
                        "names a domain that another line names already: leave one of them out",
                    );
                }
            }
            (Err(problem), _) | (_, Err(problem)) => peers.problem(&key, problem),
        }
    }
    peers.finish();

    let prooftypes =
        section.texts("prooftypes", |text| one_of(text, &PROOFTYPES, Prooftype::as_str));
    let prooftypes = prooftypes.unwrap_or_else(|| PROOFTYPES.to_vec());
    if prooftypes.is_empty() {
        section.problem("prooftypes", "name at least one, or no peer can be proven");
    }
    let names: Vec<_> = (0..TLSA_USAGES.len()).collect();
    let usages = section.texts("tlsa_usages", |text| {
        one_of(text, &names, |it| TLSA_USAGES.get(it).copied().unwrap_or_default())
    });
    let usages = usages.unwrap_or(names);
    if usages.is_empty() {
        section.problem("tlsa_usages", "name at least one, or leave dane out of prooftypes");
    }
    let tlsa_usages = usages.into_iter().filter_map(|it| u8::try_from(it).ok()).collect();
    section.finish();
    Believed { policy, prooftypes, tlsa_usages }
}

/// Which prooftypes count when the file does not say.
const PROOFTYPES: [Prooftype; 3] = [Prooftype::Dane, Prooftype::Posh, Prooftype::Pkix];

/// The usages of TLSA records, each at its number (RFC 7218 §2.1).
const TLSA_USAGES: [&str; 4] = ["pkix-ta", "pkix-ee", "dane-ta", "dane-ee"];

use std::collections::HashMap;

use super::pair::DomainPair;
use super::row::ConnectionId;

/// Where each pair goes: the channel binding table (draft-ietf-xmpp-dna-01 §4).
///
/// One look tells all that a stanza needs, and a pair that goes nowhere is not in it.
#[derive(Clone, Debug, Default)]
pub(super) struct Bindings(pub(super) HashMap<DomainPair, Ways>);

/// The connections of one pair, the eldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Ways {
    /// Those that may bring it in.
    pub(super) entrances: Vec<ConnectionId>,
    /// Those that may take it out.
    pub(super) exits: Vec<ConnectionId>,
    /// Those on which it was asked for by dialback.
    pub(super) asked: Vec<ConnectionId>,
    /// Whether stanzas wait for an exit; later ones have to queue up behind them.
    pub(super) waits: bool,
}

impl Ways {
    fn is_empty(&self) -> bool {
        let Self { entrances, exits, asked, waits } = self;
        entrances.is_empty() && exits.is_empty() && asked.is_empty() && !waits
    }
}

impl Bindings {
    /// The ways of a pair that has any.
    pub(super) fn of(&self, pair: &DomainPair) -> Option<&Ways> {
        self.0.get(pair)
    }

    /// The same pair, with its names as they stand here: whoever keeps it needs no copy of them.
    pub(super) fn share(&self, pair: &DomainPair) -> DomainPair {
        self.0.get_key_value(pair).map_or(pair, |(pair, _)| pair).clone()
    }

    /// Changes the ways of a pair.
    pub(super) fn change(&mut self, pair: &DomainPair, change: impl FnOnce(&mut Ways)) {
        if let Some(ways) = self.0.get_mut(pair) {
            change(ways);
            if ways.is_empty() {
                self.0.remove(pair);
            }
            return;
        }
        let mut ways = Ways::default();
        change(&mut ways);
        if !ways.is_empty() {
            self.0.insert(pair.clone(), ways);
        }
    }
}

/// Strikes a connection off a list.
pub(super) fn strike(ids: &mut Vec<ConnectionId>, id: ConnectionId) {
    ids.retain(|it| *it != id);
}

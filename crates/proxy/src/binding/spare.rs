use std::collections::HashMap;
use std::hash::Hash;

/// Gives back most of the room that a table no longer needs, to be called when something was taken
/// out of it: a crowd that has left would otherwise be remembered by its size for good.
///
/// What is moved was paid for by at least half as many removals, so each costs little.
pub(crate) fn give_back<K: Eq + Hash, V>(table: &mut HashMap<K, V>) {
    let room = table.capacity();
    if KEPT < room && table.len() < room / 4 {
        table.shrink_to(room / 2);
    }
}

/// Entries that there is always room for; some tens of kibibytes.
const KEPT: usize = 256;

#[cfg(test)]
mod tests;

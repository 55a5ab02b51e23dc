//! Asks every connection to finish, waits, then insists.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::connection::driver::Order;
use crate::connection::rooms::Rooms;
use crate::stream::{Input, StanzaError};

/// Ends all streams in good order within `patience` (P-09): first those that bring stanzas in, each
/// when its far end takes a breath, then, when what they brought has left or gone back, those that
/// take them out.
#[expect(clippy::disallowed_methods, reason = "the drain has a deadline")]
pub async fn drain(rooms: &Arc<Rooms>, patience: Duration) {
    let begun = Instant::now();
    let deadline = begun + patience;
    let latest = begun + patience.mul_f32(TACT);
    order(rooms, |outbound| !outbound, || Order::Leave(latest));
    until(latest, || !brings(rooms)).await;
    // What waits for a way out has until then to find one; afterwards there must be time to tell
    // its senders.
    until(begun + patience.mul_f32(HOPE), || rooms.tables.is_quiet()).await;
    let ended = StanzaError::RemoteServerTimeout("The federation proxy was shut down".to_owned());
    for pair in rooms.tables.waiting() {
        let mut step = rooms.tables.give_back(&pair, &ended);
        rooms.follow(&mut step);
    }
    until(begun + patience.mul_f32(CARE), || rooms.tables.is_quiet()).await;
    order(rooms, |_| true, || Order::say(Input::Drain));
    until(deadline, || rooms.tables.look_around(|_, entries| entries.is_empty())).await;
}

fn order(rooms: &Rooms, which: impl Fn(bool) -> bool, what: impl Fn() -> Order) {
    let ids: Vec<_> = rooms.tables.look_around(|_, entries| {
        let chosen = entries.values().filter(|entry| which(entry.facts.outbound));
        chosen.map(|entry| entry.facts.id).collect()
    });
    for id in ids {
        rooms.tables.order(id, what());
    }
}

/// Whether a stream still brings stanzas in.
fn brings(rooms: &Rooms) -> bool {
    rooms.tables.look_around(|_, entries| entries.values().any(|entry| !entry.facts.outbound))
}

/// Waits until `done`, but no longer than until `deadline`.
#[expect(clippy::disallowed_methods, reason = "the drain has a deadline")]
async fn until(deadline: Instant, done: impl Fn() -> bool) {
    while !done() && Instant::now() < deadline {
        sleep_until(deadline.min(Instant::now() + GLANCE)).await;
    }
}

/// Parts of the patience after which streams are ended in the middle of what is said on them, what
/// still waits is given back, and all streams are ended.
const TACT: f32 = 0.3;
const HOPE: f32 = 0.5;
const CARE: f32 = 0.8;
/// How often is looked whether all is done: often enough not to be waited for.
const GLANCE: Duration = Duration::from_millis(10);

//! Which way out to try next, whose connection to share, and what waits meanwhile.

mod journal;
mod ladder;
mod memory;
mod queue;
mod reuse;

pub use journal::{Climb, Journal, Step};
pub use ladder::{Ladder, Next};
pub use memory::{Memory, Recalled};
pub use queue::{Bounds, Queue};
pub use reuse::{Candidate, may_share};

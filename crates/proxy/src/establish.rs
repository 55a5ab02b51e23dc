//! Which way out to try next, whose connection to share, and what waits meanwhile.

mod ladder;
mod memory;
mod queue;
mod reuse;

pub use ladder::{Ladder, Next};
pub use memory::Memory;
pub use queue::{Bounds, Queue};
pub use reuse::{Candidate, may_share};

//! Which way out to try next, whose connection to share, and what waits meanwhile.

mod ladder;
mod queue;
mod reuse;

pub use ladder::{Next, next};
pub use queue::{Bounds, Queue};
pub use reuse::{Candidate, may_share};

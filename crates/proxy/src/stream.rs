//! What a stream is made of, and the machines that negotiate one.

mod error;

pub use error::{Condition, StreamError, Violation};

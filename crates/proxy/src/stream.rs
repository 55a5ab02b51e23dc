//! What a stream is made of, and the machines that negotiate one.

mod element;
mod error;
mod framer;
mod stanza;

pub use element::{Element, Node};
pub use error::{Condition, StreamError, Violation};
pub use framer::{Framer, Inherited, Limits, Piece, Raw};
pub use stanza::{Kind, Seen, Stanza};

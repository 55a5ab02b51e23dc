//! Who may say what to whom, and over which connection: the decisions, without the sockets.

mod grounds;
mod hosted;
mod pair;
mod policy;
mod table;

pub use grounds::{Decision, Finding, Grounds, decide};
pub use hosted::Hosted;
pub use pair::DomainPair;
pub use policy::{Level, Policy};
pub use table::{ConnectionId, NotProven, Passage, Row, Side, StreamId, Table};

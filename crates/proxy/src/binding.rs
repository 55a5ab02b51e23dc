//! Who may say what to whom, and over which connection: the decisions, without the sockets.

mod pair;
mod policy;

pub use pair::DomainPair;
pub use policy::{Level, Policy};

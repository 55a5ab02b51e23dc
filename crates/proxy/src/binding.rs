//! Who may say what to whom, and over which connection: the decisions, without the sockets.

mod bindings;
mod grounds;
mod home;
mod hosted;
mod mode;
mod name;
mod pair;
mod policy;
mod row;
mod spare;
mod table;

pub use grounds::{Decision, Finding, Grounds, decide};
pub use home::{Home, Host};
pub use hosted::{Hosted, Residents};
pub use mode::Mode;
pub use name::Name;
pub use pair::DomainPair;
pub use policy::{Level, Policy, Rule};
pub use row::{ConnectionId, Far, Row, Side, StreamId};
pub(crate) use spare::give_back;
pub use table::{NotProven, Passage, Table};

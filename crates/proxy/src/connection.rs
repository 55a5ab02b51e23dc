//! Connections: the sockets of both sides, the machines that drive them, and the ways from one to
//! another.

/// What comes in.
pub mod arrival;
/// Asks those who must know.
pub mod authority;
/// How much memory connections hold, and may.
pub mod budget;
/// Drives one stream; decides nothing.
pub mod driver;
/// Searches for a way out.
pub mod establish;
/// What an operator may want to know of.
pub mod event;
/// How much goes over all of them.
pub mod flow;
pub mod homes;
mod lapsing;
/// The way into a connection.
pub mod outbox;
/// How fast far ends are read: whoever sends faster waits, and breaks no rule.
pub mod pace;
/// Proofs end, and are looked at again then.
pub mod renewal;
/// What all connections share.
pub mod rooms;
mod seats;
/// How much each subscriber may have of what all share.
pub mod shares;
/// The table, the outboxes and what waits, under one lock.
pub mod tables;
/// A socket that can turn to TLS.
pub mod wire;

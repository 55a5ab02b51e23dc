//! Connections: the sockets of both sides, the machines that drive them, and the ways from one to
//! another.

pub mod authority;
pub mod driver;
pub mod establish;
pub mod event;
pub mod outbox;
pub mod public;
pub mod rooms;
pub mod tables;
pub mod wire;

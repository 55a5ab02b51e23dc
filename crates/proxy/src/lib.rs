//! Everything between two sockets.

// Floor 1: decisions; no waiting, no clock, no chance, no I/O.
pub mod binding;
pub mod stream;

// Floor 4: the process.
pub mod admin;
pub mod args;
pub mod config;
pub mod logging;

//! Everything between two sockets.

// Floor 1: decisions; no waiting, no clock, no chance, no I/O.
pub mod binding;
pub mod stream;

// Floor 2: sockets that do not know what they carry.
pub mod capture;
pub mod net;
pub mod tls;

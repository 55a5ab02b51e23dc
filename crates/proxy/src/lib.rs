//! Everything between two sockets.

#![forbid(unsafe_code)]

// Floor 1: decisions; no waiting, no clock, no chance, no I/O.
pub mod binding;
pub mod establish;
pub mod stream;

// Floor 2: sockets that do not know what they carry.
pub mod capture;
pub mod net;
pub mod tls;

// Floor 3: connections.
pub mod connection;

// Floor 4: the process.
pub mod admin;
pub mod app;
pub mod args;
pub mod command;
pub mod config;
pub mod drain;
pub mod logging;
pub mod observe;
pub mod posh;
mod published;
mod web;

#[cfg(test)]
mod tests;

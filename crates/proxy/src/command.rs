//! What each command does, one room a command.

pub mod demo;

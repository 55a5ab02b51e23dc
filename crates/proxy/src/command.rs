//! What each command does; one room for each.

pub mod demo;
pub mod run;

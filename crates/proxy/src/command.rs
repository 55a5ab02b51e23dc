//! What each command does; one room for each.

pub mod capture;
pub mod check;
pub mod completions;
pub mod demo;
pub mod explain;
pub mod man;
mod paint;
mod printable;
pub mod records;
pub mod run;
pub mod validate;

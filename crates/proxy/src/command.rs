//! What each command does; one room for each.

mod admin_port;
pub mod capture;
pub mod check;
pub mod completions;
pub mod demo;
pub mod drain;
pub mod explain;
pub mod inject;
pub mod man;
mod paint;
mod printable;
pub mod ready;
pub mod records;
pub mod reload;
pub mod retry;
pub mod run;
pub mod validate;

//! What each command does; one room for each.

pub mod capture;
pub mod check;
pub mod demo;
mod paint;
pub mod records;
pub mod run;
pub mod validate;

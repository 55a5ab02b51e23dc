//! What each command does; one room for each.

pub mod capture;
pub mod demo;
pub mod records;
pub mod run;
pub mod validate;

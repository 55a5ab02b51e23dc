//! The commands, one room each.

pub mod capture;
pub mod run;
pub mod validate;

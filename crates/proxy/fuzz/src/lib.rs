//! Looks for inputs that ligase reads otherwise than the servers around it, or cannot bear.

pub mod chance;
pub mod compare;
pub mod division;
pub mod expat;
pub mod generate;
pub mod meaning;
pub mod minimise;
#[path = "../../tests/support/proof.rs"]
mod proof;
pub mod stage;
pub mod targets;

//! Does this peer speak for this domain?

mod domain;

pub use domain::{Domain, InvalidDomain};

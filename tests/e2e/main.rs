//! End to end.

mod bare;
mod conversation;
mod verona;

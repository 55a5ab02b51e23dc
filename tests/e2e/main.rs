//! End to end.

mod bare;
mod conversation;
mod interop;
mod verona;

//! End to end.

mod bare;
mod conversation;
mod drain;
mod interop;
mod refute;
mod verona;

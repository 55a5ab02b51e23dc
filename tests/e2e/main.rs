//! End to end.

mod bare;
mod conversation;
mod interop;
mod refute;
mod verona;

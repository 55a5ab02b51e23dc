//! End to end.

mod bare;
mod conversation;
mod drain;
mod interop;
mod load;
mod refute;
mod verona;

//! End to end.

mod attacks;
mod bare;
mod conversation;
mod drain;
mod interop;
mod load;
mod refute;
mod usage;
mod verona;

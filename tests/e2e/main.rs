//! End to end.

mod balanced;
mod bare;
mod capture;
mod channels;
mod check;
mod conversation;
mod drain;
mod explain;
mod failures;
mod gateway;
mod hostile;
mod hygiene;
mod interop;
mod ladder;
mod load;
mod names;
mod own;
mod proofs;
mod records;
mod refute;
mod sweep;
mod usage;
mod verona;

//! The whole story on one machine: two servers of old, what an eavesdropper and a forger do to
//! them, and what becomes of that with ligase in front.

mod nameserver;
mod papers;
mod server;
mod talk;
mod tap;
mod trouble;
mod zone;

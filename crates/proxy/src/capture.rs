//! How our own server is brought to speak to us instead of to its peers, unknowing and unchanged.
//!
//! With `capture: dns` it asks [`dns`] where its peers are, and is told that all of them are here
//! . With `capture: redirect` the packet filter turns its connections to us by
//! [`rules`]; its queries are turned to the same responder then, because peers may listen
//! on ports that the rules do not know.

pub mod dns;
pub mod netfilter;
pub mod rules;
pub mod user;

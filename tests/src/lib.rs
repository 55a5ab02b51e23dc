//! Worlds: real servers, real DNS, real certificates and real users, each host a network
//! namespace of its own, all on one machine and without the internet.
//!
//! A [`World`] is made by a test and ends with it; any number of them may stand side by side.
//! It needs root and Debian's packages; `tests/install.sh` brings them.
//!
//! Nothing here returns an error: a world that cannot be built is a test that fails, and says
//! what it was about to do ([`OrFail`]).

#![forbid(unsafe_code)]

pub mod browser;
pub mod certificate;
pub mod cgroup;
pub mod client;
mod ejabberd;
pub mod flood;
pub mod host;
pub mod image;
pub mod liar;
pub mod ligase;
pub mod old;
pub mod peer;
pub mod pod_security;
pub mod podman;
pub mod porter;
pub mod process;
mod prosody;
pub mod server;
pub mod stranger;
pub mod web;
pub mod world;
pub mod xml;
pub mod zone;

pub use browser::{Browser, Screen};
pub use certificate::{Authority, Certificate, Constraint, Leaf, Purpose};
pub use cgroup::Cgroup;
pub use client::{Fate, User, Users};
pub use host::Host;
pub use liar::{LIES, Liar, Page, Sites};
pub use ligase::{Capture, Ligase, Proxy};
pub use old::OldServer;
pub use peer::{Join, Peer, Stream};
pub use podman::{Container, Pod, Podman};
pub use porter::{Deed, Moment, Porter, Script, Whom};
pub use process::Process;
pub use server::{Kind, Manner, Server, Setup};
pub use stranger::{Outcome, Stranger};
pub use web::Web;
pub use world::World;
pub use zone::Zone;

/// Ends the test unless all went well.
pub trait OrFail<T> {
    /// Takes the value, or panics with what we were doing and why it failed.
    fn or_fail(self, doing: &str) -> T;
}

impl<T, E: std::fmt::Display> OrFail<T> for Result<T, E> {
    #[track_caller]
    fn or_fail(self, doing: &str) -> T {
        match self {
            Ok(value) => value,
            Err(error) => panic!("cannot {doing}: {error}"),
        }
    }
}

impl<T> OrFail<T> for Option<T> {
    #[track_caller]
    fn or_fail(self, doing: &str) -> T {
        match self {
            Some(value) => value,
            None => panic!("cannot {doing}"),
        }
    }
}

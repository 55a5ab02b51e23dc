//! Form: how many strangers come, and how long they may stay.

use std::env;

/// The sizes of a siege.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Form {
    /// Connections that say next to nothing.
    pub(crate) silent: u32,
    /// Handshakes that are begun and not ended.
    pub(crate) handshakes: u32,
    /// Peers that prove who they are and send as much as they can.
    pub(crate) talkers: u32,
    /// Peers that prove who they are and read nothing.
    pub(crate) deaf: u32,
    /// Domains without a server that our own server has something to say to.
    pub(crate) dead: u32,
    /// `limits.preauth_seconds`.
    pub(crate) preauth: u32,
    /// `limits.handshake_seconds`.
    pub(crate) handshake: u32,
    /// `limits.outbox_seconds`.
    pub(crate) outbox: u32,
    /// How long it takes until all have come, in seconds.
    pub(crate) over: u32,
}

impl Form {
    /// What is asked for: the short form, or the full one, which leaves the limits as they are.
    pub(crate) fn asked() -> Self {
        let full = env::var_os("LIGASE_TESTS_SIEGE").is_some_and(|it| it == "full");
        if full { FULL } else { SHORT }
    }
}

const FULL: Form = Form {
    silent: 10_000,
    handshakes: 5_000,
    talkers: 8,
    deaf: 32,
    dead: 2_000,
    preauth: 30,
    handshake: 15,
    outbox: 30,
    over: 10,
};

const SHORT: Form = Form {
    silent: 1_000,
    handshakes: 500,
    talkers: 2,
    deaf: 8,
    dead: 100,
    preauth: 5,
    handshake: 4,
    outbox: 4,
    over: 2,
};

//! What the supervisor is told that started us, if it is one that listens (sd_notify(3)).
//!
//! Whether it hears us is its own affair: we serve without it, too.

use sd_notify::NotifyState;

/// Everything is served now; also after [`reloading`].
pub(super) fn ready() {
    let _ = sd_notify::notify(&[NotifyState::Ready]);
}

/// What is read anew from here on is in effect, or has been refused, when [`ready`] follows.
pub(super) fn reloading() {
    // Newer versions want to know when, so as not to take this for the end of an earlier reload.
    if let Ok(now) = NotifyState::monotonic_usec_now() {
        let _ = sd_notify::notify(&[NotifyState::Reloading, now]);
    }
}

/// The drain has begun.
pub(super) fn stopping() {
    let _ = sd_notify::notify(&[NotifyState::Stopping]);
}

//! `ligase retry`: has the running proxy try a peer again that it leaves alone for a while.

use super::admin_port::{Way, carry_out};
use crate::args::{Exit, Retry};

/// Asks for it. What keeps it from that goes to stderr.
#[must_use]
pub fn retry(args: &Retry) -> Exit {
    // Letters, digits, dots and hyphens.
    let remote = args.remote.ascii();
    let way = Way::Post(format!("/retry?remote={remote}"));
    carry_out("retry", &args.port, &way, |told| match told["forgotten"].as_u64() {
        Some(0) => format!(
            "nothing was remembered of {remote}: it is tried as soon as there is something to send"
        ),
        _ => format!("{remote} is tried again as soon as there is something to send"),
    })
}

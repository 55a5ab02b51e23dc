//! `ligase drain`: asks the running proxy to finish and end.

use super::admin_port::{Way, carry_out};
use crate::args::{AdminPort, Exit};

/// Asks it, and does not wait for its end. What keeps it from that goes to stderr.
#[must_use]
pub fn drain(port: &AdminPort) -> Exit {
    carry_out("drain", port, &Way::Post("/drain".to_owned()), |_| {
        "draining: it ends when its streams have, or after drain_seconds".to_owned()
    })
}

//! `ligase reload`: has the running proxy read its configuration and everything it names again.

use super::admin_port::{Way, carry_out};
use crate::args::{AdminPort, Exit};

/// Asks for it. What is wrong with the configuration goes to stderr; nothing has changed then.
#[must_use]
pub fn reload(port: &AdminPort) -> Exit {
    carry_out("reload", port, &Way::Post("/reload".to_owned()), |_| "reloaded".to_owned())
}

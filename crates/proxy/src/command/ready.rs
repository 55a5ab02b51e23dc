//! `ligase ready`: asks the running proxy whether everything stands.

use std::io::{self, Write as _};

use serde_json::Value;

use super::admin_port::{READY, Way, ask_at, sorry};
use super::printable::printable;
use crate::args::{AdminPort, Exit};

/// Asks the running proxy, and prints what does not stand. What keeps it from that goes to stderr.
#[must_use]
pub fn ready(port: &AdminPort) -> Exit {
    let (admin, said) = match ask_at("ready", port, &Way::Get(READY.to_owned())) {
        Ok(answered) => answered,
        Err(exit) => return exit,
    };
    let Ok(told) = serde_json::from_str::<Value>(&said.body) else {
        return sorry("ready", &format!("what the admin port {admin} said is no JSON"));
    };
    let (exit, text) = judge(&told);
    // Who has closed the pipe has read enough.
    let _ = io::stdout().lock().write_all(text.as_bytes());
    exit
}

/// How it ends, and what is said. What does not say that it stands does not.
fn judge(told: &Value) -> (Exit, String) {
    if told["ready"] == true {
        return (Exit::Done, "ready\n".to_owned());
    }
    let mut text = String::new();
    for (name, part) in told["components"].as_object().into_iter().flatten() {
        if part["ready"] != true {
            let cause = part["cause"].as_str().unwrap_or("does not stand");
            let [name, cause] = [name, cause].map(|it| printable(it, SAID_MAX));
            text += &format!("{name}: {cause}\n");
        }
    }
    if text.is_empty() {
        text = "not ready\n".to_owned();
    }
    (Exit::Unavailable, text)
}

/// A sentence or two.
const SAID_MAX: usize = 400;

#[cfg(test)]
mod tests;

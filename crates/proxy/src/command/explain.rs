//! `ligase explain`: asks the running proxy why a pair of domains passes or does not.

mod text;

use std::io::{self, Write as _};

use serde_json::Value;

use super::admin_port::{Way, ask_at, sorry};
use super::printable::ascii;
use crate::args::{Exit, Explain, ExplainOutput, likes_color_in_print};

/// Asks the running proxy, and prints what it says. What keeps it from that goes to stderr.
#[must_use]
pub fn explain(args: &Explain) -> Exit {
    // Domains are letters, digits, dots and hyphens once DNS can read them.
    let (local, remote) = (args.local.ascii(), args.remote.ascii());
    let way = Way::Get(format!("/explain?local={local}&remote={remote}"));
    let (admin, said) = match ask_at("explain", &args.port, &way) {
        Ok(answered) => answered,
        Err(exit) => return exit,
    };
    let Ok(told) = serde_json::from_str::<Value>(&said.body) else {
        return sorry("explain", &format!("what the admin port {admin} said is no JSON"));
    };
    let print = match args.output {
        ExplainOutput::Text => text::text(&told, likes_color_in_print()),
        ExplainOutput::Json => format!("{}\n", ascii(&format!("{told:#}"))),
    };
    // Who has closed the pipe has read enough.
    let _ = io::stdout().lock().write_all(print.as_bytes());
    Exit::Done
}

//! `ligase explain`: asks the running proxy why a pair of domains passes or does not.

mod client;
mod text;

use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use serde_json::Value;

use self::client::ask;
use super::printable::ascii;
use crate::args::{Exit, Explain, ExplainOutput, likes_color_in_print, overrides};
use crate::config::Config;

/// Asks the running proxy, and prints what it says. What keeps it from that goes to stderr.
#[must_use]
pub fn explain(args: &Explain) -> Exit {
    let admin = match admin(args) {
        Ok(admin) => admin,
        Err(exit) => return exit,
    };
    // Domains are letters, digits, dots and hyphens once DNS can read them.
    let (local, remote) = (args.local.ascii(), args.remote.ascii());
    let told = match ask(admin, &format!("/explain?local={local}&remote={remote}")) {
        Ok(told) => told,
        Err(unanswered) => return sorry(&format!("the admin port {admin} {unanswered}")),
    };
    let Ok(told) = serde_json::from_str::<Value>(&told) else {
        return sorry(&format!("what the admin port {admin} said is no JSON"));
    };
    let print = match args.output {
        ExplainOutput::Text => text::text(&told, likes_color_in_print()),
        ExplainOutput::Json => format!("{}\n", ascii(&format!("{told:#}"))),
    };
    // Who has closed the pipe has read enough.
    let _ = io::stdout().lock().write_all(print.as_bytes());
    Exit::Done
}

/// Where the proxy is to be asked.
fn admin(args: &Explain) -> Result<SocketAddr, Exit> {
    let Some(path) = &args.config else {
        return Ok(args.admin.unwrap_or(ADMIN));
    };
    let config = Config::read(path, &overrides()).map_err(|problems| {
        for problem in problems {
            eprintln!("{problem}");
        }
        Exit::Config
    })?;
    let listening = config.listen.admin.first();
    listening.map(|it| reachable(*it)).ok_or_else(|| sorry("listen.admin: there is no admin port"))
}

/// Where somebody on the same machine reaches a listener.
fn reachable(listening: SocketAddr) -> SocketAddr {
    let ip = match listening.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(ip, listening.port())
}

fn sorry(problem: &str) -> Exit {
    eprintln!("ligase explain: {problem}");
    Exit::Unavailable
}

/// Where the admin port is unless the configuration says otherwise.
const ADMIN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7290);

//! The admin port of a running proxy, as commands ask it.

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::args::{AdminPort, Exit, overrides};
use crate::command::printable::printable;
use crate::config::Config;

/// What an admin port is asked: to tell something, or to do something.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Way {
    /// To tell what is at this path.
    Get(String),
    /// To do what is at this path.
    Post(String),
}

/// What it says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Said {
    status: u16,
    pub(super) body: String,
}

/// Has a running proxy do something, and prints in a line what came of it. What keeps it from that
/// goes to stderr.
pub(super) fn carry_out(
    command: &str,
    port: &AdminPort,
    way: &Way,
    line: impl Fn(&Value) -> String,
) -> Exit {
    let said = match ask_at(command, port, way) {
        Ok((_, said)) => said,
        Err(exit) => return exit,
    };
    let told = serde_json::from_str::<Value>(&said.body).unwrap_or_default();
    if said.status == UNPROCESSABLE {
        let problems = told["problems"].as_array().into_iter().flatten();
        for problem in problems {
            let [key, problem] = ["key", "problem"]
                .map(|it| printable(problem[it].as_str().unwrap_or_default(), SAID_MAX));
            eprintln!("{key}: {problem}");
        }
        return Exit::Config;
    }
    // Who has closed the pipe has read enough.
    let _ = writeln!(io::stdout().lock(), "{}", line(&told));
    Exit::Done
}

/// Asks a running proxy for one thing; returns where it is, too. What keeps it from answering goes to
/// stderr.
pub(super) fn ask_at(
    command: &str,
    port: &AdminPort,
    way: &Way,
) -> Result<(SocketAddr, Said), Exit> {
    let admin = find(command, port)?;
    let said = ask(admin, way);
    let said = said.map_err(|it| sorry(command, &format!("the admin port {admin} {it}")))?;
    Ok((admin, said))
}

/// Where the proxy is to be asked.
fn find(command: &str, port: &AdminPort) -> Result<SocketAddr, Exit> {
    let Some(path) = &port.config else {
        return Ok(port.admin.unwrap_or(ADMIN));
    };
    let config = Config::read(path, &overrides()).map_err(|problems| {
        for problem in problems {
            eprintln!("{problem}");
        }
        Exit::Config
    })?;
    let listening = config.listen.admin.first();
    let none = || sorry(command, "listen.admin: there is no admin port");
    listening.map(|it| reachable(*it)).ok_or_else(none)
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

/// Tells why a command has come to nothing.
pub(super) fn sorry(command: &str, problem: &str) -> Exit {
    eprintln!("ligase {command}: {problem}");
    Exit::Unavailable
}

/// Asks an admin port for one thing, and returns what it says.
///
/// By HTTP/1.0, so that the answer ends with the connection (RFC 9112 §6.3).
///
/// # Errors
/// It does not answer, or refuses.
fn ask(admin: SocketAddr, way: &Way) -> Result<Said, Unanswered> {
    let answer = converse(admin, way).map_err(Unanswered::Unreached)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or(Unanswered::NoHttp)?;
    let mut words = head.lines().next().unwrap_or_default().split(' ');
    let version = words.next().unwrap_or_default();
    let status = words.next().and_then(|it| it.parse::<u16>().ok());
    match status.filter(|_| version.starts_with("HTTP/1.")) {
        Some(status @ (200 | 202)) => Ok(Said { status, body: body.to_owned() }),
        // What does not stand is told in the same form as what does.
        Some(UNAVAILABLE) if matches!(way, Way::Get(path) if path == READY) => {
            Ok(Said { status: UNAVAILABLE, body: body.to_owned() })
        }
        // It understood, and says in a form of its own why it did not do it.
        Some(UNPROCESSABLE) if matches!(way, Way::Post(_)) => {
            Ok(Said { status: UNPROCESSABLE, body: body.to_owned() })
        }
        Some(status) => Err(Unanswered::Refused(status, printable(body.trim(), SAID_MAX))),
        None => Err(Unanswered::NoHttp),
    }
}

#[expect(clippy::disallowed_methods, reason = "how long we wait is about time")]
fn converse(admin: SocketAddr, way: &Way) -> io::Result<String> {
    let (method, path) = match way {
        Way::Get(path) => ("GET", path),
        Way::Post(path) => ("POST", path),
    };
    let deadline = Instant::now() + PATIENCE;
    let mut socket = TcpStream::connect_timeout(&admin, PATIENCE)?;
    socket.set_write_timeout(Some(PATIENCE))?;
    socket.write_all(format!("{method} {path} HTTP/1.0\r\nHost: {admin}\r\n\r\n").as_bytes())?;
    let (mut answer, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        socket.set_read_timeout(Some(left))?;
        match socket.read(&mut piece)? {
            0 => break,
            read => answer.extend_from_slice(piece.get(..read).unwrap_or_default()),
        }
        if ANSWER_MAX < answer.len() {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
    String::from_utf8(answer).map_err(|_| io::ErrorKind::InvalidData.into())
}

/// Why an admin port gave no answer.
#[derive(Debug)]
enum Unanswered {
    /// It could not be asked.
    Unreached(io::Error),
    /// It had this status and these words instead.
    Refused(u16, String),
    /// What answered is no admin port.
    NoHttp,
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreached(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                f.write_str("cannot be asked: nobody listens there; does it run? Name its admin ")?;
                f.write_str("port by --admin or --config")
            }
            Self::Unreached(error) => write!(f, "cannot be asked: {error}"),
            Self::Refused(status, said) => write!(f, "refused with {status}: {said}"),
            Self::NoHttp => f.write_str("does not speak HTTP"),
        }
    }
}

/// Where the admin port is unless somebody says otherwise.
const ADMIN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7290);

/// Where it tells whether everything stands.
pub(super) const READY: &str = "/ready";

/// The status by which it says that something does not (RFC 9110 §15.6.4).
const UNAVAILABLE: u16 = 503;

/// The status of what was understood and is not done (RFC 9110 §15.5.21).
const UNPROCESSABLE: u16 = 422;

/// The proxy asks DNS for up to five seconds.
const PATIENCE: Duration = Duration::from_secs(15);

/// A pair with all its connections and places takes some 20 kB.
const ANSWER_MAX: usize = 1 << 20;

/// A sentence or two.
const SAID_MAX: usize = 400;

#[cfg(test)]
mod tests;

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::command::printable::printable;

/// Asks an admin port for one thing, and returns what it says.
///
/// By HTTP/1.0, so that the answer ends with the connection (RFC 9112 §6.3).
///
/// # Errors
/// It does not answer, or not with that.
pub(super) fn ask(admin: SocketAddr, path: &str) -> Result<String, Unanswered> {
    let answer = converse(admin, path).map_err(Unanswered::Unreached)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or(Unanswered::NoHttp)?;
    let mut words = head.lines().next().unwrap_or_default().split(' ');
    let version = words.next().unwrap_or_default();
    let status = words.next().and_then(|it| it.parse::<u16>().ok());
    match status.filter(|_| version.starts_with("HTTP/1.")) {
        Some(200) => Ok(body.to_owned()),
        Some(status) => Err(Unanswered::Refused(status, printable(body.trim(), SAID_MAX))),
        None => Err(Unanswered::NoHttp),
    }
}

#[expect(clippy::disallowed_methods, reason = "how long we wait is about time")]
fn converse(admin: SocketAddr, path: &str) -> io::Result<String> {
    let deadline = Instant::now() + PATIENCE;
    let mut socket = TcpStream::connect_timeout(&admin, PATIENCE)?;
    socket.set_write_timeout(Some(PATIENCE))?;
    socket.write_all(format!("GET {path} HTTP/1.0\r\nHost: {admin}\r\n\r\n").as_bytes())?;
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
pub(super) enum Unanswered {
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
            Self::Unreached(error) => write!(f, "cannot be asked: {error}"),
            Self::Refused(status, said) => write!(f, "refused with {status}: {said}"),
            Self::NoHttp => f.write_str("does not speak HTTP"),
        }
    }
}

/// The proxy asks DNS for up to five seconds.
const PATIENCE: Duration = Duration::from_secs(15);

/// A pair with all its connections and places takes some 20 kB.
const ANSWER_MAX: usize = 1 << 20;

/// A sentence or two.
const SAID_MAX: usize = 400;

#[cfg(test)]
mod tests;

//! What others say of a name: unbound, BIND and delv.

use std::fmt;
use std::net::{SocketAddr, UdpSocket};
use std::process::Command;
use std::time::Duration;

use ligase_tests::OrFail;

use crate::lab::Lab;

/// What became of a question.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum State {
    /// So many records, and whether they, or their absence, are secure.
    Known { secure: bool, records: usize },
    /// An answer that is not to be believed.
    Bogus,
    /// No answer.
    Failed,
}

impl State {
    pub(crate) const fn secure(records: usize) -> Self {
        Self::Known { secure: true, records }
    }

    pub(crate) const fn insecure(records: usize) -> Self {
        Self::Known { secure: false, records }
    }

    pub(crate) fn is_known(self) -> bool {
        matches!(self, Self::Known { .. })
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Known { secure, records } => {
                let secure = if *secure { "secure" } else { "insecure" };
                match records {
                    0 => format!("{secure} none"),
                    more => format!("{secure} {more}"),
                }
            }
            Self::Bogus => "bogus".to_owned(),
            Self::Failed => "failed".to_owned(),
        };
        f.pad(&text)
    }
}

/// Asks a resolver that validates.
pub(crate) fn ask(server: SocketAddr, name: &str, kind: &str) -> State {
    let Some((code, secure, records)) = exchange(server, name, kind, false) else {
        return State::Failed;
    };
    match code {
        0 | 3 => State::Known { secure, records },
        _ => match exchange(server, name, kind, true) {
            // Whoever is not asked to check finds an answer.
            Some((0 | 3, ..)) => State::Bogus,
            _ => State::Failed,
        },
    }
}

/// Asks one question; returns the code, the AD bit and the number of records of that type.
fn exchange(server: SocketAddr, name: &str, kind: &str, cd: bool) -> Option<(u8, bool, usize)> {
    let kind = number(kind);
    let socket = UdpSocket::bind("127.0.0.1:0").or_fail("open a socket");
    socket.set_read_timeout(Some(PATIENCE)).or_fail("set a timeout");
    // RD and AD, and CD if need be; one question, one OPT record without DO.
    let mut query = vec![7, 11, 1, if cd { 0x30 } else { 0x20 }, 0, 1, 0, 0, 0, 0, 0, 1];
    for label in name.split('.').filter(|it| !it.is_empty()) {
        query.push(u8::try_from(label.len()).or_fail("write a label"));
        query.extend(label.as_bytes());
    }
    query.push(0);
    query.extend(kind.to_be_bytes());
    query.extend([0, 1, 0, 0, 41, 0x10, 0, 0, 0, 0, 0, 0, 0]);
    socket.send_to(&query, server).or_fail("ask a resolver");
    let mut response = [0; 8192];
    let (length, _) = socket.recv_from(&mut response).ok()?;
    let response = &response[..length];
    let answers = u16::from_be_bytes([response[6], response[7]]);
    let mut at = end_of_name(response, 12) + 4;
    let mut records = 0;
    for _ in 0..answers {
        at = end_of_name(response, at);
        records += usize::from(response[at..at + 2] == kind.to_be_bytes());
        at += 10 + usize::from(u16::from_be_bytes([response[at + 8], response[at + 9]]));
    }
    Some((response[3] & 15, response[3] & 0x20 != 0, records))
}

fn end_of_name(message: &[u8], mut at: usize) -> usize {
    while message[at] != 0 {
        if 0xc0 <= message[at] {
            return at + 2;
        }
        at += 1 + usize::from(message[at]);
    }
    at + 1
}

fn number(kind: &str) -> u16 {
    match kind {
        "A" => 1,
        "AAAA" => 28,
        "SRV" => 33,
        "TLSA" => 52,
        _ => panic!("we never ask for {kind}"),
    }
}

/// Has `delv` ask a resolver and check the answer.
pub(crate) fn delv(lab: &Lab, server: SocketAddr, name: &str, kind: &str) -> State {
    let (address, port) = (format!("@{}", server.ip()), server.port().to_string());
    let mut command = Command::new("delv");
    command.arg(address).args(["-p", &port, "-a"]).arg(lab.delv_anchor());
    command.args(["+root", "-q", name, "-t", kind]);
    let done = command.output().or_fail("start delv");
    let said =
        String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    if said.contains("resolution failed") && !said.contains("ncache") {
        let is_lost = ["timed out", "SERVFAIL", "no servers", "too many"];
        return match is_lost.iter().any(|it| said.contains(it)) {
            true => State::Failed,
            false => State::Bogus,
        };
    }
    let is_record =
        |line: &&str| !line.starts_with(';') && line.split_whitespace().nth(3) == Some(kind);
    let records = said.lines().filter(is_record).count();
    State::Known { secure: !said.contains("unsigned"), records }
}

/// Long enough for a resolver to give up.
const PATIENCE: Duration = Duration::from_secs(12);

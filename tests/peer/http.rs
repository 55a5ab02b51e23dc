//! As little HTTP as it takes to ask an admin port.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::Duration;

/// Prints the status and the body of an answer, a line each and the rest.
pub(crate) fn get(address: &str, path: &str) -> ExitCode {
    match ask(address, path) {
        Ok((status, body)) => {
            println!("{status}\n{body}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{address}{path}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Asks until the answer is 200 and holds a text. Nothing tells a stranger how a program is but
/// asking.
pub(crate) fn await_text(address: &str, path: &str, text: &str) -> ExitCode {
    let mut last = String::new();
    for _ in 0..ATTEMPTS_MAX {
        match ask(address, path) {
            Ok((status, body)) if status == "200" && body.contains(text) => {
                return ExitCode::SUCCESS;
            }
            Ok((status, body)) => last = format!("{status} {body}"),
            Err(error) => last = error.to_string(),
        }
        sleep(BREATHER);
    }
    eprintln!("{address}{path}: {last}");
    ExitCode::FAILURE
}

fn ask(address: &str, path: &str) -> io::Result<(String, String)> {
    let mut socket = TcpStream::connect(address)?;
    socket.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(socket, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    Ok((status, if chunked { join(body) } else { body.to_owned() }))
}

/// Joins the chunks of a chunked body (RFC 9112 §7.1).
fn join(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or_default();
        let (Some(chunk), Some(rest)) = (rest.get(..size), rest.get(size..)) else {
            break;
        };
        whole.push_str(chunk);
        if size == 0 {
            break;
        }
        body = rest.trim_start_matches("\r\n");
    }
    whole
}

const BREATHER: Duration = Duration::from_millis(25);

/// Half a minute, for a program that starts while a dozen others do.
const ATTEMPTS_MAX: u32 = 1200;

//! Openssl: what another TLS library can be made to try, and what it makes of the answer.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use ligase_tests::{Certificate, Process};

use crate::case::{Case, divide};
use crate::deeds::{Door, Run};
use crate::forge::known;
use crate::negotiate::offered;
use crate::said::sound;
use crate::words::Word;

pub(crate) const WORDS: [Word; 2] = [("openssl", openssl), ("early", early)];

/// `openssl ARGUMENTS => TEXT`: what `openssl s_client` says, with these arguments, holds each part
/// of this, divided by ` … `. It comes to either door.
fn openssl(case: &mut Case, rest: &str) -> Result<(), String> {
    let (arguments, text) = rest.split_once(" => ").ok_or("what is said to that?")?;
    let (arguments, parts) = (divide(arguments, " "), divide(text, " … "));
    case.terms.has_doors = true;
    case.then(Box::new(move |run| {
        let said = ask(run, &run.lab.door(run.door), true, &arguments)?;
        parts.iter().try_for_each(|part| offered(&said, part))
    }));
    Ok(())
}

/// `early CERT TEXT`: somebody has a session of another server of that name, and says this in its
/// first flight, before the handshake is done (RFC 8446 §2.3); it is not taken.
fn early(case: &mut Case, rest: &str) -> Result<(), String> {
    let (shown, text) = rest.split_once(' ').ok_or("what is shown, what is said?")?;
    known(shown)?;
    let (shown, text) = (shown.to_owned(), sound(text)?);
    case.terms.has_doors = true;
    case.then(Box::new(move |run| {
        let padua = run.lab.host("padua")?;
        let folder = padua.folder("openssl");
        let place = |name: &str| folder.join(name).display().to_string();
        let other = run.lab.world.authority.issue(&["l1.lab"]);
        let server = listen(run, &other, &folder)?;
        let session = place("session");
        // It begins anew for each run.
        let _ = fs::remove_file(&session);
        let begin = ["-sess_out", &session, "-ign_eof"].map(str::to_owned);
        ask(run, &format!("{}:4433", padua.v4), false, &begin)?;
        drop(server);
        if !PathBuf::from(&session).exists() {
            return Err("there is no session to go on with".to_owned());
        }
        let said = place("early");
        fs::write(&said, run.bytes(&text)?).map_err(|error| error.to_string())?;
        let certificate = run.lab.certificate(&run.fill(&shown))?.ok_or("which certificate?")?;
        let (chain, key) = certificate.write(&folder, "client");
        let (chain, key) = (chain.display().to_string(), key.display().to_string());
        let comes = ["-sess_in", &session, "-early_data", &said, "-cert", &chain, "-key", &key];
        let heard = ask(run, &run.lab.door(run.door), true, &comes.map(str::to_owned))?;
        offered(&heard, "Early data was rejected")
    }));
    Ok(())
}

/// A server whose sessions may go on with early data.
fn listen(run: &Run<'_>, own: &Certificate, folder: &std::path::Path) -> Result<Process, String> {
    let (chain, key) = own.write(folder, "server");
    let mut command = run.lab.host("padua")?.command("openssl");
    command.args(["s_server", "-accept", "4433", "-tls1_3", "-www", "-max_early_data", "16384"]);
    command.arg("-cert").arg(chain).arg("-key").arg(key);
    let server = Process::start("openssl", command);
    server.hear("ACCEPT", Duration::from_secs(10));
    Ok(server)
}

/// What `openssl s_client` says.
fn ask(run: &Run<'_>, at: &str, is_ours: bool, arguments: &[String]) -> Result<String, String> {
    let mut command = run.lab.host("padua")?.command("timeout");
    command.args(["20", "openssl", "s_client", "-connect", at, "-servername", "l1.lab"]);
    if is_ours && run.door == Door::StartTls {
        command.args(["-starttls", "xmpp-server", "-xmpphost", "l1.lab"]);
    }
    command.args(arguments);
    let done = said(command, if is_ours { "" } else { "GET / HTTP/1.0\r\n\r\n" });
    done.map_err(|error| format!("cannot run openssl: {error}"))
}

fn said(mut command: Command, words: &str) -> std::io::Result<String> {
    let mut running =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    if let Some(mut stdin) = running.stdin.take() {
        std::io::Write::write_all(&mut stdin, words.as_bytes())?;
    }
    let done = running.wait_with_output()?;
    Ok(String::from_utf8_lossy(&[done.stderr, done.stdout].concat()).into_owned())
}

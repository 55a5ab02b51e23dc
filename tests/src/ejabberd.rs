//! Debian's ejabberd.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::client::PASSWORD;
use crate::server::differences;
use crate::{Manner, OrFail, Setup};

/// How it is started, and what it logs when it listens.
pub(crate) const START: (&str, &[&str], &[&str]) = (
    "ejabberdctl",
    &["foreground"],
    &["is started in the node", "5269 for ejabberd_s2s_in", "5222 for ejabberd_c2s"],
);

/// The configuration as the package brings it.
const PACKAGED: &str = "/usr/share/ejabberd/ejabberd.yml.example";

pub(crate) fn configure(setup: &Setup, config: &Path) {
    let packaged = fs::read_to_string(PACKAGED).or_fail("read ejabberd's own configuration");
    let hosts: Vec<_> = setup.domains.iter().map(|it| format!("  - {it}\n")).collect();
    let mut text = replace(&packaged, HOSTS, &hosts.concat());
    if setup.manner == Manner::InTheClear {
        text = replace(&text, STARTTLS, "s2s_use_starttls: false\n");
    }
    if setup.strict {
        text = replace(&text, DIALBACK, "");
    }
    if let Some(port) = setup.direct_port {
        let direct = format!(
            "{LISTEN}  -\n    port: {port}\n    ip: \"::\"\n    module: ejabberd_s2s_in\n    \
             tls: true\n    max_stanza_size: 524288\n"
        );
        text = replace(&text, LISTEN, &direct);
    }
    fs::write(config.join("ejabberd.yml"), text).or_fail("configure ejabberd");
    let certificate = format!("{}{}", setup.certificate.key(), setup.certificate.chain());
    fs::write(config.join("ejabberd.pem"), certificate).or_fail("give ejabberd a certificate");
}

pub(crate) fn changes(config: &Path) -> Vec<String> {
    differences(Path::new(PACKAGED), &config.join("ejabberd.yml"))
}

pub(crate) fn register(setup: &Setup, name: &str, domain: &str) {
    let made = evaluate(
        setup,
        &format!(
            "ejabberd_auth:try_register(<<\"{name}\">>, <<\"{domain}\">>, <<\"{PASSWORD}\">>)."
        ),
    );
    assert!(made.contains("{ok, ok}"), "cannot register {name}@{domain}: {made}");
}

pub(crate) fn pour(setup: &Setup, from: &str, to: &str, count: usize, size: usize) {
    let said = evaluate(
        setup,
        &format!(
            "From = jid:decode(<<\"{from}\">>), To = jid:decode(<<\"{to}\">>), \
             lists:foreach(fun(Number) -> \
             Body = iolist_to_binary([integer_to_list(Number), lists:duplicate({size}, $x)]), \
             ejabberd_router:route({{message, <<>>, chat, <<>>, From, To, [], \
             [{{text, <<>>, Body}}], undefined, [], #{{}}}}) end, lists:seq(1, {count}))."
        ),
    );
    assert!(said.contains("{ok, ok}"), "cannot pour: {said}");
}

/// Has the server evaluate an Erlang expression, and returns what it makes of it.
fn evaluate(setup: &Setup, expression: &str) -> String {
    // Each caller is a node, and no two nodes may have one name.
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let name = format!("caller{}", CALLS.fetch_add(1, Ordering::Relaxed));
    let mut command = setup.command("sh");
    command.args(["-c", EVALUATE, "sh", &name]);
    command.stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut call = command.spawn().or_fail("start erl_call");
    let mut stdin = call.stdin.take().or_fail("speak to erl_call");
    writeln!(stdin, "{expression}").or_fail("speak to erl_call");
    drop(stdin);
    let answer = call.wait_with_output().or_fail("await erl_call");
    assert!(answer.status.success(), "erl_call fails: {answer:?}");
    String::from_utf8_lossy(&answer.stdout).into_owned()
}

/// The way into a running node, with the cookie that it made for itself.
const EVALUATE: &str =
    "erl_call -sname ejabberd@localhost -h \"$1\" -c \"$(cat \"$HOME/.erlang.cookie\")\" -e";

/// Replaces a part that must be there.
fn replace(text: &str, part: &str, with: &str) -> String {
    assert!(text.contains(part), "ejabberd's own configuration has no {part:?}");
    text.replacen(part, with, 1)
}

const HOSTS: &str = "  - localhost\n";
const STARTTLS: &str = "s2s_use_starttls: required\n";
const DIALBACK: &str = "  mod_s2s_dialback: {}\n";
const LISTEN: &str = "listen:\n";

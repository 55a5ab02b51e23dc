//! The Debian package: made, installed, restarted under load, upgraded and purged as docs/debian.md
//! says, on a fresh Debian 12 with its own systemd.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ligase_tests::OrFail as _;
use ligase_tests::peer::program;

use crate::guide;
use crate::machine::{Machine, Terminal, done};
use crate::{MACHINE, file, packages, root, take};

#[test]
fn the_package_serves_from_its_installation_to_its_purge() {
    let page = file("docs/debian.md");
    let steps = guide::read(&page);
    let package = made();
    assert_clean(&package);

    let mut machine = Machine::fresh(&packages());
    let name = package.file_name().and_then(|it| it.to_str()).or_fail("name the package");
    let content = fs::read(&package).or_fail("read the package");
    machine.give(&format!("/usr/src/ligase/target/debian/{name}"), &content, 0o644);
    machine.give("/usr/local/bin/callers", CALLERS.as_bytes(), 0o755);
    machine.give("/usr/local/bin/question", QUESTION.as_bytes(), 0o755);
    machine.boot();

    let mut tried = 0;
    let mut terminals = HashMap::from([(MACHINE.to_owned(), machine.terminal("bash"))]);
    for step in &steps {
        take(&machine, &mut terminals, step, &mut String::new());
        let terminal = terminals.get_mut(MACHINE).or_fail("find the terminal");
        for (begins, attempt) in ATTEMPTS {
            if step.commands.starts_with(begins) {
                attempt(terminal);
                tried += 1;
            }
        }
    }
    assert_eq!(tried, ATTEMPTS.len(), "the page does not come to all that is tried");
}

/// What is tried besides, after the block that begins so.
type Attempt = (&'static str, fn(&mut Terminal));

const ATTEMPTS: [Attempt; 4] = [
    ("systemctl enable --now ligase.service", |terminal| {
        restart_under_load(terminal, true);
        serve_without_ipv6(terminal);
    }),
    ("systemctl stop ligase.service", |terminal| {
        restart_under_load(terminal, false);
        refuse_a_socket_without_a_key(terminal);
    }),
    ("mkdir -p /etc/systemd/system/ligase.service.d", |terminal| {
        // Both are bound by systemd, and answered by somebody who could not have done that.
        for transport in ["udp", "tcp"] {
            let seen = terminal.run(&format!("question {transport}"));
            assert_eq!(seen, ["answered"], "by {transport}");
        }
    }),
    ("apt-get purge", |terminal| {
        let seen =
            terminal.run("getent passwd ligase; systemctl list-unit-files 'ligase*' || true");
        assert!(seen.iter().any(|it| it.starts_with("0 unit files")), "{seen:?}");
        // What the page has written there itself is the administrator's.
        let left = "find / -xdev -name 'ligase.s*' -not -name '*.d' -not -path '/proc/*'";
        assert_eq!(terminal.run(left), [""; 0], "units or links to them are left");
    }),
];

/// Restarts ligase three times while four callers connect, each again as soon as it was answered.
/// Without the sockets, there is a moment in which nobody listens.
fn restart_under_load(terminal: &mut Terminal, are_refused: bool) {
    let seen = terminal.run(
        "rm -f /run/enough /run/told.*\n\
         for caller in 1 2 3 4; do callers > /run/told.$caller & done\n\
         for restart in 1 2 3; do\n\
         systemctl reset-failed ligase.service\n\
         systemctl restart ligase.service\n\
         done\n\
         touch /run/enough\n\
         wait\n\
         cat /run/told.* | sort | uniq --count",
    );
    let count = |what: &str| {
        let line = seen.iter().find_map(|it| it.trim().strip_suffix(what)?.trim().parse().ok());
        line.unwrap_or(0_u32)
    };
    let [answered, refused, cut] = ["answered", "refused", "cut off"].map(count);
    println!("{answered} answered, {refused} refused, {cut} cut off");
    assert!(200 <= answered, "{seen:?}");
    assert_eq!(0 < refused, are_refused, "{seen:?}");
    // Each caller may be in the middle of its first words when one of the three drains begins.
    assert!(cut <= 12, "{seen:?}");
}

/// As on a machine whose kernel has no IPv6: whoever asks for a socket of that family gets none.
fn serve_without_ipv6(terminal: &mut Terminal) {
    let seen = terminal.run(
        "mkdir -p /run/systemd/system/ligase.service.d\n\
         printf '[Service]\\nRestrictAddressFamilies=\\nRestrictAddressFamilies=AF_INET AF_UNIX\\n' \
         > /run/systemd/system/ligase.service.d/no-ipv6.conf\n\
         systemctl daemon-reload\n\
         systemctl restart ligase.service\n\
         : < /dev/tcp/127.0.0.1/7269\n\
         journalctl --sync\n\
         journalctl --unit=ligase.service --output=cat\n\
         rm -r /run/systemd/system/ligase.service.d\n\
         systemctl daemon-reload\n\
         systemctl restart ligase.service",
    );
    let said = seen.iter().filter(|it| it.contains("this machine has no IPv6"));
    assert_eq!(said.count(), 1, "{seen:?}");
}

/// A socket that would never be served is named, and nothing is served beside it.
fn refuse_a_socket_without_a_key(terminal: &mut Terminal) {
    let seen = terminal.run(
        "systemctl stop ligase.socket ligase.service\n\
         mkdir -p /run/systemd/system/ligase.socket.d\n\
         printf '[Socket]\\nListenStream=127.0.0.1:7999\\n' \
         > /run/systemd/system/ligase.socket.d/another.conf\n\
         systemctl daemon-reload\n\
         systemctl start ligase.socket\n\
         systemctl start ligase.service || systemctl show --property=ExecMainStatus ligase.service\n\
         journalctl --sync\n\
         journalctl --unit=ligase.service --output=cat --lines=20\n\
         systemctl stop ligase.socket\n\
         rm -r /run/systemd/system/ligase.socket.d\n\
         systemctl daemon-reload\n\
         systemctl reset-failed ligase.service\n\
         systemctl start ligase.socket\n\
         systemctl start ligase.service",
    );
    let said =
        "listen: a TCP socket at 127.0.0.1:7999 was inherited, and no key names that address";
    assert!(seen.iter().any(|it| it.starts_with(said)), "{seen:?}");
    assert!(seen.iter().any(|it| it == "ExecMainStatus=78"), "{seen:?}");
}

/// The package as its script makes it, but of the program that was built for the tests.
fn made() -> PathBuf {
    let folder = root().join("target/newcomer/package");
    let mut build = Command::new(root().join("deploy/debian/build.sh"));
    build.arg(program("ligase")).arg(&folder).env("COMPRESSION", "gzip");
    let said = done(&mut build);
    let path = said.lines().find(|it| it.ends_with(".deb")).or_fail("find the package");
    assert!(file("docs/debian.md").contains("`deploy/debian/build.sh`"), "the page has no script");
    root().join(path)
}

/// Debian's own judge finds nothing wrong with it, but for what our overrides explain.
fn assert_clean(package: &Path) {
    let mut lintian = Command::new("lintian");
    lintian.args(["--allow-root", "--fail-on=error,warning"]).arg(package);
    done(&mut lintian);
}

/// Calls the federation port, says hello and waits for the first words of an answer, until it was
/// enough and fifty have come. Tells how each call ended.
const CALLERS: &str = r#"#!/bin/bash
trap '' PIPE
answered=0
until [ -e /run/enough ] && ((50 <= answered)); do
    if ! { exec 3<>/dev/tcp/127.0.0.1/7269; } 2>/dev/null; then
        echo refused
        continue
    fi
    if printf '%s' "<?xml version='1.0'?><stream:stream xmlns='jabber:server'" \
        " xmlns:stream='http://etherx.jabber.org/streams' version='1.0'" \
        " from='capulet.example' to='montague.example'>" >&3 2>/dev/null &&
        read -r -t 30 -N 5 words <&3 2>/dev/null && [ "$words" = '<?xml' ]; then
        echo answered
        answered=$((answered + 1))
    else
        echo 'cut off'
    fi
    exec 3>&-
done
"#;

/// Asks the resolver where the servers of capulet.example are, by the transport that it is told.
const QUESTION: &str = r#"#!/bin/bash
set -e
query='\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00'
query+='\x0c_xmpp-server\x04_tcp\x07capulet\x07example\x00\x00\x21\x00\x01'
exec 3<>/dev/$1/127.0.0.1/53
if [ "$1" = tcp ]; then query='\x00\x33'$query; skip=2; else skip=0; fi
printf "$query" >&3
# The id comes back, then the bit that says that it is an answer.
timeout 20 head -c 12 <&3 | od -An -tx1 -j $skip -N 3 | grep -q '12 34 [89]' && echo answered
"#;

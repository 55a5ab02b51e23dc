//! Sweep: what others' programs find at our doors when they try all of TLS.
//!
//! How STARTTLS itself is attacked, in both roles, is in `attacks/negotiation.txt` (N01 to N08) and in
//! the ladder's tests; here it is only the way to one of the doors.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};

use ligase_tests::{Capture, Host, Ligase, OrFail, Proxy, Stranger, World};

use crate::verona::Rows;

/// Where TLS is spoken: who comes, to which address, and how TLS begins there.
struct Door {
    name: &'static str,
    host: Host,
    at: String,
    starttls: bool,
}

/// What a program said, and whether it was content.
struct Said {
    text: String,
    good: bool,
}

#[test]
fn nothing_but_what_is_good_is_spoken_at_any_door() {
    let (world, ligase, _server) = stage();
    let rows = Rows::default();
    for door in doors(&world, &ligase) {
        let row = |name: &str, row: &dyn Fn()| rows.run(&format!("{}: {name}", door.name), row);
        row("versions", &|| {
            for version in ["-tls1", "-tls1_1"] {
                let said = door.client(&[version, "-cipher", "ALL:@SECLEVEL=0"], "");
                // It is we who refuse, by an alert.
                assert!(said.text.contains("alert"), "{version}: {}", said.text);
                assert!(!said.good, "{version}: {}", said.text);
            }
            for (version, name) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
                let said = door.client(&[version], "");
                assert!(said.text.contains(&format!("New, {name}, Cipher is ")), "{}", said.text);
            }
        });
        row("suites", &|| door.speaks_these_suites());
        row("groups", &|| {
            for group in ["X25519", "P-256", "P-384"] {
                let said = door.client(&["-tls1_3", "-groups", group], "");
                assert!(said.good, "{group}: {}", said.text);
            }
            for group in ["P-521", "X448", "ffdhe2048", "ffdhe3072"] {
                let said = door.client(&["-tls1_3", "-groups", group], "");
                assert!(!said.good && said.text.contains("alert"), "{group}: {}", said.text);
            }
        });
        row("what is agreed on besides", &|| door.agrees_on_nothing_more());
        row("protocols", &|| {
            let said = door.client(&["-alpn", "xmpp-server"], "");
            assert!(said.text.contains("ALPN protocol: xmpp-server"), "{}", said.text);
            for protocol in ["h2", "http/1.1", "xmpp-client", "xmpp-serve"] {
                let said = door.client(&["-alpn", protocol], "");
                assert!(!said.good, "{protocol}: {}", said.text);
                assert!(said.text.contains("no application protocol"), "{}", said.text);
            }
        });
        row("renegotiation", &|| {
            let said = door.client(&["-tls1_2"], "R\n");
            assert!(said.text.contains("RENEGOTIATING"), "{}", said.text);
            assert_eq!(said.text.matches("New, TLSv1.2").count(), 1, "{}", said.text);
            assert!(!said.good, "{}", said.text);
        });
    }
    rows.finish();
}

/// A program that others use to look for what is weak finds nothing.
#[test]
fn a_scanner_finds_nothing_weak() {
    let (world, ligase, _server) = stage();
    // It knows STARTTLS for XMPP, but addresses its stream to the host's address, which is no domain.
    for door in doors(&world, &ligase).into_iter().filter(|it| !it.starttls) {
        let mut command = door.host.command("sslscan");
        command.args(["--no-colour", "--no-check-certificate", "--show-sigs"]);
        let said = heard(command.args([&format!("--sni-name={DOMAIN}"), &door.at]), "");
        let lines: BTreeSet<_> = said.text.lines().map(squeezed).collect();
        for line in [
            "SSLv2 disabled",
            "SSLv3 disabled",
            "TLSv1.0 disabled",
            "TLSv1.1 disabled",
            "TLSv1.2 enabled",
            "TLSv1.3 enabled",
            "TLSv1.3 not vulnerable to heartbleed",
            "TLSv1.2 not vulnerable to heartbleed",
        ] {
            assert!(lines.contains(line), "{}: not {line}: {}", door.name, said.text);
        }
        let accepted =
            lines.iter().filter(|it| it.starts_with("Accepted") || it.starts_with("Preferred"));
        let accepted: BTreeSet<_> = accepted.filter_map(|it| it.split(' ').nth(4)).collect();
        let expect: BTreeSet<_> = SUITES_12.into_iter().chain(SUITES_13).collect();
        assert_eq!(accepted, expect, "{}: {}", door.name, said.text);
    }
}

fn stage() -> (World, Ligase, Stranger) {
    let mut world = World::new();
    let (house, _) = (world.host("house"), world.host("padua"));
    world.zone.server(DOMAIN, 7269, "xmpp.l1.lab");
    world.zone.address("xmpp.l1.lab", &house);
    world.open();
    let own = world.authority.issue(&[DOMAIN]);
    let proxy = Proxy::new(&world, &house, Capture::Dns, &[DOMAIN.to_owned()], &own);
    let ligase = proxy.start();
    let server = Stranger::listen_for(&house, 5269, &[DOMAIN], &own);
    (world, ligase, server)
}

/// The door for peers in both its ways, and the one for our own server.
fn doors(world: &World, ligase: &Ligase) -> [Door; 3] {
    let (hub, house) = (&world.hub, ligase.host());
    let public = format!("{}:7269", house.v4);
    let door = |name, host: &Host, at: &str, starttls| Door {
        name,
        host: host.clone(),
        at: at.to_owned(),
        starttls,
    };
    [
        door("direct TLS", hub, &public, false),
        door("STARTTLS", hub, &public, true),
        door("our own server's", house, "127.0.0.1:7270", false),
    ]
}

impl Door {
    /// Has openssl shake hands, and say this.
    fn client(&self, arguments: &[&str], input: &str) -> Said {
        let mut command = self.host.command("openssl");
        command.args(["s_client", "-connect", &self.at, "-servername", DOMAIN, "-tlsextdebug"]);
        if self.starttls {
            command.args(["-starttls", "xmpp-server", "-xmpphost", DOMAIN]);
        }
        heard(command.args(arguments), input)
    }

    /// Each suite that openssl knows is tried alone, and ours are the only ones that are spoken.
    fn speaks_these_suites(&self) {
        let known = heard(
            Command::new("openssl").args(["ciphers", "-s", "-tls1_2", "ALL:NULL:@SECLEVEL=0"]),
            "",
        );
        let known: Vec<_> =
            known.text.trim().split(':').filter(|it| !it.starts_with("TLS_")).collect();
        assert!(40 < known.len(), "{known:?}");
        let spoken = known.into_iter().filter(|suite| {
            let suite = format!("{suite}:@SECLEVEL=0");
            self.client(&["-tls1_2", "-cipher", &suite], "")
                .text
                .contains("New, TLSv1.2, Cipher is E")
        });
        assert_eq!(spoken.collect::<BTreeSet<_>>(), SUITES_12.into_iter().collect());
        let all =
            ["TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256"].into_iter().chain(SUITES_13);
        let spoken = all.filter(|suite| {
            self.client(&["-tls1_3", "-ciphersuites", suite], "")
                .text
                .contains("New, TLSv1.3, Cipher is T")
        });
        assert_eq!(spoken.collect::<BTreeSet<_>>(), SUITES_13.into_iter().collect());
    }

    /// No compression, no heartbeat, and nothing by which a session could be taken up again, so that
    /// nothing can be said early either.
    fn agrees_on_nothing_more(&self) {
        let old = self.client(&["-tls1_2", "-comp"], "").text;
        assert!(old.contains("Secure Renegotiation IS supported"), "{old}");
        assert!(old.contains("Compression: NONE"), "{old}");
        let has_no_id = old.lines().any(|it| it.trim_end() == "    Session-ID:");
        assert!(has_no_id && !old.contains("TLS session ticket"), "{old}");
        let new = self.client(&["-tls1_3"], "").text;
        assert!(!new.contains("New Session Ticket arrived"), "{new}");
        assert!(new.contains("Early data was not sent"), "{new}");
        for text in [old, new] {
            let extensions = text.lines().filter(|it| it.starts_with("TLS server extension"));
            for extension in extensions {
                assert!(
                    !extension.contains("heartbeat") && !extension.contains("ticket"),
                    "{extension}"
                );
            }
        }
    }
}

/// Runs a command, says this to it and nothing more, and hears it out.
fn heard(command: &mut Command, input: &str) -> Said {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().or_fail("start a client");
    let mut stdin = child.stdin.take().or_fail("speak to a client");
    // One that has ended already hears nothing more.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let done = child.wait_with_output().or_fail("hear a client");
    let text = [done.stdout, done.stderr].concat();
    Said { text: String::from_utf8_lossy(&text).into_owned(), good: done.status.success() }
}

/// A line with one space where there were several.
fn squeezed(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

const DOMAIN: &str = "l1.lab";

/// With an ECDSA certificate, as the one that is shown here.
const SUITES_12: [&str; 3] = [
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
];

const SUITES_13: [&str; 3] =
    ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"];

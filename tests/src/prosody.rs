//! Debian's Prosody.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::client::PASSWORD;
use crate::host::{give, run};
use crate::server::differences;
use crate::{Certificate, Manner, OrFail, Setup};

/// How it is started, as its service file does it, and what it logs when it listens.
pub(crate) const START: (&str, &[&str], &[&str]) =
    ("prosody", &["-F"], &["Activated service 's2s'", "Activated service 'c2s'"]);

/// Host names go where the package wants them: into a file of their own.
const HOSTS: &str = "conf.d/world.cfg.lua";

/// The configuration as the package brings it; dpkg keeps what an administrator changes apart.
const PACKAGED: &str = "/etc/prosody/prosody.cfg.lua";

pub(crate) fn configure(setup: &Setup, config: &Path) {
    let main = config.join("prosody.cfg.lua");
    let packaged = fs::read_to_string(PACKAGED).or_fail("read Prosody's own configuration");
    let mut text = match setup.manner {
        Manner::Default => packaged,
        Manner::InTheClear => {
            let off = "s2s_secure_auth = false\ns2s_require_encryption = false\n\
                       s2s_allow_encryption = false\n";
            replace(&packaged, SECURE_AUTH, off)
        }
        Manner::Unproven => replace(&packaged, SECURE_AUTH, "s2s_secure_auth = false\n"),
    };
    if let Some(port) = setup.direct_port {
        let ports = format!("{CERTIFICATES}s2s_direct_tls_ports = {{ {port} }}\n");
        text = replace(&text, CERTIFICATES, &ports);
    }
    if setup.bidi {
        text = replace(&text, "--\"s2s_bidi\";", "\"s2s_bidi\";");
    }
    fs::write(main, text).or_fail("configure Prosody");

    let mut hosts = String::new();
    for domain in &setup.domains {
        let own = setup.own.iter().find(|(of, _)| of == domain).map(|(_, own)| own);
        own.unwrap_or(&setup.certificate).write(&config.join("certs"), domain);
        // Writing into a String cannot fail.
        let _ =
            write!(hosts, "VirtualHost \"{domain}\"\nComponent \"conference.{domain}\" \"muc\"\n");
    }
    fs::write(config.join(HOSTS), hosts).or_fail("configure Prosody");
}

pub(crate) fn changes(config: &Path) -> Vec<String> {
    let mut changes = differences(Path::new(PACKAGED), &config.join("prosody.cfg.lua"));
    changes.extend(differences(Path::new("/dev/null"), &config.join(HOSTS)));
    changes
}

pub(crate) fn register(setup: &Setup, name: &str, domain: &str) {
    run(setup.command("prosodyctl").args(["register", name, domain, PASSWORD]));
}

pub(crate) fn renew(setup: &Setup, domain: &str, certificate: &Certificate) {
    let config = setup.host.etc(setup.name());
    certificate.write(&config.join("certs"), domain);
    give(&config, setup.name());
    run(setup.command("prosodyctl").args(["shell", "config", "reload"]));
}

pub(crate) fn pour(setup: &Setup, from: &str, to: &str, count: usize, size: usize) {
    let domain = from.split_once('@').map_or(from, |(_, domain)| domain);
    let lua = format!(
        "> local st = require 'util.stanza'; for number = 1, {count} do \
         prosody.core_post_stanza(prosody.hosts['{domain}'], st.message({{ from = '{from}', \
         to = '{to}', type = 'chat' }}, number .. ('x'):rep({size}))) end"
    );
    run(setup.command("prosodyctl").args(["shell", &lua]));
}

/// Replaces a line that must be there.
fn replace(text: &str, line: &str, with: &str) -> String {
    assert!(text.contains(line), "Prosody's own configuration has no {line:?}");
    text.replacen(line, with, 1)
}

const SECURE_AUTH: &str = "s2s_secure_auth = true\n";
const CERTIFICATES: &str = "certificates = \"certs\"\n";

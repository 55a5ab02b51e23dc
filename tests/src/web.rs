//! Web: a host's HTTPS server, which serves POSH documents (RFC 7711).

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::peer::program;
use crate::{Certificate, Host, OrFail, Process};

/// A web server that runs. It is killed when dropped.
#[derive(Debug)]
pub struct Web {
    folder: PathBuf,
    program: Process,
}

impl Web {
    /// Serves at port 443 of a host, with this certificate.
    pub fn start(host: &Host, certificate: &Certificate) -> Self {
        let folder = host.folder("web");
        let pages = folder.join("pages");
        fs::create_dir_all(&pages).or_fail("make a folder for pages");
        let (chain, key) = certificate.write(&folder, "web");
        let mut command = host.command(&program("ligase-peer"));
        command.args(["web", "[::]:443"]).args([chain, key, pages.clone()]);
        let program = Process::start("web", command);
        program.hear("serving", Duration::from_secs(10));
        Self { folder: pages, program }
    }

    /// Publishes what the servers of a domain may present, for so many seconds after it is read.
    pub fn vouch(&self, domain: &str, certificate: &Certificate, expires: u64) {
        let digest = BASE64_STANDARD.encode(certificate.sha256());
        let document =
            format!("{{\"fingerprints\":[{{\"sha-256\":\"{digest}\"}}],\"expires\":{expires}}}");
        self.publish(domain, &document);
    }

    /// Publishes this as the document of a domain.
    pub fn publish(&self, domain: &str, document: &str) {
        // Whoever reads just now reads the one or the other.
        let draft = self.folder.join(format!(".{domain}"));
        fs::write(&draft, document).or_fail("write a document");
        fs::rename(draft, self.folder.join(domain)).or_fail("publish a document");
    }

    /// How often it was asked for anything.
    pub fn requests(&self) -> usize {
        self.program.lines().iter().filter(|line| line.starts_with("get ")).count()
    }
}

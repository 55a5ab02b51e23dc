//! What our own resolver says of a name.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use ligase_tests::{Authority, OrFail};
use ligase_verifier::{Dnssec, Failure, Kind, Question, RootSource, Servers, Settings, Verifier};
use tokio::runtime::Runtime;

use crate::lab::Lab;
use crate::oracle::State;

/// A verifier that asks one server.
#[derive(Debug)]
pub struct Ours {
    verifier: Verifier,
    runtime: Runtime,
}

impl Ours {
    /// One that knows nothing yet.
    pub fn new(lab: &Lab, server: SocketAddr, dnssec: Dnssec) -> Self {
        let settings = Settings {
            servers: Servers::These(vec![server]),
            dnssec,
            trust_anchor: Some(lab.anchor()),
            roots: RootSource::File(roots(&lab.folder)),
            ..Settings::default()
        };
        let verifier = Verifier::new(&settings).or_fail("set up a verifier");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Self { verifier, runtime: runtime.or_fail("start a runtime") }
    }

    /// Asks it.
    pub fn ask(&self, name: &str, kind: &str) -> State {
        let kind = match kind {
            "A" => Kind::A,
            "AAAA" => Kind::Aaaa,
            "SRV" => Kind::Srv,
            "TLSA" => Kind::Tlsa,
            _ => panic!("we never ask for {kind}"),
        };
        let question = Question { name: name.to_owned(), kind };
        match self.runtime.block_on(self.verifier.look_up(&question)) {
            Ok(found) => State::Known {
                secure: found.security == ligase_verifier::Security::Secure,
                records: found.data.len(),
            },
            Err(Failure::Bogus) => State::Bogus,
            Err(Failure::Failed | Failure::TimedOut) => State::Failed,
        }
    }
}

/// No certificate is looked at here, but some authority there must be.
fn roots(folder: &Path) -> std::path::PathBuf {
    let file = folder.join("roots.pem");
    fs::write(&file, Authority::new("Verona").pem()).or_fail("write the authorities");
    file
}

//! What our own resolver says of a name.

use std::net::SocketAddr;

use ligase_tests::OrFail;
use ligase_verifier::{
    Data, Dnssec, Failure, Kind, Question, RootSource, Security, Servers, Settings, Verifier,
};
use tokio::runtime::{Builder, Runtime};

use crate::lab::Lab;
use crate::oracle::State;

/// A verifier that asks one server.
#[derive(Debug)]
pub(crate) struct Ours {
    verifier: Verifier,
    runtime: Runtime,
}

impl Ours {
    /// One that knows nothing yet.
    pub(crate) fn new(lab: &Lab, server: SocketAddr, dnssec: Dnssec) -> Self {
        let settings = Settings {
            servers: Servers::These(vec![server]),
            dnssec,
            trust_anchor: Some(lab.anchor()),
            roots: RootSource::File(lab.roots()),
            ..Settings::default()
        };
        let verifier = Verifier::new(&settings).or_fail("set up a verifier");
        let runtime = Builder::new_current_thread().enable_all().build();
        Self { verifier, runtime: runtime.or_fail("start a runtime") }
    }

    /// Asks it.
    pub(crate) fn ask(&self, name: &str, kind: &str) -> State {
        self.hear(name, kind).0
    }

    /// Asks it, and hears also what the records are.
    pub(crate) fn hear(&self, name: &str, kind: &str) -> (State, Vec<Data>) {
        let kind = match kind {
            "A" => Kind::A,
            "AAAA" => Kind::Aaaa,
            "SRV" => Kind::Srv,
            "TLSA" => Kind::Tlsa,
            _ => panic!("we never ask for {kind}"),
        };
        let question = Question { name: name.to_owned(), kind };
        match self.runtime.block_on(self.verifier.look_up(&question)) {
            Ok(found) => {
                let secure = found.security == Security::Secure;
                (State::Known { secure, records: found.data.len() }, found.data)
            }
            Err(Failure::Bogus) => (State::Bogus, Vec::new()),
            Err(Failure::Failed | Failure::TimedOut) => (State::Failed, Vec::new()),
        }
    }
}

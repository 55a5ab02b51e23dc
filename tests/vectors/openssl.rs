//! What openssl makes of chains: its own client, asked over TLS, at a server that has them all.

use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use ligase_tests::OrFail;
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, ServerConnection};

use crate::mint::PATIENCE;

/// What is to become of a chain.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    Accepted,
    Refused,
    /// No record counts, so it is up to others.
    NoRecords,
}

/// What openssl is asked.
#[derive(Clone, Debug)]
pub(crate) struct Question<'a> {
    /// The name under which the server has the chain.
    pub(crate) chain: &'a str,
    /// The name that the leaf is to bear.
    pub(crate) name: &'a str,
    /// TLSA records in presentation form; without any, it is asked about authorities and the name.
    pub(crate) records: &'a [String],
    pub(crate) options: &'a [&'a str],
}

/// Asks openssl about a chain, which it is shown over TLS.
pub(crate) fn ask(server: &Server, roots: &Path, question: &Question<'_>) -> Verdict {
    let mut client = Command::new("timeout");
    client.arg(PATIENCE.as_secs().to_string());
    client.args(["openssl", "s_client", "-brief", "-verify_return_error", "-connect"]);
    client.arg(server.address.to_string()).args(["-servername", question.chain]);
    client.arg("-CAfile").arg(roots).args(["-no-CApath", "-no-CAstore"]);
    match question.records {
        [] => client.args(["-verify_hostname", question.name]),
        _ => client.args(["-dane_tlsa_domain", question.name]),
    };
    for record in question.records {
        client.args(["-dane_tlsa_rrdata", record]);
    }
    let output = client.args(question.options).stdin(Stdio::null()).output().or_fail("run openssl");
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() && said.contains("Verification: OK") {
        let by_records = said.contains("DANE TLSA");
        assert_eq!(by_records, !question.records.is_empty(), "{question:?}: {said}");
        Verdict::Accepted
    } else if said.contains("Failed to import any TLSA records") {
        Verdict::NoRecords
    } else if said.contains("verify error:num=") {
        Verdict::Refused
    } else {
        panic!("openssl did not come to a verdict on {question:?}: {said}");
    }
}

/// A TLS server that presents whichever chain it is asked for by name.
pub(crate) struct Server {
    address: SocketAddr,
    is_closing: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

/// The chains of a server, and the keys of their leaves.
#[derive(Debug, Default)]
pub(crate) struct Chains(HashMap<String, Arc<CertifiedKey>>);

impl Chains {
    /// Adds a chain, and returns the name to ask for it by.
    pub(crate) fn add(
        &mut self,
        chain: Vec<CertificateDer<'static>>,
        key: &rcgen::KeyPair,
    ) -> String {
        let name = format!("c{}.chains.test", self.0.len());
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let key = any_supported_type(&key).or_fail("read a key");
        self.0.insert(name.clone(), Arc::new(CertifiedKey::new(chain, key)));
        name
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

impl ResolvesServerCert for Chains {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.get(hello.server_name()?).cloned()
    }
}

impl Server {
    /// Listens on loopback until dropped.
    pub(crate) fn start(chains: Chains) -> Self {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .or_fail("set up TLS")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(chains));
        let listener = TcpListener::bind("127.0.0.1:0").or_fail("listen");
        let address = listener.local_addr().or_fail("tell the address");
        let is_closing = Arc::new(AtomicBool::new(false));
        let (config, closing) = (Arc::new(config), Arc::clone(&is_closing));
        let accepting = thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if closing.load(Ordering::Relaxed) {
                    return;
                }
                let config = Arc::clone(&config);
                thread::spawn(move || greet(&stream, config));
            }
        });
        Self { address, is_closing, accepting: Some(accepting) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.is_closing.store(true, Ordering::Relaxed);
        // Whoever waits for a connection is woken by one.
        if TcpStream::connect(self.address).is_ok()
            && let Some(accepting) = self.accepting.take()
        {
            let _ = accepting.join();
        }
    }
}

/// Shakes hands, and waits for the client to leave. It leaves when it has seen enough, which is
/// for it to tell.
fn greet(mut stream: &TcpStream, config: Arc<ServerConfig>) {
    let timed = stream.set_read_timeout(Some(PATIENCE));
    if let (Ok(()), Ok(mut tls)) = (timed, ServerConnection::new(config)) {
        while tls.complete_io(&mut stream).is_ok_and(|(read, _)| 0 < read) {}
    }
}

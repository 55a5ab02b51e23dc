//! A book of questions about chains, and everybody asked.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use ligase_tests::OrFail;
use ligase_verifier::{Prooftype, Verdict as Found};
use rcgen::KeyPair;
use rustls::pki_types::CertificateDer;

use crate::ligase::{self, Record};
use crate::mint::{House, Kind};
use crate::openssl::{self, Chains, Question, Server, Verdict};

/// One question, and what is to be answered.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) chain: Vec<CertificateDer<'static>>,
    /// The name of the chain at the server.
    pub(crate) shown: String,
    pub(crate) asked: &'static str,
    pub(crate) records: Vec<Record>,
    pub(crate) expect: Verdict,
    pub(crate) openssl: Verdict,
    /// What openssl is told besides.
    pub(crate) options: &'static [&'static str],
}

/// All kinds of keys and authorities, the chains made of them, and the questions about these.
pub(crate) struct Book {
    pub(crate) houses: Vec<House>,
    pub(crate) keys: Vec<KeyPair>,
    pub(crate) chains: Chains,
    pub(crate) cases: Vec<Case>,
}

impl Book {
    pub(crate) fn new(kinds: &[Kind]) -> Self {
        Self {
            houses: kinds.iter().map(|it| House::new(*it)).collect(),
            keys: kinds.iter().map(|it| it.key()).collect(),
            chains: Chains::default(),
            cases: Vec::new(),
        }
    }

    /// Asks everybody everything, and returns how many chains and questions there were.
    pub(crate) fn check(self, name: &str) -> (usize, usize) {
        let roots = self.houses.iter().map(|it| it.root.certificate.pem.as_str()).collect();
        self.check_where(name, roots)
    }

    /// The same where these authorities are trusted, in PEM.
    pub(crate) fn check_where(self, name: &str, roots: String) -> (usize, usize) {
        let file = Roots::write(name, &roots);
        let (chains, questions) = (self.chains.len(), self.cases.len());
        let (server, next) = (Server::start(self.chains), AtomicUsize::new(0));
        let faults = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for _ in 0..WORKERS {
                scope.spawn(|| {
                    while let Some(case) = self.cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let found = case.faults(&server, &file);
                        faults.lock().unwrap_or_else(PoisonError::into_inner).extend(found);
                    }
                });
            }
        });
        let faults = faults.into_inner().unwrap_or_else(PoisonError::into_inner);
        assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
        (chains, questions)
    }
}

impl Case {
    /// Where ligase or openssl decides otherwise than is written.
    fn faults(&self, server: &Server, roots: &Roots) -> Vec<String> {
        let mut faults = Vec::new();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let runtime = runtime.or_fail("start a runtime");
        let ask = ligase::ask(&roots.0, self.chain.clone(), &self.records);
        let (verdict, found) = runtime.block_on(ask);
        if verdict != self.expect {
            faults.push(format!("{}: ligase says {verdict:?}, not {:?}", self.name, self.expect));
        }

        let records: Vec<String> = self.records.iter().map(Record::text).collect();
        let (name, options) = (self.asked, self.options);
        let question = Question { chain: &self.shown, name, records: &records, options };
        let verdict = openssl::ask(server, &roots.0, &question);
        if verdict != self.openssl {
            faults.push(format!("{}: openssl says {verdict:?}, not {:?}", self.name, self.openssl));
        }
        if verdict == Verdict::NoRecords && self.expect == Verdict::NoRecords {
            // It is up to authorities then, for both.
            let question = Question { records: &[], options: &[], ..question };
            let trusts = openssl::ask(server, &roots.0, &question) == Verdict::Accepted;
            let is_proven =
                matches!(&found, Found::Proven(it) if it.prooftype() == Prooftype::Pkix);
            if trusts != is_proven {
                faults.push(format!("{}: without records, ligase says {found:?}", self.name));
            }
        }
        faults
    }
}

/// A file of the authorities that everybody trusts; gone when dropped.
struct Roots(PathBuf);

impl Roots {
    fn write(name: &str, pem: &str) -> Self {
        let file = format!("ligase-vectors-{}-{name}.pem", std::process::id());
        let path = std::env::temp_dir().join(file);
        std::fs::write(&path, pem).or_fail("write the roots");
        Self(path)
    }
}

impl Drop for Roots {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// As many as keep two processors busy, of which one waits for a program to start.
const WORKERS: usize = 4;

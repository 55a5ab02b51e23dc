//! A server between a resolver and the DNS that does not tell the truth.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use hickory_resolver::proto::op::{Edns, Message, MessageType, OpCode, Query};
use hickory_resolver::proto::rr::{Name, RecordType};
use ligase_tests::OrFail;

/// What becomes of an answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fate {
    /// It is passed on as it is.
    Honest,
    /// It has been bent.
    Bent,
    /// It is lost.
    Lost,
}

/// Changes an answer, or not.
pub(crate) type Bend = dyn Fn(&Query, &mut Message, &Source) -> Fate + Send + Sync;

/// A liar at work. It ends when dropped.
#[derive(Debug)]
pub(crate) struct Liar {
    pub(crate) at: SocketAddr,
    asked: Arc<AtomicUsize>,
    lies: Arc<AtomicUsize>,
    ends: Arc<AtomicBool>,
    work: Option<JoinHandle<()>>,
}

/// The truth, from a resolver that does not check it.
#[derive(Debug)]
pub(crate) struct Source(pub(crate) SocketAddr);

impl Source {
    /// What it says about a name, with all signatures.
    pub(crate) fn tell(&self, name: &str, kind: RecordType) -> Message {
        let mut query = Message::new(7, MessageType::Query, OpCode::Query);
        query.add_query(Query::query(Name::from_ascii(name).or_fail("read a name"), kind));
        query.metadata.recursion_desired = true;
        let mut edns = Edns::new();
        edns.enable_dnssec();
        edns.set_max_payload(4096);
        query.set_edns(edns);
        let answer = self.pass(&query.to_vec().or_fail("write a question"));
        answer.or_fail("hear the truth")
    }

    fn pass(&self, query: &[u8]) -> Option<Message> {
        let socket = UdpSocket::bind("127.0.0.1:0").or_fail("open a socket");
        socket.set_read_timeout(Some(PATIENCE)).or_fail("set a timeout");
        socket.send_to(query, self.0).or_fail("ask for the truth");
        let mut answer = vec![0; 65535];
        let (length, _) = socket.recv_from(&mut answer).ok()?;
        Message::from_vec(&answer[..length]).ok()
    }
}

impl Liar {
    /// Starts one in front of a resolver.
    pub(crate) fn start(
        source: SocketAddr,
        bend: impl Fn(&Query, &mut Message, &Source) -> Fate + Send + Sync + 'static,
    ) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").or_fail("open the liar's socket");
        let at = socket.local_addr().or_fail("find the liar's address");
        let (asked, lies) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let ends = Arc::<AtomicBool>::default();
        let (asked_too, lies_too, ends_too) = (asked.clone(), lies.clone(), ends.clone());
        let work = thread::spawn(move || {
            let source = Source(source);
            let mut query = vec![0; 4096];
            loop {
                let (length, peer) = socket.recv_from(&mut query).or_fail("hear a question");
                if ends_too.load(Ordering::Relaxed) {
                    return;
                }
                asked_too.fetch_add(1, Ordering::Relaxed);
                let (answer, fate) = answer(&source, &query[..length], &bend);
                lies_too.fetch_add(usize::from(fate != Fate::Honest), Ordering::Relaxed);
                if let Some(answer) = answer {
                    socket.send_to(&answer, peer).or_fail("answer");
                }
            }
        });
        Self { at, asked, lies, ends, work: Some(work) }
    }

    /// How many questions it has been asked.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    /// How many answers it has bent or swallowed.
    pub(crate) fn lies(&self) -> usize {
        self.lies.load(Ordering::Relaxed)
    }
}

impl Drop for Liar {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        let waker = UdpSocket::bind("127.0.0.1:0").or_fail("open a socket");
        waker.send_to(&[0], self.at).or_fail("wake the liar");
        let ended = self.work.take().map(JoinHandle::join);
        if !thread::panicking() {
            assert!(ended.is_some_and(|it| it.is_ok()), "the liar stopped");
        }
    }
}

fn answer(source: &Source, query: &[u8], bend: &Bend) -> (Option<Vec<u8>>, Fate) {
    let Some(mut message) = source.pass(query) else {
        return (None, Fate::Honest);
    };
    let asked = message.queries.first().or_fail("find a question").clone();
    let fate = bend(&asked, &mut message, source);
    let is_lost = fate == Fate::Lost;
    let answer = (!is_lost).then(|| message.to_vec().or_fail("write an answer"));
    (answer, fate)
}

/// Long enough for a resolver to ask others.
const PATIENCE: Duration = Duration::from_secs(5);

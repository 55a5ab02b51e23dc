//! Porter: a scripted server that lets in only who comes as its script says, and remembers how
//! each came.

mod serve;

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use self::serve::END;
use crate::{Certificate, Peer, Stream};

/// A point of a stream at which a porter may do something out of the ordinary.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Moment {
    /// A header came in the clear.
    Greeted,
    /// TLS was asked for.
    Securing,
    /// A header came after TLS.
    Secured,
    /// A certificate is to be believed (SASL EXTERNAL).
    Authenticating,
    /// A pair was asked for (XEP-0220).
    Claiming,
}

/// To whom a rule of a porter applies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Whom {
    /// Whoever comes.
    Anybody,
    /// Who calls the server by its own name.
    Servers,
    /// Who calls it by the name of its domain.
    Domains,
    /// Of these, who shows another certificate than the sender domain's.
    Strangers,
}

/// What a porter does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Deed {
    /// Ends the stream with this stream error.
    Error(&'static str),
    /// Ends the stream.
    End,
    /// Closes the connection without a word.
    HangUp,
    /// Says nothing any more.
    Silence,
    /// Says what is not XML.
    Babble,
    /// Answers as another domain.
    Pretend,
    /// Answers as servers did before XMPP 1.0, by the name of its domain, whoever was called.
    Old,
    /// Does not offer what comes next: TLS, or SASL EXTERNAL.
    NoOffer,
    /// Says that this failed: TLS, or SASL; and goes on listening.
    Fail,
    /// The same, and ends the stream.
    FailAndEnd,
    /// Ends the handshake with this alert (RFC 8446 §6).
    Alert(u8),
    /// Says that the key is invalid.
    Invalid,
    /// Says that the pair is refused, for this reason.
    Refuse(&'static str),
}

/// What a porter does, when, and to whom; the first rule that fits applies. Where none does, it is
/// as welcoming as a server of today.
pub type Script = &'static [(Moment, Whom, Deed)];

/// A server that runs until its host ends.
#[derive(Clone, Debug)]
pub struct Porter {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    domain: String,
    server: String,
    certificate: Certificate,
    /// The digests of the sender domains' own certificates.
    senders: Vec<String>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    script: Script,
    visits: Vec<Visit>,
    /// How many streams were greeted; their ids are made of it.
    greeted: u32,
}

/// How somebody came, and how far.
#[derive(Clone, Debug)]
struct Visit {
    stream: Stream,
    from: String,
    to: String,
    /// The name asked for and the certificate shown, once there is TLS.
    secured: Option<(String, String)>,
    /// Whether its certificate was believed.
    trusted: bool,
    did: Vec<String>,
    messages: Vec<String>,
    over: bool,
}

impl Porter {
    /// Listens at a port as the server of that name for a domain. The certificates are those of the
    /// sender domains.
    pub fn listen(
        peer: &Peer,
        port: u16,
        (domain, server): (&str, &str),
        certificate: &Certificate,
        senders: &[&Certificate],
    ) -> Self {
        peer.listen(port);
        let shared = Arc::new(Shared {
            domain: domain.to_owned(),
            server: server.to_owned(),
            certificate: certificate.clone(),
            senders: senders.iter().map(|it| it.digest()).collect(),
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let porter = Self { shared };
        let (accepting, peer) = (porter.clone(), peer.clone());
        thread::spawn(move || {
            while !peer.has_ended() {
                if let Some(stream) = peer.accept_within(port, PATIENCE) {
                    let receiving = accepting.clone();
                    let visit = receiving.enter(&stream);
                    thread::spawn(move || {
                        receiving.receive(&stream, visit);
                        receiving.note(visit, |it| it.over = true);
                    });
                }
            }
        });
        porter
    }

    /// Follows another script from now on, and forgets who came till now.
    pub fn follow(&self, script: Script) {
        let mut state = self.lock();
        state.script = script;
        state.visits.retain(|it| !it.over);
        assert!(state.visits.is_empty(), "{} has visitors", self.shared.domain);
    }

    /// Waits until a message with this text has come.
    #[track_caller]
    pub fn hear(&self, text: &str) {
        let has_come = |it: &Visit| it.messages.iter().any(|it| it == text);
        let heard = self.await_state(|it| it.visits.iter().any(has_come));
        assert!(heard, "no {text:?}, but {:?}", self.visits());
    }

    /// Waits until no more streams than that are open, and tells of all that came, a line for each.
    pub fn visits_when_open(&self, most: usize) -> Vec<String> {
        self.await_state(|it| it.visits.iter().filter(|it| !it.over).count() <= most);
        self.visits()
    }

    /// Tells of all that came, a line for each.
    pub fn visits(&self) -> Vec<String> {
        self.lock().visits.iter().map(Visit::to_string).collect()
    }

    /// Ends all streams, and waits until their other ends have understood.
    #[track_caller]
    pub fn dismiss(&self) {
        let open: Vec<_> = self.lock().visits.iter().map(|it| it.stream.clone()).collect();
        for stream in open {
            stream.send(END);
        }
        assert!(self.await_state(|it| it.visits.iter().all(|it| it.over)), "somebody stays");
    }

    fn enter(&self, stream: &Stream) -> usize {
        let mut state = self.lock();
        state.visits.push(Visit {
            stream: stream.clone(),
            from: String::new(),
            to: String::new(),
            secured: None,
            trusted: false,
            did: Vec::new(),
            messages: Vec::new(),
            over: false,
        });
        state.visits.len() - 1
    }

    fn deed(&self, visit: usize, moment: Moment) -> Option<Deed> {
        let state = self.lock();
        let visit = state.visits.get(visit)?;
        let calls_server = visit.to == self.shared.server;
        let shows_own =
            visit.secured.as_ref().is_some_and(|(_, leaf)| self.shared.senders.contains(leaf));
        let rule = state.script.iter().find(|(at, whom, _)| {
            *at == moment
                && match whom {
                    Whom::Anybody => true,
                    Whom::Servers => calls_server,
                    Whom::Domains => !calls_server,
                    Whom::Strangers => !calls_server && !shows_own,
                }
        });
        rule.map(|(_, _, deed)| *deed)
    }

    fn look<T>(&self, visit: usize, look: impl FnOnce(&Visit) -> T) -> T {
        match self.lock().visits.get(visit) {
            Some(visit) => look(visit),
            None => panic!("a visitor was forgotten"),
        }
    }

    fn note(&self, visit: usize, note: impl FnOnce(&mut Visit)) {
        if let Some(visit) = self.lock().visits.get_mut(visit) {
            note(visit);
        }
        self.shared.changed.notify_all();
    }

    /// Waits until that is so; tells whether it was in time.
    fn await_state(&self, is_so: impl Fn(&State) -> bool) -> bool {
        let state = self.lock();
        let waited = self.shared.changed.wait_timeout_while(state, PATIENCE, |it| !is_so(it));
        let (state, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        drop(state);
        !waited.timed_out()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Visit {
    fn greet(&mut self, from: &str, to: &str) {
        if self.from.is_empty() && self.to.is_empty() {
            (self.from, self.to) = (from.to_owned(), to.to_owned());
        } else if (&*self.from, &*self.to) != (from, to) {
            self.did.push(format!("{from} > {to}"));
        }
    }
}

/// `FROM > TO / NAME by LEAF / DEED, DEED`: the header's addresses; the name asked for in the
/// handshake and the digest of the certificate shown, or `clear`; what came then.
impl fmt::Display for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to, secured, did, .. } = self;
        let secured = secured.as_ref();
        let how =
            secured.map_or_else(|| "clear".to_owned(), |(name, leaf)| format!("{name} by {leaf}"));
        write!(f, "{from} > {to} / {how} / {}", did.join(", "))
    }
}

/// Longer than any step that the other side may take before it says something.
const PATIENCE: Duration = Duration::from_secs(30);

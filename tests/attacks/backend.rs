//! Backend: our own server, which is a scripted one or a real one.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use ligase_tests::{Certificate, Host, Kind, Peer, Server, Setup, Stranger, Stream};

use crate::bytes::message;
use crate::deeds::Told;
use crate::lab::HOSTED;
use crate::negotiate::{authorize, secure};
use crate::resident::login;

/// Which server is behind the proxy.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Behind {
    /// A scripted one that takes everything and remembers it.
    Recorder,
    Prosody,
    Ejabberd,
}

impl Behind {
    pub(crate) const ALL: [Self; 3] = [Self::Recorder, Self::Prosody, Self::Ejabberd];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Recorder => "recorder",
            Self::Prosody => "prosody",
            Self::Ejabberd => "ejabberd",
        }
    }
}

/// The server, and all that has come to it, or to those who live there.
#[derive(Clone)]
pub(crate) enum Backend {
    Recorder(Stranger),
    Real(Arc<House>),
}

/// A real server and its users.
pub(crate) struct House {
    /// It ends with the house.
    _server: Server,
    pub(crate) inbox: Arc<Inbox>,
    romeo: Stream,
}

/// What has come to the users.
#[derive(Default)]
pub(crate) struct Inbox {
    heard: Mutex<Vec<String>>,
    grown: Condvar,
}

/// Somebody of the server's who says things to the honest peer.
pub(crate) struct Speaker {
    stream: Stream,
    from: &'static str,
}

impl Backend {
    /// Starts the server on its host, where it has its certificate.
    pub(crate) fn start(which: Behind, host: &Host, own: &Certificate) -> Result<Self, String> {
        let kind = match which {
            Behind::Recorder => {
                return Ok(Self::Recorder(Stranger::listen_for(host, 5269, &HOSTED, own)));
            }
            Behind::Prosody => Kind::Prosody,
            Behind::Ejabberd => Kind::Ejabberd,
        };
        let server = Setup::new(kind, host, &["l1.lab", "l2.lab"], own).start();
        let peer = Peer::on(host);
        let inbox = Arc::<Inbox>::default();
        let reside = |name: &str, domain: &str| {
            server.register(name, domain);
            login(&peer, name, domain, &inbox)
        };
        let romeo = reside("romeo", "l1.lab")?;
        reside("u", "l1.lab")?;
        reside("u", "l2.lab")?;
        Ok(Self::Real(Arc::new(House { _server: server, inbox, romeo })))
    }

    /// Somebody who speaks for `l1.lab` to `r1.lab`.
    pub(crate) fn speaker(
        &self,
        beside: &Peer,
        door: &str,
        own: &Certificate,
    ) -> Result<Speaker, String> {
        match self {
            Self::Recorder(_) => {
                let stream = beside.try_dial(door)?;
                secure(&stream, "l1.lab", "r1.lab", Some(own))?;
                authorize(&stream, "l1.lab", "r1.lab")?;
                Ok(Speaker { stream, from: " from='romeo@l1.lab'" })
            }
            Self::Real(house) => Ok(Speaker { stream: house.romeo.clone(), from: "" }),
        }
    }

    /// The id of the last stream that was opened to it for this domain, if it is a recorder.
    pub(crate) fn id_for(&self, domain: &str) -> Option<String> {
        match self {
            Self::Recorder(stranger) => stranger.id_for(domain),
            Self::Real(_) => None,
        }
    }

    /// How much has come.
    pub(crate) fn count(&self) -> usize {
        match self {
            Self::Recorder(stranger) => stranger.count(),
            Self::Real(house) => house.inbox.lock().len(),
        }
    }

    /// What has come since so much had.
    pub(crate) fn heard_after(&self, start: usize) -> Vec<String> {
        match self {
            Self::Recorder(stranger) => stranger.heard_after(start),
            Self::Real(house) => house.inbox.lock().get(start..).unwrap_or_default().to_vec(),
        }
    }

    /// Waits for something that holds this text, and came since so much had.
    pub(crate) fn hear(&self, start: usize, text: &str, patience: Duration) -> Told {
        let is_heard = match self {
            Self::Recorder(stranger) => stranger.hears(start, text, patience),
            Self::Real(house) => house.inbox.hears(start, text, patience),
        };
        if is_heard {
            return Ok(());
        }
        Err(format!("our server never hears {text:?}, but {:?}", self.heard_after(start)))
    }
}

impl Speaker {
    /// Says this to the honest peer.
    pub(crate) fn send(&self, body: &str) {
        let said = message("", "nurse@r1.lab", body);
        self.stream.send(&said.replacen(" from=''", self.from, 1));
    }
}

impl Inbox {
    pub(crate) fn keep(&self, said: String) {
        self.lock().push(said);
        self.grown.notify_all();
    }

    fn hears(&self, start: usize, text: &str, patience: Duration) -> bool {
        let missing =
            |heard: &mut Vec<String>| !heard.iter().skip(start).any(|it| it.contains(text));
        let waited = self.grown.wait_timeout_while(self.lock(), patience, missing);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

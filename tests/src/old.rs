//! OldServer: an XMPP server from before XMPP 1.0, which knows dialback and nothing else.
//!
//! It says what servers said in 2003: headers without a version, no features, no TLS, and keys
//! that the other side asks back for (XEP-0220, and XEP-0238 for who does what).

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::certificate::digest_of;
use crate::xml::{attribute, content};
use crate::{Host, Peer, Stream};

/// A server that runs until its host ends. Every address at its domain has an account.
#[derive(Clone, Debug)]
pub struct OldServer {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    host: Host,
    domain: String,
    peer: Peer,
    state: Mutex<State>,
    changed: Condvar,
    /// Held while a stream to somebody is opened, so that there is one to each.
    opening: Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    /// How many streams were accepted; their ids are made of it.
    accepted: u32,
    sent: u32,
    outbound: HashMap<String, Stream>,
    inbox: Vec<String>,
    /// What others' keys were, and whether they were good.
    claims: Vec<(String, bool)>,
}

impl OldServer {
    /// Starts it on a host.
    pub fn start(host: &Host, domain: &str) -> Self {
        let peer = Peer::on(host);
        peer.listen(5269);
        let shared = Arc::new(Shared {
            host: host.clone(),
            domain: domain.to_owned(),
            peer,
            state: Mutex::default(),
            changed: Condvar::new(),
            opening: Mutex::new(()),
        });
        let server = Self { shared };
        let accepting = server.clone();
        thread::spawn(move || {
            while !accepting.shared.peer.has_ended() {
                if let Some(stream) = accepting.shared.peer.accept_within(5269, PATIENCE) {
                    let receiving = accepting.clone();
                    thread::spawn(move || receiving.receive(&stream));
                }
            }
        });
        server
    }

    /// Sends a chat message from somebody here.
    pub fn say(&self, from: &str, to: &str, body: &str) {
        self.send(
            to,
            &format!("<message type='chat' from='{from}' to='{to}'><body>{body}</body></message>"),
        );
    }

    /// Waits for a chat message with just this body, as it was written.
    #[track_caller]
    pub fn hear(&self, from: &str, to: &str, body: &str) {
        self.hear_within(from, to, body, PATIENCE);
    }

    /// Waits that long for a chat message with just this body, as it was written.
    #[track_caller]
    pub fn hear_within(&self, from: &str, to: &str, body: &str, patience: Duration) {
        let doing = format!("hear {body:.40} from {from}");
        self.await_stanza(&doing, patience, |stanza| {
            stanza.starts_with("<message")
                && attribute(stanza, "from").is_some_and(|it| it.starts_with(from))
                && attribute(stanza, "to").is_some_and(|it| it.starts_with(to))
                && stanza.contains(&format!("<body>{body}</body>"))
        });
    }

    /// Sends presence from somebody here.
    pub fn present(&self, from: &str, to: &str) {
        self.send(to, &format!("<presence from='{from}' to='{to}'/>"));
    }

    /// Waits for presence that says "available".
    #[track_caller]
    pub fn see(&self, from: &str, to: &str) {
        self.await_stanza(&format!("see {from}"), PATIENCE, |stanza| {
            stanza.starts_with("<presence")
                && attribute(stanza, "from").is_some_and(|it| it.starts_with(from))
                && attribute(stanza, "to").is_some_and(|it| it.starts_with(to))
                && attribute(stanza, "type").is_none()
        });
    }

    /// Pings, and awaits the answer (XEP-0199).
    pub fn ping(&self, from: &str, to: &str) {
        self.ask(from, to, PING, "");
    }

    /// Asks what somebody is and can do, and awaits an answer that says so (XEP-0030).
    pub fn disco(&self, from: &str, to: &str, identity: &str) {
        self.ask(from, to, DISCO, identity);
    }

    /// Asks for a card, and awaits one with this in it (XEP-0054).
    pub fn read_card(&self, from: &str, to: &str, name: &str) {
        self.ask(from, to, CARD, name);
    }

    /// Joins a room, and awaits its word that one is in (XEP-0045).
    pub fn join(&self, from: &str, room: &str, nick: &str) {
        let to = format!("{room}/{nick}");
        self.send(&to, &format!("<presence from='{from}' to='{to}'>{MUC}</presence>"));
        self.await_stanza(&format!("be in {room}"), PATIENCE, |stanza| {
            stanza.starts_with("<presence")
                && attribute(stanza, "from") == Some(&to)
                && attribute(stanza, "type").is_none()
        });
    }

    /// Says something in a room, and awaits its echo.
    pub fn say_in(&self, from: &str, room: &str, body: &str) {
        let text = format!("<body>{body}</body>");
        let stanza =
            format!("<message type='groupchat' from='{from}' to='{room}'>{text}</message>");
        self.send(room, &stanza);
        self.await_stanza(&format!("hear itself in {room}"), PATIENCE, |stanza| {
            stanza.starts_with("<message") && stanza.contains(&text)
        });
    }

    /// Asks something, and awaits a result with this in it.
    fn ask(&self, from: &str, to: &str, question: &str, expected: &str) {
        let mut state = self.lock();
        state.sent += 1;
        let id = format!("ask{}", state.sent);
        drop(state);
        self.send(to, &format!("<iq type='get' id='{id}' from='{from}' to='{to}'>{question}</iq>"));
        self.await_stanza(&format!("hear an answer of {to}"), PATIENCE, |stanza| {
            stanza.starts_with("<iq")
                && attribute(stanza, "type") == Some("result")
                && attribute(stanza, "id") == Some(&id)
                && stanza.contains(expected)
        });
    }

    /// The claims that others made, each with whether its key was good.
    pub fn claims(&self) -> Vec<(String, bool)> {
        self.lock().claims.clone()
    }

    /// What has come and nobody has taken.
    pub fn inbox(&self) -> Vec<String> {
        self.lock().inbox.clone()
    }

    /// Sends a stanza on the stream to its addressee's domain, which is opened if need be.
    #[track_caller]
    pub fn send(&self, to: &str, stanza: &str) {
        let remote = to.split('/').next().unwrap_or(to);
        let remote = remote.rsplit('@').next().unwrap_or(remote);
        let opening = self.shared.opening.lock().unwrap_or_else(PoisonError::into_inner);
        let open = self.lock().outbound.get(remote).cloned();
        let stream = match open {
            Some(stream) => stream,
            None => self.open(remote),
        };
        drop(opening);
        stream.send(stanza);
    }

    /// Opens a stream and has it verified.
    #[track_caller]
    fn open(&self, remote: &str) -> Stream {
        let (stream, id) = self.greet(remote);
        let domain = &self.shared.domain;
        let key = self.key(remote, &id);
        stream.send(&format!("<db:result from='{domain}' to='{remote}'>{key}</db:result>"));
        let answer = stream.next();
        let valid = answer.starts_with("<db:result") && attribute(&answer, "type") == Some("valid");
        assert!(valid, "{remote} does not take {domain}'s key: {answer}");
        self.lock().outbound.insert(remote.to_owned(), stream.clone());
        stream
    }

    /// Connects to a domain and exchanges headers: the stream and its id.
    #[track_caller]
    fn greet(&self, remote: &str) -> (Stream, String) {
        let stream = self.shared.peer.dial(&self.find(remote));
        let domain = &self.shared.domain;
        stream.send(&format!("{HEADER} to='{remote}' from='{domain}'>"));
        let header = [stream.next(), String::new()];
        let header = match header {
            [declaration, _] if declaration.starts_with("<?xml") => stream.next(),
            [header, _] => header,
        };
        let id = attribute(&header, "id").unwrap_or_default().to_owned();
        assert!(!id.is_empty(), "{remote} answers without an id: {header}");
        assert_eq!(attribute(&header, "version"), None, "{remote} answers what was not asked");
        (stream, id)
    }

    /// Where a domain is served, by what this host's resolver says (RFC 3920 §14.3).
    fn find(&self, remote: &str) -> String {
        let host = &self.shared.host;
        let services = host.dig(&format!("_xmpp-server._tcp.{remote}"), "SRV");
        let service = services.first().and_then(|it| {
            let mut parts = it.split(' ').skip(2);
            Some((parts.next()?.to_owned(), parts.next()?.trim_end_matches('.').to_owned()))
        });
        let (port, target) = service.unwrap_or_else(|| ("5269".to_owned(), remote.to_owned()));
        if target.parse::<std::net::Ipv4Addr>().is_ok() {
            return format!("{target}:{port}");
        }
        let address = host.dig(&target, "A").into_iter().next().unwrap_or_default();
        format!("{address}:{port}")
    }

    /// Serves one stream that somebody opened to us.
    fn receive(&self, stream: &Stream) {
        let domain = &self.shared.domain;
        let mut state = self.lock();
        state.accepted += 1;
        let id = format!("{domain}-{}", state.accepted);
        drop(state);
        let mut allowed = HashSet::new();
        while let Some(said) = stream.next_ever() {
            let from = attribute(&said, "from").unwrap_or_default();
            let sender = from.split('/').next().unwrap_or(from);
            let sender = sender.rsplit('@').next().unwrap_or(sender).to_owned();
            if said.starts_with("<stream:stream") {
                stream.send(&format!("{HEADER} from='{domain}' id='{id}'>"));
            } else if said.starts_with("<db:result") {
                let good = self.verify(&sender, &id, content(&said));
                let word = if good { "valid" } else { "invalid" };
                stream.send(&format!("<db:result from='{domain}' to='{sender}' type='{word}'/>"));
                if good {
                    allowed.insert(sender);
                }
            } else if said.starts_with("<db:verify") {
                let asked = attribute(&said, "id").unwrap_or_default();
                let good = content(&said) == self.key(&sender, asked);
                let word = if good { "valid" } else { "invalid" };
                stream.send(&format!(
                    "<db:verify from='{domain}' to='{sender}' id='{asked}' type='{word}'/>"
                ));
            } else if said.starts_with("</stream:stream") {
                stream.send("</stream:stream>");
                stream.close();
            } else if allowed.contains(&sender) {
                self.keep(said);
            }
        }
    }

    /// Asks whoever serves a domain whether a key is its own.
    fn verify(&self, remote: &str, id: &str, key: &str) -> bool {
        let domain = &self.shared.domain;
        let (stream, _) = self.greet(remote);
        stream
            .send(&format!("<db:verify from='{domain}' to='{remote}' id='{id}'>{key}</db:verify>"));
        let answer = stream.next();
        stream.send("</stream:stream>");
        stream.close();
        let good =
            attribute(&answer, "type") == Some("valid") && attribute(&answer, "id") == Some(id);
        self.lock().claims.push((remote.to_owned(), good));
        good
    }

    /// Answers a ping, and keeps everything else.
    fn keep(&self, stanza: String) {
        let is_ping = attribute(&stanza, "type") == Some("get") && stanza.contains("urn:xmpp:ping");
        if stanza.starts_with("<iq") && is_ping {
            let value = |name| attribute(&stanza, name).unwrap_or_default().to_owned();
            let (id, from, to) = (value("id"), value("from"), value("to"));
            self.send(&from, &format!("<iq type='result' id='{id}' from='{to}' to='{from}'/>"));
            return;
        }
        self.lock().inbox.push(stanza);
        self.shared.changed.notify_all();
    }

    /// Waits for a stanza, and takes it.
    #[track_caller]
    pub fn await_stanza(
        &self,
        doing: &str,
        patience: Duration,
        is_it: impl Fn(&str) -> bool,
    ) -> String {
        let mut found = None;
        let waited = self.shared.changed.wait_timeout_while(self.lock(), patience, |state| {
            let at = state.inbox.iter().position(|stanza| is_it(stanza));
            found = at.map(|at| state.inbox.remove(at));
            found.is_none()
        });
        drop(waited);
        match found {
            Some(stanza) => stanza,
            None => {
                let state = self.lock();
                let last = state.inbox.iter().rev().take(5).map(|it| format!("{it:.200}"));
                let last: Vec<_> = last.collect();
                let (domain, count) = (&self.shared.domain, state.inbox.len());
                panic!("{domain} cannot {doing}: it has {count} stanzas, the last of them {last:?}")
            }
        }
    }

    fn key(&self, remote: &str, id: &str) -> String {
        digest_of(
            format!("{} keeps no secrets from {remote} on {id}", self.shared.domain).as_bytes(),
        )
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A header as it was before there were versions; addresses and the end are to follow.
const HEADER: &str = "<stream:stream xmlns='jabber:server' xmlns:db='jabber:server:dialback' \
                      xmlns:stream='http://etherx.jabber.org/streams'";

const PING: &str = "<ping xmlns='urn:xmpp:ping'/>";
const DISCO: &str = "<query xmlns='http://jabber.org/protocol/disco#info'/>";
const CARD: &str = "<vCard xmlns='vcard-temp'/>";
const MUC: &str = "<x xmlns='http://jabber.org/protocol/muc'/>";

/// How long it waits for what should come.
const PATIENCE: Duration = Duration::from_secs(40);

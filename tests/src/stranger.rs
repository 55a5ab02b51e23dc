//! Stranger: a scripted server of today, which shows any certificate, claims any domain and
//! believes everybody.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::xml::{attribute, content};
use crate::{Certificate, Host, Peer, Stream};

/// A server that runs until its host ends.
#[derive(Clone, Debug)]
pub struct Stranger {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    peer: Peer,
    port: u16,
    domains: Vec<String>,
    certificate: Certificate,
    /// What it says about keys.
    of_keys: &'static str,
    /// What it offers first.
    offers: &'static str,
    heard: Mutex<Vec<String>>,
    /// The ids of the streams that were opened to it, after whom each is from.
    ids: Mutex<Vec<(String, String)>>,
    changed: Condvar,
}

/// What became of a claim.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// We may speak for the domain.
    Let,
    /// We may not; this is what was said instead.
    Refused(String),
}

impl Stranger {
    /// Listens at a port as the server of a domain, and says `valid` to whoever asks.
    pub fn listen(host: &Host, port: u16, domain: &str, certificate: &Certificate) -> Self {
        Self::serve(host, port, &[domain], certificate, ("valid", FEATURES))
    }

    /// The same, as the server of several domains.
    pub fn listen_as(host: &Host, port: u16, domains: &[&str], certificate: &Certificate) -> Self {
        Self::serve(host, port, domains, certificate, ("valid", FEATURES))
    }

    /// The same, but it does without TLS, or somebody on the way has it look so.
    pub fn listen_in_the_clear(
        host: &Host,
        port: u16,
        domain: &str,
        certificate: &Certificate,
    ) -> Self {
        Self::serve(host, port, &[domain], certificate, ("valid", FEATURES_IN_THE_CLEAR))
    }

    /// The same, as the server of several domains, who has made none of the keys that it is asked
    /// about, and says `invalid`.
    pub fn listen_for(host: &Host, port: u16, domains: &[&str], certificate: &Certificate) -> Self {
        Self::serve(host, port, domains, certificate, ("invalid", FEATURES))
    }

    /// The same, but it never says what it makes of a key.
    pub fn listen_mutely(
        host: &Host,
        port: u16,
        domains: &[&str],
        certificate: &Certificate,
    ) -> Self {
        Self::serve(host, port, domains, certificate, (MUTE, FEATURES))
    }

    fn serve(
        host: &Host,
        port: u16,
        domains: &[&str],
        certificate: &Certificate,
        (of_keys, offers): (&'static str, &'static str),
    ) -> Self {
        let peer = Peer::on(host);
        peer.listen(port);
        let shared = Arc::new(Shared {
            peer,
            port,
            domains: domains.iter().map(|&it| it.to_owned()).collect(),
            certificate: certificate.clone(),
            of_keys,
            offers,
            heard: Mutex::default(),
            ids: Mutex::default(),
            changed: Condvar::new(),
        });
        let stranger = Self { shared };
        let accepting = stranger.clone();
        thread::spawn(move || {
            while !accepting.shared.peer.has_ended() {
                if let Some(stream) = accepting.shared.peer.accept_within(port, PATIENCE) {
                    let receiving = accepting.clone();
                    thread::spawn(move || receiving.receive(&stream));
                }
            }
        });
        stranger
    }

    /// The domain that it serves, the first if there are several.
    pub fn domain(&self) -> &str {
        self.shared.domains.first().map_or("", String::as_str)
    }

    /// The port it listens at.
    pub fn port(&self) -> u16 {
        self.shared.port
    }

    /// Every stanza and every dialback element that has come.
    pub fn heard(&self) -> Vec<String> {
        self.lock().clone()
    }

    /// How much has come.
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// What has come since so much had.
    pub fn heard_after(&self, start: usize) -> Vec<String> {
        self.lock().get(start..).unwrap_or_default().to_vec()
    }

    /// The id of the last stream that was opened to it for this domain.
    pub fn id_for(&self, from: &str) -> Option<String> {
        let ids = self.shared.ids.lock().unwrap_or_else(PoisonError::into_inner);
        ids.iter().rev().find(|(whose, _)| whose == from).map(|(_, id)| id.clone())
    }

    /// Sends its program a signal: `STOP`, and it hears nothing until `CONT`.
    pub fn signal(&self, signal: &str) {
        self.shared.peer.signal(signal);
    }

    /// Whether something comes in time, or has come since so much had, that holds this text.
    pub fn hears(&self, start: usize, text: &str, patience: Duration) -> bool {
        let missing =
            |heard: &mut Vec<String>| !heard.iter().skip(start).any(|it| it.contains(text));
        let waited = self.shared.changed.wait_timeout_while(self.lock(), patience, missing);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// Waits for something that holds this text.
    #[track_caller]
    pub fn hear(&self, text: &str) {
        let missing = |heard: &mut Vec<String>| !heard.iter().any(|it| it.contains(text));
        let waited = self.shared.changed.wait_timeout_while(self.lock(), PATIENCE, missing);
        let (heard, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(!waited.timed_out(), "{} never heard {text:?}, but {heard:?}", self.domain());
    }

    /// Dials a server and claims to speak for `claimed` there, by EXTERNAL if that is offered and
    /// by dialback if not; then says a message in that name whatever the answer was.
    pub fn claim(
        &self,
        at: &str,
        claimed: &str,
        target: &str,
        certificate: Option<&Certificate>,
        message: &str,
    ) -> Outcome {
        let stream = self.shared.peer.dial(at);
        let outcome = match negotiate(&stream, claimed, target, certificate) {
            Ok(offered) => authenticate(&stream, &offered, claimed, target),
            Err(refusal) => Outcome::Refused(refusal),
        };
        stream.send(message);
        outcome
    }

    /// Dials a server, claims its own domain by EXTERNAL, and returns what came back, word for word.
    pub fn external(&self, at: &str, target: &str, certificate: &Certificate) -> String {
        let stream = self.shared.peer.dial(at);
        match negotiate(&stream, self.domain(), target, Some(certificate)) {
            Ok(offered) if offered.contains(">EXTERNAL<") => {
                stream.send(AUTH_AS_STREAM);
                stream.next_within(PATIENCE).unwrap_or_default()
            }
            Ok(other) | Err(other) => other,
        }
    }

    /// Serves one stream that somebody opened to us.
    fn receive(&self, stream: &Stream) {
        let (mut secured, mut authenticated) = (false, false);
        let mut number = 0;
        while let Some(said) = stream.next_ever() {
            let from = attribute(&said, "from").unwrap_or_default().to_owned();
            let domain = attribute(&said, "to").unwrap_or_default().to_owned();
            if said.starts_with("<stream:stream") {
                number += 1;
                let id = format!("{domain}-{number}-{}", self.lock().len());
                stream.send(&header(&domain, &from, Some(&id)));
                let ids = self.shared.ids.lock();
                ids.unwrap_or_else(PoisonError::into_inner).push((from, id));
                if !self.shared.domains.contains(&domain) {
                    stream.send(HOST_UNKNOWN);
                    return stream.close();
                }
                stream.send(match (secured, authenticated) {
                    (false, _) => self.shared.offers,
                    // Whoever says nothing of keys has no other way to let somebody in.
                    (true, false) if self.shared.of_keys == MUTE => FEATURES_IN_THE_CLEAR,
                    (true, false) => FEATURES_AFTER_TLS,
                    (true, true) => "<stream:features/>",
                });
            } else if said.starts_with("<starttls") && self.shared.offers != FEATURES {
                stream.send("<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>");
                return stream.close();
            } else if said.starts_with("<starttls") {
                if stream.accept_tls(PROCEED, &self.shared.certificate).is_err() {
                    return;
                }
                secured = true;
            } else if said.starts_with("<auth") {
                authenticated = true;
                stream.send("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
                self.keep(format!("<auth>{}</auth>", content(&said)));
            } else if said.starts_with("<db:") && self.shared.of_keys == MUTE {
                self.keep(said);
            } else if said.starts_with("<db:") {
                let (name, word) = if said.starts_with("<db:verify") {
                    ("verify", self.shared.of_keys)
                } else {
                    ("result", "valid")
                };
                let id = attribute(&said, "id").map(|id| format!(" id='{id}'"));
                let id = id.unwrap_or_default();
                stream.send(&format!("<db:{name} from='{domain}' to='{from}'{id} type='{word}'/>"));
                self.keep(said);
            } else if said.starts_with("</stream:stream") {
                stream.send("</stream:stream>");
                return stream.close();
            } else if !said.starts_with("<?xml") {
                self.keep(said);
            }
        }
    }

    fn keep(&self, said: String) {
        self.lock().push(said);
        self.shared.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.shared.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gets a stream as far as TLS and a header after it; the features offered then.
fn negotiate(
    stream: &Stream,
    claimed: &str,
    target: &str,
    certificate: Option<&Certificate>,
) -> Result<String, String> {
    stream.send(&header(claimed, target, None));
    let offered = features(stream)?;
    if !offered.contains("<starttls") {
        return Err(offered);
    }
    stream.send(STARTTLS);
    let answer = stream.next();
    if !answer.starts_with("<proceed") {
        return Err(answer);
    }
    stream.start_tls(target, certificate)?;
    stream.send(&header(claimed, target, None));
    features(stream)
}

/// Claims to be who the header says, by EXTERNAL if that is offered, and by dialback if that does
/// not help.
fn authenticate(stream: &Stream, offered: &str, claimed: &str, target: &str) -> Outcome {
    if offered.contains(">EXTERNAL<") {
        stream.send(AUTH_AS_STREAM);
        let answer = stream.next_within(PATIENCE).unwrap_or_default();
        if answer.starts_with("<success") {
            stream.send(&header(claimed, target, None));
            return Outcome::Let;
        }
    }
    stream.send(&format!("<db:result from='{claimed}' to='{target}'>00ff</db:result>"));
    let answer = stream.next_within(PATIENCE).unwrap_or_default();
    if answer.starts_with("<db:result") && attribute(&answer, "type") == Some("valid") {
        return Outcome::Let;
    }
    Outcome::Refused(answer)
}

/// Takes the declaration and the header, and returns the features, or the error instead.
fn features(stream: &Stream) -> Result<String, String> {
    while let Some(said) = stream.next_within(PATIENCE) {
        if said.starts_with("<stream:features") {
            return Ok(said);
        }
        if said.starts_with("<stream:error") {
            return Err(said);
        }
    }
    Err("the end".to_owned())
}

fn header(from: &str, to: &str, id: Option<&str>) -> String {
    let id = id.map(|id| format!(" id='{id}'")).unwrap_or_default();
    format!(
        "<?xml version='1.0'?><stream:stream xmlns='jabber:server' \
         xmlns:db='jabber:server:dialback' xmlns:stream='http://etherx.jabber.org/streams' \
         from='{from}' to='{to}'{id} version='1.0' xml:lang='en'>"
    )
}

/// What somebody says about keys who says nothing.
const MUTE: &str = "";

const FEATURES: &str = "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'>\
                        <required/></starttls></stream:features>";

const FEATURES_IN_THE_CLEAR: &str = "<stream:features>\
    <dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback></stream:features>";

const FEATURES_AFTER_TLS: &str = "<stream:features>\
    <mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>EXTERNAL</mechanism>\
    </mechanisms><dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback>\
    </stream:features>";

const STARTTLS: &str = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
const PROCEED: &str = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";

/// EXTERNAL with the identity that the stream's header names (RFC 6120 §6.3.8).
const AUTH_AS_STREAM: &str =
    "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>";

const HOST_UNKNOWN: &str = "<stream:error>\
    <host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>";

/// Longer than any step that the other side may take before it answers.
const PATIENCE: Duration = Duration::from_secs(40);

//! One stream, from its first byte to its last, as the script has it.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::{Deed, Moment, Porter};
use crate::Stream;
use crate::xml::{attribute, content};

impl Porter {
    /// Serves one stream.
    pub(super) fn receive(&self, stream: &Stream, visit: usize) {
        while let Some(said) = stream.next_ever() {
            let from = attribute(&said, "from").unwrap_or_default().to_owned();
            let to = attribute(&said, "to").unwrap_or_default().to_owned();
            let goes_on = if said.starts_with("<stream:stream") {
                self.note(visit, |it| it.greet(&from, &to));
                self.greet(stream, visit, (&from, &to))
            } else if said.starts_with("<starttls") {
                self.secure(stream, visit)
            } else if said.starts_with("<auth") {
                self.authenticate(stream, visit, content(&said))
            } else if said.starts_with("<db:result") {
                self.grant(stream, visit, (&from, &to))
            } else if said.starts_with(END) {
                stream.send(END);
                stream.close();
                false
            } else {
                let body = said.split_once("<body>").and_then(|(_, it)| it.split_once("</body>"));
                if let Some((body, _)) = body {
                    self.note(visit, |it| {
                        it.did.push("message".to_owned());
                        it.messages.push(body.to_owned());
                    });
                }
                true
            };
            if !goes_on {
                return;
            }
        }
    }

    /// Answers a header. Tells whether the stream goes on.
    fn greet(&self, stream: &Stream, visit: usize, (from, to): (&str, &str)) -> bool {
        let (secured, trusted) = self.look(visit, |it| (it.secured.is_some(), it.trusted));
        let moment = if secured { Moment::Secured } else { Moment::Greeted };
        let deed = self.deed(visit, moment).filter(|_| !trusted);
        let id = {
            let mut state = self.lock();
            state.greeted += 1;
            format!("{}-{}", self.shared.domain, state.greeted)
        };
        match deed {
            None => stream.send(&header(to, from, &id)),
            Some(Deed::NoOffer) => {
                stream.send(&header(to, from, &id));
                stream.send(&format!("<stream:features>{DIALBACK}</stream:features>"));
                return true;
            }
            Some(Deed::Old) => {
                let old = header(&self.shared.domain, from, &id).replace(" version='1.0'>", ">");
                stream.send(&old);
                return true;
            }
            Some(deed) => {
                self.spoil(stream, deed, (to, from));
                return false;
            }
        }
        stream.send(&match (secured, trusted) {
            (false, _) => format!("<stream:features>{STARTTLS}{DIALBACK}</stream:features>"),
            (true, false) => format!("<stream:features>{EXTERNAL}{DIALBACK}</stream:features>"),
            (true, true) => "<stream:features/>".to_owned(),
        });
        true
    }

    /// Shakes hands. Tells whether the stream goes on.
    fn secure(&self, stream: &Stream, visit: usize) -> bool {
        match self.deed(visit, Moment::Securing) {
            None => match stream.accept_tls(PROCEED, &self.shared.certificate) {
                Ok(seen) => {
                    let name = seen.name.unwrap_or_else(|| "nobody".to_owned());
                    let leaf = seen.leaf.unwrap_or_else(|| "nothing".to_owned());
                    self.note(visit, |it| it.secured = Some((name, leaf)));
                    true
                }
                Err(_) => false,
            },
            Some(deed @ (Deed::Alert(_) | Deed::HangUp | Deed::Silence)) => {
                stream.send(PROCEED);
                // The name that is asked for stands in the hello, in the clear.
                let name = self.look(visit, |it| it.to.clone());
                stream.expect(HELLO);
                stream.expect(&name);
                self.note(visit, |it| it.did.push("hello".to_owned()));
                if let Deed::Alert(alert) = deed {
                    stream.send_bytes(&[0x15, 3, 3, 0, 2, 2, alert], 7);
                } else if deed == Deed::Silence {
                    while stream.next_ever().is_some() {}
                }
                stream.close();
                false
            }
            Some(Deed::Fail | Deed::NoOffer) => {
                stream.send(&format!("<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>{END}"));
                stream.close();
                false
            }
            Some(deed) => {
                self.spoil(stream, deed, ("", ""));
                false
            }
        }
    }

    /// Believes a certificate, or does not. Tells whether the stream goes on.
    fn authenticate(&self, stream: &Stream, visit: usize, authorization: &str) -> bool {
        let name = BASE64_STANDARD.decode(authorization).unwrap_or_default();
        let name = String::from_utf8_lossy(&name).into_owned();
        self.note(visit, |it| {
            let expected = it.from == name;
            it.did.push(if expected { "external".to_owned() } else { format!("external {name}") });
        });
        const FAILURE: &str =
            "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>";
        match self.deed(visit, Moment::Authenticating) {
            None => {
                self.note(visit, |it| it.trusted = true);
                stream.send("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
                true
            }
            Some(Deed::Fail) => {
                stream.send(FAILURE);
                true
            }
            Some(Deed::FailAndEnd) => {
                stream.send(&format!("{FAILURE}{END}"));
                stream.close();
                false
            }
            Some(deed) => {
                self.spoil(stream, deed, ("", ""));
                false
            }
        }
    }

    /// Grants a pair, or does not. Tells whether the stream goes on.
    fn grant(&self, stream: &Stream, visit: usize, (from, to): (&str, &str)) -> bool {
        let expected = to == self.shared.domain;
        let claim = format!("claim {from}");
        let claim = if expected { claim } else { format!("{claim} > {to}") };
        self.note(visit, |it| it.did.push(claim));
        let answer = |rest: &str| format!("<db:result from='{to}' to='{from}' type={rest}");
        match self.deed(visit, Moment::Claiming) {
            None => stream.send(&answer("'valid'/>")),
            Some(Deed::Invalid) => {
                stream.send(&format!("{}{END}", answer("'invalid'/>")));
                stream.close();
                return false;
            }
            Some(Deed::Refuse(condition)) => stream.send(&answer(&format!(
                "'error'><error type='cancel'>\
                 <{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></db:result>"
            ))),
            Some(deed) => {
                self.spoil(stream, deed, ("", ""));
                return false;
            }
        }
        true
    }

    /// Does what ends a stream at any moment; a header comes before it where one is due.
    fn spoil(&self, stream: &Stream, deed: Deed, (from, to): (&str, &str)) {
        if !from.is_empty() && !matches!(deed, Deed::HangUp | Deed::Silence | Deed::Pretend) {
            stream.send(&header(from, to, "spoiled"));
        }
        match deed {
            Deed::Error(condition) => stream.send(&format!(
                "<stream:error><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>\
                 </stream:error>{END}"
            )),
            Deed::End => stream.send(END),
            Deed::Babble => stream.send("<stream:features><starttls xmlns=></stream:features>"),
            Deed::Pretend => stream.send(&header("tybalt.lab", to, "spoiled")),
            Deed::Silence => (),
            Deed::HangUp => return stream.close(),
            Deed::Old
            | Deed::NoOffer
            | Deed::Fail
            | Deed::FailAndEnd
            | Deed::Alert(_)
            | Deed::Invalid
            | Deed::Refuse(_) => panic!("{deed:?} is out of place"),
        }
        // How the other end takes it is for that end to show.
        while stream.next_ever().is_some() {}
        stream.close();
    }
}

fn header(from: &str, to: &str, id: &str) -> String {
    format!(
        "<?xml version='1.0'?><stream:stream xmlns='jabber:server' \
         xmlns:db='jabber:server:dialback' xmlns:stream='http://etherx.jabber.org/streams' \
         from='{from}' to='{to}' id='{id}' version='1.0'>"
    )
}

const STARTTLS: &str = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
const PROCEED: &str = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
const DIALBACK: &str = "<dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback>";
const EXTERNAL: &str = "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\
                        <mechanism>EXTERNAL</mechanism></mechanisms>";
pub(super) const END: &str = "</stream:stream>";

/// The first bytes of a TLS handshake: a record of that type, and its version.
const HELLO: &str = "\u{16}\u{3}\u{1}";

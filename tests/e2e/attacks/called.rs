//! The attacker as a server that the proxy calls.

use ligase_tests::Stream;
use ligase_tests::xml::attribute;

use super::negotiate::{DIALBACK, PATIENCE, answer_header, next, next_header, secure};
use super::scene::{BACKEND, Scene};
use super::script::claim;

impl Scene {
    /// A stream of our own server that wants to speak to the attacker, and the one that the proxy
    /// opens for it, which has heard nothing yet but a header.
    pub(super) fn dialed(&self, from: &str, to: &str) -> Vec<Stream> {
        let calling = self.intruder.dial(BACKEND);
        secure(&calling, from, to, Some(&self.own));
        calling.send(&claim(from, to));
        let stream = self.attacker.accept(5269, PATIENCE);
        let opened = next_header(&stream);
        assert_eq!(attribute(&opened, "to"), Some(to));
        stream.send(&answer_header(to, from, "first"));
        vec![calling, stream]
    }

    /// The same, and the attacker has let the proxy in by dialback.
    pub(super) fn called(&self, from: &str, to: &str) -> Vec<Stream> {
        let streams = self.dialed(from, to);
        let [calling, stream] = streams.as_slice() else {
            panic!("two streams");
        };
        let asked = self.welcome(stream, from, to);
        assert!(asked.starts_with("<db:result"), "{asked}");
        stream.send(&format!("<db:result from='{to}' to='{from}' type='valid'/>"));
        let answer = next(calling);
        assert!(answer.contains("type='valid'"), "{answer}");
        streams
    }

    /// Receives a stream that the proxy opened, and returns what it says when it is secured.
    fn welcome(&self, stream: &Stream, from: &str, to: &str) -> String {
        stream.send(
            "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>\
             </stream:features>",
        );
        let said = next(stream);
        assert!(said.starts_with("<starttls"), "{said}");
        let proceed = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
        let certificate = self.world.authority.issue(&[to]);
        let secured = stream.accept_tls(proceed, &certificate);
        assert!(secured.is_ok(), "{secured:?}");
        next_header(stream);
        stream.send(&answer_header(to, from, "second"));
        stream.send(&format!("<stream:features>{DIALBACK}</stream:features>"));
        next(stream)
    }

    /// As the server of a domain, is asked about a key, and answers.
    pub(super) fn answer_for(&self, how: &[String]) {
        let [asker, domain, word] = how else {
            panic!("authority how? {how:?}");
        };
        let stream = self.attacker.accept(5269, PATIENCE);
        next_header(&stream);
        stream.send(&answer_header(domain, asker, "first"));
        let asked = self.welcome(&stream, asker, domain);
        let id = attribute(&asked, "id").unwrap_or_default();
        assert!(asked.starts_with("<db:verify"), "{asked}");
        let answer = |word: &str| {
            format!("<db:verify from='{domain}' to='{asker}' id='{id}' {word}</db:verify>")
        };
        match word.as_str() {
            "invalid" => stream.send(&answer("type='invalid'>")),
            "error" => stream.send(&answer(
                "type='error'><error type='cancel'><item-not-found \
                 xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>",
            )),
            _ => (),
        }
        stream.close();
    }
}

//! The attacker as a server that the proxy calls.

use ligase_tests::Stream;
use ligase_tests::xml::{attribute, content};

use crate::begin::Kind;
use crate::bytes::claim;
use crate::case::{Case, arguments};
use crate::deeds::{PATIENCE, Run, Told};
use crate::negotiate::{DIALBACK, answer_header, next, next_header, offered, secure};
use crate::words::Word;

pub(crate) const WORDS: [Word; 1] = [("authority", authority)];

impl Run<'_> {
    /// A stream of our own server that wants to speak to the attacker, and the one that the proxy
    /// opens for it, which has come as far as that kind of beginning says.
    pub(crate) fn be_called(&mut self, kind: Kind, from: &str, to: &str) -> Told {
        let calling = self.lab.intruder.try_dial(self.lab.backend_door())?;
        self.begin(calling.clone());
        secure(&calling, from, to, Some(&self.lab.own))?;
        calling.send(&claim(from, to));
        let stream = self.accept(to)?;
        stream.send(&answer_header(to, from, "first"));
        self.begin(stream.clone());
        if kind == Kind::Dialed {
            return Ok(());
        }
        let features = if kind == Kind::CalledBoth { BIDI } else { "" };
        let mut asked = self.welcome(&stream, from, to, features)?;
        if kind == Kind::CalledBoth {
            offered(&asked, "<bidi")?;
            asked = next(&stream, PATIENCE)?;
        }
        offered(&asked, "<db:result")?;
        self.key = content(&asked).to_owned();
        if kind == Kind::Claimed {
            return Ok(());
        }
        self.grant(from, to);
        if kind == Kind::CalledBoth {
            self.grant(to, from);
        }
        stream.send(&format!("<db:result from='{to}' to='{from}' type='valid'/>"));
        offered(&next(&calling, PATIENCE)?, "type='valid'")
    }

    /// Takes the stream that the proxy opens to that domain; those to others have to wait.
    pub(crate) fn accept(&mut self, to: &str) -> Result<Stream, String> {
        if let Some(at) = self.waiting.iter().position(|(whom, _)| whom == to) {
            return Ok(self.waiting.remove(at).1);
        }
        for _ in 0..OTHERS_MAX {
            let stream = self.lab.attacker.accept_within(5269, PATIENCE);
            let stream = stream.ok_or_else(|| format!("nobody calls {to}"))?;
            // An earlier case may have been called, and ended before it could take the call.
            let Ok(opened) = next_header(&stream) else {
                continue;
            };
            let whom = attribute(&opened, "to").unwrap_or_default();
            if whom == to {
                return Ok(stream);
            }
            self.waiting.push((whom.to_owned(), stream));
        }
        Err(format!("only others than {to} are called"))
    }

    /// Receives a stream that the proxy opened, and returns what it says when it is secured.
    fn welcome(
        &self,
        stream: &Stream,
        from: &str,
        to: &str,
        features: &str,
    ) -> Result<String, String> {
        stream.send(
            "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>\
             </stream:features>",
        );
        offered(&next(stream, PATIENCE)?, "<starttls")?;
        let proceed = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
        let certificate = self.lab.world.authority.issue(&[to]);
        stream.accept_tls(proceed, &certificate)?;
        next_header(stream)?;
        stream.send(&answer_header(to, from, "second"));
        stream.send(&format!("<stream:features>{DIALBACK}{features}</stream:features>"));
        next(stream, PATIENCE)
    }

    /// As the server of a domain, is asked about a key, and answers.
    fn answer_for(&mut self, asker: &str, domain: &str, word: &str) -> Told {
        let stream = self.accept(domain)?;
        self.keep(stream.clone());
        stream.send(&answer_header(domain, asker, "first"));
        let asked = self.welcome(&stream, asker, domain, "")?;
        offered(&asked, "<db:verify")?;
        let id = attribute(&asked, "id").unwrap_or_default();
        let answer = |word: &str| {
            format!("<db:verify from='{domain}' to='{asker}' id='{id}' {word}</db:verify>")
        };
        match word {
            "valid" => stream.send(&answer("type='valid'>")),
            "invalid" => stream.send(&answer("type='invalid'>")),
            "error" => stream.send(&answer(
                "type='error'><error type='cancel'><item-not-found \
                 xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>",
            )),
            _ => (),
        }
        stream.close();
        Ok(())
    }
}

/// `authority ASKER DOMAIN WORD`: the attacker is asked about a key, and says so (`valid`,
/// `invalid`, `error`), or hangs up (`close`).
fn authority(case: &mut Case, rest: &str) -> Result<(), String> {
    let [asker, domain, word] = arguments(rest)?;
    if !["valid", "invalid", "error", "close"].contains(&word.as_str()) {
        return Err("no such answer".to_owned());
    }
    case.terms.calls.insert("padua:5269".to_owned());
    case.then(Box::new(move |run| {
        let (asker, domain) = (run.fill(&asker), run.fill(&domain));
        run.answer_for(&asker, &domain, &word)
    }));
    Ok(())
}

/// Says that streams may go both ways (XEP-0288).
const BIDI: &str = "<bidi xmlns='urn:xmpp:features:bidi'/>";

/// Calls of earlier cases that nobody has taken yet, at most.
const OTHERS_MAX: usize = 64;

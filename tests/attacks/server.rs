//! Server: the attacker as whoever the proxy is sent to.

use std::time::Duration;

use ligase_tests::xml::attribute;
use ligase_tests::{Certificate, Stream};

use crate::case::{Case, arguments, divide};
use crate::deeds::{PATIENCE, Run, Told};
use crate::forge::known;
use crate::negotiate::{DIALBACK, answer_header, next, next_header, offered};
use crate::words::Word;

pub(crate) const WORDS: [Word; 1] = [("server", server)];

/// `server DOMAIN[:PORT] CERT TEXT`: whoever the proxy calls shows this certificate, or with `none`
/// offers no TLS, and lets it in,
/// as often as it comes, until our own server, which waits on the stream begun last, is told
/// something that holds each part of the text, divided by ` … `.
fn server(case: &mut Case, rest: &str) -> Result<(), String> {
    let [domain, shown, text] = arguments(rest)?;
    known(&shown)?;
    let (domain, port) = domain.split_once(':').unwrap_or((&domain, "5269"));
    let (domain, port) = (domain.to_owned(), port.parse::<u16>().map_err(|_| "which port?")?);
    let parts = divide(&text, " … ");
    case.terms.is_scripted = true;
    case.terms.calls.insert(format!("padua:{port}"));
    let is_good = text.contains("type='valid'");
    case.then(Box::new(move |run| {
        let domain = run.fill(&domain);
        let certificate = run.certificate(&run.fill(&shown))?;
        if is_good {
            run.grant("l1.lab", &domain);
        }
        let said = run.serve(&domain, port, certificate.as_ref())?;
        parts.iter().try_for_each(|part| offered(&said, &run.fill(part)))
    }));
    Ok(())
}

impl Run<'_> {
    /// Lets in whoever comes to that port for a domain, until our own server is told something.
    fn serve(
        &mut self,
        domain: &str,
        port: u16,
        shown: Option<&Certificate>,
    ) -> Result<String, String> {
        let calling = self.stream()?.clone();
        for _ in 0..LOOKS_MAX {
            if let Some(said) = calling.next_within(GLANCE) {
                return Ok(said);
            }
            let Some(stream) = self.lab.attacker.accept_within(port, GLANCE) else {
                continue;
            };
            self.keep(stream.clone());
            // Whom the proxy likes no more, it leaves; that is told to our server then.
            let _ = let_in(&stream, domain, shown);
        }
        Err(format!("our server is told nothing of {domain}"))
    }
}

fn let_in(stream: &Stream, domain: &str, shown: Option<&Certificate>) -> Told {
    let opened = next_header(stream)?;
    if attribute(&opened, "to") != Some(domain) {
        stream.close();
        return Ok(());
    }
    let from = attribute(&opened, "from").unwrap_or_default();
    stream.send(&answer_header(domain, from, "first"));
    if let Some(shown) = shown {
        let offer = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
        stream.send(&format!("<stream:features>{offer}</stream:features>"));
        offered(&next(stream, PATIENCE)?, "<starttls")?;
        stream.accept_tls("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", shown)?;
        next_header(stream)?;
        stream.send(&answer_header(domain, from, "second"));
    }
    stream.send(&format!("<stream:features>{DIALBACK}</stream:features>"));
    offered(&next(stream, PATIENCE)?, "<db:result")?;
    stream.send(&format!("<db:result from='{domain}' to='{from}' type='valid'/>"));
    Ok(())
}

/// Between a look at our own server and one at who calls.
const GLANCE: Duration = Duration::from_millis(50);

/// Half a minute of looks.
const LOOKS_MAX: u32 = 300;

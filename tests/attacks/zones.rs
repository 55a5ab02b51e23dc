//! Zones: what the DNS says of a domain, true or not.

use std::sync::{Mutex, MutexGuard, PoisonError};

use ligase_tests::{Host, LIES, Liar, Sites, Zone};

use crate::bytes::bytes;
use crate::case::{Case, arguments};
use crate::deeds::Run;
use crate::words::{Word, no_such};

pub(crate) const WORDS: [Word; 3] = [("zone", zone), ("record", record), ("lie", lie)];

/// Who lies in a lab: a DNS server between the proxy and the truth, and a web server.
pub(crate) struct Liars {
    dns: Mutex<Liar>,
    web: Mutex<Sites>,
}

impl Liars {
    /// Starts both, and has the zone vouch for what the first says; before the zone is opened.
    pub(crate) fn start(zone: &mut Zone, hub: &Host, padua: &Host) -> Self {
        let dns = Liar::start(hub);
        zone.record("liar", "NS", "ns.");
        zone.record("liar", "DS", dns.vouch());
        zone.record("localhost", "A", "127.0.0.1");
        Self { dns: Mutex::new(dns), web: Mutex::new(Sites::start(padua)) }
    }

    /// The DNS server.
    pub(crate) fn dns(&self) -> MutexGuard<'_, Liar> {
        self.dns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The web server.
    pub(crate) fn web(&self) -> MutexGuard<'_, Sites> {
        self.web.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Has a case be played where somebody lies.
pub(crate) fn among_liars(case: &mut Case) {
    case.terms.settings.insert(RESOLVER.to_owned(), format!("[\"{LIAR}\"]"));
    case.terms.calls.insert(LIAR.to_owned());
    case.terms.is_scripted = true;
}

/// `zone NAME signed|unsigned|nsec3 N`: a zone below `liar.`, in which there is nothing yet.
fn zone(case: &mut Case, rest: &str) -> Result<(), String> {
    let [name, how] = arguments(rest)?;
    among_liars(case);
    case.then(Box::new(move |run| run.lab.liars()?.dns().zone(&run.fill(&name), &how)));
    Ok(())
}

/// `record NAME TYPE DATA`: a record of the zone begun last, as in a zone file: `@` is its top, and
/// names without a final dot are below it.
fn record(case: &mut Case, rest: &str) -> Result<(), String> {
    let [name, kind, data] = arguments(rest)?;
    case.then(Box::new(move |run| {
        let data = data_of(run, &data)?;
        run.lab.liars()?.dns().record(&run.fill(&name), &kind, &data)
    }));
    Ok(())
}

/// `lie NAME TYPE HOW`: what is said about that name and type of the zone begun last is bent so.
fn lie(case: &mut Case, rest: &str) -> Result<(), String> {
    let [name, kind, how] = arguments(rest)?;
    let word = how.split(' ').next().unwrap_or_default();
    if !LIES.contains(&word) {
        return Err(no_such("lie", word, &LIES));
    }
    case.then(Box::new(move |run| {
        let how = data_of(run, &how)?;
        run.lab.liars()?.dns().lie(&run.fill(&name), &kind, &how)
    }));
    Ok(())
}

/// The data of a record: `padua` stands for the address of that machine, `{key CERT}` for the TLSA
/// data that pins its key.
fn data_of(run: &Run<'_>, text: &str) -> Result<String, String> {
    let text = run.fill(text);
    if let Some((front, rest)) = text.split_once("{key ") {
        let (word, back) = rest.split_once('}').ok_or("a brace without end")?;
        let certificate = run.certificate(word)?.ok_or("a key of nobody's")?;
        return Ok(format!("{front}{}{back}", certificate.tlsa()));
    }
    let text = String::from_utf8(bytes(&text)?).map_err(|_| "no text")?;
    Ok(run.lab.name_addresses(&text))
}

/// What says whom the proxy asks.
pub(crate) const RESOLVER: &str = "resolver.servers";

/// The DNS server that lies.
const LIAR: &str = "198.18.0.1:5353";

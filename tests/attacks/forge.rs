//! Forge: certificates with a fault each, by the word that a case has for it.

use ligase_tests::{Authority, Certificate, Constraint, Leaf, Purpose};

use crate::words::no_such;

/// A certificate by a word: `none`, names divided by `+`, or `FAULT:NAME`.
pub(crate) fn forge(authority: &Authority, word: &str) -> Result<Option<Certificate>, String> {
    if word == "none" {
        return Ok(None);
    }
    let Some((fault, name)) = word.split_once(':') else {
        let names: Vec<_> = word.split('+').collect();
        return Ok(Some(authority.issue(&names)));
    };
    if let Some((_, make)) = FAULTS.iter().find(|(known, _)| *known == fault) {
        return Ok(Some(make(authority, name)));
    }
    let by = |constraint| by(authority, name, &constraint);
    match (fault.strip_prefix("only-"), fault.strip_prefix("not-")) {
        (Some(only), _) => Ok(Some(by(Constraint::Only(only.to_owned())))),
        (None, Some(not)) => Ok(Some(by(Constraint::Not(not.to_owned())))),
        (None, None) => Err(format!("no such certificate: {word}")),
    }
}

/// Refuses a word for a certificate with a fault that there is not.
pub(crate) fn known(word: &str) -> Result<(), String> {
    let Some((fault, _)) = word.split_once(':') else { return Ok(()) };
    let names = FAULTS.map(|(name, _)| name);
    let is_bound = fault.starts_with("only-") || fault.starts_with("not-");
    if is_bound || names.contains(&fault) {
        return Ok(());
    }
    Err(no_such("fault of a certificate", fault, &names))
}

/// One by somebody whom the authority has made an authority, within bounds.
fn by(authority: &Authority, name: &str, constraint: &Constraint) -> Certificate {
    Leaf::of(&[name]).signed_by(&authority.delegate(constraint))
}

fn only_for(authority: &Authority, name: &str, purpose: Purpose) -> Certificate {
    Leaf::of(&[name]).only_for(purpose).signed_by(authority)
}

/// Makes a certificate for a name, by this authority.
type Make = fn(&Authority, &str) -> Certificate;

/// Every fault that has no argument of its own.
const FAULTS: [(&str, Make); 23] = [
    ("self-signed", |_, name| Leaf::of(&[name]).self_signed()),
    ("expired", |authority, name| Leaf::of(&[name]).expired().signed_by(authority)),
    ("past", |authority, name| Leaf::of(&[name]).for_seconds(-1).signed_by(authority)),
    ("soon", |authority, name| Leaf::of(&[name]).of_the_next_hour().signed_by(authority)),
    ("by-past", |authority, name| by(authority, name, &Constraint::Expired)),
    ("by-past-and-present", |authority, name| by(authority, name, &Constraint::ExpiredToo)),
    ("stolen", |authority, name| {
        authority.issue(&[name]).stolen_by(&authority.issue(&["thief.lab"]))
    }),
    ("tomorrow", |authority, name| Leaf::of(&[name]).of_tomorrow().signed_by(authority)),
    ("server", |authority, name| only_for(authority, name, Purpose::Server)),
    ("client", |authority, name| only_for(authority, name, Purpose::Client)),
    ("mail", |authority, name| only_for(authority, name, Purpose::Mail)),
    ("code", |authority, name| only_for(authority, name, Purpose::Code)),
    ("time", |authority, name| only_for(authority, name, Purpose::Time)),
    ("subject", |authority, name| Leaf::of(&["b.lab"]).called(name).signed_by(authority)),
    ("nameless", |authority, name| Leaf::of(&[]).called(name).signed_by(authority)),
    ("nul", |authority, name| Leaf::of(&[&format!("{name}\0.b.lab")]).signed_by(authority)),
    ("nul-service", |authority, name| {
        let service = format!("_xmpp-server.{name}\0.b.lab");
        Leaf::of(&[]).with_services(&[&service]).signed_by(authority)
    }),
    ("nul-address", |authority, name| {
        Leaf::of(&[]).with_addresses(&[&format!("{name}\0")]).signed_by(authority)
    }),
    ("service", |authority, name| Leaf::of(&[]).with_services(&[name]).signed_by(authority)),
    ("address", |authority, name| Leaf::of(&[]).with_addresses(&[name]).signed_by(authority)),
    ("by-leaf", |authority, name| by(authority, name, &Constraint::NoAuthority)),
    ("by-authority-of-authority", |authority, name| {
        let first = authority.delegate(&Constraint::NoMoreAuthorities);
        Leaf::of(&[name]).signed_by(&first.delegate(&Constraint::NoMoreAuthorities))
    }),
    ("by-stranger", |_, name| by(&Authority::new("Mantua"), name, &Constraint::NoMoreAuthorities)),
];

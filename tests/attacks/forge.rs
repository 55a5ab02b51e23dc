//! Forge: certificates with a fault each, by the word that a case has for it.

use ligase_tests::{Authority, Certificate, Constraint, Leaf, Purpose};

/// A certificate by a word: `none`, names divided by `+`, or `FAULT:NAME`.
pub(crate) fn forge(authority: &Authority, word: &str) -> Result<Option<Certificate>, String> {
    if word == "none" {
        return Ok(None);
    }
    let Some((fault, name)) = word.split_once(':') else {
        let names: Vec<_> = word.split('+').collect();
        return Ok(Some(authority.issue(&names)));
    };
    let leaf = Leaf::of(&[name]);
    let by = |constraint| leaf.signed_by(&authority.delegate(&constraint));
    let only_for = |purpose| leaf.clone().only_for(purpose).signed_by(authority);
    Ok(Some(match fault {
        "self-signed" => leaf.self_signed(),
        "expired" => leaf.expired().signed_by(authority),
        "tomorrow" => leaf.of_tomorrow().signed_by(authority),
        "server" => only_for(Purpose::Server),
        "client" => only_for(Purpose::Client),
        "mail" => only_for(Purpose::Mail),
        "code" => only_for(Purpose::Code),
        "time" => only_for(Purpose::Time),
        "subject" => Leaf::of(&["b.lab"]).called(name).signed_by(authority),
        "nameless" => Leaf::of(&[]).called(name).signed_by(authority),
        "nul" => Leaf::of(&[&format!("{name}\0.b.lab")]).signed_by(authority),
        "service" => Leaf::of(&[]).with_services(&[name]).signed_by(authority),
        "address" => Leaf::of(&[]).with_addresses(&[name]).signed_by(authority),
        "by-leaf" => by(Constraint::NoAuthority),
        "by-authority-of-authority" => {
            let first = authority.delegate(&Constraint::NoMoreAuthorities);
            leaf.signed_by(&first.delegate(&Constraint::NoMoreAuthorities))
        }
        "by-stranger" => {
            let stranger = Authority::new("Mantua");
            leaf.signed_by(&stranger.delegate(&Constraint::NoMoreAuthorities))
        }
        "only-b.lab" => by(Constraint::Only("b.lab".to_owned())),
        "not-a.lab" => by(Constraint::Not("a.lab".to_owned())),
        _ => return Err(format!("no such certificate: {word}")),
    }))
}

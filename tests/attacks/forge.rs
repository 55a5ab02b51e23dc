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
        "past" => leaf.for_seconds(-1).signed_by(authority),
        "soon" => leaf.of_the_next_hour().signed_by(authority),
        "by-past" => by(Constraint::Expired),
        "by-past-and-present" => by(Constraint::ExpiredToo),
        "stolen" => authority.issue(&[name]).stolen_by(&authority.issue(&["thief.lab"])),
        "tomorrow" => leaf.of_tomorrow().signed_by(authority),
        "server" => only_for(Purpose::Server),
        "client" => only_for(Purpose::Client),
        "mail" => only_for(Purpose::Mail),
        "code" => only_for(Purpose::Code),
        "time" => only_for(Purpose::Time),
        "subject" => Leaf::of(&["b.lab"]).called(name).signed_by(authority),
        "nameless" => Leaf::of(&[]).called(name).signed_by(authority),
        "nul" => Leaf::of(&[&format!("{name}\0.b.lab")]).signed_by(authority),
        "nul-service" => {
            let service = format!("_xmpp-server.{name}\0.b.lab");
            Leaf::of(&[]).with_services(&[&service]).signed_by(authority)
        }
        "nul-address" => Leaf::of(&[]).with_addresses(&[&format!("{name}\0")]).signed_by(authority),
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
        _ => match (fault.strip_prefix("only-"), fault.strip_prefix("not-")) {
            (Some(only), _) => by(Constraint::Only(only.to_owned())),
            (None, Some(not)) => by(Constraint::Not(not.to_owned())),
            (None, None) => return Err(format!("no such certificate: {word}")),
        },
    }))
}

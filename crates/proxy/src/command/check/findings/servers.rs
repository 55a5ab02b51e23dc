//! What the servers do when somebody comes.

use ligase_verifier::Service;

use super::{Finding, Id, Severity};
use crate::command::check::certificate::{Usage, days_left, names};
use crate::command::check::facts::{Met, Sight, Survey, Target, Unseen};
use crate::command::check::judgment::{Judgment, Word};
use crate::command::check::paste::hex;

/// What each place presents.
pub(super) fn tls(survey: &Survey, judgment: &Judgment) -> Vec<Finding> {
    let mut found = Vec::new();
    for (target, row) in survey.targets.iter().zip(&judgment.rows) {
        match &target.met {
            Met::Unasked => (),
            Met::Unseen(why, _) => found.push(unseen(target, why)),
            Met::Seen(sight) => {
                found.push(presented(target, sight, survey));
                let is_proven = row.is_some_and(|row| row.verdict.word == Word::Proven);
                found.extend(validity(target, sight, survey, is_proven));
            }
        }
    }
    found.extend(usage(survey));
    found
}

fn presented(target: &Target, sight: &Sight, survey: &Survey) -> Finding {
    let (shown, beyond) = names(&sight.presented, NAMES_SHOWN_MAX);
    let mut shown = shown.join(", ");
    if shown.is_empty() {
        "nobody".clone_into(&mut shown);
    }
    if 0 < beyond {
        shown = format!("{shown} and {beyond} more");
    }
    let left = match days_left(&sight.presented, survey.at) {
        Some(days) if 0 <= days => format!(", {days} days left"),
        Some(_) => ", expired".to_owned(),
        None => ", unreadable".to_owned(),
    };
    let text = format!(
        "{} {}: TLS {}, a certificate for {shown}{left}, SHA-256 {}",
        target.place(),
        target.transport(),
        sight.tls,
        abbreviated(&hex(&sight.presented.sha256())),
    );
    Finding::new(Id::C01, Severity::Ok, &text)
}

/// A digest as people compare them: by its beginning and its end.
fn abbreviated(digest: &str) -> String {
    let (start, end) = (digest.get(..8), digest.get(digest.len().saturating_sub(8)..));
    format!("{}...{}", start.unwrap_or_default(), end.unwrap_or_default())
}

fn unseen(target: &Target, why: &Unseen) -> Finding {
    let place = format!("{} {}", target.place(), target.transport());
    let (id, text) = match why {
        Unseen::Refused(condition) => {
            let condition = condition.map_or("an unknown condition", |it| it.as_str());
            (Id::X02, format!("{place}: {} ({condition})", why.text()))
        }
        Unseen::Foreign(because) => (Id::X02, format!("{place}: {}: {because}", why.text())),
        Unseen::NoTls(_) => (Id::C03, format!("{place}: no TLS, so no proof: {}", why.text())),
        Unseen::Handshake(error) => (Id::C04, format!("{place}: {}: {error}", why.text())),
        Unseen::Delegation(_) | Unseen::Addresses(_) | Unseen::Tlsa(_) => {
            (Id::C02, format!("{place}: not connected to: {}", why.text()))
        }
        Unseen::Unreached(_) => {
            (Id::C02, format!("{place}: no connection could be made: {}", why.text()))
        }
        Unseen::Silent | Unseen::Closed => (Id::C02, format!("{place}: {}", why.text())),
    };
    Finding::new(id, Severity::Fail, &text)
}

fn validity(target: &Target, sight: &Sight, survey: &Survey, is_proven: bool) -> Option<Finding> {
    let days = days_left(&sight.presented, survey.at)?;
    let place = target.place();
    if days < 0 {
        // To DANE-EE dates are nothing (RFC 7671 §5.1); everybody else refuses.
        let severity = if is_proven { Severity::Warn } else { Severity::Fail };
        let text = format!("{place}: the certificate has expired");
        return Some(Finding::new(Id::C05, severity, &text));
    }
    let text = format!("{place}: the certificate expires in {days} days");
    (days < DAYS_LEFT_MIN).then(|| Finding::new(Id::C05, Severity::Warn, &text))
}

/// What peers make of the certificates when they are shown as a client's (K-06).
fn usage(survey: &Survey) -> Option<Finding> {
    if survey.service != Service::Server {
        return None;
    }
    let usages: Vec<Usage> = survey
        .targets
        .iter()
        .filter_map(Target::sight)
        .map(|it| Usage::of(&it.presented))
        .collect();
    if usages.contains(&Usage::Client) {
        let text = "certificate is for TLS clients only: others refuse it of a server";
        return Some(Finding::new(Id::C07, Severity::Warn, text));
    }
    let text = "certificate is serverAuth only: peers before ejabberd 25.08 reject it by EXTERNAL \
                and use dialback; Prosody and newer ones accept it";
    usages.contains(&Usage::Server).then(|| Finding::new(Id::C07, Severity::Info, text))
}

/// What the streams offer.
pub(super) fn xmpp(survey: &Survey) -> Vec<Finding> {
    let mut found = Vec::new();
    for target in &survey.targets {
        let Some(sight) = target.sight() else { continue };
        match &sight.stream {
            Ok(greeting) => {
                let offers = [
                    (greeting.features.external, "EXTERNAL"),
                    (greeting.features.dialback, "dialback"),
                ];
                let offers: Vec<_> = offers.iter().filter(|it| it.0).map(|it| it.1).collect();
                let offers = match (survey.service, offers.is_empty()) {
                    (Service::Client, _) => String::new(),
                    (Service::Server, true) => ", neither EXTERNAL nor dialback".to_owned(),
                    (Service::Server, false) => format!(", offers {}", offers.join(", ")),
                };
                let text = format!("{}: a stream after TLS{offers}", target.place());
                found.push(Finding::new(Id::X01, Severity::Ok, &text));
                if greeting.is_other {
                    let text = format!("{}: answers in another domain's name", target.place());
                    found.push(Finding::new(Id::X03, Severity::Warn, &text));
                }
            }
            Err(why) if why.wants_certificate() => {
                let text = format!(
                    "{}: after TLS, it refuses whoever shows no certificate, as nobody does here",
                    target.place()
                );
                found.push(Finding::new(Id::X01, Severity::Info, &text));
            }
            Err(why) => {
                let mut condition = String::new();
                if let Unseen::Refused(Some(why)) = why {
                    condition = format!(" ({})", why.as_str());
                } else if let Unseen::Foreign(because) = why {
                    condition = format!(" ({because})");
                }
                let text = format!("{}: after TLS, {}{condition}", target.place(), why.text());
                let severity = if why.is_foreign() { Severity::Fail } else { Severity::Warn };
                found.push(Finding::new(Id::X02, severity, &text));
            }
        }
    }
    found.extend(dialback(survey));
    found
}

/// Whether peers that are not proven can fall back.
fn dialback(survey: &Survey) -> Option<Finding> {
    if survey.service != Service::Server {
        return None;
    }
    let mut streams = survey.targets.iter().filter_map(|it| it.sight()?.stream.as_ref().ok());
    let offered = streams.next()?.features.dialback && streams.all(|it| it.features.dialback);
    let text = match offered {
        true => "dialback is offered: peers that prove nothing else may fall back to it",
        false => "dialback is not offered everywhere: peers that prove nothing else are refused",
    };
    Some(Finding::new(Id::B01, Severity::Info, text))
}

/// More names than that nobody reads.
const NAMES_SHOWN_MAX: usize = 4;

/// Automatic renewal is due a month before; when half of that has passed, it does not work.
const DAYS_LEFT_MIN: i64 = 14;

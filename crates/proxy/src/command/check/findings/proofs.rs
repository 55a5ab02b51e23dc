//! What each prooftype says, and what would have to be published for it.

use ligase_verifier::{Domain, Presented, Published};

use super::{Finding, Id, Severity};
use crate::command::check::facts::{State, Survey, Target};
use crate::command::check::judgment::{Judgment, Row, Word, is_unavailable};
use crate::command::check::paste;

/// By TLSA records (RFC 7673).
pub(super) fn dane(survey: &Survey, judgment: &Judgment) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    for (target, row) in survey.targets.iter().zip(&judgment.rows) {
        if !target.tlsa.state.is_known() {
            continue; // Said where DNS is spoken of.
        }
        let finding = dane_at(target, row.as_ref());
        // Several ports of one host need a record each, but the same place by two transports not.
        if let Some(finding) = finding.filter(|it| !found.contains(it)) {
            found.push(finding);
        }
    }
    found.extend(spare(survey, judgment));
    found
}

fn dane_at(target: &Target, row: Option<&Row>) -> Option<Finding> {
    let (place, base) = (target.place(), target.base.ascii());
    let can_count = target.endpoint.secure && target.addresses.state == State::Secure;
    let presented = target.sight().map(|it| &it.presented);
    let fix = presented.and_then(|it| paste::tlsa(&target.base, target.endpoint.port, it));
    let number = target.tlsa.records.len();
    if number == 0 {
        if !target.addresses.state.is_known() || target.addresses.is_absent() {
            return None;
        }
        return Some(match can_count {
            true => {
                let publish = if fix.is_some() { "; publish:" } else { "" };
                let text = format!("{place}: no TLSA record{publish}");
                Finding::new(Id::T02, Severity::Warn, &text).fix(fix)
            }
            false => {
                let text = format!("{place}: no TLSA record; it would take signed zones first");
                Finding::new(Id::T02, Severity::Info, &text)
            }
        });
    }
    if !can_count || target.tlsa.state != State::Secure {
        let lacking = if !target.endpoint.secure {
            "the SRV record is not signed"
        } else if target.addresses.state != State::Secure {
            "the addresses are not signed"
        } else {
            "they are not signed"
        };
        let text = format!("{place}: {number} TLSA records that count for nothing: {lacking}");
        return Some(Finding::new(Id::T04, Severity::Warn, &text));
    }
    let column = row?.dane;
    if column.word == Word::Proven {
        let text = format!("{place}: the TLSA records of {base} allow what is presented");
        return Some(Finding::new(Id::T01, Severity::Ok, &text));
    }
    match column.reason {
        Some("dane.mismatch") => {
            let text = format!(
                "{place}: TLSA records do not match the key served; others refuse it. Publish:"
            );
            Some(Finding::new(Id::T03, Severity::Fail, &text).fix(fix))
        }
        Some("dane.none") => {
            let text = format!("{place}: {number} TLSA records, none of a kind that counts");
            Some(Finding::new(Id::T04, Severity::Warn, &text).fix(fix))
        }
        // Nothing was presented, which is said elsewhere.
        _ => None,
    }
}

/// Whether keys can be rolled without anybody being shut out meanwhile.
fn spare(survey: &Survey, judgment: &Judgment) -> Option<Finding> {
    let targets = survey.targets.iter().zip(&judgment.rows);
    let is_lone = |(target, row): (&Target, &Option<Row>)| {
        target.tlsa.records.len() == 1 && row.is_some_and(|it| it.dane.word == Word::Proven)
    };
    let text = "only the key in use is pinned: before rolling it, publish the next key's TLSA \
                record beside it, and wait for a TTL";
    targets.into_iter().any(is_lone).then(|| Finding::new(Id::T05, Severity::Info, text))
}

/// By the domain's web server (RFC 7711).
pub(super) fn posh(survey: &Survey, judgment: &Judgment, domain: &Domain) -> Vec<Finding> {
    let Some(published) = &survey.posh else {
        return Vec::new();
    };
    let sights = survey.targets.iter().filter_map(Target::sight);
    let presented: Vec<&Presented> = sights.map(|it| &it.presented).collect();
    let document = || paste::posh(domain, survey.service, &presented);
    let rows = || judgment.rows.iter().flatten();
    let is_proven = !judgment.rows.is_empty()
        && judgment.rows.iter().all(|it| it.is_some_and(|it| it.verdict.word == Word::Proven));
    match published {
        Published::Absent if is_proven => {
            let text = "no POSH document is published, and none is needed";
            vec![Finding::new(Id::P01, Severity::Info, text)]
        }
        Published::Absent => {
            // Where TLSA records decide, no document helps (RFC 7711 §3.3).
            let helps = rows().any(|it| it.verdict.word == Word::Unproven) && !presented.is_empty();
            let wanting = if helps { "; it would prove the domain without DNSSEC:" } else { "" };
            let text = format!("no POSH document is published{wanting}");
            let finding = Finding::new(Id::P01, Severity::Info, &text);
            vec![finding.fix(helps.then(document))]
        }
        Published::Here(..) => {
            let mismatch = rows().find(|row| row.posh.word != Word::Proven);
            match mismatch.filter(|_| !presented.is_empty()) {
                None => {
                    let text = match presented.is_empty() {
                        true => "a POSH document is published",
                        false => "the POSH document names what is presented",
                    };
                    vec![Finding::new(Id::P02, Severity::Ok, text)]
                }
                Some(row) => {
                    let severity = if is_proven { Severity::Warn } else { Severity::Fail };
                    let text = format!("{}; publish:", row.posh.because);
                    vec![Finding::new(Id::P02, severity, &text).fix(document())]
                }
            }
        }
        // A web server that does not answer may never have had a document.
        Published::Bogus(finding) | Published::Unreachable(finding)
            if is_unavailable(published) =>
        {
            let severity = if is_proven { Severity::Info } else { Severity::Warn };
            let text = format!("{} ({})", finding.text(), finding.label());
            vec![Finding::new(Id::P03, severity, &text)]
        }
        Published::Bogus(finding) | Published::Unreachable(finding) => {
            let severity = if is_proven { Severity::Warn } else { Severity::Fail };
            let text = format!("{} ({})", finding.text(), finding.label());
            vec![Finding::new(Id::P03, severity, &text)]
        }
    }
}

/// By certificate authorities (RFC 6120 §13.7.1).
pub(super) fn pkix(survey: &Survey, judgment: &Judgment) -> Vec<Finding> {
    let mut found = Vec::new();
    for (target, row) in survey.targets.iter().zip(&judgment.rows) {
        let (Some(_), Some(row)) = (target.sight(), row) else {
            continue;
        };
        let place = target.place();
        let text = match row.pkix.reason {
            None => format!("{place}: an authority vouches for the certificate and its name"),
            Some(reason) => format!("{place}: {} ({reason})", row.pkix.because),
        };
        let severity = match (row.pkix.word, row.verdict.word) {
            (Word::Proven, _) => Severity::Ok,
            // Whoever asks for DANE or POSH does not need it, but not everybody does.
            (_, Word::Proven) => Severity::Info,
            _ => Severity::Fail,
        };
        found.push(Finding::new(Id::K01, severity, &text));
    }
    found
}

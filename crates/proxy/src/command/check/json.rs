//! Reports for programs: stable, and described by `docs/check.schema.json`.

use ligase_verifier::Published;
use serde_json::{Value, json};

use super::certificate::{Usage, names, rfc3339};
use super::facts::{Rrset, Sight, Srv, State, Subject, Survey, Target};
use super::findings::Finding;
use super::judgment::{Column, Row, Word};
use super::pair::Pair;
use super::paste::{hex, posh_url, tlsa_data};
use super::places::labels;
use super::report::{Report, Tally};
use crate::args::Exit;
use crate::command::printable::ascii;

/// What comes before the first report.
pub(super) const HEAD: &str = "{\"version\":1,\"checks\":[\n";

/// One domain, in a line.
pub(super) fn report(report: &Report) -> String {
    let Report { survey, judgment, findings, not_tested } = report;
    let [starttls, direct_tls] = labels(survey.service).map(|it| &it[1..]);
    let targets: Vec<Value> = survey
        .targets
        .iter()
        .zip(&judgment.rows)
        .map(|(it, row)| target(it, row.as_ref(), survey))
        .collect();
    let text = json!({
        "domain": survey.subject.text(),
        "service": starttls.trim_start_matches("xmpp-"),
        "verdict": judgment.verdict.word.as_str(),
        "reason": judgment.verdict.reason,
        "prooftype": judgment.prooftype.map(|it| it.as_str()),
        "srv": {
            starttls: srv(&survey.starttls),
            direct_tls: srv(&survey.direct_tls),
        },
        "posh": posh(survey),
        "targets": targets,
        "targets_beyond": survey.targets_beyond,
        "findings": findings.iter().map(finding).collect::<Vec<_>>(),
        "not_tested": not_tested,
        "seconds": (survey.took.as_secs_f64() * 1000.0).round() / 1000.0,
    });
    ascii(&text.to_string())
}

/// What comes after the last report.
pub(super) fn tail(pairs: &[Pair], tally: &Tally, exit: Exit) -> String {
    let pairs: Vec<Value> = pairs.iter().map(pair).collect();
    let summary = json!({
        "domains": tally.domains(),
        "proven": tally.proven,
        "not_proven": tally.unproven,
        "could_not_test": tally.untested,
        "failures": tally.failures,
        "warnings": tally.warnings,
        "exit": exit.code(),
    });
    let pairs = Value::from(pairs);
    format!("\n],\"pairs\":{},\"summary\":{summary}}}\n", ascii(&pairs.to_string()))
}

fn srv(rrset: &Rrset<Srv>) -> Value {
    let record = |it: &Srv| {
        json!({
            "priority": it.priority, "weight": it.weight, "port": it.port, "target": it.target,
        })
    };
    records(rrset, record)
}

fn records<T>(rrset: &Rrset<T>, record: impl Fn(&T) -> Value) -> Value {
    let listed: Vec<Value> = rrset.records.iter().take(RECORDS_MAX).map(record).collect();
    let beyond = rrset.records.len() - listed.len();
    json!({
        "state": rrset.state.as_str(), "records": listed, "records_beyond": beyond,
        "alias": rrset.alias,
    })
}

fn posh(survey: &Survey) -> Value {
    let Subject::Domain(domain) = &survey.subject else {
        return Value::Null;
    };
    let (result, reason, fingerprints) = match &survey.posh {
        None => return Value::Null,
        Some(Published::Here(fingerprints, _)) => ("published", None, fingerprints.len()),
        Some(Published::Absent) => ("absent", None, 0),
        Some(Published::Bogus(why) | Published::Unreachable(why)) => {
            ("unusable", Some(why.label()), 0)
        }
    };
    json!({
        "url": posh_url(domain, survey.service), "result": result, "reason": reason,
        "fingerprints": fingerprints,
    })
}

fn target(target: &Target, row: Option<&Row>, survey: &Survey) -> Value {
    let columns = |it: fn(&Row) -> Column| row.map(it).map(column);
    json!({
        "target": target.endpoint.target.ascii(),
        "port": target.endpoint.port,
        "transport": target.transport(),
        "fallback": target.is_fallback,
        "addresses": records(&target.addresses, |it| json!(it)),
        "tlsa_name": format!("_{}._tcp.{}", target.endpoint.port, target.base.ascii()),
        "tlsa": records(&target.tlsa, |it| json!(tlsa_data(it))),
        "certificate": target.sight().map(certificate),
        "dane": columns(|it| it.dane),
        "posh": columns(|it| it.posh),
        "pkix": columns(|it| it.pkix),
        "verdict": match row {
            Some(row) => Some(row.verdict.word.as_str()),
            // What DNS alone refutes needs no connection.
            None if survey.connects || target.addresses.state != State::Bogus => None,
            None => Some(Word::Refuted.as_str()),
        },
        "prooftype": row.and_then(|it| it.prooftype).map(|it| it.as_str()),
        "address": target.sight().map(|it| it.address.to_string()),
        "sni": target.sight().map(|it| it.asked_for.ascii()),
        "tls": target.sight().map(|it| it.tls),
        "stream": target.sight().map(stream),
    })
}

fn certificate(sight: &Sight) -> Value {
    let presented = &sight.presented;
    let (names, beyond) = names(presented, NAMES_MAX);
    json!({
        "names": names, "names_beyond": beyond,
        "not_after": presented.not_after().and_then(rfc3339),
        "sha256": hex(&presented.sha256()),
        "usage": Usage::of(presented).as_str(),
        "certificates": presented.chain().len(),
    })
}

fn stream(sight: &Sight) -> Value {
    match &sight.stream {
        Ok(greeting) => json!({
            "external": greeting.features.external, "dialback": greeting.features.dialback,
            "reason": null,
        }),
        Err(why) => json!({"external": null, "dialback": null, "reason": why.label()}),
    }
}

/// A verdict with its reason.
fn column(column: Column) -> Value {
    json!({"result": column.word.as_str(), "reason": column.reason})
}

fn finding(finding: &Finding) -> Value {
    json!({
        "id": finding.id.as_str(), "severity": finding.severity.as_str(), "text": finding.text,
        "fix": finding.fix,
    })
}

fn pair(pair: &Pair) -> Value {
    json!({
        "from": pair.from.ascii(),
        "to": pair.to.ascii(),
        "works": pair.works(),
        "target": column(pair.target),
        "target_prooftype": pair.target_prooftype.map(|it| it.as_str()),
        "sender": column(pair.sender),
        "sender_prooftype": pair.sender_prooftype.map(|it| it.as_str()),
        "dialback": pair.dialback,
        "findings": pair.findings.iter().map(finding).collect::<Vec<_>>(),
    })
}

/// Real sets have a tenth of it.
const RECORDS_MAX: usize = 128;

/// A certificate of a hoster may name thousands; nobody needs them to know it.
const NAMES_MAX: usize = 100;

#[cfg(test)]
mod tests;

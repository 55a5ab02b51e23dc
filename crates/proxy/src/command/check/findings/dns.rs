//! What the domain publishes in DNS, and how far it can be trusted.

use ligase_verifier::{Domain, Service};

use super::{Finding, Id, Severity};
use crate::command::check::facts::{Rrset, Srv, State, Survey, Target};
use crate::command::check::paste;
use crate::command::check::places::labels;

/// SRV and address records.
pub(super) fn records(survey: &Survey, domain: &Domain) -> Vec<Finding> {
    let mut found = Vec::new();
    let [starttls, direct_tls] = labels(survey.service);
    for (label, rrset) in [(starttls, &survey.starttls), (direct_tls, &survey.direct_tls)] {
        found.extend(srv(label, rrset, domain));
    }
    found.extend(lacking(survey, domain));
    if 0 < survey.targets_beyond {
        let text = format!("{} targets more than anybody tries", survey.targets_beyond);
        found.push(Finding::new(Id::D09, Severity::Warn, &text));
    }
    // Several places may be on one host.
    let mut hosts: Vec<&str> = Vec::new();
    for target in &survey.targets {
        let host = target.endpoint.target.ascii();
        if !hosts.contains(&host) {
            hosts.push(host);
            found.extend(addresses(target));
        }
    }
    found
}

/// What one of the two names says.
fn srv(label: &str, rrset: &Rrset<Srv>, domain: &Domain) -> Vec<Finding> {
    let name = format!("{label}._tcp.{}", domain.ascii());
    let mut found = Vec::new();
    if rrset.state == State::Indeterminate {
        let text = format!("{name} could not be looked up, so nobody may go on (RFC 7673 3.1)");
        found.push(Finding::new(Id::D02, Severity::Fail, &text));
    }
    let offers: Vec<_> = rrset.records.iter().filter(|it| !it.target.is_empty()).collect();
    if !offers.is_empty() {
        let mut shown: Vec<_> =
            offers.iter().take(SHOWN_MAX).map(|it| paste::srv_data(it)).collect();
        if SHOWN_MAX < offers.len() {
            shown.push(format!("and {} more", offers.len() - SHOWN_MAX));
        }
        let alias = rrset.alias.as_ref().map(|it| format!(" (an alias of {it})"));
        let text = format!("{label}._tcp{} -> {}", alias.unwrap_or_default(), shown.join(", "));
        found.push(Finding::new(Id::D01, Severity::Ok, &text));
    }
    for srv in offers.iter().take(SHOWN_MAX) {
        if srv.port == 0 || srv.target.parse::<Domain>().is_err() {
            let text = format!("{label}._tcp names no place: {}", paste::srv_data(srv));
            found.push(Finding::new(Id::D08, Severity::Fail, &text));
        }
    }
    if offers.is_empty() && !rrset.records.is_empty() {
        let text = format!("{name} says that the service is decidedly not offered (target \".\")");
        found.push(Finding::new(Id::D03, Severity::Info, &text));
    }
    found
}

/// What is not published.
fn lacking(survey: &Survey, domain: &Domain) -> Option<Finding> {
    let service = survey.service;
    let [starttls, direct_tls] = labels(service);
    let is_offered = |rrset: &Rrset<Srv>| rrset.records.iter().any(|it| !it.target.is_empty());
    if survey.starttls.is_absent() && survey.direct_tls.is_absent() {
        let port = service.port();
        let text = format!("no SRV record: others try port {port} of the domain itself");
        let fix = paste::srv(domain, service, false, domain, port);
        return Some(Finding::new(Id::D04, Severity::Warn, &text).fix(fix));
    }
    let known = survey.starttls.state.is_known() && survey.direct_tls.state.is_known();
    if known && !is_offered(&survey.starttls) && !is_offered(&survey.direct_tls) {
        let text = "the domain does not offer this service";
        return Some(Finding::new(Id::D03, Severity::Fail, text));
    }
    if survey.direct_tls.is_absent() {
        let target = survey.targets.first()?;
        let port = match service {
            Service::Server => 5270,
            Service::Client => 5223,
        };
        let text = format!("no {direct_tls}._tcp (direct TLS); if the server does it, add:");
        let fix = paste::srv(domain, service, true, &target.endpoint.target, port);
        return Some(Finding::new(Id::D05, Severity::Warn, &text).fix(fix));
    }
    if survey.starttls.is_absent() {
        let text = format!("no {starttls}._tcp: who knows only STARTTLS finds nobody");
        return Some(Finding::new(Id::D10, Severity::Info, &text));
    }
    None
}

fn addresses(target: &Target) -> Vec<Finding> {
    let host = target.endpoint.target.ascii();
    let found = &target.addresses;
    let mut findings = Vec::new();
    if !found.records.is_empty() {
        let shown: Vec<_> = found.records.iter().take(SHOWN_MAX).map(ToString::to_string).collect();
        let alias = found.alias.as_ref().map(|it| format!(" (an alias of {it})"));
        let text = format!("{host}{} -> {}", alias.unwrap_or_default(), shown.join(", "));
        findings.push(Finding::new(Id::D06, Severity::Ok, &text));
    } else if found.is_absent() {
        let text = format!("{host} has no address");
        findings.push(Finding::new(Id::D06, Severity::Fail, &text));
    }
    if found.state == State::Indeterminate {
        // The other family may do.
        let severity = if found.records.is_empty() { Severity::Fail } else { Severity::Warn };
        let text = format!("addresses of {host} could not all be looked up");
        findings.push(Finding::new(Id::D02, severity, &text));
    }
    if !target.forbidden.is_empty() {
        let all = target.forbidden.len() == found.records.len();
        let severity = if all { Severity::Fail } else { Severity::Warn };
        let shown: Vec<_> = target.forbidden.iter().map(ToString::to_string).collect();
        let text = format!(
            "{host} is at {}, where nobody on the Internet may be sent (--allow loopback tests it)",
            shown.join(", ")
        );
        findings.push(Finding::new(Id::D07, severity, &text));
    }
    findings
}

/// How far DNS can be trusted.
pub(super) fn signatures(survey: &Survey, domain: &Domain) -> Vec<Finding> {
    let mut found = Vec::new();
    let [starttls, direct_tls] = labels(survey.service);
    let both = [(starttls, &survey.starttls), (direct_tls, &survey.direct_tls)];
    for (label, rrset) in both {
        if rrset.state == State::Bogus {
            let name = format!("{label}._tcp.{}", domain.ascii());
            found.push(bogus(&name, "SRV"));
        }
    }
    match survey.starttls.state.max(survey.direct_tls.state) {
        State::Secure => {
            let text = format!("SRV records of {} are signed", domain.ascii());
            found.push(Finding::new(Id::S01, Severity::Ok, &text));
        }
        State::Insecure => {
            let text = format!(
                "SRV records of {} are not signed: whoever forges DNS says where it lives, DANE \
                 does not apply, and certificates have to name the domain itself",
                domain.ascii()
            );
            found.push(Finding::new(Id::S01, Severity::Warn, &text));
        }
        State::Indeterminate | State::Bogus => (),
    }
    let mut hosts: Vec<&str> = Vec::new();
    for target in &survey.targets {
        let host = target.endpoint.target.ascii();
        if !hosts.contains(&host) {
            hosts.push(host);
            found.extend(host_signatures(target));
        }
        if target.tlsa.state == State::Bogus {
            let name = format!("_{}._tcp.{}", target.endpoint.port, target.base.ascii());
            found.push(bogus(&name, "TLSA"));
        }
        if target.tlsa.state == State::Indeterminate && target.addresses.state.is_known() {
            let text = format!(
                "TLSA records of {} could not be looked up, so nobody may connect (RFC 7673 3.4)",
                target.place()
            );
            found.push(Finding::new(Id::D02, Severity::Fail, &text));
        }
    }
    found
}

fn host_signatures(target: &Target) -> Option<Finding> {
    let host = target.endpoint.target.ascii();
    match target.addresses.state {
        State::Secure => {
            let text = format!("addresses of {host} are signed");
            Some(Finding::new(Id::S02, Severity::Ok, &text))
        }
        State::Insecure => {
            let text = format!("addresses of {host} are not signed: DANE does not apply there");
            Some(Finding::new(Id::S02, Severity::Warn, &text))
        }
        State::Bogus => Some(bogus(host, "address")),
        State::Indeterminate => None,
    }
}

fn bogus(name: &str, kind: &str) -> Finding {
    let text = format!("{kind} records of {name} fail DNSSEC validation: nobody may use them");
    Finding::new(Id::S03, Severity::Fail, &text)
}

/// More of a kind than that nobody reads.
const SHOWN_MAX: usize = 8;

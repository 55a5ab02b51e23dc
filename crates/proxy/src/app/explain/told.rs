use std::time::SystemTime;

use ligase_verifier::{Endpoint, Transport, Unresolved};
use serde_json::{Value, json};

use super::advice::{advice, advice_about_caller, name};
use super::doubts::Doubt;
use super::way::{Carrier, State, Way};
use crate::app::views::{expiry, timestamp};
use crate::binding::{Level, Side};
use crate::connection::establish::{BackOff, Hosting, Prospect};
use crate::establish::{Climb, Step};
use crate::observe::{direction, transport};
use crate::stream::{Rung, Setback};

/// What DNS says of a peer now.
#[derive(Clone, Debug)]
pub(super) enum Asked {
    /// Where it is served, and how a search would go about each place.
    Endpoints(Vec<(Endpoint, Prospect)>),
    /// Nowhere, or nobody knows.
    Unresolved(Unresolved),
    /// It did not answer while we waited, or others were asking.
    Late,
    /// It was not asked, because the pair is not for us to carry.
    Spared,
}

/// A direction, as JSON.
pub(super) fn way(way: &Way, asked: &Asked) -> Value {
    let state = way.state();
    let (local, remote) = match way.leads_out() {
        true => (&way.pair.sender, &way.pair.target),
        false => (&way.pair.target, &way.pair.sender),
    };
    let named = advise(way, &state, asked).map(|advice| name(advice, local, remote));
    let is_told = way.is_ours && !way.leads_out();
    let pursuit = &way.pursuit;
    json!({
        "direction": if way.leads_out() { "outbound" } else { "inbound" },
        "from": way.pair.sender.as_str(),
        "to": way.pair.target.as_str(),
        "state": state.as_str(),
        "advice": named,
        "connections": carriers(&way.public),
        "backend_connections": carriers(&way.backend),
        "searching": pursuit.searching,
        "stanzas_waiting": pursuit.waiting,
        "back_off": pursuit.back_off.as_ref().filter(|_| way.leads_out()).map(back_off),
        "last_search": pursuit.last.as_ref().map(climb),
        "not_believed": way.doubt.filter(|_| is_told).map(|it| doubt(&it)),
    })
}

/// What to do about it, if anything is to be done.
fn advise(way: &Way, state: &State, asked: &Asked) -> Option<&'static str> {
    let met = way.pursuit.last.as_ref().is_some_and(|it| matches!(it.end, Some((_, Ok(())))));
    match (state, asked) {
        (State::Carried, _) => None,
        (State::Searching, _) => Some("Ask again in a moment."),
        (State::BackingOff(setback) | State::Failed(setback), _) => {
            Some(advice(way.towards, setback.label()))
        }
        (State::Doubted(doubt), _) => Some(advice_about_caller(doubt.reason)),
        (State::Idle, Asked::Unresolved(error)) => Some(advice(Side::Public, error.label())),
        (State::Idle, _) if met => Some("Nothing: ligase connects again when somebody writes."),
        (State::Idle, _) if way.leads_out() => {
            Some("Have somebody write to the peer, then ask again: ligase searches when it has to.")
        }
        (State::Idle, _) => Some("Nothing: the peer comes when it has something to say."),
        (State::Strange, _) => Some(advice(way.towards, "pointless")),
    }
}

fn carriers(carriers: &[Carrier]) -> Value {
    let each = carriers.iter().take(CARRIERS_MAX).enumerate();
    each.map(|(place, it)| carrier(it, if place == 0 { "in-use" } else { "standing-by" })).collect()
}

fn carrier(carrier: &Carrier, part: &str) -> Value {
    let facts = &carrier.facts;
    json!({
        "id": facts.id.0,
        "use": part,
        "mode": carrier.mode.as_str(),
        "bidi": carrier.far.bidi,
        "direction": direction(facts).as_str(),
        "transport": transport(facts).as_str(),
        "peer_address": facts.peer.to_string(),
        "authenticated_server": carrier.server.as_ref().map(|it| it.as_str()),
        "opened_at": timestamp(carrier.opened),
        "prooftype": carrier.grounds.as_ref().map(|it| it.as_str()),
        "expires_at": carrier.grounds.as_ref().and_then(expiry),
    })
}

fn back_off(back_off: &BackOff) -> Value {
    json!({
        "until": timestamp(back_off.until),
        "failures": back_off.failures,
        "reason": reason(&back_off.setback),
    })
}

fn climb(climb: &Climb) -> Value {
    let (ended, result, why) = match &climb.end {
        None => (None, "under-way", None),
        Some((at, Ok(()))) => (timestamp(*at), "met", None),
        Some((at, Err(setback))) => (timestamp(*at), "missed", Some(reason(setback))),
    };
    json!({
        "began_at": timestamp(climb.began),
        "ended_at": ended,
        "result": result,
        "reason": why,
        "steps_left_out": climb.left_out,
        "steps": climb.steps.iter().map(step).collect::<Vec<_>>(),
    })
}

fn step(step: &Step) -> Value {
    let (result, connection, why) = match &step.outcome {
        Ok(id) => ("met", id.map(|id| id.0), None),
        Err(setback) => ("missed", None, Some(reason(setback))),
    };
    json!({
        "at": timestamp(step.at),
        "target": step.endpoint.as_ref().map(|it| it.target.as_str()),
        "port": step.endpoint.as_ref().map(|it| it.port),
        "rung": step.rung.map(rung),
        "result": result,
        "connection": connection,
        "reason": why,
    })
}

fn doubt(doubt: &Doubt) -> Value {
    json!({"at": timestamp(doubt.at), "result": doubt.result, "reason": doubt.reason})
}

fn reason(setback: &Setback) -> Value {
    json!({"label": setback.label(), "text": setback.text()})
}

/// Who says whether a domain is hosted here, as JSON.
pub(super) fn hosting(hosting: Hosting) -> Value {
    let (hosted, rule) = match hosting {
        Hosting::Listed => (Some(true), "listed"),
        Hosting::Proven => (Some(true), "asked"),
        Hosting::Unlisted => (Some(false), "listed"),
        Hosting::Unasked => (None, "asked"),
    };
    json!({"hosted": hosted, "rule": rule})
}

/// What policy asks of the peer, as JSON; `rule` is the key of the configuration that says so.
pub(super) fn policy(level: Level, rule: &str) -> Value {
    let means = match level {
        Level::Any => "dialback will do, even in the clear",
        Level::Encrypted => "dialback will do, but over TLS",
        Level::Pkix => "a certificate that a trusted authority vouches for, or better",
        Level::Dna => "proof by DANE, POSH or PKIX",
    };
    json!({"level": level.as_str(), "rule": rule, "means": means})
}

/// What DNS says, as JSON.
pub(super) fn dns(asked: &Asked, at: SystemTime) -> Value {
    let (state, why) = match asked {
        Asked::Endpoints(_) => ("answered", None),
        Asked::Unresolved(error) => {
            let why = json!({"label": error.label(), "text": error.to_string()});
            ("failed", Some(why))
        }
        Asked::Late => ("late", None),
        Asked::Spared => ("not-asked", None),
    };
    let endpoints = match asked {
        Asked::Endpoints(endpoints) => endpoints.as_slice(),
        Asked::Unresolved(_) | Asked::Late | Asked::Spared => &[],
    };
    let endpoints: Vec<_> = endpoints.iter().map(|(it, prospect)| endpoint(it, prospect)).collect();
    json!({"at": timestamp(at), "state": state, "reason": why, "endpoints": endpoints})
}

fn endpoint(endpoint: &Endpoint, prospect: &Prospect) -> Value {
    let remembered =
        prospect.recalled.map(|it| json!({"rung": rung(it.rung), "failures": it.failures}));
    json!({
        "target": endpoint.target.as_str(),
        "port": endpoint.port,
        "transport": match endpoint.transport {
            Transport::StartTls => "starttls",
            Transport::DirectTls => "direct-tls",
        },
        "secure": endpoint.secure,
        "begins_with": rung(prospect.first),
        "lowest": rung(prospect.lowest),
        "remembered": remembered,
    })
}

/// As metrics name it.
fn rung(rung: Rung) -> &'static str {
    match rung {
        Rung::ServerName => "server-name",
        Rung::DomainName => "domain-name",
        Rung::SenderCertificate => "sender-certificate",
        Rung::Dialback => "dialback",
        Rung::Plain => "plain",
    }
}

/// How many connections of a pair are told of; more than a few is rare, and peers choose how many.
const CARRIERS_MAX: usize = 16;

#[cfg(test)]
mod tests;

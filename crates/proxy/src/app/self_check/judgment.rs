use ligase_verifier::{
    Answer, Domain, Endpoint, Failure, Finding, Fingerprint, Published, Reason, Security, Verdict,
};

use super::lead::{Here, Lead, service};
use crate::config::Public;
use crate::published::service_name;
use crate::tls::identity::is_named;

/// What is ours, and what a domain of ours should publish.
#[derive(Clone, Debug)]
pub(super) struct Ours {
    pub(super) domain: Domain,
    pub(super) server_name: Domain,
    pub(super) public: Public,
    /// The names in all our certificates, in A-labels, a wildcard as `*.capulet.example`.
    pub(super) names: Vec<String>,
    /// The names in the one that is shown for the domain.
    pub(super) shown: Vec<String>,
    /// Whether we serve POSH documents ourselves.
    pub(super) serves_posh: bool,
    pub(super) paste: Paste,
}

/// The records and the document, as they are pasted.
#[derive(Clone, Debug, Default)]
pub(super) struct Paste {
    pub(super) srv: String,
    pub(super) tlsa: String,
    pub(super) posh: String,
}

/// What was found at a place that the domain's SRV records name and that is ours.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) endpoint: Endpoint,
    /// What stands under `_port._tcp.target`.
    pub(super) tlsa: Answer,
    /// What somebody who goes by TLSA records makes of the certificate that is shown there.
    pub(super) dane: Verdict,
    /// Whether the record of each next key is there, too.
    pub(super) announced: bool,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Check {
    pub(super) kind: Kind,
    pub(super) outcome: Outcome,
    pub(super) text: String,
    /// What to publish instead.
    pub(super) fix: Option<String>,
}

/// What is looked at.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Kind {
    Srv,
    Tlsa,
    Posh,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Outcome {
    /// It is as it should be.
    Ok,
    /// It is not there.
    Missing,
    /// It says something else, or its signature does not hold.
    Mismatch,
    /// It is not signed, so it counts for nothing.
    Insecure,
    /// It could not be looked up, which is no absence.
    Unknown,
    /// It is not there, and nobody misses it.
    NotNeeded,
}

/// Whether peers need the POSH document to know us for the domain.
pub(super) fn needs_posh(ours: &Ours, lead: &Lead, places: &[Place]) -> bool {
    // Who does not find us has no use for a document either.
    let Lead::Here(Here { endpoints, .. }) = lead else {
        return ours.serves_posh;
    };
    ours.serves_posh || !(ours.is_named(endpoints) || is_proven(places))
}

/// What is to be said of a domain, by all that was found out about it.
pub(super) fn judge(
    ours: &Ours,
    lead: &Lead,
    places: &[Place],
    posh: Option<&Published<Vec<Fingerprint>>>,
    by_posh: bool,
) -> Vec<Check> {
    let posh = posh.map(|posh| judge_posh(ours, posh, by_posh));
    let stands = posh.as_ref().is_some_and(|it| it.outcome == Outcome::Ok);
    let mut checks = vec![judge_srv(ours, lead, stands || is_proven(places))];
    if let Lead::Here(Here { endpoints, .. }) = lead {
        let provable = ours.is_named(endpoints) || stands;
        let each = places.iter().map(|place| judge_tlsa(ours, place, provable));
        checks.extend(each.max_by_key(|check| check.outcome.weight()));
    }
    checks.extend(posh);
    checks
}

fn judge_srv(ours: &Ours, lead: &Lead, proven: bool) -> Check {
    let domain = ours.domain.ascii();
    let (outcome, mut text) = match lead {
        Lead::Here(Here { endpoints, .. }) if !proven && !ours.is_named(endpoints) => {
            let text = format!(
                "The SRV records of {domain} lead here but are not signed, and no certificate \
                 names {domain}: peers can prove it by dialback at best. Sign its zone, or serve \
                 a POSH document."
            );
            (Outcome::Insecure, text)
        }
        Lead::Here(Here { endpoints, .. }) => {
            let place = endpoints.first().map(|it| format!("{}:{}", it.target.ascii(), it.port));
            let signed = if endpoints.iter().all(|it| it.secure) { "signed" } else { "not signed" };
            let place = place.unwrap_or_default();
            (Outcome::Ok, format!("Peers are led here, to {place} ({signed})."))
        }
        Lead::Elsewhere(place) => (
            Outcome::Mismatch,
            format!("The SRV records of {domain} lead to {place}, which is not here."),
        ),
        Lead::Declined => (
            Outcome::Mismatch,
            format!("The SRV records of {domain} say that it takes no part in federation."),
        ),
        Lead::Absent => (
            Outcome::Missing,
            format!("{domain} has no SRV records, so that peers do not find the way here."),
        ),
        Lead::Bogus => (
            Outcome::Mismatch,
            format!(
                "The SRV records of {domain} fail DNSSEC validation: peers that validate do not \
                 find the way here. Sign the zone anew."
            ),
        ),
        Lead::Unknown => {
            (Outcome::Unknown, format!("The SRV records of {domain} could not be looked up."))
        }
    };
    if let Lead::Here(Here { elsewhere: Some((transport, place)), .. }) = lead {
        // It may be another machine that is meant to serve the domain, which is no failure.
        let record = service_name(service(*transport), &ours.domain);
        text = format!("{text} But a record at {record} leads to {place}, which is not here.");
    }
    let helps = matches!(lead, Lead::Elsewhere(_) | Lead::Declined | Lead::Absent);
    let fix = helps.then(|| ours.paste.srv.clone()).filter(|it| !it.is_empty());
    Check { kind: Kind::Srv, outcome, text, fix }
}

fn judge_tlsa(ours: &Ours, place: &Place, provable: bool) -> Check {
    let Place { endpoint, tlsa, dane, announced } = place;
    let name = format!("_{}._tcp.{}", endpoint.port, endpoint.target.ascii());
    let (outcome, text) = match (dane, tlsa) {
        (Verdict::Proven(_), _) if !announced => (
            Outcome::Ok,
            format!(
                "The TLSA records at {name} name the key in use, but not the next one yet: \
                 publish its record before you use it."
            ),
        ),
        (Verdict::Proven(_), _) => {
            (Outcome::Ok, format!("The TLSA records at {name} name the key that is shown there."))
        }
        (Verdict::Refuted(Reason { finding: Finding::TlsaMismatch, .. }), _) => (
            Outcome::Mismatch,
            format!(
                "The TLSA records at {name} name other keys than the one that is shown there: \
                 peers that go by DANE refuse it."
            ),
        ),
        (Verdict::Refuted(_), _) | (_, Err(Failure::Bogus)) => (
            Outcome::Mismatch,
            format!(
                "The TLSA records at {name} fail DNSSEC validation: peers that validate refuse \
                 what is shown there. Sign the zone anew."
            ),
        ),
        (Verdict::Undetermined(_), _) | (_, Err(_)) => {
            (Outcome::Unknown, format!("The TLSA records at {name} could not be looked up."))
        }
        (Verdict::Unproven(_), Ok(records)) if records.data.is_empty() && provable => (
            Outcome::NotNeeded,
            format!("There are no TLSA records at {name}; peers go by certificates or documents."),
        ),
        (Verdict::Unproven(_), Ok(records))
            if records.data.is_empty()
                && !(endpoint.secure && records.security == Security::Secure) =>
        {
            let why = "they would count for nothing, because the way there is not signed";
            (Outcome::NotNeeded, format!("There are no TLSA records at {name}; {why}."))
        }
        (Verdict::Unproven(_), Ok(records)) if records.data.is_empty() => {
            (Outcome::Missing, format!("There are no TLSA records at {name}."))
        }
        (Verdict::Unproven(_), Ok(_)) => (
            Outcome::Insecure,
            format!(
                "The TLSA records at {name} count for nothing: they, the SRV records or the \
                 addresses are not signed, or they are of no usable kind."
            ),
        ),
    };
    let helps = matches!(outcome, Outcome::Mismatch | Outcome::Missing | Outcome::NotNeeded)
        || outcome == Outcome::Ok && !announced;
    let bogus = matches!(tlsa, Err(Failure::Bogus));
    let fix = (helps && !bogus).then(|| ours.paste.tlsa.clone()).filter(|it| !it.is_empty());
    Check { kind: Kind::Tlsa, outcome, text, fix }
}

fn judge_posh(ours: &Ours, posh: &Published<Vec<Fingerprint>>, proves: bool) -> Check {
    let domain = ours.domain.ascii();
    let (outcome, text) = match posh {
        Published::Here(..) if proves => (
            Outcome::Ok,
            format!("The POSH document of {domain} names the certificate that is shown."),
        ),
        Published::Here(..) => (
            Outcome::Mismatch,
            format!("The POSH document of {domain} names other certificates than the one shown."),
        ),
        Published::Absent => (
            Outcome::Missing,
            format!("There is no POSH document of {domain}, or its web server does not answer."),
        ),
        Published::Bogus(finding) => (
            Outcome::Mismatch,
            format!("The POSH document of {domain} is of no use: {}.", finding.text()),
        ),
        Published::Unreachable(_) => {
            (Outcome::Unknown, format!("The POSH document of {domain} could not be fetched."))
        }
    };
    let helps = matches!(outcome, Outcome::Missing | Outcome::Mismatch);
    Check { kind: Kind::Posh, outcome, text, fix: helps.then(|| ours.paste.posh.clone()) }
}

/// Whether somebody who goes by TLSA records believes us wherever the domain leads.
fn is_proven(places: &[Place]) -> bool {
    let proven = |it: &Place| matches!(it.dane, Verdict::Proven(_));
    !places.is_empty() && places.iter().all(proven)
}

impl Ours {
    /// Whether a host is us: by our name, or by one in our certificates.
    pub(super) fn is_ours(&self, host: &Domain) -> bool {
        *host == self.server_name || is_named(&self.names, host.ascii())
    }

    /// Whether the certificate that is shown for the domain names it; or the places that it has
    /// securely delegated to, which is as good (RFC 7673 §4.1).
    fn is_named(&self, endpoints: &[Endpoint]) -> bool {
        let named = |it: &Endpoint| it.secure && is_named(&self.shown, it.target.ascii());
        is_named(&self.shown, self.domain.ascii())
            || !endpoints.is_empty() && endpoints.iter().all(named)
    }
}

impl Kind {
    /// As programs read it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Srv => "srv",
            Self::Tlsa => "tlsa",
            Self::Posh => "posh",
        }
    }
}

impl Outcome {
    /// As programs read it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Missing => "missing",
            Self::Mismatch => "mismatch",
            Self::Insecure => "insecure",
            Self::Unknown => "unknown",
            Self::NotNeeded => "not-needed",
        }
    }

    /// Whether somebody has to do something.
    pub(super) fn is_failure(self) -> bool {
        matches!(self, Self::Missing | Self::Mismatch)
    }

    /// The more there is to be told, the more.
    fn weight(self) -> u8 {
        match self {
            Self::NotNeeded => 0,
            Self::Ok => 1,
            Self::Insecure => 2,
            Self::Unknown => 3,
            Self::Missing => 4,
            Self::Mismatch => 5,
        }
    }
}

#[cfg(test)]
mod tests;

//! What there is to say about a domain, in the order in which a person would look.

mod dns;
mod proofs;
mod servers;

use super::facts::{Subject, Survey};
use super::judgment::{Judgment, Word, is_unavailable};
use crate::args::Requirement;
use crate::command::printable::printable;

/// One thing that was checked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Finding {
    /// Which check.
    pub(super) id: Id,
    /// How bad it is.
    pub(super) severity: Severity,
    /// What is so, in one sentence; printable.
    pub(super) text: String,
    /// What to publish or do, if that is known; printable, perhaps of several lines.
    pub(super) fix: Option<String>,
}

/// How bad a finding is; what comes later is worse.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Severity {
    /// As it should be.
    Ok,
    /// Good to know.
    Info,
    /// It works, but not for everybody or not as well as it could.
    Warn,
    /// It does not work.
    Fail,
}

impl Severity {
    /// As JSON and people read it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// Defines the checks: each has a name that stays and a group that it is listed in.
macro_rules! checks {
    ($($(#[$doc:meta])* $id:ident = $name:literal in $group:literal,)*) => {
        /// A check. Its name is promised to stay, and explained in `docs/check.md`.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(super) enum Id { $($(#[$doc])* $id,)* }

        impl Id {
            /// All of them.
            #[cfg(test)]
            pub(super) const ALL: &'static [Self] = &[$(Self::$id,)*];

            /// Its name.
            pub(super) fn as_str(self) -> &'static str {
                match self { $(Self::$id => $name,)* }
            }

            /// The group it is listed in.
            pub(super) fn group(self) -> &'static str {
                match self { $(Self::$id => $group,)* }
            }
        }
    };
}

checks! {
    /// The name is one that everybody reads alike.
    D00 = "LG-D00" in "dns",
    /// SRV records.
    D01 = "LG-D01" in "dns",
    /// DNS answers.
    D02 = "LG-D02" in "dns",
    /// The service is offered.
    D03 = "LG-D03" in "dns",
    /// There are SRV records at all.
    D04 = "LG-D04" in "dns",
    /// There is direct TLS.
    D05 = "LG-D05" in "dns",
    /// Targets have addresses.
    D06 = "LG-D06" in "dns",
    /// These are ones that others may be sent to.
    D07 = "LG-D07" in "dns",
    /// Targets are host names.
    D08 = "LG-D08" in "dns",
    /// There are not more than anybody tries.
    D09 = "LG-D09" in "dns",
    /// There is STARTTLS, too.
    D10 = "LG-D10" in "dns",
    /// SRV records are signed.
    S01 = "LG-S01" in "dnssec",
    /// Addresses are signed.
    S02 = "LG-S02" in "dnssec",
    /// No signature fails.
    S03 = "LG-S03" in "dnssec",
    /// A server presents a certificate.
    C01 = "LG-C01" in "tls",
    /// It can be reached.
    C02 = "LG-C02" in "tls",
    /// It does TLS.
    C03 = "LG-C03" in "tls",
    /// The handshake ends well.
    C04 = "LG-C04" in "tls",
    /// The certificate is valid today and for a while.
    C05 = "LG-C05" in "tls",
    /// What the certificate is meant for.
    C07 = "LG-C07" in "tls",
    /// TLSA records allow what is presented.
    T01 = "LG-T01" in "dane",
    /// There are TLSA records.
    T02 = "LG-T02" in "dane",
    /// None of them excludes what is presented.
    T03 = "LG-T03" in "dane",
    /// They count.
    T04 = "LG-T04" in "dane",
    /// Another key is pinned, too.
    T05 = "LG-T05" in "dane",
    /// There is a POSH document.
    P01 = "LG-P01" in "posh",
    /// It names what is presented.
    P02 = "LG-P02" in "posh",
    /// It is sound.
    P03 = "LG-P03" in "posh",
    /// An authority vouches for the certificate and its name.
    K01 = "LG-K01" in "pkix",
    /// The stream after TLS.
    X01 = "LG-X01" in "xmpp",
    /// The server serves the domain.
    X02 = "LG-X02" in "xmpp",
    /// It answers in the domain's name.
    X03 = "LG-X03" in "xmpp",
    /// Dialback.
    B01 = "LG-B01" in "dialback",
    /// Two domains would believe each other.
    F01 = "LG-F01" in "federation",
    /// One would ask the other's server instead.
    F02 = "LG-F02" in "federation",
    /// What was required.
    R01 = "LG-R01" in "require",
}

impl Finding {
    /// A finding; what is not printable in its text is escaped.
    pub(super) fn new(id: Id, severity: Severity, text: &str) -> Self {
        Self { id, severity, text: printable(text, TEXT_MAX), fix: None }
    }

    /// The same, with lines to paste.
    #[must_use]
    pub(super) fn fix(mut self, fix: impl Into<Option<String>>) -> Self {
        let lines = |fix: String| {
            fix.lines().map(|line| printable(line, FIX_MAX)).collect::<Vec<_>>().join("\n")
        };
        self.fix = fix.into().map(lines);
        self
    }
}

/// Everything there is to say about a domain.
pub(super) fn findings(survey: &Survey, judgment: &Judgment) -> Vec<Finding> {
    let domain = match &survey.subject {
        Subject::Domain(domain) => domain,
        Subject::Invalid(_, why) => {
            let text = format!("{why} ({})", why.label());
            return vec![Finding::new(Id::D00, Severity::Fail, &text)];
        }
    };
    let mut found = dns::records(survey, domain);
    found.extend(dns::signatures(survey, domain));
    found.extend(servers::tls(survey, judgment));
    found.extend(proofs::dane(survey, judgment));
    found.extend(proofs::posh(survey, judgment, domain));
    found.extend(proofs::pkix(survey, judgment));
    found.extend(servers::xmpp(survey));
    found.extend(judgment.missing.iter().map(|it| missing(*it, judgment)));
    found
}

fn missing(requirement: Requirement, judgment: &Judgment) -> Finding {
    let what = match requirement {
        Requirement::Dane => "DANE does not prove every target",
        Requirement::Posh => "POSH does not prove every target",
        Requirement::Pkix => "no authority that is trusted vouches for every target",
        Requirement::Dnssec => "not all SRV and address records are signed",
    };
    let severity = match judgment.verdict.word {
        Word::Undetermined => Severity::Warn,
        Word::Proven | Word::Absent | Word::Unproven | Word::Refuted => Severity::Fail,
    };
    Finding::new(Id::R01, severity, &format!("required, and not so: {what}"))
}

/// What was not tested, a phrase each; nothing here is ever empty, because there is always
/// something that cannot be seen from here.
pub(super) fn not_tested(survey: &Survey) -> Vec<String> {
    let mut list = Vec::new();
    if !survey.connects {
        list.push("what the servers present (only DNS was asked)".to_owned());
    } else {
        let srv = survey.starttls.state.max(survey.direct_tls.state);
        if survey.targets.is_empty() && !srv.is_known() {
            list.push("what the servers present".to_owned());
        }
        for target in survey.targets.iter().filter(|it| it.sight().is_none()) {
            let is_seen = target.examination().is_some();
            if !is_seen {
                list.push(format!("the certificate at {}", target.place()));
            }
        }
        let more =
            |it: &&super::facts::Target| it.sight().is_some() && 1 < it.addresses.records.len();
        for target in survey.targets.iter().filter(more) {
            let others = target.addresses.records.len() - 1;
            let s = if others == 1 { "" } else { "es" };
            list.push(format!("{others} more address{s} of {}", target.place()));
        }
    }
    if survey.posh.as_ref().is_some_and(is_unavailable) {
        list.push("whether there is a POSH document".to_owned());
    }
    if 0 < survey.targets_beyond {
        list.push(format!("{} more targets", survey.targets_beyond));
    }
    list.push("whether others reach it from where they are".to_owned());
    list
}

/// One sentence; longer ones are a stranger's doing.
const TEXT_MAX: usize = 400;

/// A record with a whole certificate in it would not be ours.
const FIX_MAX: usize = 4096;

#[cfg(test)]
mod tests;

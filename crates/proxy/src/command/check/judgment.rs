//! What the findings come to: one word for each prooftype at each place, and one for the domain.

use ligase_verifier::{Examination, Finding, Prooftype, Published, Reason, Unresolved, Verdict};

use super::facts::{Met, State, Subject, Survey, Target, Unseen};
use crate::args::Requirement;

/// A verdict as people and programs read it; what comes later is worse.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Word {
    /// Whoever presents this speaks for the domain.
    Proven,
    /// We could not find out.
    Undetermined,
    /// There is nothing: no record, no document, no service.
    Absent,
    /// There is nothing that proves it.
    Unproven,
    /// What the domain publishes excludes it, or was forged.
    Refuted,
}

impl Word {
    /// As JSON and people read it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::Undetermined => "undetermined",
            Self::Absent => "absent",
            Self::Unproven => "unproven",
            Self::Refuted => "refuted",
        }
    }
}

/// What one prooftype says about one place, or all of them together.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Column {
    /// The verdict.
    pub(super) word: Word,
    /// Why, unless it is proven: one of a closed list.
    pub(super) reason: Option<&'static str>,
    /// The same in words.
    pub(super) because: &'static str,
}

/// What one place comes to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Row {
    /// By TLSA records alone.
    pub(super) dane: Column,
    /// By the web server alone.
    pub(super) posh: Column,
    /// By authorities alone.
    pub(super) pkix: Column,
    /// By all together.
    pub(super) verdict: Column,
    /// What proves it, if it is proven.
    pub(super) prooftype: Option<Prooftype>,
}

/// What a domain comes to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Judgment {
    /// The worst of all its places, and of what is required.
    pub(super) verdict: Column,
    /// What proves its first place, if all are proven.
    pub(super) prooftype: Option<Prooftype>,
    /// Its places, in their order; without connecting there is nothing to say.
    pub(super) rows: Vec<Option<Row>>,
    /// What was required and is not there.
    pub(super) missing: Vec<Requirement>,
}

/// Judges a domain by what was found out about it.
pub(super) fn judge(survey: &Survey, required: &[Requirement]) -> Judgment {
    let rows: Vec<Option<Row>> = survey.targets.iter().map(row).collect();
    let mut verdict = overall(survey, &rows);
    let mut missing: Vec<Requirement> = Vec::new();
    for requirement in required {
        let column = fulfilled(survey, &rows, *requirement);
        if column.word != Word::Proven && !missing.contains(requirement) {
            missing.push(*requirement);
            // A lack of what is required is no more than a lack of proof, be it refuted or not.
            let word = column.word.max(Word::Undetermined);
            let word = if word == Word::Absent { Word::Unproven } else { word };
            if verdict.word < word {
                verdict = Column { word, ..column };
            }
        }
    }
    let prooftype = rows.first().copied().flatten().and_then(|it| it.prooftype);
    let prooftype = prooftype.filter(|_| verdict.word == Word::Proven);
    Judgment { verdict, prooftype, rows, missing }
}

/// Judges the whole of a domain. The worst place counts: whoever tries to reach the domain may be
/// sent there.
fn overall(survey: &Survey, rows: &[Option<Row>]) -> Column {
    if let Subject::Invalid(_, why) = &survey.subject {
        let because = "this is no domain name that everybody reads alike";
        return Column { word: Word::Unproven, reason: Some(why.label()), because };
    }
    match survey.starttls.state.max(survey.direct_tls.state) {
        State::Bogus => return refuted(Finding::DnsBogus),
        State::Indeterminate => return undetermined(Finding::DnsFailure),
        State::Insecure | State::Secure => (),
    }
    if survey.targets.is_empty() {
        let (reason, because) = (Unresolved::Declined.label(), "the domain does not offer it");
        return Column { word: Word::Absent, reason: Some(reason), because };
    }
    let unasked = Column {
        word: Word::Undetermined,
        reason: Some("check.dns_only"),
        because: "only DNS was asked, which proves nothing by itself",
    };
    let columns = survey.targets.iter().zip(rows).map(|(target, row)| match row {
        Some(row) => row.verdict,
        None if target.addresses.state == State::Bogus => refuted(Finding::DnsBogus),
        None if target.addresses.is_absent() => unseen(&Unseen::Addresses(Unresolved::NotFound)),
        None => unasked,
    });
    // Of several that are equally bad, the first is named.
    columns.reduce(|worst, it| if worst.word < it.word { it } else { worst }).unwrap_or(unasked)
}

/// Judges one place.
fn row(target: &Target) -> Option<Row> {
    match &target.met {
        Met::Unasked => None,
        Met::Seen(sight) => Some(examined(&sight.examination, target)),
        Met::Unseen(_, Some(examination)) => Some(examined(examination, target)),
        Met::Unseen(why, None) => {
            let verdict = unseen(why);
            // What DNS says of TLSA says nothing of the others.
            let other = match why {
                Unseen::Tlsa(_) => Column { word: Word::Undetermined, ..verdict },
                Unseen::Delegation(_)
                | Unseen::Addresses(_)
                | Unseen::Unreached(_)
                | Unseen::Silent
                | Unseen::Closed
                | Unseen::Refused(_)
                | Unseen::Foreign(_)
                | Unseen::NoTls(_)
                | Unseen::Handshake(_) => verdict,
            };
            let dane = verdict;
            Some(Row { dane, posh: other, pkix: other, verdict, prooftype: None })
        }
    }
}

fn examined(examination: &Examination, target: &Target) -> Row {
    let mut dane = column(&examination.dane);
    let is_silent = |verdict: &Verdict, finding| matches!(verdict, Verdict::Unproven(it) if it.finding == finding);
    if is_silent(&examination.dane, Finding::NoTlsa) && target.tlsa.is_absent() {
        dane.word = Word::Absent;
    }
    let mut posh = column(&examination.posh);
    if is_silent(&examination.posh, Finding::PoshUnavailable)
        && matches!(examination.evidence.posh, Published::Absent)
    {
        posh = Column { word: Word::Absent, because: "no POSH document is published", ..posh };
    }
    if is_unavailable(&examination.evidence.posh) && posh.word == Word::Unproven {
        posh.word = Word::Undetermined;
    }
    let prooftype = match &examination.verdict {
        Verdict::Proven(association) => Some(association.prooftype()),
        Verdict::Unproven(_) | Verdict::Refuted(_) | Verdict::Undetermined(_) => None,
    };
    let (pkix, verdict) = (column(&examination.pkix), column(&examination.verdict));
    Row { dane, posh, pkix, verdict, prooftype }
}

/// Whether it could not be found out what a web server has published, if anything.
pub(super) fn is_unavailable<T>(published: &Published<T>) -> bool {
    match published {
        Published::Unreachable(_) | Published::Bogus(Finding::PoshUnavailable) => true,
        Published::Bogus(_) | Published::Here(..) | Published::Absent => false,
    }
}

/// A verdict in one word.
pub(super) fn column(verdict: &Verdict) -> Column {
    let because = |word, reason: &Reason| Column {
        word,
        reason: Some(reason.finding.label()),
        because: reason.finding.text(),
    };
    match verdict {
        Verdict::Proven(_) => Column { word: Word::Proven, reason: None, because: "" },
        Verdict::Unproven(reason) => because(Word::Unproven, reason),
        Verdict::Refuted(reason) => because(Word::Refuted, reason),
        Verdict::Undetermined(reason) => because(Word::Undetermined, reason),
    }
}

/// What it means that nothing was presented.
fn unseen(why: &Unseen) -> Column {
    let word = match why {
        Unseen::Delegation(Unresolved::Bogus)
        | Unseen::Addresses(Unresolved::Bogus)
        | Unseen::Tlsa(Unresolved::Bogus) => Word::Refuted,
        Unseen::Addresses(Unresolved::NotFound | Unresolved::Declined) => Word::Absent,
        // Nobody may be sent there, so nobody ever sees a proof.
        Unseen::Addresses(Unresolved::Forbidden) => Word::Unproven,
        Unseen::Refused(_) | Unseen::Foreign(_) | Unseen::NoTls(_) | Unseen::Handshake(_) => {
            Word::Unproven
        }
        Unseen::Delegation(_)
        | Unseen::Addresses(_)
        | Unseen::Tlsa(_)
        | Unseen::Unreached(_)
        | Unseen::Silent
        | Unseen::Closed => Word::Undetermined,
    };
    Column { word, reason: Some(why.label()), because: why.text() }
}

/// Judges one thing that is required of every place.
fn fulfilled(survey: &Survey, rows: &[Option<Row>], requirement: Requirement) -> Column {
    if requirement == Requirement::Dnssec {
        let srv = survey.starttls.state.max(survey.direct_tls.state);
        let addresses = survey.targets.iter().map(|it| it.addresses.state);
        return match addresses.fold(srv, State::max) {
            State::Secure => Column { word: Word::Proven, reason: None, because: "" },
            State::Insecure => Column {
                word: Word::Unproven,
                reason: Some("dns.insecure"),
                because: "SRV or address records are not signed",
            },
            State::Indeterminate => undetermined(Finding::DnsFailure),
            State::Bogus => refuted(Finding::DnsBogus),
        };
    }
    let columns = rows.iter().map(|row| match (row, requirement) {
        (None, _) | (_, Requirement::Dnssec) => undetermined(Finding::NoCertificate),
        (Some(row), Requirement::Dane) => row.dane,
        (Some(row), Requirement::Posh) => row.posh,
        (Some(row), Requirement::Pkix) => row.pkix,
    });
    let worst = columns.reduce(|worst, it| if worst.word < it.word { it } else { worst });
    worst.unwrap_or_else(|| undetermined(Finding::NoCertificate))
}

fn undetermined(finding: Finding) -> Column {
    Column { word: Word::Undetermined, reason: Some(finding.label()), because: finding.text() }
}

fn refuted(finding: Finding) -> Column {
    Column { word: Word::Refuted, reason: Some(finding.label()), because: finding.text() }
}

#[cfg(test)]
mod tests;

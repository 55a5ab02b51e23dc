//! Whether one domain's server would be believed by another's, and the other by the one.

use ligase_verifier::{Domain, Examination, Prooftype, Verdict};

use super::certificate::Usage;
use super::facts::{Subject, Target, Unseen};
use super::findings::{Finding, Id, Severity};
use super::judgment::{Column, Word, column};
use super::report::Report;
use super::survey::Surveyor;

/// One direction: `from` opens a stream to `to`.
#[derive(Debug)]
pub(super) struct Pair {
    /// Who opens the stream.
    pub(super) from: Domain,
    /// To whom.
    pub(super) to: Domain,
    /// What `from` makes of what `to` presents.
    pub(super) target: Column,
    /// By what, if that is proven.
    pub(super) target_prooftype: Option<Prooftype>,
    /// What `to` makes of what `from` presents, if that is what its own server presents.
    pub(super) sender: Column,
    /// By what, if that is proven.
    pub(super) sender_prooftype: Option<Prooftype>,
    /// Whether the server of `to` says that it does not serve the domain.
    pub(super) is_foreign: bool,
    /// Whether `to` offers to ask `from`'s own server instead (dialback), if it said.
    pub(super) dialback: Option<bool>,
    /// All of it in sentences.
    pub(super) findings: Vec<Finding>,
}

impl Pair {
    /// Whether a stream would come about on which both are proven, or dialback vouches for the
    /// sender; unless that could not be found out.
    pub(super) fn works(&self) -> Option<bool> {
        match (self.target.word, self.sender.word) {
            _ if self.is_foreign => Some(false),
            (Word::Proven, Word::Proven) => Some(true),
            (Word::Proven, Word::Unproven | Word::Absent) => self.dialback,
            (Word::Undetermined, _) | (Word::Proven, Word::Undetermined) => None,
            (Word::Absent | Word::Unproven | Word::Refuted, _) | (_, Word::Refuted) => Some(false),
        }
    }
}

/// Both directions between two domains that were surveyed.
pub(super) async fn pairs(surveyor: &Surveyor, one: &Report, other: &Report) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for (from, to) in [(one, other), (other, one)] {
        pairs.extend(pair(surveyor, from, to).await);
    }
    pairs
}

async fn pair(surveyor: &Surveyor, from: &Report, to: &Report) -> Option<Pair> {
    let (Subject::Domain(sender), Subject::Domain(target)) =
        (&from.survey.subject, &to.survey.subject)
    else {
        return None;
    };
    let presented = from.survey.targets.iter().find_map(Target::sight).map(|it| &it.presented);
    let shown = match presented {
        Some(presented) => Some(surveyor.examine_as_client(sender, presented.clone()).await),
        None => None,
    };
    let usage = presented.map(Usage::of);
    Some(compose(sender, target, to, shown.as_ref(), usage))
}

/// What it comes to.
fn compose(
    from: &Domain,
    to: &Domain,
    report: &Report,
    shown: Option<&Examination>,
    usage: Option<Usage>,
) -> Pair {
    let unseen = Column {
        word: Word::Undetermined,
        reason: Some("check.unseen"),
        because: "what it presents could not be seen",
    };
    let sender = shown.map_or(unseen, |it| column(&it.verdict));
    let sender_prooftype = shown.and_then(|it| match &it.verdict {
        Verdict::Proven(association) => Some(association.prooftype()),
        Verdict::Unproven(_) | Verdict::Refuted(_) | Verdict::Undetermined(_) => None,
    });
    let mut streams = report.survey.targets.iter().filter_map(|it| Some(&it.sight()?.stream));
    let mut ends = streams.clone().filter_map(|stream| stream.as_ref().err());
    let is_foreign = ends.any(Unseen::is_foreign);
    let dialback = streams.next().and_then(|stream| match stream {
        Ok(greeting) => Some(greeting.features.dialback),
        // Whoever shows none that is good is met like whoever shows none.
        Err(why) => why.wants_certificate().then_some(false),
    });
    let mut pair = Pair {
        from: from.clone(),
        to: to.clone(),
        target: report.judgment.verdict,
        target_prooftype: report.judgment.prooftype,
        sender,
        sender_prooftype,
        is_foreign,
        dialback,
        findings: Vec::new(),
    };
    pair.findings = findings(&pair, usage);
    pair
}

fn findings(pair: &Pair, usage: Option<Usage>) -> Vec<Finding> {
    let (from, to) = (pair.from.ascii(), pair.to.ascii());
    let mut found = Vec::new();
    found.push(match (pair.target_prooftype, pair.target.word) {
        _ if pair.is_foreign => {
            let text = format!("the server of {to} says that it does not serve {to}");
            Finding::new(Id::F01, Severity::Fail, &text)
        }
        (Some(prooftype), Word::Proven) => {
            let text = format!("{to} is proven to {from} by {prooftype}");
            Finding::new(Id::F01, Severity::Ok, &text)
        }
        (_, word) => {
            // A refuted peer has been caught out, and an absent one is nowhere.
            let rest = match word {
                Word::Unproven => "; a server that is content with dialback goes on all the same",
                Word::Proven | Word::Refuted | Word::Undetermined | Word::Absent => "",
            };
            let (word, because) = (word.as_str(), pair.target.because);
            let text = format!("{to} is {word} to {from}: {because}{rest}");
            Finding::new(Id::F01, Severity::Fail, &text)
        }
    });
    found.push(match (pair.sender_prooftype, pair.sender.word) {
        (Some(prooftype), _) => {
            let text = format!(
                "{from} is proven to {to} by {prooftype}, if it shows the certificate that its own \
                 server shows"
            );
            Finding::new(Id::F01, Severity::Ok, &text)
        }
        (None, Word::Unproven | Word::Absent) => {
            let rest = match pair.dialback {
                Some(true) => "it is let in by dialback, unless the policy there asks for a proof",
                Some(false) => "and dialback is not offered",
                None => "and whether dialback is offered could not be seen",
            };
            let text = format!("{from} is not proven to {to}: {}; {rest}", pair.sender.because);
            let offered = pair.dialback == Some(true);
            let severity = if offered { Severity::Warn } else { Severity::Fail };
            Finding::new(Id::F02, severity, &text)
        }
        (None, word) => {
            let text = format!("{from} is {} to {to}: {}", word.as_str(), pair.sender.because);
            let refuted = word == Word::Refuted;
            Finding::new(Id::F02, if refuted { Severity::Fail } else { Severity::Warn }, &text)
        }
    });
    if usage == Some(Usage::Server) {
        let text = format!(
            "the certificate of {from} is serverAuth only: if {to} runs ejabberd before 25.08 or \
             the like, EXTERNAL fails and dialback is used"
        );
        found.push(Finding::new(Id::C07, Severity::Info, &text));
    }
    found
}

#[cfg(test)]
mod tests;

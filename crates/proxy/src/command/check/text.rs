//! Reports for people.

use std::fmt::Write as _;

use ligase_verifier::Service;

use super::facts::{Subject, Target};
use super::findings::{Finding, Severity};
use super::judgment::{Column, Row, Word};
use super::pair::Pair;
use super::report::{Report, Tally};
use crate::args::{Exit, VERSION};
use crate::command::paint::{Color, paint};
use crate::command::printable::printable;

/// How reports look.
#[derive(Clone, Debug)]
pub(super) struct Look {
    /// Whether whoever reads them likes color.
    pub(super) colored: bool,
    /// The DNS servers that were asked.
    pub(super) servers: String,
}

impl Look {
    /// Everything about a domain.
    pub(super) fn report(&self, report: &Report) -> String {
        let mut text = String::new();
        let took = report.survey.took.as_secs_f64();
        let service = match report.survey.service {
            Service::Server => "",
            Service::Client => "client service, ",
        };
        let name = self.paint(Color::Bold, &printable(report.survey.subject.text(), NAME_MAX));
        // Writing into a String cannot fail.
        let _ = writeln!(
            text,
            "{name}  ({service}ligase {VERSION}, resolver {}, {took:.1} s)",
            self.servers
        );
        let mut group = "";
        for finding in &report.findings {
            let shown = if finding.id.group() == group { "" } else { finding.id.group() };
            group = finding.id.group();
            self.finding(&mut text, shown, finding);
        }
        let mut heading = "proof";
        for (target, row) in report.survey.targets.iter().zip(&report.judgment.rows) {
            if let Some(row) = row {
                self.row(&mut text, heading, target, row);
                heading = "";
            }
        }
        let _ = writeln!(text, "{}", self.verdict(report));
        let _ = writeln!(text, "{}", counts(report));
        text
    }

    /// A domain in a line, and what is at least so wrong with it.
    pub(super) fn short(&self, report: &Report, wrong: Severity) -> String {
        let mut text = format!("{}\n", self.in_a_line(report));
        for finding in report.findings.iter().filter(|it| wrong <= it.severity) {
            self.finding(&mut text, "", finding);
        }
        text
    }

    /// A domain in a line.
    fn in_a_line(&self, report: &Report) -> String {
        let name = printable(report.survey.subject.text(), NAME_MAX);
        let judgment = &report.judgment;
        match (judgment.prooftype, judgment.verdict.reason) {
            (Some(prooftype), _) => {
                format!("{name} {} by {prooftype}", self.word(judgment.verdict.word))
            }
            (None, Some(reason)) => {
                format!("{name} {} ({reason})", self.word(judgment.verdict.word))
            }
            (None, None) => format!("{name} {}", self.word(judgment.verdict.word)),
        }
    }

    fn finding(&self, text: &mut String, group: &str, finding: &Finding) {
        let color = match finding.severity {
            Severity::Ok => Color::Green,
            Severity::Info => Color::Dim,
            Severity::Warn => Color::Yellow,
            Severity::Fail => Color::Red,
        };
        // Padded before they are painted: colors have no width.
        let group = self.paint(Color::Cyan, &format!("{group:<10}"));
        let severity = self.paint(color, &format!("{:<4}", finding.severity.as_str()));
        let _ = writeln!(text, " {group} {severity}  {} {}", finding.id.as_str(), finding.text);
        for line in finding.fix.iter().flat_map(|it| it.lines()) {
            let _ = writeln!(text, "                    {}", self.paint(Color::Bold, line));
        }
    }

    /// What each prooftype says about a place, the winner first in its line.
    fn row(&self, text: &mut String, heading: &str, target: &Target, row: &Row) {
        let group = self.paint(Color::Cyan, &format!("{heading:<10}"));
        let by = row.prooftype.map(|it| format!(" by {it}")).unwrap_or_default();
        let transport = target.transport();
        let word = self.word(row.verdict.word);
        let _ = writeln!(text, " {group} {} {transport}: {word}{by}", target.place());
        for (name, column) in [("dane", row.dane), ("posh", row.posh), ("pkix", row.pkix)] {
            let _ = writeln!(text, "              {name} {}", self.column(column));
        }
    }

    fn column(&self, column: Column) -> String {
        let word = self.word(column.word);
        match column.reason {
            None => word,
            Some(reason) => format!("{word}: {} ({reason})", column.because),
        }
    }

    fn word(&self, word: Word) -> String {
        let color = match word {
            Word::Proven => Color::Green,
            Word::Undetermined | Word::Absent => Color::Yellow,
            Word::Unproven | Word::Refuted => Color::Red,
        };
        self.paint(color, word.as_str())
    }

    fn verdict(&self, report: &Report) -> String {
        let heading = self.paint(Color::Cyan, "verdict   ");
        let judgment = &report.judgment;
        let what = match (&report.survey.subject, judgment.prooftype) {
            (Subject::Domain(_), Some(prooftype)) => {
                let proven = self.word(Word::Proven);
                let rows = judgment.rows.iter().flatten();
                let all_alike = rows.clone().all(|it| it.prooftype == Some(prooftype));
                let also = if all_alike { "" } else { ", and by others elsewhere" };
                format!("{proven} by {prooftype}{also}")
            }
            (Subject::Domain(_) | Subject::Invalid(..), _) => self.column(judgment.verdict),
        };
        format!(" {heading} {what}")
    }

    /// Whether two domains would believe each other.
    pub(super) fn pair(&self, pair: &Pair) -> String {
        let mut text = String::new();
        let heading = format!("{} -> {}", pair.from.ascii(), pair.to.ascii());
        let word = match pair.works() {
            Some(true) => self.paint(Color::Green, "works"),
            Some(false) => self.paint(Color::Red, "does not work"),
            None => self.paint(Color::Yellow, "could not be tested"),
        };
        let _ = writeln!(text, "{}: {word}", self.paint(Color::Bold, &heading));
        for finding in &pair.findings {
            self.finding(&mut text, finding.id.group(), finding);
        }
        text
    }

    /// What all of it came to.
    pub(super) fn summary(&self, tally: &Tally, exit: Exit) -> String {
        let Tally { proven, unproven, untested, warnings, failures, .. } = tally;
        let (domains, exit) = (plural(tally.domains(), "domain"), exit.code());
        let (failures, warnings) = (plural(*failures, "failure"), plural(*warnings, "warning"));
        format!(
            "{domains}: {proven} proven, {unproven} not proven, {untested} could not be tested; \
             {failures}, {warnings}; not tested: whether others reach them from where they are; \
             exit {exit}\n"
        )
    }

    fn paint(&self, color: Color, text: &str) -> String {
        paint(color, text, self.colored)
    }
}

fn counts(report: &Report) -> String {
    let failures = plural(report.count(Severity::Fail), "failure");
    let warnings = plural(report.count(Severity::Warn), "warning");
    let ok = report.count(Severity::Ok);
    format!("{failures}, {warnings}, {ok} ok; not tested: {}", report.not_tested.join(", "))
}

fn plural(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}

/// What is no domain name may be longer than one.
const NAME_MAX: usize = 253;

#[cfg(test)]
mod tests;

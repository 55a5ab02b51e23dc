//! A survey with all that it comes to, before anybody prints it.

use super::facts::Survey;
use super::findings::{Finding, Severity, findings, not_tested};
use super::judgment::{Judgment, Word, judge};
use crate::args::{Exit, Requirement};

/// What there is to tell about one domain.
#[derive(Debug)]
pub(super) struct Report {
    /// What was found out.
    pub(super) survey: Survey,
    /// What it comes to.
    pub(super) judgment: Judgment,
    /// What is good and what is not, in the order of the checks.
    pub(super) findings: Vec<Finding>,
    /// What was not tested, a phrase each; never empty.
    pub(super) not_tested: Vec<String>,
}

impl Report {
    /// Makes something of a survey.
    pub(super) fn of(survey: Survey, required: &[Requirement]) -> Self {
        let judgment = judge(&survey, required);
        let findings = findings(&survey, &judgment);
        let not_tested = not_tested(&survey);
        Self { survey, judgment, findings, not_tested }
    }

    /// How many findings are of a severity.
    pub(super) fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|it| it.severity == severity).count()
    }
}

/// What several reports come to.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Tally {
    /// Domains that are proven.
    pub(super) proven: usize,
    /// Those that are not.
    pub(super) unproven: usize,
    /// Those of which it could not be found out.
    pub(super) untested: usize,
    /// Warnings, of all of them.
    pub(super) warnings: usize,
    /// Failures, of all of them.
    pub(super) failures: usize,
    /// Pairs of which one would not believe the other.
    pub(super) parted: usize,
}

impl Tally {
    /// Counts a report.
    pub(super) fn add(&mut self, report: &Report) {
        match report.judgment.verdict.word {
            Word::Proven => self.proven += 1,
            Word::Undetermined => self.untested += 1,
            Word::Absent | Word::Unproven | Word::Refuted => self.unproven += 1,
        }
        self.warnings += report.count(Severity::Warn);
        self.failures += report.count(Severity::Fail);
    }

    /// How many domains there were.
    pub(super) fn domains(&self) -> usize {
        self.proven + self.unproven + self.untested
    }

    /// How the command ends: 0 exactly if every domain is proven. What is known to be wrong comes
    /// before what is not known.
    pub(super) fn exit(&self, strict: bool) -> Exit {
        if 0 < self.unproven {
            Exit::Unproven
        } else if 0 < self.untested || self.proven == 0 {
            Exit::Untested
        } else if strict && 0 < self.warnings + self.failures + self.parted {
            Exit::Failed
        } else {
            Exit::Done
        }
    }
}

#[cfg(test)]
mod tests;

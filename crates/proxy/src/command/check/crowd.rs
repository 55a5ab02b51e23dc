//! Many domains, some at a time, told of in their order.

use std::collections::BTreeMap;
use std::io::{self, Write as _};

use tokio::task::JoinSet;

use super::findings::Severity;
use super::json;
use super::judgment::Word;
use super::pair::{Pair, pairs};
use super::progress::Progress;
use super::report::{Report, Tally};
use super::survey::Surveyor;
use super::text::Look;
use crate::args::{CheckOutput, Exit, Requirement};

/// All that is asked about some domains.
pub(super) struct Crowd {
    /// Who goes and looks.
    pub(super) surveyor: Surveyor,
    /// How the answer looks.
    pub(super) look: Look,
    /// Which form it has.
    pub(super) output: CheckOutput,
    /// What has to prove each.
    pub(super) required: Vec<Requirement>,
    /// The domain that each is to get on with.
    pub(super) peer: Option<String>,
    /// Whether warnings count.
    pub(super) strict: bool,
    /// Whether those that are proven are left out.
    pub(super) only_troubled: bool,
}

/// What has been told so far.
struct Told {
    tally: Tally,
    pairs: Vec<Pair>,
    /// Whether anybody still listens.
    heard: bool,
    first: bool,
}

impl Crowd {
    /// Checks them, prints what there is to print, and tells how it went.
    pub(super) async fn check(&self, domains: Vec<String>) -> Exit {
        let mut told =
            Told { tally: Tally::default(), pairs: Vec::new(), heard: true, first: true };
        if self.output == CheckOutput::Json {
            told.say(json::HEAD);
        }
        let peer = match &self.peer {
            None => None,
            Some(name) => {
                let survey = self.surveyor.survey(name).await;
                Some(Report::of(survey, &self.required))
            }
        };
        let surveyor = match peer.as_ref().map(|it| &it.survey.subject) {
            Some(super::facts::Subject::Domain(domain)) => self.surveyor.speaking_as(domain),
            Some(super::facts::Subject::Invalid(..)) | None => self.surveyor.clone(),
        };

        let mut progress = Progress::new(domains.len());
        let mut waiting = domains.into_iter().enumerate();
        let mut looking = JoinSet::new();
        let mut ready: BTreeMap<usize, Report> = BTreeMap::new();
        let (mut begun, mut next) = (0, 0);
        loop {
            // None may be so slow that all others have to be remembered until it is done.
            while looking.len() < AT_A_TIME && begun < next + AHEAD_MAX {
                let Some((number, domain)) = waiting.next() else { break };
                begun += 1;
                let (surveyor, required) = (surveyor.clone(), self.required.clone());
                looking.spawn(async move {
                    (number, Report::of(surveyor.survey(&domain).await, &required))
                });
            }
            let Tally { unproven, untested, .. } = told.tally;
            let (done, troubled) = (next + ready.len(), unproven + untested);
            let joined = progress.during(looking.join_next(), done, troubled).await;
            match joined {
                None => break,
                Some(Ok((number, report))) => {
                    ready.insert(number, report);
                }
                // One that ended by a fault of ours is not proven.
                Some(Err(_)) => told.tally.untested += 1,
            }
            while let Some((number, report)) = ready.pop_first() {
                if number != next && !looking.is_empty() && number - next < AHEAD_MAX {
                    ready.insert(number, report);
                    break;
                }
                next = number + 1;
                if let Some(peer) = &peer {
                    told.pairs.extend(pairs(&self.surveyor, &report, peer).await);
                }
                progress.clear();
                self.tell(&mut told, &report);
            }
            let Tally { unproven, untested, .. } = told.tally;
            progress.show(next + ready.len(), unproven + untested);
        }
        progress.clear();
        if let Some(peer) = &peer {
            self.tell(&mut told, peer);
        }
        self.end(&mut told)
    }

    fn tell(&self, told: &mut Told, report: &Report) {
        told.tally.add(report);
        let is_well = report.judgment.verdict.word == Word::Proven;
        if self.only_troubled && is_well {
            return;
        }
        let separator = match (told.first, self.output) {
            (true, _) | (_, CheckOutput::Short) => "",
            (_, CheckOutput::Text) if self.only_troubled => "",
            (false, CheckOutput::Text) => "\n",
            (false, CheckOutput::Json) => ",\n",
        };
        told.first = false;
        told.say(separator);
        told.say(&match self.output {
            _ if self.only_troubled => self.look.short(report, Severity::Fail),
            CheckOutput::Text => self.look.report(report),
            CheckOutput::Short => self.look.short(report, Severity::Warn),
            CheckOutput::Json => json::report(report),
        });
    }

    fn end(&self, told: &mut Told) -> Exit {
        told.tally.parted = told.pairs.iter().filter(|it| it.works() != Some(true)).count();
        let exit = told.tally.exit(self.strict);
        if self.output == CheckOutput::Json {
            let tail = json::tail(&told.pairs, &told.tally, exit);
            told.say(&tail);
            return exit;
        }
        for pair in std::mem::take(&mut told.pairs) {
            told.say("\n");
            told.say(&self.look.pair(&pair));
        }
        told.say(&match told.tally.domains() {
            // What there is to sum up has just been said.
            1 if self.output == CheckOutput::Text && !self.only_troubled => {
                format!("exit {}\n", exit.code())
            }
            _ => {
                let separator = if self.output == CheckOutput::Text { "\n" } else { "" };
                format!("{separator}{}", self.look.summary(&told.tally, exit))
            }
        });
        exit
    }
}

impl Told {
    fn say(&mut self, text: &str) {
        // Who has closed the pipe has read enough; the exit code is still the truth.
        self.heard = self.heard && io::stdout().lock().write_all(text.as_bytes()).is_ok();
    }
}

/// Domains that are looked at at a time.
const AT_A_TIME: usize = 32;

/// How far the fastest may be ahead of the slowest.
const AHEAD_MAX: usize = 512;

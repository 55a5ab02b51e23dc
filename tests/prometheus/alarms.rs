//! Alarms: which alerts are to be raised, by whom, and which have been.

use std::collections::BTreeSet;
use std::time::Duration;

use ligase_tests::OrFail;

use crate::files::rules;
use crate::watch::{Alarm, Watch, now};

/// An alert, how bad it is, and on which proxy it is staged.
pub(crate) type Staged = (&'static str, &'static str, &'static str);

/// Every alert for which a fault is staged.
pub(crate) const STAGED: [Staged; 24] = [
    ("LigaseDown", "critical", "benvolio"),
    ("LigaseNotReady", "warning", "benvolio"),
    ("LigaseBackendDown", "critical", "capulet"),
    ("LigaseConfigReloadFailed", "warning", "benvolio"),
    ("LigaseFdExhaustion", "warning", "benvolio"),
    ("LigaseDrainStuck", "warning", "montague"),
    ("LigaseFederationFailing", "critical", "montague"),
    ("LigaseFederationFailing", "warning", "montague"),
    ("LigaseBouncing", "warning", "montague"),
    ("LigaseDowngrades", "warning", "montague"),
    ("LigaseProofsFailing", "warning", "montague"),
    ("LigaseDialbackShareHigh", "info", "montague"),
    ("LigaseOwnTlsaMismatch", "critical", "benvolio"),
    ("LigaseOwnRecordsFailing", "warning", "benvolio"),
    ("LigaseSelfCheckStale", "warning", "benvolio"),
    ("LigaseCertificateExpirySoon", "warning", "benvolio"),
    ("LigaseCertificateExpiryCritical", "critical", "benvolio"),
    ("LigaseCertificateReloadFailed", "warning", "benvolio"),
    ("LigaseDnssecBogus", "warning", "montague"),
    ("LigaseResolverDown", "critical", "montague"),
    ("LigaseRedirectLoop", "critical", "benvolio"),
    ("LigaseChannelFlapping", "warning", "montague"),
    ("LigaseBackpressure", "warning", "montague"),
    ("LigaseQueueFilling", "warning", "montague"),
];

/// The alerts for which none can be, and why. That they speak is shown by promtool alone.
pub(crate) const UNSTAGED: [(&str, &str); 1] =
    [("LigasePanicked", "a mistake of ligase's own, which nothing from outside can bring about")];

/// What became of the alerts that were to be raised.
#[derive(Debug, Default)]
pub(crate) struct Alarms {
    raised: BTreeSet<Staged>,
    /// What was waited for in vain, and what was so instead.
    missed: Vec<String>,
}

impl Alarms {
    /// Waits until an alert fires where it is to. If it does not, that is told in the end: the other
    /// faults are worth a look as well.
    pub(crate) fn expect(&mut self, watch: &Watch, name: &str, severity: &str) {
        let of = |it: &&Staged| it.0 == name && it.1 == severity;
        let staged = STAGED.iter().find(of).or_fail(&format!("find {name} in the table"));
        let begun = now();
        let found = watch.wait(PATIENCE, |watch| {
            let firing = watch.firing();
            let is_it = |it: &&Alarm| (&*it.name, &*it.severity, &*it.instance) == *staged;
            let others = || {
                let others = firing.iter().map(|it| format!("{} of {}", it.name, it.instance));
                format!("{name} does not fire, but {}", others.collect::<Vec<_>>().join(", "))
            };
            firing.iter().find(is_it).cloned().ok_or_else(others)
        });
        let took = (now() - begun).as_secs_f32();
        println!("{took:.1} s: {}", found.as_ref().map_or_else(String::as_str, |it| &it.name));
        match found {
            Ok(alarm) if alarm.description.contains("<error") => {
                self.missed.push(alarm.description)
            }
            Ok(_) => {
                self.raised.insert(*staged);
            }
            Err(instead) => self.missed.push(instead),
        }
    }

    /// Every alert has been raised.
    pub(crate) fn assert_complete(&self) {
        assert!(self.missed.is_empty(), "{}", self.missed.join("\n"));
        assert_eq!(self.raised, STAGED.into_iter().collect());
    }
}

/// Longer than any fault takes to be seen: windows are of 20 seconds.
const PATIENCE: Duration = Duration::from_secs(45);

#[test]
fn a_fault_is_staged_for_every_alert() {
    let staged = STAGED.map(|(name, severity, _)| (name.to_owned(), severity.to_owned()));
    let mut told: BTreeSet<_> = staged.into_iter().collect();
    let mut unstaged = BTreeSet::new();
    for rule in rules() {
        let Some(alert) = rule.alert else { continue };
        if !told.remove(&(rule.name.clone(), alert.severity)) {
            unstaged.insert(rule.name);
        }
    }
    assert_eq!(told, BTreeSet::new(), "there are no such alerts");
    let reasons = UNSTAGED.map(|(name, reason)| {
        assert!(!reason.is_empty(), "{name}");
        name.to_owned()
    });
    assert_eq!(unstaged, reasons.into_iter().collect());
}

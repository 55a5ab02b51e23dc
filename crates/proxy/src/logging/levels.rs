use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;

use super::OURS;
use crate::config::LogLevel;

/// How much is logged of what: as the configuration says, and as somebody has asked for besides.
#[derive(Clone, Debug)]
pub struct Levels {
    configured: LogLevel,
    everything: Option<Asked>,
    /// By target; no more of them than there are targets.
    targets: BTreeMap<&'static str, Asked>,
}

/// What somebody wants to be logged.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Order {
    /// How much.
    pub level: LogLevel,
    /// Of what, of [`TARGETS`]; of everything, if there is none.
    pub target: Option<&'static str>,
    /// For how long; until the configuration is read again, if nothing is said.
    pub lasts: Option<Duration>,
}

/// What was asked for, until it ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Asked {
    /// How much.
    pub level: LogLevel,
    /// When the configuration has its say again; at its next reading, if nothing is known.
    pub ends: Option<Instant>,
}

impl Levels {
    /// What the configuration says, and nothing else.
    pub fn new(configured: LogLevel) -> Self {
        Self { configured, everything: None, targets: BTreeMap::new() }
    }

    /// Does as somebody wants, from `now` on.
    pub fn order(&mut self, order: &Order, now: Instant) {
        let ends = order.lasts.and_then(|lasts| now.checked_add(lasts));
        let asked = Asked { level: order.level, ends };
        match order.target {
            None => self.everything = Some(asked),
            Some(target) => drop(self.targets.insert(target, asked)),
        }
    }

    /// Does as the configuration says, but for what was asked for with an end: somebody is looking.
    pub fn configure(&mut self, configured: LogLevel) {
        self.configured = configured;
        self.keep(|asked| asked.ends.is_some());
    }

    /// Forgets what has ended by `now`; whether there was anything.
    pub fn expire(&mut self, now: Instant) -> bool {
        let count = |it: &Self| it.targets.len() + usize::from(it.everything.is_some());
        let before = count(self);
        self.keep(|asked| asked.ends.is_none_or(|ends| now < ends));
        count(self) < before
    }

    /// When something ends next.
    pub fn next_end(&self) -> Option<Instant> {
        self.everything.iter().chain(self.targets.values()).filter_map(|asked| asked.ends).min()
    }

    /// What the configuration says.
    pub fn configured(&self) -> LogLevel {
        self.configured
    }

    /// What was asked for of everything.
    pub fn everything(&self) -> Option<Asked> {
        self.everything
    }

    /// How much is logged of whatever has no level of its own.
    pub fn level(&self) -> LogLevel {
        self.everything.map_or(self.configured, |asked| asked.level)
    }

    /// What was asked for of single targets.
    pub fn targets(&self) -> &BTreeMap<&'static str, Asked> {
        &self.targets
    }

    fn keep(&mut self, keeps: impl Fn(&Asked) -> bool) {
        self.everything = self.everything.filter(|asked| keeps(asked));
        self.targets.retain(|_, asked| keeps(asked));
    }

    /// What is let through: ours as the level says, and one degree less of what our dependencies
    /// say, who talk to themselves.
    pub(super) fn filter(&self) -> Targets {
        // Names that peers chose stand in the messages of these, where only our own words may.
        let resolver = ["hickory_net", "hickory_proto", "hickory_resolver"];
        let mut filter = Targets::new()
            .with_default(theirs(self.level()))
            .with_target(OURS, ours(self.level()))
            .with_targets(resolver.map(|name| (name, LevelFilter::OFF)));
        for (target, asked) in &self.targets {
            let is_ours = target.starts_with(OURS);
            let level = if is_ours { ours(asked.level) } else { theirs(asked.level) };
            filter = filter.with_target(*target, level);
        }
        filter
    }
}

fn ours(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    }
}

fn theirs(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Error | LogLevel::Warn => LevelFilter::ERROR,
        LogLevel::Info => LevelFilter::WARN,
        LogLevel::Debug => LevelFilter::INFO,
        LogLevel::Trace => LevelFilter::DEBUG,
    }
}

/// Of what more or less can be logged than of the rest: all that is ours, its parts, and the
/// library that speaks TLS.
pub const TARGETS: [&str; 11] = [
    OURS,
    "ligase::admin",
    "ligase::app",
    "ligase::binding",
    "ligase::capture",
    "ligase::connection",
    "ligase::establish",
    "ligase::net",
    "ligase::stream",
    "ligase::verifier",
    "rustls",
];

#[cfg(test)]
mod tests;

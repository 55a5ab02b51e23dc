//! The rules by iptables, for both families one after the other.

use std::fs;
use std::path::Path;

use super::program::{refused, run, succeed};
use super::{Error, stands};
use crate::capture::rules::{CHAINS, Chain, Rules};

/// One kind of iptables: the programs for both families.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Kind {
    v4: Family,
    v6: Family,
}

/// The programs for one family of addresses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Family {
    tables: &'static str,
    restore: &'static str,
    /// The file that names the tables of the old kind there are.
    old: &'static str,
}

/// Whatever `iptables` is on this machine.
pub(super) const USUAL: Kind = Kind {
    v4: Family { tables: "iptables", restore: "iptables-restore", old: OLD_V4 },
    v6: Family { tables: "ip6tables", restore: "ip6tables-restore", old: OLD_V6 },
};

/// That which speaks to kernels without nftables.
pub(super) const LEGACY: Kind = Kind {
    v4: Family { tables: "iptables-legacy", restore: "iptables-legacy-restore", old: OLD_V4 },
    v6: Family { tables: "ip6tables-legacy", restore: "ip6tables-legacy-restore", old: OLD_V6 },
};

impl Kind {
    /// Puts the rules in place for both families. If one refuses, nothing is captured for the
    /// other either that was not captured before.
    pub(super) async fn apply(self, rules: &Rules) -> Result<(), Error> {
        let mut families = Vec::new();
        for family in self.families() {
            let input = rules.iptables(&family.led_to().await?);
            let restore = [&RESTORE[..], &["--test"]].concat();
            succeed(family.restore, &restore, &input).await?;
            families.push((family, input));
        }
        let mut new = Vec::new();
        for (family, input) in families {
            let was_there = family.is_there().await?;
            if let Err(error) = succeed(family.restore, &RESTORE, &input).await {
                for family in new {
                    Family::remove(family).await?;
                }
                return Err(error);
            }
            new.extend((!was_there).then_some(family));
        }
        self.counts(rules).await.map(drop)
    }

    pub(super) async fn remove(self) -> Result<(), Error> {
        for family in self.families() {
            family.remove().await?;
        }
        Ok(())
    }

    /// What each rule has counted in both families together, if they all stand as they should, and
    /// no others beside them.
    pub(super) async fn counts(self, rules: &Rules) -> Result<Vec<u64>, Error> {
        let mut sums: Vec<u64> = Vec::new();
        for family in self.families() {
            let counts = family.counts(rules).await?;
            sums.resize(counts.len(), 0);
            sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
        Ok(sums)
    }

    /// Whether there is anything of ours, be it right or wrong.
    pub(super) async fn is_there(self) -> Result<bool, Error> {
        for family in self.families() {
            if family.is_there().await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A kernel without IPv6 is without its tables. One that has it must have them: what cannot be
    /// captured would pass by us.
    fn families(self) -> impl Iterator<Item = Family> {
        let has_v6 = Path::new("/proc/net/if_inet6").exists();
        [Some(self.v4), has_v6.then_some(self.v6)].into_iter().flatten()
    }
}

impl Family {
    async fn counts(self, rules: &Rules) -> Result<Vec<u64>, Error> {
        let (mut found, mut counts) = (Vec::new(), Vec::new());
        for Chain { base, ours, .. } in &CHAINS {
            let lead = format!("-A {base} -j {ours}");
            let led = self.table(&["-S", base]).await?;
            // Whoever stands before us may have turned a connection already.
            if led.lines().find(|line| line.starts_with("-A")) != Some(lead.as_str()) {
                return Err(Error::Missing(format!("{lead} (the first in {})", self.tables)));
            }
            for line in
                self.table(&["-v", "-S", ours]).await?.lines().filter(|line| line.starts_with("-A"))
            {
                let (line, count) = without_count(line);
                found.push(line);
                counts.extend(count);
            }
        }
        let found: Vec<_> = found.iter().map(String::as_str).collect();
        let expected = rules.iptables_rules();
        stands(&found, &expected.iter().map(String::as_str).collect::<Vec<_>>())?;
        Ok(counts)
    }

    async fn remove(self) -> Result<(), Error> {
        if !self.may_have_any() {
            return Ok(());
        }
        let led = self.led_to().await?;
        for chain in &CHAINS {
            if led.contains(&chain) {
                self.table(&["-D", chain.base, "-j", chain.ours]).await?;
            }
            if self.succeeds(&["-S", chain.ours]).await? {
                self.table(&["-F", chain.ours]).await?;
                self.table(&["-X", chain.ours]).await?;
            }
        }
        Ok(())
    }

    async fn is_there(self) -> Result<bool, Error> {
        if !self.may_have_any() {
            return Ok(false);
        }
        for chain in &CHAINS {
            if self.succeeds(&["-S", chain.ours]).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Those of our chains that something leads to already.
    async fn led_to(self) -> Result<Vec<&'static Chain>, Error> {
        let mut led = Vec::new();
        for chain in &CHAINS {
            // Nothing can lead to a chain that is not there, nor be asked whether it does.
            if self.succeeds(&["-S", chain.ours]).await?
                && self.succeeds(&["-C", chain.base, "-j", chain.ours]).await?
            {
                led.push(chain);
            }
        }
        Ok(led)
    }

    /// Whether there may be rules of ours. Only to ask the old kind would make its tables, and its
    /// programs are known by their names.
    fn may_have_any(self) -> bool {
        !self.tables.ends_with("-legacy")
            || fs::read_to_string(self.old).is_ok_and(|it| it.lines().any(|table| table == "nat"))
    }

    /// Runs a command on the table of address translations.
    async fn table(self, arguments: &[&str]) -> Result<String, Error> {
        succeed(self.tables, &on_table(arguments), "").await
    }

    /// Whether iptables finds what it is asked for. That it could not look is no answer.
    async fn succeeds(self, arguments: &[&str]) -> Result<bool, Error> {
        let done = run(self.tables, &on_table(arguments), "").await?;
        match done.status.code() {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            _ => Err(refused(self.tables, &done)),
        }
    }
}

fn on_table<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [&["--wait", WAIT, "-t", "nat"], arguments].concat()
}

/// A rule as `iptables -v -S` lists it, without what it has counted, and how many packets that
/// is: in this table, one for each connection.
pub(super) fn without_count(line: &str) -> (String, Option<u64>) {
    let words: Vec<_> = line.split_whitespace().collect();
    let Some(at) = words.iter().position(|word| *word == "-c") else {
        return (line.to_owned(), None);
    };
    let count = words.get(at + 1).and_then(|it| it.parse().ok());
    let rest = words.iter().take(at).chain(words.iter().skip(at + 3));
    (rest.copied().collect::<Vec<_>>().join(" "), count)
}

const RESTORE: [&str; 3] = ["--noflush", "--wait", WAIT];

/// Seconds to wait for another program that holds the tables.
const WAIT: &str = "5";

const OLD_V4: &str = "/proc/net/ip_tables_names";
const OLD_V6: &str = "/proc/net/ip6_tables_names";

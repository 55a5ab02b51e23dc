//! The rules by `nft`, which knows both families in one transaction.

use super::program::succeed;
use super::{Error, stands};
use crate::capture::rules::{NFT_REMOVE, Rules};

pub(super) async fn apply(rules: &Rules) -> Result<(), Error> {
    succeed(NFT, &["-f", "-"], &rules.nft()).await?;
    counts(rules).await.map(drop)
}

pub(super) async fn remove() -> Result<(), Error> {
    succeed(NFT, &["-f", "-"], NFT_REMOVE).await.map(drop)
}

/// What each rule has counted, if they all stand as they should, and no others beside them.
pub(super) async fn counts(rules: &Rules) -> Result<Vec<u64>, Error> {
    let found = succeed(NFT, &LIST, "").await?;
    let (found, counts) = without_counts(&found);
    stands(&lines(&found), &lines(&rules.nft_table()))?;
    Ok(counts)
}

/// Whether there is anything of ours, be it right or wrong.
pub(super) async fn is_there() -> Result<bool, Error> {
    match succeed(NFT, &LIST, "").await {
        Ok(_) => Ok(true),
        Err(Error::Refused { said, .. }) if said.contains(NOT_THERE) => Ok(false),
        Err(error) => Err(error),
    }
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
}

/// A listing without what was counted, and that.
pub(super) fn without_counts(listing: &str) -> (String, Vec<u64>) {
    let (mut text, mut counts) = (String::new(), Vec::new());
    for line in listing.lines() {
        let mut words = line.split_whitespace();
        let mut kept = Vec::new();
        while let Some(word) = words.next() {
            match word {
                "packets" => counts.extend(words.next().and_then(|it| it.parse::<u64>().ok())),
                "bytes" => drop(words.next()),
                _ => kept.push(word),
            }
        }
        text.push_str(&kept.join(" "));
        text.push('\n');
    }
    (text, counts)
}

const NFT: &str = "nft";

/// What it says of a table that is not there. Any other refusal is no answer.
const NOT_THERE: &str = "No such file or directory";

/// Priorities and protocols as the numbers that they are.
const LIST: [&str; 6] = ["-y", "-p", "list", "table", "inet", "ligase"];

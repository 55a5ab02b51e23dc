use std::fmt::Display;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::trouble::{Result, While};

/// The stanzas that came to a house, and whoever waits for one.
#[derive(Debug)]
pub(super) struct Ears(watch::Sender<Vec<String>>);

impl Ears {
    /// Ears that heard nothing yet.
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(Vec::new()))
    }

    /// Keeps a stanza.
    pub(super) fn keep(&self, stanza: &[u8]) {
        let text = String::from_utf8_lossy(stanza).into_owned();
        self.0.send_modify(|heard| {
            if heard.len() < HEARD_MAX {
                heard.push(text);
            }
        });
    }

    /// Waits for a stanza with this text in it: the stanza.
    pub(super) async fn hear(&self, text: &str, at: impl Display) -> Result<String> {
        let mut heard = self.0.subscribe();
        let is_it = |it: &&String| it.contains(text);
        let found = timeout(PATIENCE, heard.wait_for(|all| all.iter().any(|it| is_it(&it)))).await;
        let doing = &format!("hear {text:?} at {at}");
        let all = found.or_trouble(doing)?.or_trouble(doing)?;
        Ok(all.iter().find(is_it).cloned().unwrap_or_default())
    }

    /// Everything that was ever heard.
    pub(super) fn heard(&self) -> Vec<String> {
        self.0.borrow().clone()
    }
}

/// Stanzas that are kept. The demo says a handful; with `--stay` others may say more.
const HEARD_MAX: usize = 1000;

/// Longer than a message takes that has to open all its connections first.
const PATIENCE: Duration = Duration::from_secs(10);

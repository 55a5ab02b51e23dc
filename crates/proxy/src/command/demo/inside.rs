use std::net::SocketAddr;

use super::ears::Ears;
use super::installed::Installed;
use super::server::{Line, Server};
use super::trouble::Result;

/// The server in a house, one of ours or one that is installed.
#[derive(Debug)]
pub(super) enum Inside {
    /// One of ours, and its stream to the other house.
    Old(Server, Option<Box<Line>>),
    /// One that is installed.
    Installed(Box<Installed>),
}

impl Inside {
    /// Where other servers reach it.
    pub(super) fn address(&self) -> SocketAddr {
        match self {
            Self::Old(server, _) => server.address,
            Self::Installed(server) => server.address,
        }
    }

    /// What it is, for the story.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Old(..) => "a server of old",
            Self::Installed(server) => server.name(),
        }
    }

    /// Changes whom it asks about other domains, and has it forget what it was told; nothing else
    /// of it is ever changed.
    pub(super) async fn ask_at(&mut self, resolver: SocketAddr) -> Result<()> {
        match self {
            Self::Old(server, line) => {
                *line = None;
                server.ask_at(resolver);
                Ok(())
            }
            Self::Installed(server) => server.ask_at(resolver).await,
        }
    }

    /// Sends a message from somebody at home.
    pub(super) async fn say(&mut self, from: &str, to: &str, body: &str) -> Result<()> {
        let said = message(from, to, body);
        match self {
            Self::Old(server, line) => {
                let remote = to.split_once('@').map_or(to, |(_, domain)| domain);
                let line = match line {
                    Some(line) => line,
                    None => line.insert(Box::new(server.call(remote).await?)),
                };
                line.send(&said).await
            }
            Self::Installed(server) => server.send(&said).await,
        }
    }

    /// Waits for a stanza with this text in it: the stanza.
    pub(super) async fn hear(&self, text: &str) -> Result<String> {
        self.ears().hear(text, self.name()).await
    }

    /// Everything that came, and was taken for true.
    pub(super) fn heard(&self) -> Vec<String> {
        self.ears().heard()
    }

    fn ears(&self) -> &Ears {
        match self {
            Self::Old(server, _) => server.ears(),
            Self::Installed(server) => server.ears(),
        }
    }
}

/// A message. What the demo says has no character that XML would have to escape.
pub(super) fn message(from: &str, to: &str, body: &str) -> String {
    format!("<message type='chat' from='{from}' to='{to}'><body>{body}</body></message>")
}

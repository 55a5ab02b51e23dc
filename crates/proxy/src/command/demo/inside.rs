use std::collections::HashMap;
use std::net::SocketAddr;

use super::ears::Ears;
use super::installed::Installed;
use super::server::{Line, Server};
use super::trouble::Result;

/// The server in a house, one of ours or one that is installed.
#[derive(Debug)]
pub(super) enum Inside {
    /// One of ours, and its streams from one domain to another.
    Old(Server, HashMap<(String, String), Line>),
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
            Self::Old(server, lines) => {
                lines.clear();
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
            Self::Old(server, lines) => {
                let pair = (domain(from).to_owned(), domain(to).to_owned());
                if !lines.contains_key(&pair) {
                    let line = server.call(&pair.0, &pair.1).await?;
                    lines.insert(pair.clone(), line);
                }
                match lines.get_mut(&pair) {
                    Some(line) => line.send(&said).await,
                    None => Ok(()),
                }
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

/// The domain of an address.
fn domain(address: &str) -> &str {
    address.split_once('@').map_or(address, |(_, domain)| domain)
}

/// A message. What the demo says has no character that XML would have to escape.
pub(super) fn message(from: &str, to: &str, body: &str) -> String {
    format!("<message type='chat' from='{from}' to='{to}'><body>{body}</body></message>")
}

use hickory_resolver::proto::op::{Message, Query};
use hickory_resolver::proto::rr::{Name, RData, RecordType};

use super::upstream::{Upstream, Wish};
use super::{Failure, Security, Step, negative_lifetime, records_at};

/// Takes a server's word for what is secure, if the server is on this machine.
pub(super) struct Trusting {
    upstream: Upstream,
    /// Whether anybody's word is taken at all.
    believes: bool,
}

impl Trusting {
    pub(super) fn new(upstream: Upstream, believes: bool) -> Self {
        Self { upstream, believes }
    }

    /// Asks for one name.
    pub(super) async fn step(&self, name: &Name, kind: RecordType) -> Result<Step, Failure> {
        let query = Query::query(name.clone(), kind);
        match self.upstream.ask(&query, Wish::Word, false).await {
            Ok((message, server)) => {
                // Anybody on the path to a server elsewhere could set the bit (RFC 6840 §5.7).
                let is_believed = self.believes && server.ip().is_loopback();
                Ok(read(&message, name, kind, is_believed))
            }
            // Whether it is forged or lost shows when it is asked for without being checked.
            Err(Failure::Failed) => match self.upstream.ask(&query, Wish::Word, true).await {
                Ok(_) => Err(Failure::Bogus),
                Err(_) => Err(Failure::Failed),
            },
            Err(failure) => Err(failure),
        }
    }
}

fn read(message: &Message, name: &Name, kind: RecordType, is_believed: bool) -> Step {
    let security = match is_believed && message.metadata.authentic_data {
        true => Security::Secure,
        false => Security::Insecure,
    };
    let data = records_at(message, name, kind);
    if !data.is_empty() {
        return Step::Data(data.into_iter().cloned().collect(), security);
    }
    if let [alias] = records_at(message, name, RecordType::CNAME)[..]
        && let RData::CNAME(target) = &alias.data
    {
        return Step::Alias(target.0.clone(), security, alias.ttl);
    }
    Step::Nothing(security, negative_lifetime(message))
}

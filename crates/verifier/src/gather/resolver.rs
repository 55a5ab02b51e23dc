//! DNS over the network. Nothing outside knows which library speaks it.

mod anchors;
mod denial;
mod signed;
mod trusting;
mod upstream;
mod validating;
mod zones;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use hickory_resolver::proto::op::Message;
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use hickory_resolver::system_conf::read_system_conf;
use tokio::time::timeout;

use self::anchors::Anchors;
use self::signed::Effort;
use self::trusting::Trusting;
use self::upstream::Upstream;
use self::validating::Validating;
use super::{Answer, Data, Failure, Kind, Question, Records, Security};
use crate::evidence::Tlsa;
use crate::observation::Observer;
use crate::settings::{Dnssec, Servers, Settings, SetupError};

/// Asks DNS servers, and finds out how far their answers can be trusted.
pub(crate) struct Resolver {
    servers: Vec<SocketAddr>,
    patience: Duration,
    stub: Stub,
}

enum Stub {
    Validating(Box<Validating>),
    Trusting(Trusting),
}

/// What one exchange with a server taught us about a name.
enum Step {
    /// The name has these records.
    Data(Vec<Record>, Security),
    /// The name is an alias of this one.
    Alias(Name, Security, u32),
    /// The name has no such records, and that holds for so many seconds.
    Nothing(Security, u32),
}

impl Resolver {
    /// A resolver by the operator's settings, which tells of every query. Sends nothing yet.
    pub(crate) fn new(settings: &Settings, observer: Arc<Observer>) -> Result<Self, SetupError> {
        let servers = match &settings.servers {
            Servers::These(servers) => servers.clone(),
            Servers::System => system_servers(),
        };
        if servers.is_empty() {
            return Err(SetupError::NoServers);
        }
        let upstream = Upstream::new(servers.clone(), observer);
        let stub = match settings.dnssec {
            Dnssec::Validate => {
                let anchors = Anchors::load(settings.trust_anchor.as_deref())?;
                Stub::Validating(Box::new(Validating::new(upstream, anchors)))
            }
            Dnssec::TrustAd => Stub::Trusting(Trusting::new(upstream, true)),
            Dnssec::Off => Stub::Trusting(Trusting::new(upstream, false)),
        };
        Ok(Self { servers, patience: settings.limits.lookup_patience, stub })
    }

    /// Who is asked, in order.
    pub(crate) fn servers(&self) -> &[SocketAddr] {
        &self.servers
    }

    /// Looks up records, within the patience that was set.
    pub(crate) async fn look_up(&self, question: &Question, at: SystemTime) -> Answer {
        let answer = timeout(self.patience, self.resolve(question, at)).await;
        answer.unwrap_or(Err(Failure::TimedOut))
    }

    /// How many trust anchors validation starts at; none if we do not validate.
    pub(crate) fn trust_anchors(&self) -> usize {
        match &self.stub {
            Stub::Validating(stub) => stub.trust_anchors(),
            Stub::Trusting(_) => 0,
        }
    }

    async fn resolve(&self, question: &Question, at: SystemTime) -> Answer {
        let Ok(mut name) = Name::from_ascii(format!("{}.", question.name)) else {
            // Too long to exist (RFC 1035 §2.3.4).
            let (owner, expires) = (question.name.clone(), at + NEGATIVE_LIFETIME_MIN);
            return Ok(Records { data: Vec::new(), security: Security::Insecure, owner, expires });
        };
        let (kind, effort) = (record_type(question.kind), Effort::new());
        let (mut security, mut lifetime) = (Security::Secure, u32::MAX);
        for _ in 0..ALIASES_MAX {
            let step = match &self.stub {
                Stub::Validating(stub) => stub.step(&name, kind, at, &effort).await?,
                Stub::Trusting(stub) => stub.step(&name, kind).await?,
            };
            let (records, step_security, ttl) = match step {
                Step::Alias(target, step_security, ttl) => {
                    (security, lifetime) = (security.min(step_security), lifetime.min(ttl));
                    name = target;
                    continue;
                }
                Step::Data(records, security) => {
                    let ttl = records.iter().map(|it| it.ttl).min().unwrap_or(0);
                    (records, security, ttl)
                }
                Step::Nothing(security, ttl) => (Vec::new(), security, ttl),
            };
            let data = within_size(records.iter().filter_map(|it| data(&it.data)));
            if data.is_empty() && !records.is_empty() {
                return Err(Failure::Failed); // Too large to look at is not absent.
            }
            return Ok(Records {
                data,
                security: security.min(step_security),
                owner: text(&name),
                expires: at + Duration::from_secs(lifetime.min(ttl).into()),
            });
        }
        Err(Failure::Failed)
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver").field("servers", &self.servers).finish_non_exhaustive()
    }
}

fn system_servers() -> Vec<SocketAddr> {
    let Ok((config, _)) = read_system_conf() else {
        return Vec::new();
    };
    let mut servers = Vec::new();
    for server in config.name_servers() {
        let port = server.connections.first().map_or(53, |it| it.port);
        let address = SocketAddr::new(server.ip, port);
        if !servers.contains(&address) {
            servers.push(address);
        }
    }
    servers
}

fn record_type(kind: Kind) -> RecordType {
    match kind {
        Kind::Srv => RecordType::SRV,
        Kind::A => RecordType::A,
        Kind::Aaaa => RecordType::AAAA,
        Kind::Tlsa => RecordType::TLSA,
    }
}

/// The answers that are about this very name; servers, and forgers, may add others.
fn records_at<'a>(message: &'a Message, name: &Name, kind: RecordType) -> Vec<&'a Record> {
    let is_meant = |it: &&Record| it.record_type() == kind && it.name == *name;
    message.answers.iter().filter(is_meant).collect()
}

/// How long an absence may be believed (RFC 2308 §5).
fn negative_lifetime(message: &Message) -> u32 {
    let lifetime = |it: &Record| {
        let RData::SOA(soa) = &it.data else {
            return None;
        };
        Some(it.ttl.min(soa.minimum))
    };
    message.authorities.iter().find_map(lifetime).unwrap_or(0)
}

#[expect(clippy::wildcard_enum_match_arm, reason = "we ask for no other types")]
fn data(data: &RData) -> Option<Data> {
    match data {
        RData::SRV(srv) => Some(Data::Srv {
            priority: srv.priority,
            weight: srv.weight,
            port: srv.port,
            target: text(&srv.target),
        }),
        RData::A(address) => Some(Data::Address(IpAddr::V4(address.0))),
        RData::AAAA(address) => Some(Data::Address(IpAddr::V6(address.0))),
        RData::TLSA(tlsa) => Some(Data::Tlsa(Tlsa {
            usage: tlsa.cert_usage.into(),
            selector: tlsa.selector.into(),
            matching: tlsa.matching.into(),
            data: tlsa.cert_data.clone(),
        })),
        _ => None,
    }
}

/// As many records as we are willing to remember.
fn within_size(records: impl Iterator<Item = Data>) -> Vec<Data> {
    let mut size = 0;
    let fits = |it: &Data| {
        size += size_of::<Data>()
            + match it {
                Data::Srv { target, .. } => target.len(),
                Data::Tlsa(tlsa) => tlsa.data.len(),
                Data::Address(_) => 0,
            };
        size <= ANSWER_SIZE_MAX
    };
    records.take_while(fits).collect()
}

/// A name as questions write it.
fn text(name: &Name) -> String {
    let mut text = name.to_ascii().to_ascii_lowercase();
    if text.ends_with('.') {
        text.pop();
    }
    text
}

/// A chain of aliases longer than this is a loop or a joke; resolvers follow 8 to 16.
const ALIASES_MAX: usize = 9;

/// How much of an answer is kept. Real ones have a tenth of it; a peer's may have 64 KiB, and we
/// remember thousands.
const ANSWER_SIZE_MAX: usize = 8 * 1024;

/// How long it is remembered that a name cannot exist.
const NEGATIVE_LIFETIME_MIN: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests;

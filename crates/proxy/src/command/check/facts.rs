//! What was found out about a domain, before anybody makes anything of it.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, SystemTime};

use ligase_verifier::{
    Answer, Data, Domain, Endpoint, Examination, Failure, Fingerprint, InvalidDomain, Presented,
    Published, Security, Service, Tlsa, Transport, Unresolved,
};

use crate::net::dial::Unreached;
use crate::stream::{Condition, Features};

/// How far DNS records, or the lack of them, can be trusted; what comes later is worse.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum State {
    /// Signed, from the trust anchor down.
    Secure,
    /// Not signed, and known not to be.
    Insecure,
    /// Nobody answered; that is no absence.
    Indeterminate,
    /// Signed, and the signature does not hold.
    Bogus,
}

impl State {
    /// As JSON and people read it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Secure => "secure",
            Self::Insecure => "insecure",
            Self::Indeterminate => "indeterminate",
            Self::Bogus => "bogus",
        }
    }

    /// Whether there is an answer at all, be it that there is nothing.
    pub(super) fn is_known(self) -> bool {
        self <= Self::Insecure
    }
}

/// The records of one name and type; none and a known state is a known absence.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Rrset<T> {
    /// How far to trust them, or their absence.
    pub(super) state: State,
    /// The records.
    pub(super) records: Vec<T>,
    /// The name that the one asked about is an alias of, if it is.
    pub(super) alias: Option<String>,
}

impl<T> Rrset<T> {
    /// Reads an answer about a name; records of other types are left out.
    pub(super) fn read(answer: Answer, name: &str, read: impl Fn(Data) -> Option<T>) -> Self {
        match answer {
            Ok(found) => Self {
                state: match found.security {
                    Security::Secure => State::Secure,
                    Security::Insecure => State::Insecure,
                },
                records: found.data.into_iter().filter_map(read).collect(),
                alias: (found.owner != name).then_some(found.owner),
            },
            Err(failure) => Self {
                state: match failure {
                    Failure::Bogus => State::Bogus,
                    Failure::Failed | Failure::TimedOut => State::Indeterminate,
                },
                records: Vec::new(),
                alias: None,
            },
        }
    }

    /// Whether it is known that there are none.
    pub(super) fn is_absent(&self) -> bool {
        self.state.is_known() && self.records.is_empty()
    }
}

/// An SRV record (RFC 2782).
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Srv {
    /// Lower is tried first.
    pub(super) priority: u16,
    /// Share among those of the same priority.
    pub(super) weight: u16,
    /// TCP port.
    pub(super) port: u16,
    /// Host, without the final dot; empty if the service is decidedly not offered.
    pub(super) target: String,
}

/// Everything about one service of one domain.
#[derive(Debug)]
pub(super) struct Survey {
    /// The domain, or what was written in its place.
    pub(super) subject: Subject,
    /// Which of its services.
    pub(super) service: Service,
    /// Where it is offered by STARTTLS.
    pub(super) starttls: Rrset<Srv>,
    /// Where it is offered by TLS from the first byte.
    pub(super) direct_tls: Rrset<Srv>,
    /// The places to look at, in the order in which others try them.
    pub(super) targets: Vec<Target>,
    /// How many more places there are, which were not looked at.
    pub(super) targets_beyond: usize,
    /// What the domain's web server says; unless nobody was to be asked but DNS.
    pub(super) posh: Option<Published<Vec<Fingerprint>>>,
    /// Whether anybody was to be asked but DNS.
    pub(super) connects: bool,
    /// When it was found out.
    pub(super) at: SystemTime,
    /// How long that took.
    pub(super) took: Duration,
}

/// What a survey is about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Subject {
    /// A domain.
    Domain(Domain),
    /// Text that is none, and why.
    Invalid(String, InvalidDomain),
}

/// One place where the service is said to be.
#[derive(Debug)]
pub(super) struct Target {
    /// The place.
    pub(super) endpoint: Endpoint,
    /// Whether nothing says so but the lack of SRV records (RFC 6120 §3.2.2).
    pub(super) is_fallback: bool,
    /// Its addresses, both families, with the worse of their states.
    pub(super) addresses: Rrset<IpAddr>,
    /// Those of them that nobody is to be sent to.
    pub(super) forbidden: Vec<IpAddr>,
    /// The name that its TLSA records are, or would be, found under.
    pub(super) base: Domain,
    /// What stands there.
    pub(super) tlsa: Rrset<Tlsa>,
    /// What became of looking at it.
    pub(super) met: Met,
}

/// What became of looking at a place.
#[derive(Debug)]
pub(super) enum Met {
    /// Nobody was to be asked but DNS.
    Unasked,
    /// It presented no certificate. The verdicts are those about a server without one, if the lack
    /// is its own doing.
    Unseen(Unseen, Option<Box<Examination>>),
    /// It presented this.
    Seen(Box<Sight>),
}

/// Why there is no certificate to look at.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Unseen {
    /// DNS does not tell where the service is, so nobody may go there.
    Delegation(Unresolved),
    /// DNS does not tell where the host is.
    Addresses(Unresolved),
    /// DNS does not tell what the host may present (RFC 7673 §3.4).
    Tlsa(Unresolved),
    /// No connection could be made.
    Unreached(Unreached),
    /// It said nothing, or not enough, in the time it had.
    Silent,
    /// It hung up, for this reason if it gave one.
    Closed,
    /// It ended the stream with an error.
    Refused(Option<Condition>),
    /// It is no XMPP server, or not of this service.
    Foreign(&'static str),
    /// It does not do TLS.
    NoTls(&'static str),
    /// The handshake failed; these are the words of the library, about what the server sent.
    Handshake(String),
}

impl Unseen {
    /// Whether this is what the server does, rather than what the network does: asking again will
    /// not help.
    pub(super) fn is_definite(&self) -> bool {
        match self {
            Self::Refused(_) | Self::Foreign(_) | Self::NoTls(_) | Self::Handshake(_) => true,
            Self::Delegation(_)
            | Self::Addresses(_)
            | Self::Tlsa(_)
            | Self::Unreached(_)
            | Self::Silent
            | Self::Closed => false,
        }
    }

    /// Whether this is how a server ends a stream after TLS because it was shown no certificate:
    /// Prosody does so unless told otherwise.
    pub(super) fn wants_certificate(&self) -> bool {
        let Self::Refused(Some(condition)) = self else { return false };
        matches!(condition, Condition::NotAuthorized | Condition::PolicyViolation)
    }

    /// Whether this is how a server says that it does not serve the domain, whoever asks.
    pub(super) fn is_foreign(&self) -> bool {
        let Self::Refused(Some(condition)) = self else { return false };
        matches!(condition, Condition::HostUnknown | Condition::HostGone)
    }

    /// The reason in words, none of which a stranger chose.
    pub(super) fn text(&self) -> &'static str {
        match self {
            Self::Delegation(Unresolved::Bogus) => "SRV records failed DNSSEC validation",
            Self::Delegation(_) => "SRV records could not be had",
            Self::Addresses(Unresolved::NotFound) => "the host has no address",
            Self::Addresses(Unresolved::Bogus) => "its addresses failed DNSSEC validation",
            Self::Addresses(Unresolved::Forbidden) => "its addresses are nobody's on the Internet",
            Self::Addresses(_) => "its addresses could not be had",
            Self::Tlsa(Unresolved::Bogus) => "its TLSA records failed DNSSEC validation",
            Self::Tlsa(_) => "its TLSA records could not be had",
            Self::Unreached(why) => why.label(),
            Self::Silent => "it did not answer in time",
            Self::Closed => "it hung up",
            Self::Refused(Some(Condition::HostUnknown)) => "it does not serve the domain",
            Self::Refused(_) => "it ended the stream with an error",
            Self::Foreign(_) => "it does not speak XMPP as we do",
            Self::NoTls(why) => why,
            Self::Handshake(_) => "the TLS handshake failed",
        }
    }

    /// The reason as JSON gives it: one of a closed list.
    pub(super) fn label(&self) -> &'static str {
        match self {
            Self::Delegation(why) | Self::Addresses(why) | Self::Tlsa(why) => why.label(),
            Self::Unreached(Unreached::NoAddress) => "net.no_address",
            Self::Unreached(Unreached::Unreachable) => "net.unreachable",
            Self::Unreached(Unreached::TimedOut) | Self::Silent => "net.timeout",
            Self::Unreached(Unreached::Refused) => "net.refused",
            Self::Unreached(Unreached::Exhausted) => "net.exhausted",
            Self::Closed => "net.closed",
            Self::Refused(_) => "stream.error",
            Self::Foreign(_) => "stream.foreign",
            Self::NoTls(_) => "tls.none",
            Self::Handshake(_) => "tls.handshake",
        }
    }
}

/// What a server presented.
#[derive(Debug)]
pub(super) struct Sight {
    /// Where it answered.
    pub(super) address: SocketAddr,
    /// `1.3`, `1.2`.
    pub(super) tls: &'static str,
    /// The name that it was asked for (SNI).
    pub(super) asked_for: Domain,
    /// Its certificates.
    pub(super) presented: Presented,
    /// What each prooftype says about them.
    pub(super) examination: Examination,
    /// What it said after TLS.
    pub(super) stream: Result<Greeting, Unseen>,
}

/// How a server answered a stream header.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Greeting {
    /// What it offers.
    pub(super) features: Features,
    /// Whether it answers in the name of another domain.
    pub(super) is_other: bool,
}

impl Target {
    /// `xmpp.capulet.example:5269`.
    pub(super) fn place(&self) -> String {
        format!("{}:{}", self.endpoint.target.ascii(), self.endpoint.port)
    }

    /// How TLS begins there.
    pub(super) fn transport(&self) -> &'static str {
        match self.endpoint.transport {
            Transport::StartTls => "starttls",
            Transport::DirectTls => "direct-tls",
        }
    }

    /// What was seen there.
    pub(super) fn sight(&self) -> Option<&Sight> {
        match &self.met {
            Met::Seen(sight) => Some(sight),
            Met::Unasked | Met::Unseen(..) => None,
        }
    }

    /// What the prooftypes say of it.
    pub(super) fn examination(&self) -> Option<&Examination> {
        match &self.met {
            Met::Seen(sight) => Some(&sight.examination),
            Met::Unseen(_, examination) => examination.as_deref(),
            Met::Unasked => None,
        }
    }
}

impl Subject {
    /// The domain in A-labels, or what was written, which has to be escaped.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Domain(domain) => domain.ascii(),
            Self::Invalid(text, _) => text,
        }
    }
}

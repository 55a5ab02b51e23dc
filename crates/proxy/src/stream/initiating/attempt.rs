use ligase_verifier::Domain;

use crate::binding::{DomainPair, StreamId};

/// What a stream is opened for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Errand {
    /// To take this pair out.
    Carry(DomainPair),
    /// To ask the pair's sender, as its authoritative server, whether the key is its own for the
    /// stream of this id (XEP-0220 §2.1.2).
    Verify(DomainPair, StreamId, String),
    /// To see, as the pair's sender, which certificate its target presents, if it takes that of the
    /// sender.
    Look(DomainPair),
}

/// How a stream is opened.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Attempt {
    /// What for.
    pub errand: Errand,
    /// How we try to be let in.
    pub rung: Rung,
    /// The server that it is opened to, where it is a stream between servers.
    pub server: Option<Domain>,
    /// Whether it begins with a TLS handshake (XEP-0368).
    pub direct_tls: bool,
    /// Whether the sender domain has a certificate of its own, for the rung that shows it.
    pub better: bool,
}

/// How we try to be let in; each fails over to the next (draft-ietf-xmpp-dna-01 §7).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Rung {
    /// TLS, and a stream between servers, each by its own name.
    ServerName,
    /// TLS, and a stream between two domains, with our server's certificate; SASL EXTERNAL where
    /// that is offered, dialback where it is not or fails.
    DomainName,
    /// The same with the sender domain's own certificate.
    SenderCertificate,
    /// TLS and dialback.
    Dialback,
    /// Dialback in the clear.
    Plain,
}

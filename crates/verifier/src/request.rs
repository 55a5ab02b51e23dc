use std::time::SystemTime;

use crate::{Domain, Endpoint, Presented};

/// A question: does this peer speak for this domain?
#[derive(Clone, Debug)]
pub struct Request {
    /// Which of the domain's services the peer would speak for.
    pub service: Service,
    /// Which end of TLS the peer was.
    pub role: Role,
    /// The domain in question: the stream's `to` as we sent it, or the `from` that the peer asserts.
    /// Never the name in SNI, an address, or a name read from the certificate (RFC 6120 §13.7.2.1).
    pub domain: Domain,
    /// Whether the domain is the name of the peer's own server, the target of SRV records, and not
    /// of an XMPP domain that the server serves (draft-ietf-xmpp-dna-01 §2). It is measured by
    /// authorities and by its own TLSA records then; to what others delegate to it, and to
    /// documents on web servers, it has no part.
    pub is_server_name: bool,
    /// The endpoint that we connected to; `None` if it was the peer who connected.
    pub endpoint: Option<Endpoint>,
    /// What the peer presented in the TLS handshake, if anything.
    pub presented: Option<Presented>,
    /// The time at which the answer is to hold, which is now in all but tests.
    pub at: SystemTime,
}

/// A service that XMPP domains offer.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Service {
    /// Federation: server to server.
    Server,
    /// Access: client to server.
    Client,
}

impl Service {
    /// The service as SRV-IDs name it (RFC 4985, RFC 6120 §13.7.1.2.1).
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Server => "_xmpp-server",
            Self::Client => "_xmpp-client",
        }
    }

    /// The service over TLS from the first byte, as SRV records name it (XEP-0368).
    pub(crate) fn direct_tls_label(self) -> &'static str {
        match self {
            Self::Server => "_xmpps-server",
            Self::Client => "_xmpps-client",
        }
    }

    /// The port where there is no SRV record (RFC 6120 §3.2.2).
    pub fn port(self) -> u16 {
        match self {
            Self::Server => 5269,
            Self::Client => 5222,
        }
    }
}

/// Which end of TLS the peer was.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Role {
    /// The peer received the connection, and was the TLS server.
    Receiving,
    /// The peer initiated the connection, and was the TLS client.
    Initiating,
}

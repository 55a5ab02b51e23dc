/// By whose names a stream was opened (draft-ietf-xmpp-dna-01 §3).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Mode {
    /// Those of the servers: any domain that they prove to serve may follow.
    ServerName,
    /// Those of two domains (RFC 6120).
    #[default]
    DomainName,
    /// Those of two domains, before XMPP 1.0.
    Legacy,
}

impl Mode {
    /// As the admin port names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ServerName => "server-name",
            Self::DomainName => "domain-name",
            Self::Legacy => "legacy",
        }
    }
}

/// What the sender of a stanza hears when it cannot be delivered (RFC 6120 §8.3).
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum StanzaError {
    /// The target domain does not resolve.
    RemoteServerNotFound(String),
    /// It does, but no stream could be negotiated with it, or not in time.
    RemoteServerTimeout(String),
    /// It says that we are not who we are.
    InternalServerError(String),
    /// Too much waits already.
    ResourceConstraint,
    /// The sender's server may not send for this domain on this stream.
    NotAuthorized,
    /// It has become more than others have to take.
    TooLarge,
}

impl StanzaError {
    /// The condition's element name.
    pub fn condition(&self) -> &'static str {
        match self {
            Self::RemoteServerNotFound(_) => "remote-server-not-found",
            Self::RemoteServerTimeout(_) => "remote-server-timeout",
            Self::InternalServerError(_) => "internal-server-error",
            Self::ResourceConstraint => "resource-constraint",
            Self::NotAuthorized => "not-authorized",
            Self::TooLarge => "policy-violation",
        }
    }

    /// The `type` of the error, which tells the sender what may help (§8.3.2).
    pub fn kind(&self) -> &'static str {
        match self {
            Self::RemoteServerNotFound(_) | Self::InternalServerError(_) => "cancel",
            Self::RemoteServerTimeout(_) | Self::ResourceConstraint => "wait",
            Self::NotAuthorized => "auth",
            Self::TooLarge => "modify",
        }
    }

    /// The cause in a sentence, where there is more to say.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::RemoteServerNotFound(text)
            | Self::RemoteServerTimeout(text)
            | Self::InternalServerError(text) => Some(text),
            Self::ResourceConstraint => Some("Too many stanzas wait for this domain"),
            Self::NotAuthorized => None,
            Self::TooLarge => Some("The stanza is larger than the federation proxy passes on"),
        }
    }
}

#[cfg(test)]
mod tests;

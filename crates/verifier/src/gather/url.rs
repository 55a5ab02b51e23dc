use std::fmt;

use hyper::Uri;

use crate::Domain;

/// An HTTPS address: a host by its name, a port, a path with its query.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Url {
    /// The host. Addresses without a name are none of ours: nobody can vouch for them.
    pub host: Domain,
    /// The TCP port.
    pub port: u16,
    /// Path and query, beginning with a slash.
    pub path: String,
}

/// Text that is no address we would fetch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum InvalidUrl {
    /// It is none, or not one of HTTPS.
    Malformed,
    /// Its host is an IP address.
    Literal,
}

impl Url {
    /// Reads an absolute address.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidUrl> {
        if URL_MAX < text.len() {
            return Err(InvalidUrl::Malformed);
        }
        let uri: Uri = text.parse().map_err(|_| InvalidUrl::Malformed)?;
        let authority = uri.authority().ok_or(InvalidUrl::Malformed)?;
        if uri.scheme_str() != Some("https") || authority.as_str().contains('@') {
            return Err(InvalidUrl::Malformed);
        }
        let host = authority.host();
        let is_literal =
            host.starts_with('[') || host.bytes().all(|it| b".0123456789".contains(&it));
        let host = host.parse().map_err(|_| match is_literal {
            true => InvalidUrl::Literal,
            false => InvalidUrl::Malformed,
        })?;
        let port = match authority.as_str().split_once(':') {
            None => HTTPS_PORT,
            Some((_, port)) => port.parse().map_err(|_| InvalidUrl::Malformed)?,
        };
        let path = uri.path_and_query().map_or("/", |it| it.as_str()).to_owned();
        Ok(Self { host, port, path })
    }

    /// Reads an address as seen from this one: absolute, or another path on the same host.
    pub(crate) fn join(&self, text: &str) -> Result<Self, InvalidUrl> {
        if text.starts_with("//") {
            return Self::parse(&format!("https:{text}"));
        }
        if text.starts_with('/') {
            let (host, port) = (self.host.ascii(), self.port);
            return Self::parse(&format!("https://{host}:{port}{text}"));
        }
        Self::parse(text)
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            HTTPS_PORT => write!(f, "https://{}{}", self.host.ascii(), self.path),
            port => write!(f, "https://{}:{port}{}", self.host.ascii(), self.path),
        }
    }
}

/// Where HTTPS is, unless said otherwise.
const HTTPS_PORT: u16 = 443;

/// Nothing that is meant to be fetched has a longer address.
const URL_MAX: usize = 2048;

#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use tokio::time::timeout;

use super::https::{FetchFailure, Page};
use super::url::{InvalidUrl, Url};
use super::{Lookup, addresses};
use crate::evidence::{Fingerprint, Published};
use crate::leave::{Leave, Step};
use crate::settings::{Reach, Settings};
use crate::{Domain, Finding, Service, Unresolved};

use self::document::Document;

mod document;

/// Fetches what a domain's web server says about its certificates (RFC 7711), and until when that
/// is to be remembered.
pub(crate) async fn posh(
    lookup: &dyn Lookup,
    domain: &Domain,
    service: Service,
    at: SystemTime,
    terms: &PoshTerms,
    leave: &dyn Leave,
) -> (Published<Vec<Fingerprint>>, SystemTime) {
    let start = Url { host: domain.clone(), port: terms.port, path: path(service).to_owned() };
    let mut fetch = Fetch { lookup, terms, leave, at, redirects: 0, lifetime: terms.lifetime_max };
    let found = timeout(terms.patience, fetch.fingerprints(start)).await;
    let none_until = at + terms.absence_lifetime;
    match found {
        Ok(Ok(fingerprints)) => {
            let expires = at + fetch.lifetime;
            (Published::Here(fingerprints, expires), expires)
        }
        Ok(Err(None)) => (Published::Absent, none_until),
        Ok(Err(Some(finding))) => (Published::Bogus(finding), none_until),
        Err(_) => (Published::Unreachable(Finding::PoshUnavailable), none_until),
    }
}

/// How POSH documents are fetched.
#[derive(Clone, Debug)]
pub(crate) struct PoshTerms {
    /// The port at which documents begin.
    pub(crate) port: u16,
    /// Where web servers may be.
    pub(crate) reach: Reach,
    /// How long all of it may take.
    pub(crate) patience: Duration,
    /// How long a document may hold at most.
    pub(crate) lifetime_max: Duration,
    /// How long it is remembered that there is none.
    pub(crate) absence_lifetime: Duration,
}

impl PoshTerms {
    /// The terms by the operator's settings.
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            port: settings.posh_port,
            reach: settings.reach.clone(),
            patience: settings.limits.posh_patience,
            lifetime_max: settings.limits.posh_lifetime_max,
            absence_lifetime: settings.limits.posh_absence_lifetime,
        }
    }
}

/// One walk from the domain to its fingerprints.
struct Fetch<'a> {
    lookup: &'a dyn Lookup,
    terms: &'a PoshTerms,
    leave: &'a dyn Leave,
    at: SystemTime,
    redirects: usize,
    /// The least lifetime met on the way (RFC 7711 §6).
    lifetime: Duration,
}

impl Fetch<'_> {
    async fn fingerprints(&mut self, start: Url) -> Result<Vec<Fingerprint>, Option<Finding>> {
        let body = self.page(start).await?;
        let document = self.read(&body)?;
        let url = match document {
            Document::Fingerprints(fingerprints) => return Ok(fingerprints),
            Document::Reference(url) => Url::parse(&url).map_err(|it| match it {
                InvalidUrl::Malformed => Finding::PoshMalformed,
                InvalidUrl::Literal => Finding::PoshForbiddenTarget,
            })?,
        };
        let body = self.page(url).await?;
        match self.read(&body)? {
            Document::Fingerprints(fingerprints) => Ok(fingerprints),
            // One reference is enough for any hoster, and two for a loop (RFC 7711 §3.2).
            Document::Reference(_) => Err(Some(Finding::PoshMalformed)),
        }
    }

    fn read(&mut self, body: &[u8]) -> Result<Document, Option<Finding>> {
        let (document, lifetime) = Document::parse(body)?;
        self.lifetime = self.lifetime.min(lifetime);
        Ok(document)
    }

    /// Gets one page, following redirects.
    async fn page(&mut self, mut url: Url) -> Result<Vec<u8>, Option<Finding>> {
        loop {
            let page = self.get(&url).await?;
            match page.status {
                200 => return Ok(page.body),
                301 | 302 | 303 | 307 | 308 => url = self.redirect(&url, page.location)?,
                404 | 410 => return Err(None),
                _ => return Err(Some(Finding::PoshUnavailable)),
            }
        }
    }

    fn redirect(&mut self, from: &Url, location: Option<String>) -> Result<Url, Option<Finding>> {
        self.redirects += 1;
        if REDIRECTS_MAX < self.redirects {
            return Err(Some(Finding::PoshRedirect));
        }
        let url = from.join(&location.unwrap_or_default());
        url.map_err(|it| match it {
            InvalidUrl::Malformed => Some(Finding::PoshRedirect),
            InvalidUrl::Literal => Some(Finding::PoshForbiddenTarget),
        })
    }

    /// Gets one page from a host that peers may send us to.
    async fn get(&self, url: &Url) -> Result<Page, Option<Finding>> {
        // No other port is where a web server says who is whose host, and any port is somebody's.
        if ![HTTPS_PORT, self.terms.port].contains(&url.port) {
            return Err(Some(Finding::PoshForbiddenTarget));
        }
        let allows = |it| self.terms.reach.allows_web(it);
        let addresses = addresses(self.lookup, &url.host, self.at, allows).await;
        let addresses = addresses.map_err(|unresolved| match unresolved {
            Unresolved::Declined | Unresolved::NotFound => None,
            Unresolved::Bogus => Some(Finding::DnsBogus),
            Unresolved::Failed | Unresolved::TimedOut => Some(Finding::PoshUnavailable),
            Unresolved::Forbidden => Some(Finding::PoshForbiddenTarget),
        })?;
        self.fetch(url, &addresses).await.map_err(|failure| match failure {
            FetchFailure::Unconnected => None,
            FetchFailure::Untrusted => Some(Finding::PoshUntrusted),
            FetchFailure::TooLarge => Some(Finding::PoshTooLarge),
            // Who is kept from us may have a document; that is no absence.
            FetchFailure::Unanswered | FetchFailure::Broken => Some(Finding::PoshUnavailable),
        })
    }

    /// Gets it at the first of these addresses where somebody is.
    async fn fetch(&self, url: &Url, addresses: &[IpAddr]) -> Result<Page, FetchFailure> {
        let mut failure = FetchFailure::Unconnected;
        for address in addresses.iter().take(ATTEMPTS_MAX) {
            let _taken = self.leave.take(Step::Connect(*address)).await;
            match self.lookup.fetch(url, *address).await {
                Err(FetchFailure::Unconnected) => (),
                Err(FetchFailure::Unanswered) => failure = FetchFailure::Unanswered,
                fetched => return fetched,
            }
        }
        Err(failure)
    }
}

/// Where a service's document is (RFC 7711 §8, RFC 7712 §5.2).
fn path(service: Service) -> &'static str {
    match service {
        Service::Server => "/.well-known/posh/xmpp-server.json",
        Service::Client => "/.well-known/posh/xmpp-client.json",
    }
}

/// Where HTTPS is.
const HTTPS_PORT: u16 = 443;

/// Whoever is not at the first two addresses will not be at the third.
const ATTEMPTS_MAX: usize = 2;

/// Redirects that are followed from the domain to its fingerprints (RFC 7711 §10 allows ten).
const REDIRECTS_MAX: usize = 5;

#[cfg(test)]
mod tests;

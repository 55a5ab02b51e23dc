use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use super::{
    Answer, Data, Failure, FetchFailure, Kind, Lookup, Page, Pending, Question, Records, Security,
    Url,
};
use crate::evidence::Tlsa;

/// A DNS and a web that are known by heart: for tests, and for looking at what-ifs.
///
/// What was not said does not exist, and that is known securely.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    answers: HashMap<Question, Known>,
    pages: HashMap<String, Result<Page, FetchFailure>>,
}

#[derive(Clone, Debug)]
struct Known {
    data: Vec<Data>,
    security: Security,
    owner: Option<String>,
    ttl: Duration,
    failure: Option<Failure>,
}

impl Default for Known {
    fn default() -> Self {
        Self { data: Vec::new(), security: Security::Secure, owner: None, ttl: TTL, failure: None }
    }
}

impl Facts {
    /// Nothing exists.
    pub fn new() -> Self {
        Self::default()
    }

    /// A service of the first priority: `srv("_xmpp-server._tcp.a.test", 5269, "x.a.test")`. Without
    /// a target, it is decidedly not offered.
    pub fn srv(self, name: &str, port: u16, target: &str) -> Self {
        let target = target.to_owned();
        self.add(name, Kind::Srv, Data::Srv { priority: 0, weight: 0, port, target })
    }

    /// An address of a host.
    pub fn address(self, host: &str, address: IpAddr) -> Self {
        let kind = if address.is_ipv4() { Kind::A } else { Kind::Aaaa };
        self.add(host, kind, Data::Address(address))
    }

    /// A TLSA record: `tlsa("_5269._tcp.x.a.test", [3, 1, 1], digest)`.
    pub fn tlsa(self, name: &str, [usage, selector, matching]: [u8; 3], data: &[u8]) -> Self {
        let data = data.to_vec();
        self.add(name, Kind::Tlsa, Data::Tlsa(Tlsa { usage, selector, matching, data }))
    }

    /// All that there is of a name and type, and all that there is not, is unsigned.
    pub fn insecure(mut self, name: &str, kind: Kind) -> Self {
        self.known(name, kind).security = Security::Insecure;
        self
    }

    /// A name and type cannot be looked up.
    pub fn failing(mut self, name: &str, kind: Kind, failure: Failure) -> Self {
        self.known(name, kind).failure = Some(failure);
        self
    }

    /// A name is an alias, and what was said of it is what was found at the end of it.
    pub fn alias(mut self, name: &str, kind: Kind, owner: &str) -> Self {
        self.known(name, kind).owner = Some(owner.to_owned());
        self
    }

    /// What was said of a name and type holds for so long.
    pub fn ttl(mut self, name: &str, kind: Kind, ttl: Duration) -> Self {
        self.known(name, kind).ttl = ttl;
        self
    }

    /// A page at an address, such as `https://v.test/.well-known/posh/xmpp-server.json`.
    pub fn page(self, url: &str, body: &str) -> Self {
        let body = body.as_bytes().to_vec();
        self.web(url, Ok(Page { status: 200, location: None, body }))
    }

    /// What a web server says at an address, if it does. Where nothing was said there is none.
    pub fn web(mut self, url: &str, page: Result<Page, FetchFailure>) -> Self {
        self.pages.insert(url.to_owned(), page);
        self
    }

    fn add(mut self, name: &str, kind: Kind, data: Data) -> Self {
        self.known(name, kind).data.push(data);
        self
    }

    fn known(&mut self, name: &str, kind: Kind) -> &mut Known {
        let question = Question { name: name.to_owned(), kind };
        self.answers.entry(question).or_default()
    }

    fn answer(&self, question: &Question, at: SystemTime) -> Answer {
        let known = self.answers.get(question).cloned().unwrap_or_default();
        match known.failure {
            Some(failure) => Err(failure),
            None => Ok(Records {
                data: known.data,
                security: known.security,
                owner: known.owner.unwrap_or_else(|| question.name.clone()),
                expires: at + known.ttl,
            }),
        }
    }
}

impl Lookup for Facts {
    fn look_up<'a>(&'a self, question: &'a Question, at: SystemTime) -> Pending<'a, Answer> {
        Box::pin(std::future::ready(self.answer(question, at)))
    }

    fn fetch<'a>(
        &'a self,
        url: &'a Url,
        _address: IpAddr,
    ) -> Pending<'a, Result<Page, FetchFailure>> {
        let page = self.pages.get(&url.to_string()).cloned();
        Box::pin(std::future::ready(page.unwrap_or(Err(FetchFailure::Unconnected))))
    }
}

/// As long as most records live.
const TTL: Duration = Duration::from_secs(3600);

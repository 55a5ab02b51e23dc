use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::SystemTime;

use super::https::Https;
use super::resolver::Resolver;
use super::{Answer, FetchFailure, Lookup, Page, Pending, Question, Url};
use crate::observation::Observer;
use crate::roots::Roots;
use crate::settings::{Settings, SetupError};

/// DNS and the web as they are.
#[derive(Debug)]
pub(crate) struct Network {
    resolver: Resolver,
    https: Https,
}

impl Network {
    /// The network by the operator's settings, its web servers vouched for by these authorities.
    pub(crate) fn new(
        settings: &Settings,
        roots: &Roots,
        observer: Arc<Observer>,
    ) -> Result<Self, SetupError> {
        Ok(Self { resolver: Resolver::new(settings, observer)?, https: Https::new(roots)? })
    }

    /// How many trust anchors validation starts at.
    pub(crate) fn trust_anchors(&self) -> usize {
        self.resolver.trust_anchors()
    }

    /// The DNS servers that are asked, in order.
    pub(crate) fn servers(&self) -> &[SocketAddr] {
        self.resolver.servers()
    }
}

impl Lookup for Network {
    fn look_up<'a>(&'a self, question: &'a Question, at: SystemTime) -> Pending<'a, Answer> {
        Box::pin(self.resolver.look_up(question, at))
    }

    fn fetch<'a>(
        &'a self,
        url: &'a Url,
        address: IpAddr,
    ) -> Pending<'a, Result<Page, FetchFailure>> {
        Box::pin(self.https.get(url, address))
    }
}

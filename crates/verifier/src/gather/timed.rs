use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use super::{Answer, FetchFailure, Lookup, Page, Pending, Question, Url};

/// DNS, and until when all that it has said to one who asks holds.
#[derive(Debug)]
pub(crate) struct Timed<'a> {
    lookup: &'a dyn Lookup,
    until: Mutex<Option<SystemTime>>,
}

impl<'a> Timed<'a> {
    pub(crate) fn new(lookup: &'a dyn Lookup) -> Self {
        Self { lookup, until: Mutex::default() }
    }

    /// When the first answer goes stale; none if nothing was asked. One that never came has gone
    /// stale at once.
    pub(crate) fn until(&self) -> Option<SystemTime> {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, until: SystemTime) {
        let mut noted = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        *noted = Some(noted.map_or(until, |it| it.min(until)));
    }
}

impl Lookup for Timed<'_> {
    fn look_up<'a>(&'a self, question: &'a Question, at: SystemTime) -> Pending<'a, Answer> {
        Box::pin(async move {
            let answer = self.lookup.look_up(question, at).await;
            self.note(answer.as_ref().map_or(at, |records| records.expires));
            answer
        })
    }

    fn fetch<'a>(
        &'a self,
        url: &'a Url,
        address: IpAddr,
    ) -> Pending<'a, Result<Page, FetchFailure>> {
        self.lookup.fetch(url, address)
    }
}

#[cfg(test)]
mod tests;

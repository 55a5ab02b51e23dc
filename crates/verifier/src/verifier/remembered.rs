use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::cache::Cache;
use crate::gather::{Answer, FetchFailure, Lookup, Page, Pending, Question, Url};
use crate::observation::{Observation, Observer};
use crate::settings::Limits;

/// DNS, with what it said of late.
#[derive(Debug)]
pub(super) struct Remembered {
    lookup: Arc<dyn Lookup>,
    pub(super) answers: Cache<Question, Answer>,
    lifetime_max: Duration,
    observer: Arc<Observer>,
}

impl Remembered {
    pub(super) fn new(lookup: Arc<dyn Lookup>, limits: Limits, observer: Arc<Observer>) -> Self {
        Self {
            lookup,
            answers: Cache::new(limits.answers_max, LOOK_UPS_MAX),
            lifetime_max: limits.answer_lifetime_max,
            observer,
        }
    }

    async fn ask(&self, question: &Question, at: SystemTime) -> (Answer, SystemTime) {
        let answer = self.lookup.look_up(question, at).await;
        let security = answer.as_ref().map(|records| records.security).map_err(|it| *it);
        self.observer.tell(Observation::LookedUp(security));
        match answer {
            Ok(mut records) => {
                records.expires = records.expires.min(at + self.lifetime_max);
                let expires = records.expires;
                (Ok(records), expires)
            }
            Err(failure) => (Err(failure), at + FAILURE_LIFETIME),
        }
    }
}

impl Lookup for Remembered {
    fn look_up<'a>(&'a self, question: &'a Question, at: SystemTime) -> Pending<'a, Answer> {
        Box::pin(async move {
            let mut recalled = true;
            let ask = || {
                recalled = false;
                self.ask(question, at)
            };
            let answer = self.answers.get(question, at, ask).await;
            self.observer.tell(Observation::Recalled(recalled));
            answer
        })
    }

    fn fetch<'a>(
        &'a self,
        url: &'a Url,
        address: IpAddr,
    ) -> Pending<'a, Result<Page, FetchFailure>> {
        // What a page says for how long is for its reader to know, and to remember.
        self.lookup.fetch(url, address)
    }
}

/// DNS questions in flight. Servers that are slow on purpose hold each for some seconds.
pub(super) const LOOK_UPS_MAX: usize = 1024;

/// A failed look-up may succeed a moment later, so it is remembered only to break a stampede.
const FAILURE_LIFETIME: Duration = Duration::from_secs(5);

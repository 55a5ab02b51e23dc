use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use crate::gather::{Answer, Facts, FetchFailure, Lookup, Page, Pending, Question, Url};
use crate::mint::domain;
use crate::{Service, Settings, Verifier};

/// Facts that may change.
#[derive(Debug, Default)]
struct Changing(Mutex<Facts>);

impl Changing {
    fn facts(&self) -> Facts {
        self.0.lock().unwrap().clone()
    }
}

impl Lookup for Changing {
    fn look_up<'a>(&'a self, question: &'a Question, at: SystemTime) -> Pending<'a, Answer> {
        let facts = self.facts();
        Box::pin(async move { facts.look_up(question, at).await })
    }

    fn fetch<'a>(
        &'a self,
        url: &'a Url,
        address: std::net::IpAddr,
    ) -> Pending<'a, Result<Page, FetchFailure>> {
        let facts = self.facts();
        Box::pin(async move { facts.fetch(url, address).await })
    }
}

#[tokio::test]
async fn what_was_looked_up_is_looked_up_anew_once_it_is_forgotten() {
    let facts = |host: &str| {
        let both = Facts::new().srv("_xmpp-server._tcp.v.test", 5269, host);
        let both = both.srv("_xmpp-server._tcp.w.test", 5269, host);
        let address = if host == "x.test" { "192.0.2.1" } else { "192.0.2.2" };
        both.address("x.test", address.parse().unwrap())
    };
    let changing = Arc::new(Changing::default());
    let lookup: Arc<dyn Lookup> = Arc::clone(&changing) as _;
    let verifier = Verifier::knowing(&Settings::default(), lookup).unwrap();
    let found = async |name: &str| {
        let places = verifier.delegation(&domain(name), Service::Server).await.unwrap();
        let addresses = verifier.addresses(&places[0]).await;
        (places[0].target.to_string(), addresses.map(|it| it[0].to_string()).ok())
    };
    let first = ("x.test".to_owned(), Some("192.0.2.1".to_owned()));
    *changing.0.lock().unwrap() = facts("x.test");
    assert_eq!([found("v.test").await, found("w.test").await], [first.clone(), first.clone()]);
    *changing.0.lock().unwrap() = facts("y.test");
    assert_eq!(found("v.test").await, first);
    // Both SRV names of the domain, and both families of its host's addresses.
    assert_eq!(verifier.forget(&domain("v.test")), 4);
    assert_eq!(found("v.test").await, ("y.test".to_owned(), None));
    // What was not meant is known still, but for the host that both have.
    assert_eq!(found("w.test").await, ("x.test".to_owned(), Some("192.0.2.2".to_owned())));
    assert_eq!(verifier.forget(&domain("test.example")), 0);
}

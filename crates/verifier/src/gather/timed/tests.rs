use std::time::Duration;

use super::*;
use crate::gather::{Facts, Failure, Kind};
use crate::mint::now;

/// Until when what was said of these names holds, in seconds.
async fn until(names: &[&str]) -> Option<u64> {
    let seconds = Duration::from_secs;
    let facts = Facts::new()
        .ttl("long.test", Kind::A, seconds(600))
        .ttl("short.test", Kind::A, seconds(60))
        .failing("lost.test", Kind::A, Failure::Failed);
    let timed = Timed::new(&facts);
    for name in names {
        let question = Question { name: (*name).to_owned(), kind: Kind::A };
        let answer = timed.look_up(&question, now()).await;
        assert_eq!(answer, facts.look_up(&question, now()).await);
    }
    timed.until().map(|it| it.duration_since(now()).unwrap().as_secs())
}

#[tokio::test]
async fn what_was_said_holds_until_the_first_answer_goes_stale() {
    assert_eq!(until(&[]).await, None);
    assert_eq!(until(&["long.test"]).await, Some(600));
    assert_eq!(until(&["long.test", "short.test"]).await, Some(60));
    assert_eq!(until(&["short.test", "long.test"]).await, Some(60));
    assert_eq!(until(&["short.test", "lost.test", "long.test"]).await, Some(0));
}

#[tokio::test]
async fn pages_are_fetched_as_they_are() {
    let facts = Facts::new().page("https://v.test/x", "page");
    let url = Url::parse("https://v.test/x").unwrap();
    let timed = Timed::new(&facts);
    assert_eq!(timed.fetch(&url, HERE).await, facts.fetch(&url, HERE).await);
    assert!(timed.fetch(&url, HERE).await.is_ok());
    assert_eq!(timed.until(), None);
}

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

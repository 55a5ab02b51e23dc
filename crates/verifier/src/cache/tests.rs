use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

use super::*;
use crate::mint::now;

#[tokio::test]
async fn a_thousand_who_ask_at_once_are_told_by_one() {
    let (cache, asked, go) = (Cache::new(10, 256), AtomicUsize::new(0), Notify::new());
    let ask = || async {
        cache
            .get(&"name", now(), || async {
                asked.fetch_add(1, Ordering::Relaxed);
                go.notified().await;
                (7, now() + Duration::from_secs(60))
            })
            .await
    };
    let all = crate::gather::all((0..1000).map(|_| ask()).collect());
    let (answers, ()) = tokio::join!(all, async { go.notify_one() });
    assert_eq!(answers, vec![7; 1000]);
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn what_was_found_is_kept_until_it_goes_stale() {
    let cache = Cache::new(10, 256);
    let ask = |seconds, found| {
        let at = now() + Duration::from_secs(seconds);
        let until = at + Duration::from_secs(60);
        let cache = &cache;
        async move { cache.get(&"name", at, || async move { (found, until) }).await }
    };
    assert_eq!(ask(0, 1).await, 1);
    assert_eq!(ask(59, 2).await, 1);
    assert_eq!(ask(60, 3).await, 3);
    // The clock was set back.
    assert_eq!(ask(10, 4).await, 4);
}

#[tokio::test]
async fn what_is_old_may_be_forgotten() {
    let cache = Cache::new(10, 256);
    let later = |seconds| now() + Duration::from_secs(seconds);
    let ask = async |found| cache.get(&"name", now(), || async { (found, later(60)) }).await;
    assert!(!cache.forget(&"name", later(9)));
    assert_eq!(ask(1).await, 1);
    assert!(!cache.forget(&"name", now()));
    assert!(!cache.forget(&"other", later(9)));
    assert_eq!(ask(2).await, 1);
    assert!(cache.forget(&"name", later(9)));
    assert_eq!(ask(3).await, 3);
}

#[tokio::test]
async fn who_gives_up_asking_leaves_it_to_the_next() {
    let cache = Cache::new(10, 256);
    let until = now() + Duration::from_secs(60);
    let never = cache.get(&"name", now(), std::future::pending);
    let gave_up = tokio::time::timeout(Duration::from_millis(1), never).await;
    assert!(gave_up.is_err());
    assert_eq!(cache.get(&"name", now(), || async { (5, until) }).await, 5);
}

#[tokio::test]
async fn a_full_cache_forgets_the_stale_before_the_rest() {
    let cache = Cache::new(32, 256);
    let get = |key: u32, seconds| {
        let until = now() + Duration::from_secs(seconds);
        let cache = &cache;
        async move { cache.get(&key, now(), || async move { (key, until) }).await }
    };
    for key in 0..10_000 {
        let _ = get(key, 60).await;
        assert!(cache.entries.lock().unwrap().len() <= 32);
    }
}

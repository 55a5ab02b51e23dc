use super::*;

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// How many can be taken at that time.
fn drain(bucket: &mut Bucket, rate: Rate, now: f64) -> usize {
    (0..).take_while(|_| bucket.take(rate, seconds(now))).count()
}

#[test]
fn whoever_was_quiet_has_a_burst_and_then_the_rate() {
    let (rate, mut bucket) = (Rate::new(4, 3), Bucket::default());
    assert_eq!(drain(&mut bucket, rate, 0.0), 12);
    assert_eq!(drain(&mut bucket, rate, 0.2), 0);
    assert_eq!(drain(&mut bucket, rate, 0.25), 1);
    assert_eq!(drain(&mut bucket, rate, 1.25), 4);
    // A bucket is never more than full.
    assert!(!bucket.is_full(seconds(4.2)));
    assert!(bucket.is_full(seconds(4.3)));
    assert_eq!(drain(&mut bucket, rate, 1000.0), 12);
}

#[test]
fn no_second_has_more_than_it_may() {
    for count in [1, 2, 3, 4, 5, 20, 1000] {
        let (rate, mut bucket) = (Rate::within_a_second(count), Bucket::default());
        // Those who ask at the same moment, and wait as long as they have to.
        let waits = (0..3 * count).map(|_| bucket.owe(rate, seconds(0.0), 1));
        let times: Vec<_> = waits.map(|it| it + seconds(0.000_001)).collect();
        for (first, next) in times.iter().zip(&times[count..]) {
            assert!(seconds(0.999) < *next - *first, "{count}: {first:?} {next:?}");
        }
    }
}

#[test]
fn whoever_is_refused_owes_nothing_for_it() {
    let (rate, mut bucket) = (Rate::new(1, 1), Bucket::default());
    assert!(bucket.take(rate, seconds(0.0)));
    for _ in 0..1000 {
        assert!(!bucket.take(rate, seconds(0.5)));
    }
    assert!(bucket.take(rate, seconds(1.0)));
}

#[test]
fn what_is_taken_before_it_is_there_has_to_be_waited_for() {
    let (rate, mut bucket) = (Rate::new(1000, 1), Bucket::default());
    assert_eq!(bucket.owe(rate, seconds(0.0), 1000), Duration::ZERO);
    assert_eq!(bucket.owe(rate, seconds(0.0), 500), seconds(0.5));
    assert_eq!(bucket.owe(rate, seconds(0.5), 0), Duration::ZERO);
    assert_eq!(bucket.owe(rate, seconds(0.5), 2000), seconds(2.0));
}

#[test]
fn no_number_is_too_large() {
    let (rate, mut bucket) = (Rate::new(usize::MAX, u64::MAX), Bucket::default());
    assert!(bucket.take(rate, Duration::MAX));
    assert_eq!(bucket.owe(Rate::new(0, 0), Duration::ZERO, u64::MAX), {
        Duration::MAX - Duration::from_secs(1)
    });
}

#[test]
fn each_subscriber_has_a_bucket() {
    let (rate, mut buckets) = (Rate::new(1, 1), Buckets::default());
    let mut take = |address: &str| buckets.of(ip(address), Duration::ZERO).take(rate, seconds(0.0));
    assert!(take("192.0.2.1"));
    assert!(!take("::ffff:192.0.2.1"));
    assert!(take("192.0.2.2"));
    assert!(take("2001:db8::1"));
    assert!(!take("2001:db8::ffff:2"));
    assert!(take("2001:db8:0:1::1"));
}

#[test]
fn addresses_without_end_have_no_memory_without_end() {
    let (rate, mut buckets) = (Rate::new(1, 1), Buckets::default());
    let number = |it: u32| IpAddr::from((0x0a00_0000 | it).to_be_bytes());
    for it in 0..=u32::try_from(BUCKETS_MAX).unwrap() {
        let taken = buckets.of(number(it), Duration::ZERO).take(rate, Duration::ZERO);
        assert!(taken, "{it}");
    }
    assert_eq!(buckets.by_subscriber.len(), BUCKETS_MAX);
    // Those for whom there is none left share one.
    assert!(!buckets.of(ip("192.0.2.1"), Duration::ZERO).take(rate, Duration::ZERO));
    // Those who have taken nothing for a while are forgotten.
    assert!(buckets.of(ip("192.0.2.1"), seconds(2.0)).take(rate, seconds(2.0)));
    assert_eq!(buckets.by_subscriber.len(), 1);
}

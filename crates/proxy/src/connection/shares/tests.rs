use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn what_one_subscriber_takes_is_not_taken_from_others() {
    let shares = Shares::new(2);
    let mallory = shares.of(ip("2001:db8::1"));
    let _first = mallory.try_acquire().unwrap();
    let _second = mallory.try_acquire().unwrap();
    let again = shares.of(ip("2001:db8::ffff:ffff"));
    assert!(again.try_acquire().is_err(), "another address of the same subscriber");
    assert!(shares.of(ip("2001:db8:0:1::1")).try_acquire().is_ok());
}

#[test]
fn nobody_is_left_without_any() {
    assert!(Shares::new(0).of(ip("192.0.2.1")).try_acquire().is_ok());
}

#[test]
fn those_who_left_are_forgotten_and_those_who_wait_are_not() {
    let shares = Shares::new(1);
    let held = shares.of(ip("192.0.2.1"));
    let seat = held.try_acquire().unwrap();
    for number in 0..=u16::MAX {
        let [high, low] = number.to_be_bytes();
        drop(shares.of(IpAddr::from([198, 18, high, low])));
    }
    assert!(shares.by_subscriber.lock().unwrap().len() <= SUBSCRIBERS_MAX);
    assert!(shares.of(ip("192.0.2.1")).try_acquire().is_err());
    drop(seat);
    assert!(shares.of(ip("192.0.2.1")).try_acquire().is_ok());
}

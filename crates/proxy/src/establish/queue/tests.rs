use super::*;
use crate::tests::{message, pair};

const BOUNDS: Bounds = Bounds { pair_stanzas_max: 3, pair_bytes_max: 1000, bytes_max: 1500 };

/// The ids of stanzas, in order.
fn ids<'a>(stanzas: impl IntoIterator<Item = &'a Stanza>) -> Vec<String> {
    let id = |stanza: &Stanza| {
        let text = std::str::from_utf8(stanza.bytes()).unwrap();
        let (_, rest) = text.split_once("id='").unwrap();
        rest.split('\'').next().unwrap().to_owned()
    };
    stanzas.into_iter().map(id).collect()
}

/// A stanza of exactly this many bytes.
fn sized(sender: &str, target: &str, size: usize) -> Stanza {
    let bare = message(sender, target, "").bytes().len();
    let stanza = message(sender, target, &"x".repeat(size - bare));
    assert_eq!(stanza.bytes().len(), size);
    stanza
}

#[test]
fn what_waits_comes_out_in_the_order_in_which_it_came_in() {
    let mut queue = Queue::new(BOUNDS);
    assert!(queue.push(message("l.test", "a.test", "1")).unwrap());
    assert!(queue.push(message("l.test", "b.test", "2")).unwrap());
    assert!(!queue.push(message("l.test", "a.test", "3")).unwrap());
    assert_eq!((queue.len(), queue.is_empty()), (3, false));
    assert!(queue.holds(&pair("l.test", "a.test")));
    let counts = ["a.test", "b.test", "c.test"].map(|it| queue.count(&pair("l.test", it)));
    assert_eq!(counts, [2, 1, 0]);
    assert_eq!(ids(&queue.take(&pair("l.test", "a.test"))), ["1", "3"]);
    assert!(!queue.holds(&pair("l.test", "a.test")));
    assert!(queue.take(&pair("l.test", "a.test")).is_empty());
    assert_eq!(queue.pairs(), [pair("l.test", "b.test")]);
    assert_eq!(ids(&queue.take(&pair("l.test", "b.test"))), ["2"]);
    assert_eq!((queue.len(), queue.bytes(), queue.is_empty()), (0, 0, true));
}

#[test]
fn what_finds_no_room_comes_back_and_changes_nothing() {
    let mut queue = Queue::new(BOUNDS);
    for id in ["1", "2", "3"] {
        queue.push(message("l.test", "a.test", id)).unwrap();
    }
    let bytes = queue.bytes();
    let refused = queue.push(message("l.test", "a.test", "4")).unwrap_err();
    assert_eq!(ids([&refused]), ["4"]);
    assert_eq!((queue.len(), queue.bytes()), (3, bytes));
    // Another pair has room of its own.
    assert!(queue.push(message("l.test", "b.test", "5")).unwrap());
}

#[test]
fn bytes_of_a_pair_are_bounded_to_the_byte() {
    let mut queue = Queue::new(BOUNDS);
    queue.push(sized("l.test", "a.test", 600)).unwrap();
    assert!(queue.push(sized("l.test", "a.test", 401)).is_err());
    assert!(queue.push(sized("l.test", "a.test", 400)).is_ok());
    assert!(queue.push(sized("l.test", "a.test", 100)).is_err());
}

#[test]
fn a_single_stanza_may_be_larger_than_its_pair_may_hold() {
    let mut queue = Queue::new(BOUNDS);
    assert!(queue.push(sized("l.test", "a.test", 1400)).unwrap());
    assert!(queue.push(sized("l.test", "a.test", 100)).is_err());
}

#[test]
fn bytes_in_all_are_bounded_whoever_fills_them() {
    let mut queue = Queue::new(BOUNDS);
    queue.push(sized("l.test", "a.test", 1000)).unwrap();
    assert!(queue.push(sized("l.test", "b.test", 501)).is_err());
    assert!(queue.push(sized("l.test", "b.test", 500)).is_ok());
    assert!(queue.push(sized("l.test", "c.test", 100)).is_err());
    queue.take(&pair("l.test", "a.test"));
    assert!(queue.push(sized("l.test", "c.test", 1000)).is_ok());
}

#[test]
fn what_is_put_back_goes_before_what_waits() {
    let mut queue = Queue::new(BOUNDS);
    let way = pair("l.test", "a.test");
    queue.push(message("l.test", "a.test", "3")).unwrap();
    queue.push(message("l.test", "a.test", "4")).unwrap();
    let earlier = vec![message("l.test", "a.test", "1"), message("l.test", "a.test", "2")];
    queue.put_back(&way, earlier);
    assert_eq!(queue.len(), 4, "there is always room for what was ours already");
    assert!(queue.push(message("l.test", "a.test", "5")).is_err());
    assert_eq!(ids(&queue.take(&way)), ["1", "2", "3", "4"]);
    assert_eq!(queue.bytes(), 0);
}

#[test]
fn no_order_of_pushes_and_takes_miscounts() {
    let mut chance = 1_u64;
    let mut refused = 0;
    let mut queue = Queue::new(BOUNDS);
    let mut held: HashMap<DomainPair, Vec<String>> = HashMap::new();
    for step in 0..2000 {
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let target = ["a.test", "b.test", "c.test"][(chance >> 33) as usize % 3];
        let way = pair("l.test", target);
        let id = step.to_string();
        match (chance >> 40) % 5 {
            0 => {
                let taken = ids(&queue.take(&way));
                assert_eq!(taken, held.remove(&way).unwrap_or_default());
            }
            1 => {
                let mut taken: Vec<_> = queue.take(&way).into();
                taken.truncate(2);
                let expect = ids(&taken);
                if !taken.is_empty() {
                    queue.put_back(&way, taken);
                    held.insert(way, expect);
                }
            }
            _ => match queue.push(message("l.test", target, &id)) {
                Ok(first) => {
                    assert_eq!(first, !held.contains_key(&way));
                    held.entry(way).or_default().push(id);
                }
                Err(_) => refused += 1,
            },
        }
        let count: usize = held.values().map(Vec::len).sum();
        assert_eq!(queue.len(), count);
        assert_eq!(queue.is_empty(), count == 0);
        assert!(queue.bytes() <= BOUNDS.bytes_max);
    }
    assert!(0 < refused, "the bounds were never reached");
}

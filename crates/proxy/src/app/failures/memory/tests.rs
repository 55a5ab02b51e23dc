use super::*;

fn at(second: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(second)
}

fn subject(remote: &str, comes_in: bool) -> Subject {
    let [ours, peer] = ["montague.example", remote].map(|it| it.parse().unwrap());
    let pair = DomainPair::new(ours, peer);
    let pair = if comes_in { pair.reversed() } else { pair };
    Subject::new(&pair, Side::Public, comes_in)
}

fn met(label: &'static str, peer: Option<&str>, second: u64) -> Met {
    let peer = peer.map(|it| it.parse().unwrap());
    Met { label, text: "It did not work".to_owned(), peer, at: at(second) }
}

/// Each of what is remembered, the latest first.
fn told(memory: &Memory) -> Vec<String> {
    let line = |it: &Failure| {
        let (remote, label) = (&it.subject.remote, it.last.label);
        let seconds = [it.first_at, it.last.at]
            .map(|at| at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs());
        format!("{remote} {label} {}x {seconds:?}", it.count)
    };
    memory.latest().iter().map(line).collect()
}

#[test]
fn each_reason_is_kept_once_and_counted() {
    let mut memory = Memory::default();
    memory.note(subject("capulet.example", false), met("connect.refused", None, 1));
    memory.note(subject("capulet.example", false), met("timeout", None, 2));
    memory.note(subject("capulet.example", false), met("connect.refused", None, 3));
    memory.note(subject("capulet.example", true), met("cert.name", Some("192.0.2.7:1"), 4));
    let expect = [
        "capulet.example cert.name 1x [4, 4]",
        "capulet.example connect.refused 2x [1, 3]",
        "capulet.example timeout 1x [2, 2]",
    ];
    assert_eq!(told(&memory), expect);
    // What is said twice on one connection happened once.
    memory.note(subject("capulet.example", true), met("cert.name", Some("192.0.2.7:1"), 5));
    assert_eq!(told(&memory)[0], "capulet.example cert.name 1x [4, 5]");
    memory.note(subject("capulet.example", true), met("cert.name", Some("192.0.2.7:2"), 6));
    assert_eq!(told(&memory)[0], "capulet.example cert.name 2x [4, 6]");
}

#[test]
fn what_works_again_is_forgotten_and_so_is_what_is_a_day_old() {
    let mut memory = Memory::default();
    memory.note(subject("capulet.example", false), met("connect.refused", None, 1));
    memory.note(subject("capulet.example", false), met("timeout", None, 2));
    memory.note(subject("capulet.example", true), met("cert.name", None, 3));
    memory.note(subject("escalus.example", false), met("connect.refused", None, 4));
    memory.mend(&subject("capulet.example", false));
    let expect =
        ["escalus.example connect.refused 1x [4, 4]", "capulet.example cert.name 1x [3, 3]"];
    assert_eq!(told(&memory), expect);
    memory.mend(&Subject { side: Side::Backend, ..subject("capulet.example", true) });
    assert_eq!(memory.count(), 2);
    memory.forget(at(24 * 3600 + 2));
    assert_eq!(memory.count(), 2);
    memory.forget(at(24 * 3600 + 3));
    assert_eq!(told(&memory), ["escalus.example connect.refused 1x [4, 4]"]);
}

/// Strangers who claim names without end push out each other's, and nothing of ours.
#[test]
fn whoever_fills_the_list_loses_first() {
    let mut memory = Memory::default();
    let peer = |host: usize, port: usize| {
        format!("2001:db8:{host:x}::1")
            .parse()
            .map(|ip: IpAddr| SocketAddr::new(ip, u16::try_from(port).unwrap()).to_string())
            .unwrap()
    };
    memory.note(subject("outbound.example", false), met("connect.refused", None, 1));
    memory.note(subject("honest.example", true), met("cert.expired", Some(&peer(7, 1)), 2));
    for number in 0..1000 {
        let met = met("cert.chain", Some(&peer(8, number)), 3);
        memory.note(subject(&format!("stranger{number}.example"), true), met);
        assert!(memory.count() <= Memory::FAILURES_MAX);
    }
    let told = told(&memory);
    assert_eq!(told.len(), Memory::FAILURES_MAX);
    assert_eq!(memory.lost(), 1002 - 256);
    assert_eq!(
        told[254..],
        ["honest.example cert.expired 1x [2, 2]", "outbound.example connect.refused 1x [1, 1]"]
    );
    assert!(told[0].starts_with("stranger999.example"), "{}", told[0]);
    // With room again, nothing is left out.
    memory.mend(&subject("stranger999.example", true));
    assert_eq!(memory.lost(), 0);
}

/// A list full of names below one parent, and what was there before.
fn flooded(flood: impl Fn(usize) -> Subject, label: &'static str) -> Vec<String> {
    let mut memory = Memory::default();
    for number in 0..20 {
        let remote = format!("xmpp.honest{number}.example");
        memory.note(subject(&remote, false), met("connect.refused", None, 1));
        let comes_in = Subject { side: Side::Backend, ..subject(&remote, true) };
        memory.note(comes_in, met("connect.refused", None, 1));
    }
    for number in 0..1000 {
        memory.note(flood(number), met(label, None, 2));
    }
    assert_eq!(memory.count(), Memory::FAILURES_MAX);
    told(&memory)
}

#[test]
fn names_made_up_below_one_parent_push_out_each_other() {
    let mallory = |number| format!("x{number}.mallory.example");
    let backend = |it| Subject { side: Side::Backend, ..it };
    for told in [
        flooded(|number| subject(&mallory(number), false), "timeout"),
        flooded(|number| backend(subject(&mallory(number), true)), "timeout"),
        // Whose names we do not host may come under many names, and chooses ours.
        flooded(
            |number| {
                let remote = format!("mallory{number}.example").parse().unwrap();
                let local = mallory(number).parse().unwrap();
                Subject { local, ..backend(Subject { remote, ..subject("x.example", true) }) }
            },
            "host_unknown",
        ),
    ] {
        let honest = told.iter().filter(|it| it.contains("honest")).count();
        assert_eq!((honest, told.len()), (40, Memory::FAILURES_MAX));
    }
}

#[test]
fn what_came_back_stays_longest_in_a_crowd() {
    let mut memory = Memory::default();
    for second in [1, 2] {
        memory.note(subject("chat.mallory.example", false), met("timeout", None, second));
    }
    for number in 0..300 {
        memory.note(subject(&format!("x{number}.mallory.example"), false), met("dns", None, 3));
    }
    let told = told(&memory);
    assert_eq!(told[254], "x45.mallory.example dns 1x [3, 3]");
    assert_eq!(told[255], "chat.mallory.example timeout 2x [1, 2]");
}

/// Whoever repeats what somebody claims leaves what is told of the other as it is.
#[test]
fn nobody_takes_over_the_entry_of_another() {
    let mut memory = Memory::default();
    let claimed = || subject("capulet.example", true);
    memory.note(claimed(), met("cert.chain", Some("192.0.2.7:1"), 1));
    memory.note(claimed(), met("cert.chain", Some("198.51.100.6:1"), 2));
    memory.note(claimed(), met("cert.chain", Some("198.51.100.6:2"), 3));
    let peers = |memory: &Memory| {
        memory.latest().iter().map(|it| it.last.peer.unwrap().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(peers(&memory), ["198.51.100.6:2", "192.0.2.7:1"]);
    let expect = ["capulet.example cert.chain 2x [2, 3]", "capulet.example cert.chain 1x [1, 1]"];
    assert_eq!(told(&memory), expect);
    // One subscriber has many addresses (IPv6), and one entry.
    memory.note(claimed(), met("cert.chain", Some("[2001:db8::1]:1"), 4));
    memory.note(claimed(), met("cert.chain", Some("[2001:db8::2]:1"), 5));
    assert_eq!(told(&memory)[0], "capulet.example cert.chain 2x [4, 5]");
    assert_eq!(memory.count(), 3);
    // Nor does anybody draw it into the own crowd.
    for number in 0..1000 {
        let met = met("cert.chain", Some("198.51.100.6:3"), 6);
        memory.note(subject(&format!("stranger{number}.example"), true), met);
    }
    assert!(peers(&memory).contains(&"192.0.2.7:1".to_owned()));
    // Once one of them is let in, none is a failure of this pair.
    memory.mend(&claimed());
    assert!(!peers(&memory).contains(&"192.0.2.7:1".to_owned()));
}

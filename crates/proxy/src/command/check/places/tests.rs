use ligase_verifier::{Service, Unresolved};

use super::{Rrset, Srv, State, blocked, places};

/// Records as they are sorted: `10 5 5269 x.example`.
fn rrset(state: State, records: &[&str]) -> Rrset<Srv> {
    let record = |it: &&str| {
        let parts: Vec<_> = it.split(' ').collect();
        let number = |part: usize| parts[part].parse().unwrap();
        Srv { priority: number(0), weight: number(1), port: number(2), target: parts[3].to_owned() }
    };
    Rrset { state, records: records.iter().map(record).collect(), alias: None }
}

#[track_caller]
fn check(starttls: &[&str], direct_tls: &[&str], expect: &[&str]) {
    let [starttls, direct_tls] = [starttls, direct_tls].map(|it| rrset(State::Insecure, it));
    let domain = "a.example".parse().unwrap();
    let (places, beyond) = places(&domain, Service::Client, &starttls, &direct_tls);
    let told = |it: &super::Place| {
        let (endpoint, fallback) = (&it.endpoint, if it.is_fallback { "?" } else { "" });
        format!("{:?} {}:{}{fallback}", endpoint.transport, endpoint.target, endpoint.port)
    };
    assert_eq!(places.iter().map(told).collect::<Vec<_>>(), expect);
    assert_eq!(beyond, 0);
}

#[test]
fn both_names_are_read_together_in_the_order_in_which_others_try() {
    check(
        &["10 5 1 x.example", "20 5 2 y.example"],
        &["10 9 3 x.example", "5 0 4 y.example"],
        &[
            "DirectTls y.example:4",
            "DirectTls x.example:3",
            "StartTls x.example:1",
            "StartTls y.example:2",
        ],
    );
    // Twice the same is once.
    check(&["0 5 1 x.example", "9 5 1 X.example"], &[], &["StartTls x.example:1"]);
}

#[test]
fn only_where_nothing_is_said_the_domain_itself_is_tried() {
    check(&[], &[], &["StartTls a.example:5222?"]);
    check(&["0 0 0 "], &[], &[]);
    check(&["0 5 5222 a..b"], &[], &[]);
    check(&["0 5 0 x.example"], &[], &[]);
}

#[test]
fn nobody_goes_by_one_half_of_what_is_said() {
    use State::{Bogus, Indeterminate, Insecure, Secure};
    for (one, other, expect) in [
        (Secure, Secure, None),
        (Secure, Insecure, None),
        (Secure, Bogus, Some(Unresolved::Bogus)),
        (Indeterminate, Bogus, Some(Unresolved::Bogus)),
        (Indeterminate, Secure, Some(Unresolved::Failed)),
    ] {
        let (one, other) = (rrset(one, &[]), rrset(other, &[]));
        assert_eq!(blocked(&one, &other), expect);
        assert_eq!(blocked(&other, &one), expect);
    }
}

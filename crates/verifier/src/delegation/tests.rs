use super::*;
use crate::mint::{domain, now};

/// SRV records from lines of priority, weight, port and target; no target is ".".
fn records(security: Security, lines: &[(u16, u16, u16, &str)]) -> Records {
    let data = lines.iter().map(|(priority, weight, port, target)| Data::Srv {
        priority: *priority,
        weight: *weight,
        port: *port,
        target: (*target).to_owned(),
    });
    Records { data: data.collect(), security, owner: String::new(), expires: now() }
}

fn secure(lines: &[(u16, u16, u16, &str)]) -> Records {
    records(Security::Secure, lines)
}

#[track_caller]
fn check(starttls: &Records, direct_tls: &Records, expect: &str) {
    let found = match Delegation::read(starttls, direct_tls) {
        Delegation::Declined => "declined".to_owned(),
        Delegation::Unpublished => "unpublished".to_owned(),
        Delegation::Offered(offers) => {
            let offers = order(offers, |_| 0);
            let spell = |it: &Endpoint| {
                let tls = match it.transport {
                    Transport::StartTls => "",
                    Transport::DirectTls => " tls",
                };
                format!("{}:{}{tls}{}", it.target, it.port, if it.secure { "" } else { " ?" })
            };
            offers.iter().map(spell).collect::<Vec<_>>().join(", ")
        }
    };
    assert_eq!(found, expect);
}

#[test]
fn both_names_of_a_service_are_merged_by_priority() {
    let starttls = secure(&[(10, 0, 5269, "a.test"), (30, 0, 5269, "c.test")]);
    let direct = records(Security::Insecure, &[(20, 0, 5270, "b.test")]);
    check(&starttls, &direct, "a.test:5269, b.test:5270 tls ?, c.test:5269");
}

#[test]
fn a_dot_declines_and_leaves_no_fallback() {
    let (none, dot) = (secure(&[]), secure(&[(0, 0, 0, "")]));
    let some = secure(&[(0, 0, 5269, "a.test")]);
    check(&none, &none, "unpublished");
    check(&dot, &dot, "declined");
    check(&dot, &none, "declined");
    check(&none, &dot, "declined");
    check(&some, &dot, "a.test:5269");
    check(&dot, &some, "a.test:5269 tls");
}

#[test]
fn targets_that_are_no_hosts_lead_nowhere() {
    let odd = secure(&[(0, 0, 5269, "192.0.2.1"), (0, 0, 5269, "a_b.test"), (0, 0, 0, "a.test")]);
    check(&odd, &secure(&[]), "");
}

fn offered(starttls: &Records) -> Vec<Offer> {
    let Delegation::Offered(offers) = Delegation::read(starttls, &secure(&[])) else {
        panic!("nothing offered");
    };
    offers
}

#[test]
fn weights_are_shares() {
    let offers = |weights: [u16; 3]| {
        let lines = [
            (0, weights[0], 1, "a.test"),
            (0, weights[1], 2, "b.test"),
            (0, weights[2], 3, "c.test"),
        ];
        offered(&secure(&lines))
    };
    // Every draw once, so the shares are exact.
    let first = |weights: [u16; 3]| {
        let total: u32 = weights.iter().map(|it| u32::from(*it)).sum();
        let mut shares = [0; 3];
        for lot in 0..=total {
            let ordered = order(offers(weights), |max| lot.min(max));
            assert_eq!(ordered.len(), 3);
            shares[usize::from(ordered[0].port) - 1] += 1;
        }
        shares
    };
    assert_eq!(first([10, 30, 0]), [10, 30, 1]);
    assert_eq!(first([0, 0, 0]), [1, 0, 0]);
    assert_eq!(first([1, 1, 1]), [2, 1, 1]);
    assert_eq!(first([65535, 65535, 65535]), [65536, 65535, 65535]);
}

#[test]
fn any_draws_give_every_offer_once_and_keep_priorities() {
    let mut seed = 1_u32;
    let mut chance = move |max: u32| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((u64::from(seed) * (u64::from(max) + 1)) >> 32) as u32
    };
    for _ in 0..2000 {
        let count = 1 + chance(11) as u16;
        let offers: Vec<Offer> = (1..=count)
            .map(|port| Offer {
                priority: chance(2) as u16,
                weight: chance(3) as u16 * 100,
                endpoint: Endpoint {
                    target: domain("a.test"),
                    port,
                    transport: Transport::StartTls,
                    secure: true,
                },
            })
            .collect();
        let priority = |port: u16| offers[usize::from(port) - 1].priority;
        let ordered = order(offers.clone(), &mut chance);
        assert!(ordered.is_sorted_by_key(|it| priority(it.port)), "{offers:?}");
        let mut ports: Vec<u16> = ordered.iter().map(|it| it.port).collect();
        ports.sort_unstable();
        assert_eq!(ports, (1..=count).collect::<Vec<_>>());
    }
}

#[test]
fn only_so_many_are_tried() {
    let lines: Vec<_> = (1..=60).map(|port| (0, 0, port, "a.test")).collect();
    assert_eq!(order(offered(&secure(&lines)), |_| 0).len(), ENDPOINTS_MAX);
}

#[test]
fn every_reason_has_a_name_and_a_sentence_of_its_own() {
    use Unresolved::*;
    let all = [Declined, NotFound, Bogus, Failed, TimedOut, Forbidden];
    let texts = all.map(|it| format!("{} {it}", it.label()));
    assert_eq!(
        texts,
        [
            "dns.declined the domain does not offer the service",
            "dns.not_found the domain or its addresses do not exist",
            "dns.bogus DNS data failed DNSSEC validation",
            "dns.failure DNS could not be asked",
            "dns.limit DNS took too much time or work",
            "dns.forbidden_target DNS points at an address that peers may not send us to",
        ]
    );
}

use super::*;

const LEVELS: [Level; 4] = [Level::Any, Level::Encrypted, Level::Pkix, Level::Dna];
const RUNGS: [Rung; 5] =
    [Rung::ServerName, Rung::DomainName, Rung::SenderCertificate, Rung::Dialback, Rung::Plain];

fn stream(condition: Condition) -> Setback {
    Setback::Stream(Some(condition))
}

fn refused(error: DialbackError) -> Setback {
    Setback::Refused(Some(error))
}

/// Every ladder, rung and setback.
fn all() -> impl Iterator<Item = (Ladder, Rung, Setback)> {
    LEVELS.into_iter().flat_map(|level| {
        [true, false].into_iter().flat_map(move |sender_certificate| {
            let ladder = Ladder { level, sender_certificate, floor: Rung::Plain };
            RUNGS.into_iter().flat_map(move |rung| {
                Setback::each().into_iter().map(move |setback| (ladder, rung, setback))
            })
        })
    })
}

fn ladder(level: Level) -> Ladder {
    Ladder { level, sender_certificate: true, floor: Rung::Plain }
}

/// M-02: all of them, and none besides.
#[test]
fn streams_between_servers_fall_to_streams_between_domains() {
    let triggers = [
        stream(Condition::HostUnknown),
        stream(Condition::ImproperAddressing),
        stream(Condition::InvalidFrom),
        stream(Condition::NotAuthorized),
        stream(Condition::UndefinedCondition),
        stream(Condition::PolicyViolation),
        Setback::Stream(None),
        Setback::TimedOut,
        Setback::Unrecognized,
        refused(DialbackError::ItemNotFound),
        refused(DialbackError::NotAllowed),
        // E-06: the next certificate or mode.
        refused(DialbackError::NotAuthorized),
        refused(DialbackError::NotAcceptable),
        refused(DialbackError::Forbidden),
        Setback::Invalid,
        Setback::Sasl,
        Setback::Usage,
    ];
    for setback in Setback::each() {
        let next = ladder(Level::Encrypted).next(Rung::ServerName, &setback);
        let falls = next == Next::Climb(Rung::DomainName);
        assert_eq!(falls, triggers.contains(&setback), "{setback:?} leads to {next:?}");
    }
}

/// M-03: all of them, and none besides; only where there is another certificate.
#[test]
fn our_servers_certificate_falls_to_the_senders_own() {
    let triggers = [
        Setback::Sasl,
        Setback::Usage,
        Setback::Invalid,
        refused(DialbackError::NotAuthorized),
        refused(DialbackError::NotAcceptable),
        refused(DialbackError::Forbidden),
        stream(Condition::NotAuthorized),
        stream(Condition::PolicyViolation),
    ];
    for setback in Setback::each() {
        let next = ladder(Level::Encrypted).next(Rung::DomainName, &setback);
        let falls = next == Next::Climb(Rung::SenderCertificate);
        assert_eq!(falls, triggers.contains(&setback), "{setback:?} leads to {next:?}");
        let without = Ladder { sender_certificate: false, ..ladder(Level::Any) };
        let next = without.next(Rung::DomainName, &setback);
        assert_ne!(next, Next::Climb(Rung::SenderCertificate), "{setback:?}");
    }
}

#[test]
fn each_setback_leads_on_as_it_should() {
    let policy = || refused(DialbackError::PolicyViolation);
    let unknown = || stream(Condition::HostUnknown);
    for (rung, setback, level, expect) in [
        // Servers that refuse our certificates may take our key (K-06).
        (Rung::SenderCertificate, Setback::Sasl, Level::Dna, Next::Climb(Rung::Dialback)),
        (Rung::Dialback, Setback::Sasl, Level::Any, Next::Elsewhere),
        // In the clear only where policy says so (B-06).
        (Rung::DomainName, Setback::Handshake, Level::Any, Next::Climb(Rung::Plain)),
        (Rung::Dialback, Setback::Plaintext, Level::Any, Next::Climb(Rung::Plain)),
        (Rung::DomainName, Setback::Handshake, Level::Encrypted, Next::Elsewhere),
        (Rung::Dialback, Setback::Plaintext, Level::Pkix, Next::Elsewhere),
        (Rung::Plain, Setback::Plaintext, Level::Any, Next::Elsewhere),
        // Who insists on TLS gets it (E-06).
        (Rung::Plain, policy(), Level::Any, Next::Climb(Rung::DomainName)),
        (Rung::DomainName, policy(), Level::Any, Next::GiveUp),
        // Another server of the same domain may do better.
        (Rung::DomainName, Setback::Unreachable, Level::Any, Next::Elsewhere),
        // Whoever is not reached by one name is not reached by another.
        (Rung::ServerName, Setback::Unanswered, Level::Any, Next::Elsewhere),
        (Rung::ServerName, Setback::NotListening, Level::Any, Next::Elsewhere),
        (Rung::ServerName, Setback::Unreachable, Level::Any, Next::Elsewhere),
        (Rung::DomainName, Setback::TimedOut, Level::Any, Next::Elsewhere),
        (Rung::DomainName, unknown(), Level::Any, Next::Elsewhere),
        // It would end the same way anywhere.
        (Rung::DomainName, Setback::Unresolved("dns.bogus"), Level::Any, Next::GiveUp),
        (Rung::SenderCertificate, Setback::Invalid, Level::Any, Next::GiveUp),
        (Rung::DomainName, Setback::Refused(None), Level::Any, Next::GiveUp),
        (Rung::DomainName, Setback::Pointless, Level::Any, Next::GiveUp),
        (Rung::ServerName, Setback::Draining, Level::Any, Next::GiveUp),
    ] {
        let next = ladder(level).next(rung, &setback);
        assert_eq!(next, expect, "{rung:?} {setback:?} {level:?}");
    }
}

/// M-04.
#[test]
fn who_was_refuted_or_could_not_be_judged_never_gets_a_lower_rung() {
    for (ladder, rung, setback) in all() {
        let next = ladder.next(rung, &setback);
        if matches!(setback, Setback::Unproven(_) | Setback::Broken(_)) {
            assert_eq!(next, Next::Elsewhere, "{setback:?} {rung:?} {ladder:?}");
        } else if matches!(setback, Setback::Unresolved(_) | Setback::Draining | Setback::Pointless)
        {
            assert_eq!(next, Next::GiveUp, "{setback:?} {rung:?} {ladder:?}");
        }
    }
}

#[test]
fn no_setback_leads_into_the_clear_unless_policy_does() {
    for (ladder, rung, setback) in all().filter(|(it, ..)| !it.level.allows_plaintext()) {
        assert_ne!(ladder.next(rung, &setback), Next::Climb(Rung::Plain), "{setback:?} {rung:?}");
    }
}

#[test]
fn nobody_climbs_to_where_they_are() {
    for (ladder, rung, setback) in all() {
        assert_ne!(ladder.next(rung, &setback), Next::Climb(rung), "{setback:?}");
    }
}

/// M-06: below what a place is known to take, nobody gets but by what the peer itself has said.
#[test]
fn what_an_attacker_can_bring_about_leads_no_further_down_than_the_floor() {
    for floor in RUNGS {
        for (ladder, rung, setback) in all() {
            let next = Ladder { floor, ..ladder }.next(rung, &setback);
            let Next::Climb(to) = next else { continue };
            let told = matches!(
                setback,
                Setback::Sasl | Setback::Usage | Setback::Invalid | Setback::Refused(_)
            );
            assert!(told || to <= floor || to < rung, "{setback:?} from {rung:?} to {to:?}");
        }
    }
}

use std::time::SystemTime;

use ligase_verifier::{Data, Records, Tlsa, Transport};

use super::super::lead::lead;
use super::*;

fn domain(text: &str) -> Domain {
    text.parse().unwrap()
}

/// `a.example` is hosted at `xmpp.host.example`, by a certificate that names `names`.
fn ours(names: &[&str]) -> Ours {
    let names: Vec<_> = names.iter().map(|it| (*it).to_owned()).collect();
    Ours {
        domain: domain("a.example"),
        server_name: domain("xmpp.host.example"),
        public: Public { starttls: 5269, direct_tls: 5270 },
        shown: names.clone(),
        names,
        serves_posh: false,
        paste: Paste { srv: "SRV".to_owned(), tlsa: "TLSA".to_owned(), posh: "POSH".to_owned() },
    }
}

/// What DNS answers with these SRV records, each `port target`.
fn srv(security: Security, records: &[&str]) -> Answer {
    let data = records.iter().map(|it| {
        let (port, target) = it.split_once(' ').unwrap();
        let (port, target) = (port.parse().unwrap(), target.to_owned());
        Data::Srv { priority: 0, weight: 5, port, target }
    });
    Ok(records_of(security, data.collect()))
}

fn records_of(security: Security, data: Vec<Data>) -> Records {
    Records { data, security, owner: String::new(), expires: SystemTime::UNIX_EPOCH }
}

fn tlsa(security: Security, count: usize) -> Answer {
    let record = Tlsa { usage: 3, selector: 1, matching: 1, data: vec![7; 32] };
    Ok(records_of(security, vec![Data::Tlsa(record); count]))
}

/// Where it leads: places, or a word.
fn led(ours: &Ours, answers: [Answer; 2]) -> String {
    let lead = lead(ours, &answers);
    let Lead::Here(Here { endpoints, .. }) = lead else {
        return format!("{lead:?}");
    };
    let each = endpoints.iter().map(|it| {
        let secure = if it.secure { "signed" } else { "unsigned" };
        format!("{}:{} {:?} {secure}", it.target, it.port, it.transport)
    });
    each.collect::<Vec<_>>().join(", ")
}

#[test]
fn srv_records_lead_here_by_our_name_and_our_ports() {
    use Security::{Insecure, Secure};
    let none = || srv(Secure, &[]);
    let here = || srv(Secure, &["5269 xmpp.host.example"]);
    let named = ours(&["*.mail.example", "xmpp.host.example"]);
    for (answers, expect) in [
        ([here(), none()], "xmpp.host.example:5269 StartTls signed"),
        (
            [here(), srv(Insecure, &["5270 xmpp.host.example"])],
            "xmpp.host.example:5269 StartTls signed, xmpp.host.example:5270 DirectTls unsigned",
        ),
        // By another name that our certificates have, and beside a place that is not ours.
        (
            [srv(Insecure, &["5269 old.example", "5269 x.mail.example"]), none()],
            "x.mail.example:5269 StartTls unsigned",
        ),
        // The right host and the wrong port is not here.
        (
            [srv(Secure, &["5222 xmpp.host.example"]), none()],
            "Elsewhere(\"xmpp.host.example:5222\")",
        ),
        (
            [none(), srv(Secure, &["5269 xmpp.host.example"])],
            "Elsewhere(\"xmpp.host.example:5269\")",
        ),
        ([srv(Secure, &["5269 other.example"]), none()], "Elsewhere(\"other.example:5269\")"),
        ([srv(Secure, &["0 "]), none()], "Declined"),
        ([none(), none()], "Absent"),
        // A look-up that failed is never an absence, and never what we hoped for.
        ([Err(Failure::Failed), none()], "Unknown"),
        ([here(), Err(Failure::TimedOut)], "Unknown"),
        ([here(), Err(Failure::Bogus)], "Bogus"),
        ([Err(Failure::Bogus), Err(Failure::Failed)], "Bogus"),
    ] {
        assert_eq!(led(&named, answers.clone()), expect, "{answers:?}");
    }
    // Where nobody can know the port, any will do; and our own name needs no records at 5269.
    let public = Public { starttls: 0, direct_tls: 0 };
    let answers = [srv(Secure, &["7777 xmpp.host.example"]), none()];
    assert_eq!(
        led(&Ours { public, ..ours(&[]) }, answers),
        "xmpp.host.example:7777 StartTls signed"
    );
    let home = Ours { domain: domain("xmpp.host.example"), ..ours(&[]) };
    assert_eq!(led(&home, [none(), none()]), "xmpp.host.example:5269 StartTls signed");
    let public = Public { starttls: 7269, direct_tls: 7269 };
    assert_eq!(led(&Ours { public, ..home }, [none(), none()]), "Absent");
}

fn here(secure: bool) -> Lead {
    only_here(endpoint(secure))
}

fn only_here(endpoint: Endpoint) -> Lead {
    Lead::Here(Here { endpoints: vec![endpoint], elsewhere: None })
}

fn endpoint(secure: bool) -> Endpoint {
    let (target, transport) = (domain("xmpp.host.example"), Transport::StartTls);
    Endpoint { target, port: 5269, transport, secure }
}

fn unproven() -> Verdict {
    Verdict::Unproven(Reason { prooftype: None, finding: Finding::NoTlsa })
}

fn refuted(finding: Finding) -> Verdict {
    Verdict::Refuted(Reason { prooftype: None, finding })
}

fn undetermined() -> Verdict {
    Verdict::Undetermined(Reason { prooftype: None, finding: Finding::DnsFailure })
}

fn place(secure: bool, tlsa: Answer, dane: Verdict) -> Place {
    Place { endpoint: endpoint(secure), tlsa, dane, announced: true }
}

/// What is said: `srv ok, tlsa mismatch+`, with a `+` where there is something to paste.
fn judged(
    ours: &Ours,
    lead: &Lead,
    places: &[Place],
    posh: Option<(Published<Vec<Fingerprint>>, bool)>,
) -> String {
    assert_eq!(needs_posh(ours, lead, places), posh.is_some(), "{lead:?} {places:?}");
    let (posh, proves) = posh.map_or((None, false), |(posh, proves)| (Some(posh), proves));
    let checks = judge(ours, lead, places, posh.as_ref(), proves);
    let each = checks.iter().map(|it| {
        assert!(it.text.ends_with('.'), "{}", it.text);
        let fix = if it.fix.is_some() { "+" } else { "" };
        format!("{} {}{fix}", it.kind.as_str(), it.outcome.as_str())
    });
    each.collect::<Vec<_>>().join(", ")
}

#[test]
fn what_leads_elsewhere_is_told_with_the_records_to_publish() {
    for (lead, expect) in [
        (Lead::Elsewhere("other.example:5269".to_owned()), "srv mismatch+"),
        (Lead::Declined, "srv mismatch+"),
        (Lead::Absent, "srv missing+"),
        (Lead::Bogus, "srv mismatch"),
        (Lead::Unknown, "srv unknown"),
    ] {
        assert_eq!(judged(&ours(&["a.example"]), &lead, &[], None), expect, "{lead:?}");
    }
}

/// Peers that take that record do not come here; but it may be another machine that is meant to
/// serve the domain, and so nothing has failed.
#[test]
fn a_record_that_leads_elsewhere_is_told_beside_those_that_lead_here() {
    use Security::{Insecure, Secure};
    let led_here = "Peers are led here, to xmpp.host.example:5269 (signed).";
    let unproven = "The SRV records of a.example lead here but are not signed, and no certificate \
                    names a.example: peers can prove it by dialback at best. Sign its zone, or \
                    serve a POSH document.";
    let none = || srv(Secure, &[]);
    for (starttls, direct_tls, outcome, start, rest) in [
        (srv(Secure, &["5269 xmpp.host.example"]), none(), Outcome::Ok, led_here, ""),
        (
            srv(Secure, &["5269 old.example", "5269 xmpp.host.example", "5269 older.example"]),
            none(),
            Outcome::Ok,
            led_here,
            " But a record at _xmpp-server._tcp.a.example leads to old.example:5269, which is not here.",
        ),
        // The right host and the wrong port is not here.
        (
            srv(Secure, &["5269 xmpp.host.example"]),
            srv(Secure, &["5269 xmpp.host.example"]),
            Outcome::Ok,
            led_here,
            " But a record at _xmpps-server._tcp.a.example leads to xmpp.host.example:5269, which \
             is not here.",
        ),
        (
            srv(Insecure, &["5269 xmpp.host.example", "5269 old.example"]),
            none(),
            Outcome::Insecure,
            unproven,
            " But a record at _xmpp-server._tcp.a.example leads to old.example:5269, which is not here.",
        ),
    ] {
        let named = ours(&["xmpp.host.example"]);
        let lead = lead(&named, &[starttls, direct_tls]);
        let expect = Check { kind: Kind::Srv, outcome, text: format!("{start}{rest}"), fix: None };
        assert_eq!(judge(&named, &lead, &[], None, false), [expect], "{lead:?}");
    }
}

#[test]
fn tlsa_records_are_measured_as_those_who_go_by_them_do() {
    use Security::{Insecure, Secure};
    let named = ours(&["xmpp.host.example"]);
    for (tlsa, dane, expect) in [
        (tlsa(Secure, 0), unproven(), "srv ok, tlsa not-needed+"),
        (tlsa(Secure, 1), refuted(Finding::TlsaMismatch), "srv ok, tlsa mismatch+"),
        (tlsa(Secure, 1), unproven(), "srv ok, tlsa insecure"),
        (tlsa(Insecure, 1), unproven(), "srv ok, tlsa insecure"),
        (Err(Failure::Bogus), refuted(Finding::DnsBogus), "srv ok, tlsa mismatch"),
        (Err(Failure::Bogus), unproven(), "srv ok, tlsa mismatch"),
        // A look-up that failed is never an absence.
        (Err(Failure::Failed), undetermined(), "srv ok, tlsa unknown"),
        (Err(Failure::TimedOut), unproven(), "srv ok, tlsa unknown"),
        (tlsa(Secure, 1), undetermined(), "srv ok, tlsa unknown"),
    ] {
        let places = [place(true, tlsa.clone(), dane.clone())];
        assert_eq!(judged(&named, &here(true), &places, None), expect, "{tlsa:?} {dane:?}");
    }
    // Of several places the worst is told.
    let places = [
        place(true, tlsa(Secure, 0), unproven()),
        place(true, tlsa(Secure, 1), refuted(Finding::TlsaMismatch)),
        place(true, Err(Failure::Failed), undetermined()),
    ];
    assert_eq!(judged(&named, &here(true), &places, None), "srv ok, tlsa mismatch+");
}

#[test]
fn the_documentation_shows_what_is_told() {
    use Security::Secure;
    let host = domain("xmpp1.hosting.example");
    let key = "8a1f00c2d3e4f5061728394a5b6c7d8e9fa0b1c2d3e4f5061728394a5b6c7d8e";
    let record = format!("_5269._tcp.xmpp1.hosting.example. 3600 IN TLSA 3 1 1 {key}");
    let ours = Ours {
        domain: domain("montague.example"),
        server_name: host.clone(),
        paste: Paste { tlsa: record, ..Paste::default() },
        ..ours(&["xmpp1.hosting.example"])
    };
    let endpoint = Endpoint { target: host, ..endpoint(true) };
    let (tlsa, dane) = (tlsa(Secure, 1), refuted(Finding::TlsaMismatch));
    let places = [Place { endpoint: endpoint.clone(), ..place(true, tlsa, dane) }];
    let checks = judge(&ours, &only_here(endpoint), &places, None, false);
    let mut record = crate::app::self_check::record::Record::default();
    record.note(std::collections::BTreeMap::from([(ours.domain, checks)]));
    let at = |second| SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(second);
    (record.at, record.next) = (Some(at(1_795_323_600)), Some(at(1_795_327_200)));
    assert_eq!(record.show(), crate::app::documented::documented("self-check"));
}

#[test]
fn a_posh_document_is_missed_only_where_nothing_else_proves_the_domain() {
    let absent = || tlsa(Security::Insecure, 0);
    let places = [place(false, absent(), unproven())];
    let document = || Published::Here(Vec::new(), SystemTime::UNIX_EPOCH);
    // The certificate names the domain; or the host, and the way to it is signed.
    let named = ours(&["a.example"]);
    assert_eq!(judged(&named, &here(false), &places, None), "srv ok, tlsa not-needed+");
    let host = ours(&["xmpp.host.example"]);
    assert_eq!(judged(&host, &here(true), &places, None), "srv ok, tlsa not-needed+");
    // It names the host, and the way to it is not signed.
    for (posh, proves, expect) in [
        (document(), true, "srv ok, tlsa not-needed+, posh ok"),
        (document(), false, "srv insecure, tlsa not-needed+, posh mismatch+"),
        (Published::Absent, false, "srv insecure, tlsa not-needed+, posh missing+"),
        (
            Published::Bogus(Finding::PoshMalformed),
            false,
            "srv insecure, tlsa not-needed+, posh mismatch+",
        ),
        (
            Published::Unreachable(Finding::PoshUnavailable),
            false,
            "srv insecure, tlsa not-needed+, posh unknown",
        ),
    ] {
        let found = judged(&host, &here(false), &places, Some((posh.clone(), proves)));
        assert_eq!(found, expect, "{posh:?}");
    }
    // Whoever serves documents wants them to be right.
    let serving = Ours { serves_posh: true, ..ours(&["a.example"]) };
    let found = judged(&serving, &here(true), &places, Some((Published::Absent, false)));
    assert_eq!(found, "srv ok, tlsa not-needed+, posh missing+");
}

//! Our resolver beside unbound, BIND and delv, in front of one DNS in every state there is.
//!
//! `cargo test -p ligase-tests --test dnssec -- --nocapture` prints the tables.

mod cases;
mod differences;
mod lab;
mod liar;
mod lies;
mod oracle;
mod ours;
mod spoil;
mod tree;

use std::collections::BTreeSet;
use std::thread;

use hickory_resolver::proto::rr::RecordType;
use ligase_tests::OrFail;
use ligase_verifier::{Data, Dnssec};

use crate::cases::Case;
use crate::differences::{DELV, OURS, OURS_OVER_BIND, TRUST_AD};
use crate::lab::{BIND, Lab, PLAIN_BIND, PLAIN_UNBOUND, UNBOUND, at, within};
use crate::liar::{Fate, Liar};
use crate::lies::{Lie, Victim};
use crate::oracle::State;
use crate::ours::Ours;

/// What one of them says to all questions.
struct Column {
    who: &'static str,
    says: Vec<State>,
}

/// Asks everybody everything.
fn ask_all(lab: &Lab, cases: &[Case]) -> Vec<Column> {
    let mut columns = ask_each(lab, cases);
    // Who was too busy to answer some of it is asked again.
    let is_lost = |row: &usize| {
        let says = || columns.iter().map(|it| it.says[*row]);
        says().any(|it| it == State::Failed) && says().any(State::is_known)
    };
    let lost: Vec<usize> = (0..cases.len()).filter(is_lost).collect();
    let again: Vec<Case> = lost.iter().map(|row| cases[*row].clone()).collect();
    if !again.is_empty() {
        for (column, second) in columns.iter_mut().zip(ask_each(lab, &again)) {
            lost.iter().zip(second.says).for_each(|(row, says)| column.says[*row] = says);
        }
    }
    columns
}

/// Asks each in turn, all at the same time.
fn ask_each(lab: &Lab, cases: &[Case]) -> Vec<Column> {
    let ask =
        |who, ask: &dyn Fn(&Case) -> State| Column { who, says: cases.iter().map(ask).collect() };
    let ours = |who, server, dnssec| {
        let ours = Ours::new(lab, at(server), dnssec);
        ask(who, &|it| ours.ask(&it.name, it.kind))
    };
    let others = |who, server| ask(who, &|it| oracle::ask(at(server), &it.name, it.kind));
    thread::scope(|scope| {
        let columns = [
            scope.spawn(|| others(differences::BIND, BIND)),
            scope.spawn(|| others(differences::UNBOUND, UNBOUND)),
            scope
                .spawn(|| ask(DELV, &|it| oracle::delv(lab, at(PLAIN_UNBOUND), &it.name, it.kind))),
            scope.spawn(|| ours(OURS, PLAIN_UNBOUND, Dnssec::Validate)),
            scope.spawn(|| ours(OURS_OVER_BIND, PLAIN_BIND, Dnssec::Validate)),
            scope.spawn(|| ours(TRUST_AD, UNBOUND, Dnssec::TrustAd)),
        ];
        columns.into_iter().map(|it| it.join().ok().or_fail("ask everything")).collect()
    })
}

/// What differs from what it is measured by, and why. Nothing may without a reason.
fn judge(case: &Case, columns: &[Column], row: usize, known: &mut BTreeSet<usize>) -> Vec<String> {
    let [bind, unbound, others @ ..] = columns else {
        panic!("BIND and unbound are missing");
    };
    let bind = bind.says[row];
    let mut notes = Vec::new();
    for column in [unbound].into_iter().chain(others) {
        // Who trusts a server says what that server says.
        let measure = if column.who == TRUST_AD { unbound.says[row] } else { bind };
        let says = column.says[row];
        if says == measure {
            continue;
        }
        let explained = differences::ALL
            .iter()
            .position(|it| it.explains(column.who, &case.name, measure, says));
        known.extend(explained);
        notes.push(match explained {
            Some(number) => format!("[{}]", number + 1),
            None => format!("{} DIFFERS", column.who),
        });
    }
    notes
}

#[test]
fn it_says_what_others_say() {
    within("it_says_what_others_say", |lab| {
        let cases = cases::all();
        let columns = ask_all(lab, &cases);
        print!("{:40} {:5}", "name", "type");
        columns.iter().for_each(|it| print!(" {:14}", it.who));
        println!();
        let (mut known, mut unexplained) = (BTreeSet::new(), Vec::new());
        for (row, case) in cases.iter().enumerate() {
            let notes = judge(case, &columns, row, &mut known);
            print!("{:40} {:5}", case.name, case.kind);
            columns.iter().for_each(|it| print!(" {:14}", it.says[row]));
            println!(" {}", notes.join(" "));
            if notes.iter().any(|it| it.contains("DIFFERS")) {
                unexplained.push(format!("{} {}: {notes:?}", case.name, case.kind));
            }
        }
        for (number, difference) in differences::ALL.iter().enumerate() {
            println!("[{}] {}: {}", number + 1, difference.who, difference.why);
        }
        tally(&columns);
        assert_eq!(unexplained, [""; 0]);
        let all: BTreeSet<usize> = (0..differences::ALL.len()).collect();
        assert_eq!(known, all, "a difference that does not occur");
    });
}

/// Counts what must never be, and what may be rarely.
fn tally(columns: &[Column]) {
    let says = |who| &columns.iter().find(|it| it.who == who).or_fail("find a column").says;
    let (bind, unbound) = (says(differences::BIND), says(differences::UNBOUND));
    for who in [OURS, OURS_OVER_BIND] {
        let rows = || says(who).iter().enumerate();
        let is_secure = |it: State| matches!(it, State::Known { secure: true, .. });
        let is_none = |it: State| matches!(it, State::Known { records: 0, .. });
        let are_sure = |row: usize| is_secure(bind[row]) && is_secure(unbound[row]);
        let false_secure = rows().filter(|(row, it)| is_secure(**it) && !are_sure(*row)).count();
        let false_absent = rows().filter(|(row, it)| is_none(**it) && !is_none(bind[*row])).count();
        let false_bogus =
            rows().filter(|(row, it)| !it.is_known() && bind[*row].is_known()).count();
        let count = bind.len();
        println!(
            "{who}: of {count}, {false_secure} falsely secure, {false_absent} falsely absent, \
             {false_bogus} falsely bogus"
        );
        assert!(150 <= count, "there must be more cases");
        assert_eq!((false_secure, false_absent), (0, 0));
        assert!(false_bogus * 100 <= count, "too many are falsely bogus");
    }
}

/// Names that are lied about: with records and without, in zones that deny by NSEC and by NSEC3.
fn victims() -> Vec<Victim> {
    let names = [
        ("_5269._tcp.xmpp", RecordType::TLSA),
        ("_5271._tcp.xmpp", RecordType::TLSA),
        ("_xmpp-server._tcp", RecordType::SRV),
        ("a.b.wild", RecordType::A),
        ("z.wild", RecordType::A),
        ("xmpp.d", RecordType::A),
    ];
    let zones = ["p256.lab", "n3.lab", "n3opt.lab"];
    let victims = zones.iter().flat_map(|zone| {
        names.iter().map(move |(label, kind)| Victim {
            name: format!("{label}.{zone}"),
            kind: *kind,
            zone,
        })
    });
    victims.collect()
}

/// What came of one lie.
struct Told {
    ours: (State, Vec<Data>),
    /// What delv says, if it was asked.
    delv: Option<State>,
    lies: usize,
}

fn tell(lab: &Lab, lie: &'static Lie, victim: &Victim) -> Told {
    let it = victim.clone();
    let bend = move |query: &_, message: &mut _, source: &_| lie.tell(query, message, &it, source);
    let liar = Liar::start(at(PLAIN_UNBOUND), bend);
    let kind = victim.kind.to_string();
    let ours = Ours::new(lab, liar.at, Dnssec::Validate).hear(&victim.name, &kind);
    let lies = liar.lies();
    // One zone shows how others take it, and delv waits long for what is lost.
    let asks_delv = victim.zone == "p256.lab" && !lie.what.ends_with("lost");
    let delv = asks_delv.then(|| oracle::delv(lab, liar.at, &victim.name, &kind));
    Told { ours, delv, lies }
}

#[test]
fn no_liar_is_believed() {
    within("no_liar_is_believed", |lab| {
        let victims = victims();
        let honest = Ours::new(lab, at(PLAIN_UNBOUND), Dnssec::Validate);
        let truths: Vec<_> =
            victims.iter().map(|it| honest.hear(&it.name, &it.kind.to_string())).collect();
        let told: Vec<Vec<Told>> = thread::scope(|scope| {
            let telling: Vec<_> = victims
                .iter()
                .map(|victim| {
                    scope.spawn(move || {
                        lies::ALL.iter().map(|lie| tell(lab, lie, victim)).collect::<Vec<_>>()
                    })
                })
                .collect();
            telling.into_iter().map(|it| it.join().ok().or_fail("tell lies")).collect()
        });
        let mut faults = Vec::new();
        for (number, lie) in lies::ALL.iter().enumerate() {
            println!("{}", lie.what);
            let mut caught = 0;
            for ((victim, truth), told) in victims.iter().zip(&truths).zip(&told) {
                let told = &told[number];
                let is_insecure = |it: &State| matches!(it, State::Known { secure: false, .. });
                // Where even the truth is insecure, a lie may be: in an opt-out span there may be an
                // unsigned zone of that name, and what it says is anybody's to say.
                let is_true = told.ours == *truth
                    || is_insecure(&truth.0) && is_insecure(&told.ours.0) && !lie.is_harmless;
                let is_caught = matches!(told.ours.0, State::Bogus | State::Failed);
                caught += usize::from(is_caught);
                let fault = match (is_true, is_caught) {
                    _ if told.lies == 0 => "WAS NOT TOLD",
                    (false, false) => "BELIEVED",
                    (false, true) if lie.is_harmless => "DOES HARM",
                    _ => "",
                };
                println!(
                    "  {:28} {:5} {:14} ours {:14} {:20} {fault}",
                    victim.name,
                    victim.kind,
                    truth.0,
                    told.ours.0,
                    told.delv.map(|it| format!("delv {it}")).unwrap_or_default(),
                );
                if !fault.is_empty() {
                    faults.push(format!("{}, {}: {fault}", lie.what, victim.name));
                }
            }
            if caught == 0 && !lie.is_harmless {
                faults.push(format!("{}: harmless", lie.what));
            }
        }
        assert_eq!(faults, [""; 0]);
    });
}

/// What it takes to know a peer: both SRV names, both kinds of address, and TLSA.
fn questions_for(ours: &Ours, liar: &Liar, zone: &str) -> usize {
    let before = liar.asked();
    for (label, kind) in [
        ("_xmpp-server._tcp", "SRV"),
        ("_xmpps-server._tcp", "SRV"),
        ("xmpp", "A"),
        ("xmpp", "AAAA"),
        ("_5269._tcp.xmpp", "TLSA"),
    ] {
        let state = ours.ask(&format!("{label}.{zone}"), kind);
        assert!(matches!(state, State::Known { secure: true, .. }), "{zone} {label}: {state}");
    }
    liar.asked() - before
}

#[test]
fn few_questions_are_asked_about_a_peer() {
    within("few_questions_are_asked_about_a_peer", |lab| {
        let liar = Liar::start(at(PLAIN_UNBOUND), |_, _, _| Fate::Honest);
        let ours = Ours::new(lab, liar.at, Dnssec::Validate);
        // The five themselves; digests and keys of the zone and of the one above; the root's keys;
        // and whether a zone of its own begins at the host.
        assert_eq!(questions_for(&ours, &liar, "p256.lab"), 11);
        assert_eq!(questions_for(&ours, &liar, "p384.lab"), 8);
    });
}

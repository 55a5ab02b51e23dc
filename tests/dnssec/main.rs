//! Our resolver beside unbound, BIND and delv, in front of one DNS in every state there is.

mod cases;
mod lab;
mod oracle;
mod ours;
mod spoil;
mod tree;

use std::thread;

use ligase_verifier::Dnssec;

use crate::lab::{BIND, PLAIN_BIND, PLAIN_UNBOUND, UNBOUND, at, within};
use crate::oracle::State;
use crate::ours::Ours;

#[test]
fn it_says_what_others_say() {
    within("it_says_what_others_say", |lab| {
        let cases = cases::all();
        let ask = |work: &(dyn Fn(&str, &str) -> State + Sync)| -> Vec<State> {
            cases.iter().map(|it| work(&it.name, it.kind)).collect()
        };
        let (unbound, bind, delv, ours) = thread::scope(|scope| {
            let unbound = scope.spawn(|| ask(&|name, kind| oracle::ask(at(UNBOUND), name, kind)));
            let bind = scope.spawn(|| ask(&|name, kind| oracle::ask(at(BIND), name, kind)));
            let delv =
                scope.spawn(|| ask(&|name, kind| oracle::delv(lab, at(PLAIN_UNBOUND), name, kind)));
            let ours = scope.spawn(|| {
                let ours = Ours::new(lab, at(PLAIN_UNBOUND), Dnssec::Validate);
                let other = Ours::new(lab, at(PLAIN_BIND), Dnssec::Validate);
                let ask = |ours: &Ours| -> Vec<State> {
                    cases.iter().map(|it| ours.ask(&it.name, it.kind)).collect()
                };
                (ask(&ours), ask(&other))
            });
            (
                unbound.join().unwrap(),
                bind.join().unwrap(),
                delv.join().unwrap(),
                ours.join().unwrap(),
            )
        });
        let mut differ = 0;
        println!(
            "{:42} {:4} {:16} {:16} {:16} {:16} ours over BIND",
            "name", "type", "unbound", "BIND", "delv", "ours"
        );
        for (at, case) in cases.iter().enumerate() {
            let (u, b, d, o, p) = (unbound[at], bind[at], delv[at], ours.0[at], ours.1[at]);
            let mark = if o == u && o == b && d == o && p == o {
                ""
            } else {
                differ += 1;
                " ≠"
            };
            println!("{:42} {:4} {u:16} {b:16} {d:16} {o:16} {p}{mark}", case.name, case.kind);
        }
        println!("{differ} of {} differ", cases.len());
    });
}

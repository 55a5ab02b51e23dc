use std::time::Duration;

use super::*;

fn pair(number: usize) -> DomainPair {
    let target = format!("peer{number}.example").parse().unwrap();
    DomainPair::new("montague.example".parse().unwrap(), target)
}

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn missed(seconds: u64, rung: Rung) -> Step {
    let outcome = Err(Setback::Handshake);
    Step { at: at(seconds), endpoint: None, rung: Some(rung), outcome }
}

#[test]
fn the_last_climb_is_told_with_its_steps_and_its_end() {
    let mut journal = Journal::new(4);
    assert_eq!(journal.last(&pair(1)), None);
    journal.begin(&pair(1), at(1));
    journal.step(&pair(1), missed(2, Rung::ServerName));
    journal.step(&pair(1), missed(3, Rung::DomainName));
    let mut expect = Climb {
        began: at(1),
        steps: vec![missed(2, Rung::ServerName), missed(3, Rung::DomainName)],
        left_out: 0,
        end: None,
    };
    assert_eq!(journal.last(&pair(1)), Some(&expect));
    journal.end(&pair(1), at(4), Err(Setback::Handshake));
    expect.end = Some((at(4), Err(Setback::Handshake)));
    assert_eq!(journal.last(&pair(1)), Some(&expect));
    assert_eq!(journal.last(&pair(1).reversed()), None);

    // What is over stays as it was, until the next begins.
    journal.step(&pair(1), missed(5, Rung::Plain));
    journal.end(&pair(1), at(6), Ok(()));
    assert_eq!(journal.last(&pair(1)), Some(&expect));
    journal.begin(&pair(1), at(7));
    let fresh = Climb { began: at(7), steps: Vec::new(), left_out: 0, end: None };
    assert_eq!(journal.last(&pair(1)), Some(&fresh));
}

#[test]
fn what_was_never_begun_is_not_noted() {
    let mut journal = Journal::new(4);
    journal.step(&pair(1), missed(1, Rung::ServerName));
    journal.end(&pair(1), at(2), Ok(()));
    assert_eq!(journal.last(&pair(1)), None);
}

#[test]
fn of_many_steps_the_latest_are_kept() {
    let mut journal = Journal::new(4);
    journal.begin(&pair(1), at(0));
    for second in 1..=11 {
        journal.step(&pair(1), missed(second, Rung::DomainName));
    }
    let climb = journal.last(&pair(1)).unwrap();
    let kept: Vec<_> = climb.steps.iter().map(|step| step.at).collect();
    assert_eq!(kept, (4..=11).map(at).collect::<Vec<_>>());
    assert_eq!((climb.steps.len(), climb.left_out), (Climb::STEPS_MAX, 3));
}

#[test]
fn of_many_pairs_the_oldest_is_forgotten() {
    let mut journal = Journal::new(4);
    for number in 0..4 {
        journal.begin(&pair(number), at(1));
    }
    // One that is sought again is young again, and pushes nobody out.
    journal.begin(&pair(0), at(2));
    let known = |journal: &Journal| -> Vec<_> {
        (0..8).filter(|number| journal.last(&pair(*number)).is_some()).collect()
    };
    assert_eq!(known(&journal), [0, 1, 2, 3]);
    journal.begin(&pair(4), at(3));
    assert_eq!(known(&journal), [0, 2, 3, 4]);
    for number in 5..8 {
        journal.begin(&pair(number), at(4));
    }
    assert_eq!(known(&journal), [4, 5, 6, 7]);
}

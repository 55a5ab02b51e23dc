//! Whatever a far end that opened a stream says, in whatever order: no stanza passes whose pair was
//! not proven and reached when that was asked for, and nothing comes of a stream that is closed.

#![no_main]

mod stage;

use std::collections::HashSet;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use ligase::binding::Finding;
use ligase::stream::{Action, Answer, Ids, Input, Receiving};

use self::stage::{ID, check, inputs, met, table, terms};

fuzz_target!(|bytes: &[u8]| {
    let [mode, bytes @ ..] = bytes else {
        return;
    };
    let (side, level) = met(*mode);
    let mut table = table(side);
    let ids = Ids::seeded([1; 32]);
    let (mut machine, _) = Receiving::new(ID, terms(side, level), ids, mode & 4 == 0, &mut table);
    let (mut ended, mut closed) = (false, false);
    let (mut judging, mut asking, mut reaching) = (HashSet::new(), HashSet::new(), HashSet::new());
    let (mut proven, mut confirmed, mut reached) = (HashSet::new(), HashSet::new(), HashSet::new());
    for (step, input) in (0_u64..).zip(inputs(bytes)) {
        match &input {
            Input::Secured(_) => {
                judging.clear();
                asking.clear();
                reaching.clear();
            }
            Input::Found(name, Finding::OurServer(true)) if judging.remove(name) => {
                proven.insert(name.clone());
            }
            Input::Authority(pair, Answer::Valid) if asking.remove(pair) => {
                confirmed.insert(pair.clone());
            }
            Input::Reached(pair, Ok(())) if reaching.remove(pair) => {
                reached.insert(pair.clone());
            }
            _ => (),
        }
        let mut actions = Vec::new();
        machine.handle(input, Duration::from_secs(step), &mut table, &mut actions);
        if closed {
            assert!(actions.is_empty() && table.row(ID).is_none());
            continue;
        }
        check(&actions, &table, &mut ended);
        closed = table.row(ID).is_none();
        for action in &actions {
            match action {
                Action::Judge(name, _) => drop(judging.insert(name.clone())),
                Action::AskAuthority(pair, ..) => drop(asking.insert(pair.clone())),
                Action::Reach(pair) => drop(reaching.insert(pair.clone())),
                Action::Forward(_, stanza) | Action::Hold(stanza) => {
                    let pair = &stanza.pair;
                    assert!(
                        proven.contains(&pair.sender) || confirmed.contains(pair),
                        "{pair}"
                    );
                    assert!(reached.contains(pair), "{pair}");
                }
                _ => (),
            }
        }
    }
});

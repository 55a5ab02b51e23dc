//! Whatever a far end says whose stream we opened, in whatever order: no stanza comes in, nothing
//! leaves by it that was not granted when that was asked for, and nothing comes of a stream that is
//! closed.

#![no_main]

mod stage;

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use ligase::stream::{Action, Errand, Frame, Initiating, Input, Rung, Word};

use self::stage::{ID, check, inputs, met, pair, table, terms};

fuzz_target!(|bytes: &[u8]| {
    let [mode, bytes @ ..] = bytes else {
        return;
    };
    let (side, level) = met(*mode);
    let rung = [Rung::External, Rung::Dialback, Rung::Plain][usize::from(mode >> 4) % 3];
    let mut table = table(side);
    let errand = Errand::Carry(pair("l.test", "a.test"));
    let direct_tls = mode & 4 == 0;
    let terms = terms(side, level);
    let (mut machine, _) = Initiating::new(ID, terms, errand, rung, direct_tls, &mut table);
    let (mut ended, mut closed) = (false, false);
    let (mut asked, mut granted) = (false, false);
    for (step, input) in (0_u64..).zip(inputs(bytes)) {
        granted |= asked
            && match &input {
                Input::Frame(Frame::Success) => true,
                Input::Frame(Frame::Dialback(dialback)) => dialback.word == Word::Valid,
                _ => false,
            };
        let mut actions = Vec::new();
        machine.handle(input, Duration::from_secs(step), &mut table, &mut actions);
        if closed {
            assert!(actions.is_empty() && table.row(ID).is_none());
            continue;
        }
        check(&actions, &table, &mut ended);
        closed = table.row(ID).is_none();
        for action in &actions {
            let comes_in = matches!(action, Action::Forward(..) | Action::Hold(_));
            assert!(!comes_in, "{action:?}");
            if let Action::Send(text) = action {
                asked |= text.starts_with("<auth") || text.starts_with("<db:result");
            }
        }
        let leaves = table.row(ID).is_some_and(|row| !row.exits.is_empty());
        assert!(
            granted || !leaves,
            "something leaves that was never granted"
        );
    }
});

use ligase::binding::{ConnectionId, DomainPair, Grounds, Name, Passage, Side, StreamId, Table};
use ligase_verifier::Domain;

const NAMES: [&str; 3] = ["a.test", "b.test", "l.test"];

/// Whatever is done to the table, in whatever order: who brings a stanza in is proven for its
/// sender, who takes it out is proven for its target, and nobody does either who is gone.
pub(super) fn table(bytes: &[u8]) {
    let names: Vec<Domain> = NAMES.iter().map(|name| name.parse().unwrap()).collect();
    let mut pairs = Vec::new();
    for sender in &names {
        pairs.extend(names.iter().map(|it| DomainPair::new(sender.clone(), it.clone())));
    }
    let mut table = Table::default();
    let mut last = 0;
    for [what, which, whose] in bytes.as_chunks::<3>().0 {
        let id = ConnectionId(u64::from(*which) % (last + 2));
        let pair = &pairs[usize::from(*whose) % pairs.len()];
        match what % 14 {
            0 if last < 8 => {
                last += 1;
                let side = if which & 1 == 0 { Side::Public } else { Side::Backend };
                table.open(ConnectionId(last), side);
            }
            1 | 2 => table.prove(id, pair.sender.clone(), Grounds::Dialback),
            3 => drop(table.let_in(pair, id)),
            4 => drop(table.let_out(pair, id)),
            5 => drop(table.shut_in(pair, id)),
            6 => drop(table.shut_out(pair, id)),
            7 => table.disprove(id, &Name::Service(pair.target.clone())),
            8 => table.ask(pair, id),
            9 => table.set_stream(id, Some(StreamId("S".into()))),
            10 => table.stand_by(pair),
            11 => table.set_waiting(pair, which & 1 == 1),
            12 => drop(table.admit(id, &pair.sender)),
            _ => table.close(id),
        }
        for pair in &pairs {
            holds(&table, pair, last);
        }
    }
}

fn holds(table: &Table, pair: &DomainPair, last: u64) {
    for entrance in (0..=last).map(ConnectionId) {
        match table.passage(pair, entrance) {
            Passage::Forbidden => continue,
            Passage::Wait => (),
            Passage::Exit(exit) => assert!(table.is_proven(exit, &pair.target)),
        }
        assert!(table.is_proven(entrance, &pair.sender), "{pair} by {entrance}");
        assert!(table.has_entrance(pair));
    }
    for id in table.exits(pair).chain(table.entrances(pair)) {
        assert!(table.row(id).is_some(), "{id} is gone, and {pair} passes");
    }
    let asking = [Side::Public, Side::Backend].map(|side| table.asking(side, pair));
    for id in asking.into_iter().flatten() {
        assert!(table.row(id).is_some(), "{id} is gone, and asks for {pair}");
    }
}

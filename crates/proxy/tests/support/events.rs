//! What may happen to a table, in an order that chance chooses, beside a model of it that is kept in
//! the dullest way there is. After each event both are asked the same, about everything.

use std::collections::{BTreeSet, HashSet};
use std::time::{Duration, SystemTime};

use ligase_verifier::Domain;

use super::{ConnectionId, DomainPair, Far, Grounds, Mode, Name, Passage, Side, StreamId, Table};

/// How often what happened, so that nothing holds because nothing happens.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) bound: u32,
    pub(crate) not_proven: u32,
    pub(crate) admitted: u32,
    pub(crate) not_admitted: u32,
    pub(crate) stood_by: u32,
    pub(crate) fell: u32,
    pub(crate) ended: u32,
    pub(crate) exits: u32,
    pub(crate) waits: u32,
    pub(crate) forbidden: u32,
}

impl Tally {
    /// How often happened what happened least.
    pub(crate) fn rarest(&self) -> u32 {
        let Self { bound, not_proven, admitted, not_admitted, stood_by, fell, .. } = *self;
        let Self { ended, exits, waits, forbidden, .. } = *self;
        let rights = [bound, not_proven, admitted, not_admitted, stood_by, fell];
        let all = rights.into_iter().chain([ended, exits, waits, forbidden]);
        all.min().unwrap_or_default()
    }
}

/// Who and what events are about.
pub(crate) struct Cast {
    domains: Vec<Domain>,
    pairs: Vec<DomainPair>,
    grounds: Vec<Grounds>,
    streams: Vec<Option<StreamId>>,
    /// When the first proof may end.
    from: SystemTime,
}

impl Cast {
    /// Three domains, and grounds that end a minute or more after `from`.
    pub(crate) fn new(ending: impl IntoIterator<Item = Grounds>, from: SystemTime) -> Self {
        let domains: Vec<Domain> =
            ["a.test", "b.test", "l.test"].iter().map(|name| name.parse().unwrap()).collect();
        let pair =
            |sender: &Domain, target: &Domain| DomainPair::new(sender.clone(), target.clone());
        let with = |sender| domains.iter().map(move |target| pair(sender, target));
        let pairs = domains.iter().flat_map(with).collect();
        let grounds = ending.into_iter().chain([Grounds::Dialback]).collect();
        let stream = |id: &str| Some(StreamId(id.into()));
        Self { pairs, grounds, streams: vec![None, stream("s1"), stream("s2")], from, domains }
    }
}

/// Has so many events happen to an empty table, then closes all of it. `look` sees the table after
/// each.
pub(crate) fn happen(
    seed: u64,
    events: u32,
    cast: &Cast,
    tally: &mut Tally,
    look: &mut impl FnMut(&Table),
) {
    let pairs = cast.pairs.len();
    let nobody = || vec![Vec::new(); pairs];
    let mut events_of = Events {
        table: Table::default(),
        lines: Vec::new(),
        entrances: nobody(),
        exits: nobody(),
        asked: nobody(),
        waiting: vec![false; pairs],
        ends: BTreeSet::new(),
        closed: Vec::new(),
        now: cast.from,
        last: 0,
        dice: Dice(seed),
        cast,
        tally,
    };
    for _ in 0..events {
        events_of.next();
        events_of.compare();
        look(&events_of.table);
    }
    while let Some(line) = events_of.lines.first() {
        let id = line.id;
        events_of.close(id);
        events_of.compare();
        look(&events_of.table);
    }
    assert_eq!(events_of.table.rows().count(), 0);
    assert_eq!(events_of.table.last_end(), None);
}

/// What is known of one connection.
struct Line {
    id: ConnectionId,
    side: Side,
    names: Vec<(Name, Grounds)>,
    server: Option<Domain>,
    stream: Option<StreamId>,
    mode: Mode,
    far: Far,
}

/// A table, and what it should say.
struct Events<'a> {
    table: Table,
    lines: Vec<Line>,
    /// By pair, in the order in which they came.
    entrances: Vec<Vec<ConnectionId>>,
    exits: Vec<Vec<ConnectionId>>,
    asked: Vec<Vec<ConnectionId>>,
    waiting: Vec<bool>,
    ends: BTreeSet<(SystemTime, ConnectionId, Name)>,
    closed: Vec<(ConnectionId, HashSet<DomainPair>)>,
    now: SystemTime,
    last: u64,
    dice: Dice,
    cast: &'a Cast,
    tally: &'a mut Tally,
}

impl Events<'_> {
    fn next(&mut self) {
        let id = self.id();
        match self.dice.roll(18) {
            0 | 1 if self.lines.len() < LINES_MAX => self.open(id),
            0 | 1 => self.close(id),
            2..=4 => self.prove(id),
            5 | 6 => self.let_in(id),
            7 | 8 => self.let_out(id),
            9 => self.shut(id),
            10 => self.ask(id),
            11 => self.disprove(id),
            12 => self.admit(id),
            13 => self.wait(),
            14 | 15 => self.stand_by(),
            16 if self.dice.roll(4) == 0 => self.end(),
            _ => self.tell(id),
        }
    }

    /// Mostly one that is, at times one that never was or is no more.
    fn id(&mut self) -> ConnectionId {
        let known = (0 < self.dice.roll(16)).then(|| self.dice.pick(&self.lines)).flatten();
        known.map_or_else(|| ConnectionId(self.dice.roll(self.last + 2)), |line| line.id)
    }

    fn line(&mut self, id: ConnectionId) -> Option<&mut Line> {
        self.lines.iter_mut().find(|line| line.id == id)
    }

    fn name(&mut self) -> Name {
        let domain = self.domain();
        if self.dice.roll(3) == 0 { Name::Server(domain) } else { Name::Service(domain) }
    }

    fn domain(&mut self) -> Domain {
        self.dice.pick(&self.cast.domains).unwrap().clone()
    }

    fn pair(&mut self) -> (usize, DomainPair) {
        let pair = self.dice.index(self.cast.pairs.len());
        (pair, self.cast.pairs[pair].clone())
    }

    /// A new one; at times one that is open already begins anew.
    fn open(&mut self, open: ConnectionId) {
        let id = if self.dice.roll(8) == 0 && self.line(open).is_some() {
            self.forget(open);
            open
        } else {
            self.last += 1;
            ConnectionId(self.last)
        };
        let side = if self.dice.roll(2) == 0 { Side::Public } else { Side::Backend };
        self.table.open(id, side);
        let (mode, far) = (Mode::default(), Far::default());
        let names = Vec::new();
        self.lines.push(Line { id, side, names, server: None, stream: None, mode, far });
    }

    fn close(&mut self, id: ConnectionId) {
        self.table.close(id);
        self.forget(id);
    }

    fn forget(&mut self, id: ConnectionId) {
        let went = self.exits.iter().zip(&self.cast.pairs).filter(|(ids, _)| ids.contains(&id));
        let pairs: HashSet<_> = went.map(|(_, pair)| pair.clone()).collect();
        self.closed.extend((!pairs.is_empty()).then_some((id, pairs)));
        self.lines.retain(|line| line.id != id);
        for book in [&mut self.entrances, &mut self.exits, &mut self.asked] {
            book.iter_mut().for_each(|ids| ids.retain(|it| *it != id));
        }
        self.ends.retain(|end| end.1 != id);
    }

    fn prove(&mut self, id: ConnectionId) {
        let name = self.name();
        // The table does not ask for whom a proof was made.
        let grounds = self.dice.pick(&self.cast.grounds).unwrap().clone();
        self.table.prove(id, name.clone(), grounds.clone());
        let Some(line) = self.line(id) else {
            return;
        };
        line.names.retain(|it| it.0 != name);
        line.names.push((name.clone(), grounds.clone()));
        self.ends.retain(|end| (end.1, &end.2) != (id, &name));
        self.ends.extend(grounds.ends().map(|end| (end, id, name)));
    }

    fn disprove(&mut self, id: ConnectionId) {
        let name = self.name();
        self.table.disprove(id, &name);
        let Some(line) = self.line(id) else {
            return;
        };
        line.names.retain(|it| it.0 != name);
        line.server.take_if(|server| name == Name::Server(server.clone()));
        self.ends.retain(|end| (end.1, &end.2) != (id, &name));
        let mut fell = 0;
        for (at, pair) in self.cast.pairs.iter().enumerate() {
            let rests = |on: &Domain| name == Name::Service(on.clone());
            if rests(&pair.sender) {
                fell += u32::from(take(&mut self.entrances[at], id));
            }
            if rests(&pair.target) {
                fell += u32::from(take(&mut self.exits[at], id));
            }
        }
        self.tally.fell += fell;
    }

    fn let_in(&mut self, id: ConnectionId) {
        let (at, pair) = self.pair();
        let proven = self.is_proven(id, &Name::Service(pair.sender.clone()));
        assert_eq!(self.table.let_in(&pair, id).is_ok(), proven, "{pair} by {id}");
        bind(&mut self.entrances[at], id, proven, self.tally);
    }

    fn let_out(&mut self, id: ConnectionId) {
        let (at, pair) = self.pair();
        let proven = self.is_proven(id, &Name::Service(pair.target.clone()));
        assert_eq!(self.table.let_out(&pair, id).is_ok(), proven, "{pair} by {id}");
        bind(&mut self.exits[at], id, proven, self.tally);
    }

    fn stand_by(&mut self) {
        let (at, pair) = self.pair();
        self.table.stand_by(&pair);
        let opposite = self.cast.pairs.iter().position(|it| *it == pair.reversed()).unwrap();
        for id in self.entrances[opposite].clone() {
            let line = self.line(id).unwrap();
            let is_bidi = line.far.bidi;
            // A key that was handed on proves nobody.
            let target = Name::Service(pair.target.clone());
            let shown = line
                .names
                .iter()
                .any(|(name, grounds)| *name == target && !matches!(grounds, Grounds::Dialback));
            if is_bidi && shown && !self.exits[at].contains(&id) {
                self.exits[at].push(id);
                self.tally.stood_by += 1;
            }
        }
    }

    fn admit(&mut self, id: ConnectionId) {
        let server = self.domain();
        let proven = self.is_proven(id, &Name::Server(server.clone()));
        assert_eq!(self.table.admit(id, &server).is_ok(), proven, "{server} as {id}");
        if proven {
            self.tally.admitted += 1;
            self.line(id).unwrap().server = Some(server);
        } else {
            self.tally.not_admitted += 1;
        }
    }

    fn shut(&mut self, id: ConnectionId) {
        let (at, pair) = self.pair();
        if self.dice.roll(2) == 0 {
            assert_eq!(self.table.shut_in(&pair, id), take(&mut self.entrances[at], id));
        } else {
            assert_eq!(self.table.shut_out(&pair, id), take(&mut self.exits[at], id));
        }
    }

    fn ask(&mut self, id: ConnectionId) {
        let (at, pair) = self.pair();
        self.table.ask(&pair, id);
        if self.line(id).is_some() && !self.asked[at].contains(&id) {
            self.asked[at].push(id);
        }
    }

    fn wait(&mut self) {
        let (at, pair) = self.pair();
        self.waiting[at] = self.dice.roll(2) == 0;
        self.table.set_waiting(&pair, self.waiting[at]);
    }

    /// Time passes, and some proofs with it. What was closed until then is told once.
    fn end(&mut self) {
        self.now = self.cast.from + Duration::from_secs(self.dice.roll(120));
        let ended: Vec<_> = self.ends.iter().filter(|it| it.0 <= self.now).cloned().collect();
        self.ends.retain(|it| self.now < it.0);
        self.tally.ended += u32::try_from(ended.len()).unwrap();
        let ended: Vec<_> = ended.into_iter().map(|(_, id, name)| (id, name)).collect();
        assert_eq!(self.table.take_ended(self.now), ended);
        assert_eq!(self.table.take_closed(), std::mem::take(&mut self.closed));
    }

    /// What says something about a connection, and takes or gives no right.
    fn tell(&mut self, id: ConnectionId) {
        let mut flag = || self.dice.roll(2) == 0;
        let far = Far { errors: flag(), bidi: flag(), dna: flag(), confirms: flag() };
        let mode = self.dice.pick(&[Mode::ServerName, Mode::DomainName, Mode::Legacy]).copied();
        let stream = self.dice.pick(&self.cast.streams).cloned().flatten();
        let what = self.dice.roll(3);
        match what {
            0 => self.table.set_far(id, far),
            1 => self.table.set_mode(id, mode.unwrap()),
            _ => self.table.set_stream(id, stream.clone()),
        }
        let Some(line) = self.line(id) else {
            return;
        };
        match what {
            0 => line.far = far,
            1 => line.mode = mode.unwrap(),
            _ => {
                line.stream = stream;
                self.asked.iter_mut().for_each(|ids| ids.retain(|it| *it != id));
            }
        }
    }

    fn is_proven(&self, id: ConnectionId, name: &Name) -> bool {
        let line = self.lines.iter().find(|line| line.id == id);
        line.is_some_and(|line| line.names.iter().any(|it| it.0 == *name))
    }

    /// The table says what the model says.
    fn compare(&mut self) {
        for at in 0..self.cast.pairs.len() {
            self.compare_pair(at);
        }
        for line in &self.lines {
            self.compare_row(line);
        }
        assert_eq!(self.table.rows().count(), self.lines.len());
        assert_eq!(self.table.next_end(), self.ends.first().map(|it| it.0));
        assert_eq!(self.table.last_end(), self.ends.last().map(|it| it.0));
    }

    fn compare_pair(&mut self, at: usize) {
        let (table, pair) = (&self.table, &self.cast.pairs[at]);
        let exit = self.exits[at].first().copied();
        let way_out = match exit {
            Some(exit) if !self.waiting[at] => Passage::Exit(exit),
            _ => Passage::Wait,
        };
        assert_eq!(table.exit(pair), exit, "{pair}");
        assert!(table.exits(pair).eq(self.exits[at].iter().copied()), "{pair}");
        assert!(table.entrances(pair).eq(self.entrances[at].iter().copied()), "{pair}");
        assert_eq!(table.way_out(pair), way_out, "{pair}");
        assert_eq!(table.has_entrance(pair), !self.entrances[at].is_empty(), "{pair}");
        for id in self.lines.iter().map(|line| line.id).chain([ConnectionId(self.last + 1)]) {
            let (expect, count) = match way_out {
                _ if !self.entrances[at].contains(&id) => {
                    (Passage::Forbidden, &mut self.tally.forbidden)
                }
                Passage::Exit(_) => (way_out, &mut self.tally.exits),
                Passage::Wait | Passage::Forbidden => (way_out, &mut self.tally.waits),
            };
            *count += 1;
            assert_eq!(table.passage(pair, id), expect, "{pair} by {id}");
        }
        for side in [Side::Public, Side::Backend] {
            let of_side = |id: &&ConnectionId| {
                self.lines.iter().any(|line| line.id == **id && line.side == side)
            };
            let mut due = self.asked[at].iter().filter(|id| !self.exits[at].contains(id));
            assert_eq!(table.asking(side, pair), due.find(of_side).copied(), "{pair}");
            for stream in self.cast.streams.iter().flatten() {
                let is_asked = self.lines.iter().any(|line| {
                    let asked = line.side == side && self.asked[at].contains(&line.id);
                    asked && line.stream.as_ref() == Some(stream)
                });
                assert_eq!(table.is_asked(side, stream, pair), is_asked, "{pair} on {stream:?}");
            }
        }
    }

    fn compare_row(&self, line: &Line) {
        let row = self.table.row(line.id).unwrap();
        assert_eq!((row.side, &row.stream, row.mode), (line.side, &line.stream, line.mode));
        assert_eq!((row.far, &row.server), (line.far, &line.server));
        assert!(line.names.iter().all(|(name, grounds)| row.names.get(name) == Some(grounds)));
        assert_eq!(row.names.len(), line.names.len());
        // Nobody is a server who is not proven to be it.
        assert!(row.server.as_ref().is_none_or(|server| row.is_server(server)));
        let mut rights = false;
        for (at, pair) in self.cast.pairs.iter().enumerate() {
            let (brings, takes) = (row.entrances.contains(pair), row.exits.contains(pair));
            assert_eq!(brings, self.entrances[at].contains(&line.id), "{pair}");
            assert_eq!(takes, self.exits[at].contains(&line.id), "{pair}");
            assert_eq!(row.asked.contains(pair), self.asked[at].contains(&line.id), "{pair}");
            // D-06: nobody has a right without the proof that it rests on.
            assert!(!brings || row.speaks_for(&pair.sender).is_some(), "{pair}");
            assert!(!takes || row.speaks_for(&pair.target).is_some(), "{pair}");
            rights |= brings || takes;
        }
        assert_eq!(row.is_authorized(), rights || row.server.is_some());
    }
}

fn bind(ids: &mut Vec<ConnectionId>, id: ConnectionId, proven: bool, tally: &mut Tally) {
    if !proven {
        tally.not_proven += 1;
        return;
    }
    tally.bound += 1;
    if !ids.contains(&id) {
        ids.push(id);
    }
}

fn take(ids: &mut Vec<ConnectionId>, id: ConnectionId) -> bool {
    let before = ids.len();
    ids.retain(|it| *it != id);
    ids.len() < before
}

/// How many connections are open at most: enough for an order among them, and so few that they
/// often meet.
const LINES_MAX: usize = 4;

/// Chance that is the same every time (xorshift64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) % sides
    }

    fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.roll(length as u64)).unwrap()
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let at = self.index(from.len().max(1));
        from.get(at)
    }
}

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::SystemTime;

use ligase_verifier::Domain;

use super::bindings::{Bindings, Ways, strike};
use super::grounds::Grounds;
use super::mode::Mode;
use super::name::Name;
use super::pair::DomainPair;
use super::row::{ConnectionId, Far, Row, Side, StreamId};
use super::spare::give_back;

/// The connections we have, and the pairs each may carry.
///
/// A pair comes in by its entrances and leaves by its exits. One rule guards both, on either side
/// of the proxy: **who brings a stanza in must be proven for its sender, who takes it out must be
/// proven for its target.**
#[derive(Clone, Debug, Default)]
pub struct Table {
    rows: HashMap<ConnectionId, Row>,
    /// The same rights by pair, in the order in which they were granted.
    bindings: Bindings,
    /// Connections that were closed, and the pairs that went out by them, for those who move stanzas.
    closed: Vec<(ConnectionId, HashSet<DomainPair>)>,
    /// When each proof that ends is to be looked at again (F-50).
    ends: BTreeSet<(SystemTime, ConnectionId, Name)>,
}

/// What becomes of a stanza.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Passage {
    /// It leaves by this connection.
    Exit(ConnectionId),
    /// It may pass, but no way out is open, or others wait before it.
    Wait,
    /// Who brought it may not.
    Forbidden,
}

/// A connection was to carry a pair that it is not proven for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NotProven;

impl Table {
    /// Adds a connection that may carry nothing yet. What it was, if it is known already, it is no
    /// more.
    pub fn open(&mut self, id: ConnectionId, side: Side) {
        self.close(id);
        let row = Row {
            side,
            names: HashMap::new(),
            server: None,
            stream: None,
            mode: Mode::default(),
            far: Far::default(),
            entrances: HashSet::new(),
            exits: HashSet::new(),
            asked: HashSet::new(),
        };
        self.rows.insert(id, row);
    }

    /// Notes that `id` goes by `name`.
    pub fn prove(&mut self, id: ConnectionId, name: impl Into<Name>, grounds: Grounds) {
        let Some(row) = self.rows.get_mut(&id) else {
            return;
        };
        let (name, ends) = (name.into(), grounds.ends());
        let earlier = row.names.insert(name.clone(), grounds);
        forget(&mut self.ends, earlier.as_ref(), id, &name);
        self.ends.extend(ends.map(|end| (end, id, name)));
    }

    /// Takes back that `id` goes by `name`, and with it everything that rested on that (D-10, E-18).
    pub fn disprove(&mut self, id: ConnectionId, name: &Name) {
        let Some(row) = self.rows.get_mut(&id) else {
            return;
        };
        let grounds = row.names.remove(name);
        forget(&mut self.ends, grounds.as_ref(), id, name);
        let Name::Service(domain) = name else {
            row.server.take_if(|server| server == name.domain());
            return;
        };
        for pair in row.entrances.extract_if(|pair| pair.sender == *domain) {
            self.bindings.change(&pair, |ways| strike(&mut ways.entrances, id));
        }
        for pair in row.exits.extract_if(|pair| pair.target == *domain) {
            self.bindings.change(&pair, |ways| strike(&mut ways.exits, id));
        }
    }

    /// Whether `id` was proven for `domain`.
    pub fn is_proven(&self, id: ConnectionId, domain: &Domain) -> bool {
        self.rows.get(&id).is_some_and(|row| row.speaks_for(domain).is_some())
    }

    /// Notes that the far end of `id` has authenticated itself as this server: the two servers may
    /// speak to each other, and for nobody else (D-08, K-09).
    ///
    /// # Errors
    /// It is not proven to be that server.
    pub fn admit(&mut self, id: ConnectionId, server: &Domain) -> Result<(), NotProven> {
        let row = self.rows.get_mut(&id).filter(|row| row.is_server(server)).ok_or(NotProven)?;
        row.server = Some(server.clone());
        Ok(())
    }

    /// Lets `id` bring `pair` in.
    ///
    /// # Errors
    /// It is not proven for the sender (D-06).
    pub fn let_in(&mut self, pair: &DomainPair, id: ConnectionId) -> Result<(), NotProven> {
        let row = self.rows.get_mut(&id).ok_or(NotProven)?;
        if row.speaks_for(&pair.sender).is_none() {
            return Err(NotProven);
        }
        if row.entrances.insert(self.bindings.share(pair)) {
            self.bindings.change(pair, |ways| ways.entrances.push(id));
        }
        Ok(())
    }

    /// Lets `id` take `pair` out.
    ///
    /// # Errors
    /// It is not proven for the target (D-06).
    pub fn let_out(&mut self, pair: &DomainPair, id: ConnectionId) -> Result<(), NotProven> {
        let row = self.rows.get_mut(&id).ok_or(NotProven)?;
        if row.speaks_for(&pair.target).is_none() {
            return Err(NotProven);
        }
        if row.exits.insert(self.bindings.share(pair)) {
            self.bindings.change(pair, |ways| ways.exits.push(id));
        }
        Ok(())
    }

    /// Lets every connection for both directions that brings the opposite of `pair` in take it out,
    /// too: they stand by for the eldest (D-04, L-08). What may go that way has been granted on
    /// another, and whoever opened them has been proven for its target.
    pub fn stand_by(&mut self, pair: &DomainPair) {
        let opposite = self.bindings.of(&pair.reversed());
        for id in opposite.map(|ways| ways.entrances.clone()).unwrap_or_default() {
            let may_stand_by = |row: &Row| row.far.bidi && row.has_shown(&pair.target);
            if self.rows.get(&id).is_some_and(may_stand_by) {
                // It is proven for the domain that it speaks for there.
                let _ = self.let_out(pair, id);
            }
        }
    }

    /// Takes from `id` the right to bring `pair` in. Tells whether it had it.
    pub fn shut_in(&mut self, pair: &DomainPair, id: ConnectionId) -> bool {
        let had = self.rows.get_mut(&id).is_some_and(|row| row.entrances.remove(pair));
        if had {
            self.bindings.change(pair, |ways| strike(&mut ways.entrances, id));
        }
        had
    }

    /// Takes from `id` the right to take `pair` out. Tells whether it had it.
    pub fn shut_out(&mut self, pair: &DomainPair, id: ConnectionId) -> bool {
        let had = self.rows.get_mut(&id).is_some_and(|row| row.exits.remove(pair));
        if had {
            self.bindings.change(pair, |ways| strike(&mut ways.exits, id));
        }
        had
    }

    /// Tells what becomes of a stanza of `pair` that came in by `entrance`.
    pub fn passage(&self, pair: &DomainPair, entrance: ConnectionId) -> Passage {
        let ways = self.bindings.of(pair).filter(|ways| ways.entrances.contains(&entrance));
        let Some(ways) = ways else {
            return Passage::Forbidden;
        };
        debug_assert!(self.brings(entrance, pair), "{pair} by {entrance}, unproven");
        self.onward(pair, ways)
    }

    /// Whether any connection may bring `pair` in.
    pub fn has_entrance(&self, pair: &DomainPair) -> bool {
        self.bindings.of(pair).is_some_and(|ways| !ways.entrances.is_empty())
    }

    /// Tells where a stanza of `pair` leaves that we have custody of already.
    pub fn way_out(&self, pair: &DomainPair) -> Passage {
        self.bindings.of(pair).map_or(Passage::Wait, |ways| self.onward(pair, ways))
    }

    fn onward(&self, pair: &DomainPair, ways: &Ways) -> Passage {
        if ways.waits {
            return Passage::Wait;
        }
        self.eldest(pair, ways).map_or(Passage::Wait, Passage::Exit)
    }

    /// The connection by which `pair` leaves: the eldest that may carry it (D-04).
    pub fn exit(&self, pair: &DomainPair) -> Option<ConnectionId> {
        self.eldest(pair, self.bindings.of(pair)?)
    }

    fn eldest(&self, pair: &DomainPair, ways: &Ways) -> Option<ConnectionId> {
        let exit = ways.exits.first().copied();
        debug_assert!(exit.is_none_or(|id| self.takes(id, pair)), "{pair} by {exit:?}, unproven");
        exit
    }

    /// Whether `id` is open, and proven for what it brings in (D-12).
    fn brings(&self, id: ConnectionId, pair: &DomainPair) -> bool {
        let proven =
            |row: &Row| row.entrances.contains(pair) && row.speaks_for(&pair.sender).is_some();
        self.rows.get(&id).is_some_and(proven)
    }

    /// Whether `id` is open, and proven for what it takes out (D-12).
    fn takes(&self, id: ConnectionId, pair: &DomainPair) -> bool {
        let proven = |row: &Row| row.exits.contains(pair) && row.speaks_for(&pair.target).is_some();
        self.rows.get(&id).is_some_and(proven)
    }

    /// The connections by which `pair` may leave: the first is used, the others stand by.
    pub fn exits(&self, pair: &DomainPair) -> impl Iterator<Item = ConnectionId> {
        self.bindings.of(pair).into_iter().flat_map(|ways| &ways.exits).copied()
    }

    /// The connections by which `pair` may come in.
    pub fn entrances(&self, pair: &DomainPair) -> impl Iterator<Item = ConnectionId> {
        self.bindings.of(pair).into_iter().flat_map(|ways| &ways.entrances).copied()
    }

    /// Says whether stanzas of `pair` wait for an exit.
    pub fn set_waiting(&mut self, pair: &DomainPair, waits: bool) {
        self.bindings.change(pair, |ways| ways.waits = waits);
    }

    /// Notes the id of the stream on which we may ask for pairs. What was asked on the stream before it
    /// is void, because a dialback key is bound to its stream (XEP-0220 §2.1.1).
    pub fn set_stream(&mut self, id: ConnectionId, stream: Option<StreamId>) {
        let Some(row) = self.rows.get_mut(&id) else {
            return;
        };
        row.stream = stream;
        for pair in row.asked.drain() {
            self.bindings.change(&pair, |ways| strike(&mut ways.asked, id));
        }
    }

    /// Notes what the far end of `id` has told of itself.
    pub fn set_far(&mut self, id: ConnectionId, far: Far) {
        if let Some(row) = self.rows.get_mut(&id) {
            row.far = far;
        }
    }

    /// Notes by whose names the stream of `id` was opened.
    pub fn set_mode(&mut self, id: ConnectionId, mode: Mode) {
        if let Some(row) = self.rows.get_mut(&id) {
            row.mode = mode;
        }
    }

    /// Notes that we ask for `pair` by dialback on `id`.
    pub fn ask(&mut self, pair: &DomainPair, id: ConnectionId) {
        let Some(row) = self.rows.get_mut(&id) else {
            return;
        };
        if row.asked.insert(self.bindings.share(pair)) {
            self.bindings.change(pair, |ways| ways.asked.push(id));
        }
    }

    /// Whether we asked for `pair` on a live stream of this side that bears this id (E-19): a key
    /// for any other stream is a replay.
    pub fn is_asked(&self, side: Side, stream: &StreamId, pair: &DomainPair) -> bool {
        self.asked_on(side, pair).any(|(_, row)| row.stream.as_ref() == Some(stream))
    }

    /// The connection of this side on which we asked for `pair` and have no answer yet.
    pub fn asking(&self, side: Side, pair: &DomainPair) -> Option<ConnectionId> {
        self.asked_on(side, pair).find(|(_, row)| !row.exits.contains(pair)).map(|(id, _)| id)
    }

    fn asked_on(
        &self,
        side: Side,
        pair: &DomainPair,
    ) -> impl Iterator<Item = (ConnectionId, &Row)> {
        let asked = self.bindings.of(pair).into_iter().flat_map(|ways| &ways.asked);
        asked
            .filter_map(|id| self.rows.get(id).map(|row| (*id, row)))
            .filter(move |(_, row)| row.side == side)
    }

    /// Removes a connection and everything that went over it, at once (D-07).
    pub fn close(&mut self, id: ConnectionId) {
        let Some(row) = self.rows.remove(&id) else {
            return;
        };
        give_back(&mut self.rows);
        for (name, grounds) in &row.names {
            forget(&mut self.ends, Some(grounds), id, name);
        }
        for pair in &row.entrances {
            self.bindings.change(pair, |ways| strike(&mut ways.entrances, id));
        }
        for pair in &row.exits {
            self.bindings.change(pair, |ways| strike(&mut ways.exits, id));
        }
        for pair in &row.asked {
            self.bindings.change(pair, |ways| strike(&mut ways.asked, id));
        }
        if !row.exits.is_empty() {
            self.closed.push((id, row.exits));
        }
    }

    /// Takes the connections that were closed since this was asked last, and the pairs that went out
    /// by them.
    pub fn take_closed(&mut self) -> Vec<(ConnectionId, HashSet<DomainPair>)> {
        std::mem::take(&mut self.closed)
    }

    /// When the next proof ends.
    pub fn next_end(&self) -> Option<SystemTime> {
        self.ends.first().map(|(end, ..)| *end)
    }

    /// When the last proof ends.
    pub fn last_end(&self) -> Option<SystemTime> {
        self.ends.last().map(|(end, ..)| *end)
    }

    /// Takes the proofs that have ended by `now`. What rests on them stands until they are
    /// [proven](Self::prove) anew or [disproven](Self::disprove), and one of the two must follow.
    pub fn take_ended(&mut self, now: SystemTime) -> Vec<(ConnectionId, Name)> {
        let mut ended = Vec::new();
        while self.next_end().is_some_and(|end| end <= now)
            && let Some((_, id, name)) = self.ends.pop_first()
        {
            ended.push((id, name));
        }
        ended
    }

    /// What is known of a connection.
    pub fn row(&self, id: ConnectionId) -> Option<&Row> {
        self.rows.get(&id)
    }

    /// All connections.
    pub fn rows(&self) -> impl Iterator<Item = (ConnectionId, &Row)> {
        self.rows.iter().map(|(id, row)| (*id, row))
    }
}

fn forget(
    ends: &mut BTreeSet<(SystemTime, ConnectionId, Name)>,
    grounds: Option<&Grounds>,
    id: ConnectionId,
    name: &Name,
) {
    if let Some(end) = grounds.and_then(Grounds::ends) {
        ends.remove(&(end, id, name.clone()));
    }
}

#[cfg(test)]
mod tests;

//! Deeds: what a case does, step by step, and what a run of it has at hand.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ligase_tests::{Certificate, Stream};

use crate::bytes::bytes;
use crate::case::Case;
use crate::kept::Kept;
use crate::lab::Lab;
use crate::victims::callee;

/// One step: it does something, or looks that something is as it should be and tells what is not.
pub(crate) type Deed = Box<dyn Fn(&mut Run<'_>) -> Told + Send + Sync>;

/// What a step came to: nothing to tell, or what was seen instead.
pub(crate) type Told = Result<(), String>;

/// By which of its two doors somebody comes to the proxy.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Door {
    StartTls,
    Direct,
}

impl Door {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::StartTls => "starttls",
            Self::Direct => "direct",
        }
    }
}

/// One time that a case is played.
pub(crate) struct Run<'a> {
    pub(crate) lab: &'a Lab,
    pub(crate) case: &'a Case,
    pub(crate) door: Door,
    /// Where what is said is divided.
    pub(crate) place: usize,
    /// How long to wait for what should come.
    pub(crate) patience: Duration,
    /// The pairs that the case has rightly been granted, senders first.
    pub(crate) granted: BTreeSet<(String, String)>,
    /// How much the server behind the proxy had heard when the case began.
    pub(crate) start: usize,
    /// How much the DNS had said.
    pub(crate) asked: usize,
    /// What was heard last.
    pub(crate) last: String,
    /// The ids that the proxy has given to streams of the case, the first one first.
    pub(crate) ids: Vec<String>,
    /// The key that the proxy has made last.
    pub(crate) key: String,
    /// What deeds leave for those after them.
    pub(crate) kept: Kept,
    /// A name of the attacker's that no other run has.
    fresh: OnceCell<String>,
    /// The certificates that were made for it, by the words for them.
    certificates: RefCell<BTreeMap<String, Option<Certificate>>>,
    /// The number in the names of victims that no other run has.
    callee: OnceCell<usize>,
    /// The genuine server's end, where somebody stands in the middle.
    pub(crate) far: Option<Stream>,
    streams: Vec<Stream>,
    /// Streams that the proxy has opened to the attacker and that no deed has been about yet, by
    /// the domain they are for.
    pub(crate) waiting: Vec<(String, Stream)>,
    /// Streams that no deed is about any more.
    done: Vec<Stream>,
    is_open: Cell<bool>,
}

impl<'a> Run<'a> {
    pub(crate) fn new(lab: &'a Lab, case: &'a Case, door: Door, place: usize) -> Self {
        Self {
            lab,
            case,
            door,
            place,
            patience: PATIENCE,
            granted: BTreeSet::new(),
            start: lab.behind.count(),
            asked: lab.world.dns().count(),
            last: String::new(),
            ids: Vec::new(),
            key: String::new(),
            kept: Kept::at(lab.ligase.log().count()),
            fresh: OnceCell::new(),
            certificates: RefCell::default(),
            callee: OnceCell::new(),
            far: None,
            streams: Vec::new(),
            waiting: Vec::new(),
            done: Vec::new(),
            is_open: Cell::new(true),
        }
    }

    /// Does all of it, until something is not as it should be.
    pub(crate) fn play(&mut self) -> Told {
        let case = self.case;
        case.deeds.iter().try_for_each(|deed| deed(self))
    }

    /// The stream that was begun last.
    pub(crate) fn stream(&self) -> Result<&Stream, String> {
        self.streams.last().ok_or_else(|| "nothing has begun".to_owned())
    }

    /// The stream that was begun before that one.
    pub(crate) fn calling(&self) -> Result<&Stream, String> {
        let before = self.streams.len().checked_sub(2).and_then(|it| self.streams.get(it));
        before.ok_or_else(|| "nothing was begun before".to_owned())
    }

    /// Has the next deeds be about this stream.
    pub(crate) fn begin(&mut self, stream: Stream) {
        self.streams.push(stream);
    }

    /// Keeps a stream open till the end.
    pub(crate) fn keep(&mut self, stream: Stream) {
        self.done.push(stream);
    }

    /// Has the next deeds be about the stream that was begun as the first, the second, and so on.
    pub(crate) fn turn_to(&mut self, number: usize) -> Told {
        let at = number.checked_sub(1).filter(|it| *it < self.streams.len());
        let stream = self.streams.remove(at.ok_or("there is no such stream")?);
        self.streams.push(stream);
        Ok(())
    }

    /// The whole text, with what only this run knows.
    pub(crate) fn fill(&self, text: &str) -> String {
        let mut text = text.to_owned();
        if text.contains(FRESH) {
            text = text.replace(FRESH, self.fresh.get_or_init(|| self.lab.fresh()));
        }
        if text.contains(CALLEE) {
            let number = self.callee.get_or_init(|| self.lab.victims.next());
            text = text.replace(CALLEE, &callee(self.door, *number));
        }
        if text.contains("{id}") {
            text = text.replace("{id}", self.ids.first().map_or("", String::as_str));
        }
        if text.contains(BACKEND_ID)
            && let Some((id, key)) = self.kept.shown(self.patience)
        {
            text = text.replace(BACKEND_ID, &id).replace(BACKEND_KEY, &key);
        }
        text.replace("{key}", &self.key).replace("{KEY}", &self.key.to_uppercase())
    }

    /// The bytes that a text stands for.
    pub(crate) fn bytes(&self, text: &str) -> Result<Vec<u8>, String> {
        bytes(&self.fill(text))
    }

    /// A certificate by the word for it; the same one for the same word.
    pub(crate) fn certificate(&self, word: &str) -> Result<Option<Certificate>, String> {
        if let Some(made) = self.certificates.borrow().get(word) {
            return Ok(made.clone());
        }
        let made = self.lab.certificate(word)?;
        self.certificates.borrow_mut().insert(word.to_owned(), made.clone());
        Ok(made)
    }

    /// Hangs up everywhere.
    pub(crate) fn close(&mut self) {
        if self.is_open.replace(false) {
            let waiting = self.waiting.iter().map(|(_, stream)| stream);
            self.streams.iter().chain(waiting).chain(&self.done).for_each(Stream::close);
            self.kept.end();
        }
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        self.close();
    }
}

/// What stands for a name that no other run has.
pub(crate) const FRESH: &str = "{fresh}";

/// What stand for the id of the stream that the proxy has opened to our other server, and for the key
/// that it has shown there.
pub(crate) const BACKEND_ID: &str = "{backend-id}";
pub(crate) const BACKEND_KEY: &str = "{backend-key}";

/// What stands for the first label of a victim's name that no other run has.
pub(crate) const CALLEE: &str = "{callee}";

/// Longer than any answer takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

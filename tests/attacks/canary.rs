//! Canary: others who talk all the while, both ways, and are neither kept from it nor kept waiting.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::deeds::{PATIENCE, Told};

/// One way of the conversation.
pub(crate) struct Way {
    pub(crate) say: Box<dyn Fn(&str) + Send>,
    /// How much the other end has heard.
    pub(crate) count: Box<dyn Fn() -> usize + Send>,
    /// Waits for a body that comes after so much was heard.
    pub(crate) hear: Box<Hear>,
}

type Hear = dyn Fn(usize, &str) -> Told + Send;

/// It sings until it is dropped.
pub(crate) struct Canary {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// How long each song took, by the slower way.
    took: Vec<Duration>,
    /// Whether one is under way.
    is_singing: bool,
    /// The number of songs that somebody waits for.
    wanted: usize,
    /// What was wrong when it fell silent.
    silent: Option<String>,
    /// Whether nobody listens any more.
    over: bool,
}

impl Canary {
    /// Has it sing.
    pub(crate) fn start(ways: [Way; 2]) -> Self {
        let shared = Arc::<Shared>::default();
        let sings = shared.clone();
        thread::spawn(move || sings.sing(&ways));
        Self { shared }
    }

    /// Waits for a song that begins from now on.
    pub(crate) fn sing(&self) -> Told {
        let mut state = self.shared.lock();
        let wanted = state.took.len() + 1 + usize::from(state.is_singing);
        state.wanted = wanted;
        self.shared.changed.notify_all();
        let waiting = |it: &mut State| it.took.len() < wanted && it.silent.is_none();
        let waited = self.shared.changed.wait_timeout_while(state, 4 * PATIENCE, waiting);
        let (state, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        match &state.silent {
            Some(why) => Err(why.clone()),
            None if waited.timed_out() => Err("the canary is stuck".to_owned()),
            None => Ok(()),
        }
    }

    /// How many songs there were.
    pub(crate) fn count(&self) -> usize {
        self.shared.lock().took.len()
    }

    /// How long all but one in a hundred took at most, since there were so many, and of as many
    /// before as it takes to tell.
    pub(crate) fn slowest(&self, start: usize) -> Option<Duration> {
        let state = self.shared.lock();
        let start = start.min(state.took.len().checked_sub(FEWEST)?);
        let mut took = state.took.get(start..)?.to_vec();
        took.sort();
        took.get((took.len() * 99).div_ceil(100) - 1).copied()
    }
}

impl Canary {
    /// How long all but one in a hundred took at most since there were so many; of fewer than a
    /// hundred, all.
    pub(crate) fn slowest_since(&self, start: usize) -> Duration {
        let mut took = self.shared.lock().took.get(start..).unwrap_or_default().to_vec();
        took.sort();
        took.get((took.len() * 99).div_ceil(100).saturating_sub(1)).copied().unwrap_or_default()
    }
}

impl Drop for Canary {
    fn drop(&mut self) {
        self.shared.lock().over = true;
        self.shared.changed.notify_all();
    }
}

impl Shared {
    #[expect(clippy::disallowed_methods, reason = "what is measured is the time it takes")]
    fn sing(&self, ways: &[Way; 2]) {
        let mut number = 0;
        loop {
            number += 1;
            self.lock().is_singing = true;
            let mut slower = Duration::ZERO;
            for way in ways {
                let start = Instant::now();
                let body = format!("canary {number}.");
                let count = (way.count)();
                (way.say)(&body);
                if let Err(why) = (way.hear)(count, &body) {
                    self.lock().silent = Some(why);
                    self.changed.notify_all();
                    return;
                }
                slower = slower.max(start.elapsed());
            }
            let mut state = self.lock();
            state.took.push(slower);
            state.is_singing = false;
            self.changed.notify_all();
            let resting = |it: &mut State| !it.over && it.wanted <= it.took.len();
            let rested = self.changed.wait_timeout_while(state, REST, resting);
            if rested.unwrap_or_else(PoisonError::into_inner).0.over {
                return;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Between two songs that nobody waits for.
const REST: Duration = Duration::from_millis(100);

/// Fewer have no hundredth part.
const FEWEST: usize = 100;

//! Leave: whoever has us look something up may have to wait for it.

use std::fmt;
use std::net::IpAddr;

use crate::gather::Pending;

/// Says when the steps of a verification may be taken: a peer chooses what they are about, and how
/// long they last. For what is remembered nobody is asked.
pub trait Leave: Sync {
    /// Waits until a step may be taken. What is returned is dropped when it has been.
    fn take(&self, step: Step) -> Pending<'_, Taken>;
}

/// What takes time on a verification.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// To ask the DNS: some seconds at most.
    Dns,
    /// To ask web servers: for as long as POSH may take, each connection by itself besides.
    Web,
    /// To connect to a web server, which has asked nobody for that, and to hear it.
    Connect(IpAddr),
}

/// A step that may be taken, until this is dropped.
pub struct Taken(Option<Box<dyn Send>>);

impl Taken {
    /// One that nobody counts.
    pub fn freely() -> Self {
        Self(None)
    }

    /// One that is over when this is dropped.
    pub fn until_dropped(guard: impl Send + 'static) -> Self {
        Self(Some(Box::new(guard)))
    }
}

impl fmt::Debug for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Taken").field(&self.0.is_some()).finish()
    }
}

/// Whoever asks for themselves need not wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Freely;

impl Leave for Freely {
    fn take(&self, _step: Step) -> Pending<'_, Taken> {
        Box::pin(std::future::ready(Taken::freely()))
    }
}

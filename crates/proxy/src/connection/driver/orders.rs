//! What a driver starts with, what it is told, and what it is asked to find out.

use ligase_verifier::{Domain, Endpoint, Presented};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::Instant;

use crate::binding::DomainPair;
use crate::connection::arrival::opening::Opening;
use crate::connection::event::Facts;
use crate::stream::{Answer, Input, Setback};

/// Something that another part wants of a connection. Small, because there is always room for some
/// dozens, on connections that nobody ever wants anything of.
#[derive(Debug)]
pub enum Order {
    /// To be told so.
    Say(Box<Input>),
    /// To have a pair leave by it.
    Ask(Box<Ask>),
    /// To end when the far end takes a breath, or at that time if it takes none. What a server
    /// hands to a stream in the moment it hears of its end may be lost, and no proxy can tell.
    Leave(Instant),
    /// To end at once, because it is stuck.
    Abort,
}

/// A pair that is to leave by a connection, and who is to be told whether it may.
type Ask = (DomainPair, oneshot::Sender<Result<(), Setback>>);

impl Order {
    /// To be told so.
    pub fn say(input: Input) -> Self {
        Self::Say(Box::new(input))
    }
}

/// What an errand found out.
#[derive(Clone, Debug)]
pub enum Found {
    /// What an authoritative server says.
    Answer(Answer),
    /// What the far end presents.
    Leaf(Presented),
}

/// What a driver starts with.
pub struct Start {
    /// The socket.
    pub socket: TcpStream,
    /// What was read of it.
    pub opening: Box<Opening>,
    /// What is known of the connection.
    pub facts: Facts,
    /// Where we dialed, where we did.
    pub endpoint: Option<Endpoint>,
    /// The name at which the endpoint's TLSA records stand, if any do.
    pub base: Option<Domain>,
    /// The domain that we speak for, where we opened the connection.
    pub local: Option<Domain>,
    /// Who waits for this pair, where we opened the connection for one.
    pub waits: Option<(DomainPair, oneshot::Sender<Result<(), Setback>>)>,
    /// Who waits for something else.
    pub errand: Option<oneshot::Sender<Found>>,
    /// The place in a short queue that the connection holds until the far end has taken it up.
    pub seat: Option<OwnedSemaphorePermit>,
    /// Its place among the connections to our own servers, where it is one.
    pub place: Option<OwnedSemaphorePermit>,
}

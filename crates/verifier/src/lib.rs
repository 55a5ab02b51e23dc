//! Does this peer speak for this domain?
//!
//! A [`Request`] is answered in two strokes. First everything that the domain has published is
//! gathered, from DNS and from its web server, each fact with how far to trust it. Then what the
//! peer presented is weighed against these facts, at the time that the request names; that part
//! waits for nothing and reads no clock. The answer is a [`Verdict`].

#![forbid(unsafe_code)]

mod association;
mod cache;
mod delegation;
mod domain;
mod evaluate;
mod evidence;
mod gather;
mod leave;
#[cfg(test)]
mod mint;
mod names;
mod observation;
mod presented;
mod reach;
mod request;
mod roots;
mod settings;
mod verdict;
mod verifier;

pub use association::{Association, Prooftype};
pub use delegation::{Endpoint, Transport, Unresolved};
pub use domain::{Domain, InvalidDomain};
pub use evidence::{Evidence, Fingerprint, Pins, Published, Tlsa, TlsaAt};
pub use gather::{
    Answer, Data, Facts, Failure, FetchFailure, Kind, Lookup, Page, Pending, Question, Records,
    Security, Unsigned, Url,
};
pub use leave::{Leave, Step, Taken};
pub use names::Names;
pub use observation::{Asked, Comparison, Exchange, Observation, Reply};
pub use presented::Presented;
pub use request::{Request, Role, Service};
pub use settings::{Dnssec, Limits, Reach, RootSource, Servers, Settings, SetupError};
pub use verdict::{Finding, Reason, Verdict};
pub use verifier::{Examination, Verifier};

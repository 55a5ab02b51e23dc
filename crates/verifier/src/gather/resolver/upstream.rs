//! The way to the servers, and a note of the questions that stayed without an answer on it.

use std::cell::Cell;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::xfer::{DnsHandle, RetryDnsHandle};
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::{DnsRequest, DnsResponse};
use hickory_resolver::{NameServerPool, PoolContext, TlsConfig};

use super::{Failure, failure};
use crate::settings::SetupError;

/// Asks servers, and believes whatever they say.
///
/// Validation asks for the keys on the way by itself, and where it cannot get them it calls the
/// records bogus as if they were forged. So each question that nobody answers is
/// [noted](Self::noting) here.
#[derive(Clone)]
pub(super) struct Upstream(RetryDnsHandle<NameServerPool<TokioRuntimeProvider>>);

impl Upstream {
    pub(super) fn new(servers: &[SocketAddr]) -> Result<Self, SetupError> {
        let mut options = ResolverOpts::default();
        options.timeout = PATIENCE;
        options.attempts = 1;
        let tls = TlsConfig::new().map_err(|_| SetupError::Resolver)?;
        let pool = NameServerPool::from_config(
            servers.iter().map(|it| server(*it)),
            Arc::new(PoolContext::new(options, tls)),
            TokioRuntimeProvider::default(),
        );
        Ok(Self(RetryDnsHandle::new(pool, RETRIES_MAX)))
    }

    /// Does something that asks questions, and tells also why one of them had no answer, if so.
    pub(super) async fn noting<T>(work: impl Future<Output = T>) -> (T, Option<Failure>) {
        let noted = async { (work.await, UNANSWERED.with(Cell::get)) };
        UNANSWERED.scope(Cell::new(None), noted).await
    }
}

tokio::task_local! {
    /// Why a question of this look-up had no answer. The library gives no place to keep it in, but
    /// it asks in the task of whom it answers.
    static UNANSWERED: Cell<Option<Failure>>;
}

impl DnsHandle for Upstream {
    type Response = Pin<Box<dyn Stream<Item = Result<DnsResponse, NetError>> + Send>>;
    type Runtime = TokioRuntimeProvider;

    fn send(&self, request: DnsRequest) -> Self::Response {
        Box::pin(self.0.send(request).inspect(|answer| {
            if let Err(error) = answer
                && !matches!(error, NetError::Dns(DnsError::NoRecordsFound(_)))
            {
                // Outside of a look-up nobody wants to know.
                let _ = UNANSWERED.try_with(|it| it.set(Some(failure(error))));
            }
        }))
    }
}

fn server(address: SocketAddr) -> NameServerConfig {
    let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
    for connection in &mut connections {
        connection.port = address.port();
    }
    NameServerConfig::new(address.ip(), true, connections)
}

/// How long to wait for one server: long enough for it to ask others twice.
const PATIENCE: Duration = Duration::from_secs(2);

/// A packet may be lost once.
const RETRIES_MAX: usize = 1;

//! What dialback keys are made from.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::{Error, seed};
use crate::config::Config;
use crate::stream::Keys;

/// The keys of both sides: what is made for one never verifies on the other.
#[derive(Clone, Debug)]
pub(super) struct BothKeys {
    pub(super) public: Arc<Keys>,
    pub(super) backend: Arc<Keys>,
}

impl BothKeys {
    /// Made anew, where no file holds what they are made from.
    pub(super) fn of(config: &Config) -> Result<Self, Error> {
        let anew = || Ok(Keys::new(&Zeroizing::new(vec![seed()?.to_vec()])));
        let Some(secret) = &config.dialback_secret else {
            return Ok(Self { public: Arc::new(anew()?), backend: Arc::new(anew()?) });
        };
        let secrets = [Some(&secret.current), secret.previous.as_ref()].into_iter().flatten();
        let shared = |side: &[u8]| {
            let secrets = secrets.clone().map(|it| [it.as_slice(), side].concat());
            Keys::shared(&Zeroizing::new(secrets.collect::<Vec<_>>()))
        };
        let public = shared(b"");
        // Which of us is asked by servers of ours that are elsewhere, a load balancer decides.
        let backend = match config.listen.is_backend_exposed() {
            true => shared(TOWARDS_BACKENDS),
            false => anew()?,
        };
        Ok(Self { public: Arc::new(public), backend: Arc::new(backend) })
    }
}

/// Sets keys of one side apart from those of the other.
const TOWARDS_BACKENDS: &[u8] = b"\ntowards our own servers";

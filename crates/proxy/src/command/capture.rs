//! `ligase capture`: the netfilter rules of `capture: redirect`, which take the right to change
//! the network's rules that the proxy itself never has.

use std::io::{self, Write as _};
use std::path::Path;

use crate::args::{self, Exit, overrides};
use crate::capture::netfilter::{self, Standing};
use crate::capture::rules::Rules;
use crate::config::{Capture, Config, Error};

/// Prints the rules, puts them in place, or takes them away.
#[must_use]
pub fn capture(what: &args::Capture) -> Exit {
    match what {
        args::Capture::Print(file) => with_rules(&file.config, |rules| {
            // Who has closed the pipe has read enough.
            let _ = io::stdout().write_all(rules.nft().as_bytes());
            Exit::Done
        }),
        args::Capture::Apply(file) => {
            with_rules(&file.config, |rules| done(block_on(netfilter::apply(rules)).map(drop)))
        }
        args::Capture::Status(file) => {
            with_rules(&file.config, |rules| match block_on(netfilter::status(rules)) {
                Ok(standing) => {
                    let _ = io::stdout().write_all(told(&standing).as_bytes());
                    Exit::Done
                }
                Err(problem) => {
                    eprintln!("{problem}");
                    Exit::Unavailable
                }
            })
        }
        // The rules to be taken away need not be those of the configuration, which may have
        // changed or gone: there is one set of ours at most.
        args::Capture::Remove(_) => done(block_on(netfilter::remove())),
    }
}

fn with_rules(path: &Path, act: impl FnOnce(&Rules) -> Exit) -> Exit {
    let rules = Config::read_without_secret(path, &overrides()).and_then(|config| rules(&config));
    match rules {
        Ok(rules) => act(&rules),
        Err(problems) => {
            for problem in problems {
                eprintln!("{problem}");
            }
            Exit::Config
        }
    }
}

/// The rules that a configuration asks for.
fn rules(config: &Config) -> Result<Rules, Vec<Error>> {
    let listen = &config.listen;
    // With `capture: redirect` each has one port for all its addresses.
    let ports = [&listen.federation, &listen.backend, &listen.dns].map(|it| it.first());
    match (config.capture, ports) {
        (Capture::Redirect { uid, resolver_uid }, [Some(federation), Some(backend), Some(dns)]) => {
            Ok(Rules {
                uid,
                resolver_uid,
                peers: PEER_PORTS.to_vec(),
                federation: federation.port(),
                backend: backend.port(),
                dns: dns.port(),
            })
        }
        (Capture::Redirect { .. } | Capture::Dns | Capture::Explicit, _) => {
            let problem = "there are rules with `capture: redirect` only".to_owned();
            let key = "capture".to_owned();
            Err(vec![Error { key, problem }])
        }
    }
}

/// A line for each rule, in their order, and what it has caught.
fn told(standing: &Standing) -> String {
    let head = format!("the rules stand, by {}\n", standing.tool);
    let lines = standing.counts.iter().map(|(caught, count)| format!("{count:>9}  {caught}\n"));
    std::iter::once(head).chain(lines).collect()
}

fn block_on<T>(act: impl Future<Output = Result<T, netfilter::Error>>) -> Result<T, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    runtime.block_on(act).map_err(|error| error.to_string())
}

fn done(result: Result<(), String>) -> Exit {
    match result {
        Ok(()) => Exit::Done,
        Err(problem) => {
            eprintln!("{problem}");
            Exit::Failed
        }
    }
}

/// Where servers listen for their peers: STARTTLS (RFC 6120 §14.7), and by custom direct TLS. Other
/// ports are found by DNS, which is turned to us as well.
const PEER_PORTS: [u16; 2] = [5269, 5270];

#[cfg(test)]
mod tests;

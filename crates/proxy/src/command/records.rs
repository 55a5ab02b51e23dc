//! `ligase records`: what to publish so that peers find the hosted domains, and can prove them.

mod json;
mod zone;

use std::collections::BTreeSet;
use std::io::{self, Write};

use ligase_verifier::Domain;

use crate::args::{Exit, Records, RecordsForm, overrides};
use crate::config::{Config, Error};
use crate::published::{NextKey, Published, Sources};
use crate::tls::identity::{self, Files, Identities};

/// Prints the records of the hosted domains. What is wrong goes to stderr.
#[must_use]
pub fn records(records: &Records) -> Exit {
    match gather(records) {
        Ok(published) => {
            let text = match records.output {
                RecordsForm::Zone => zone::render(&published),
                RecordsForm::Json => format!("{:#}\n", json::render(&published)),
            };
            // Who has closed the pipe has read enough.
            let _ = io::stdout().lock().write_all(text.as_bytes());
            Exit::Done
        }
        Err(trouble) => {
            let mut aside = io::stderr().lock();
            for line in &trouble.lines {
                let _ = writeln!(aside, "{line}");
            }
            trouble.exit
        }
    }
}

/// Why nothing is printed.
struct Trouble {
    exit: Exit,
    lines: Vec<String>,
}

impl Trouble {
    fn usage(line: String) -> Self {
        Self { exit: Exit::Usage, lines: vec![line] }
    }

    fn config(problems: &[Error]) -> Self {
        Self { exit: Exit::Config, lines: problems.iter().map(ToString::to_string).collect() }
    }

    fn file(key: &str, error: &identity::Error) -> Self {
        Self { exit: Exit::Unavailable, lines: vec![format!("{key}: {error}")] }
    }
}

/// Reads the configuration and the certificates and keys that it names.
fn gather(records: &Records) -> Result<Published, Trouble> {
    let config = Config::read(&records.config, &overrides());
    let config = config.map_err(|problems| Trouble::config(&problems))?;
    let domains = choose(config.domains(), &records.domains)?;
    let public = config.public;
    for (key, port) in
        [("public.starttls", public.starttls), ("public.direct_tls", public.direct_tls)]
    {
        if port == 0 {
            let problem = "is missing: listen.federation leaves the port to the system".to_owned();
            return Err(Trouble::config(&[Error { key: key.to_owned(), problem }]));
        }
    }
    let files = config.certificates.iter();
    let files = files.map(|it| Files { chain: it.chain.clone(), key: it.key.clone() }).collect();
    let identities = Identities::load(files).map_err(|it| Trouble::file("certificates", &it))?;
    let next_keys = NextKey::read(&config.certificates);
    let next_keys = next_keys.map_err(|(key, error)| Trouble::file(&key, &error))?;
    let (server_name, identities) = (config.server_name, &identities);
    let next_keys = &next_keys;
    Ok(Published::new(&Sources { server_name, public, domains, identities, next_keys }))
}

/// The domains that were asked for, or all that are hosted.
fn choose(hosts: Option<BTreeSet<&Domain>>, asked: &[Domain]) -> Result<Vec<Domain>, Trouble> {
    match hosts {
        None if asked.is_empty() => {
            let problem = "`hosts: auto` leaves them to the backend: name the domains".to_owned();
            Err(Trouble::usage(problem))
        }
        Some(domains) if asked.is_empty() => Ok(domains.into_iter().cloned().collect()),
        Some(domains) => match asked.iter().find(|it| !domains.contains(it)) {
            Some(stranger) => Err(Trouble::usage(format!("{stranger}: is none of `hosts`"))),
            None => Ok(asked.to_vec()),
        },
        None => Ok(asked.to_vec()),
    }
}

//! Our own servers, and the domains that each of them serves.

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ligase_verifier::Domain;
use serde_yaml::Value;

use super::file::Section;
use super::values::{domain, home, non_empty, read_text};
use crate::binding::Home;

/// One of our own servers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Backend {
    /// What people call it.
    pub name: String,
    /// Where it accepts streams from other servers.
    pub address: Home,
    /// The domains that it serves.
    pub hosts: Hosts,
}

/// The domains that a server serves.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Hosts {
    /// Exactly these; never empty.
    Listed {
        /// The domains.
        domains: BTreeSet<Domain>,
        /// The file they were read from, if they were not written in the configuration itself.
        file: Option<PathBuf>,
    },
    /// Whatever it answers for when asked; there is only one server then.
    Auto,
}

/// Reads `backends`, or the one server that `hosts` and `backend.address` are about. Empty when
/// something is missing or wrong.
pub(super) fn backends(
    file: &mut Section<'_>,
    folder: &Path,
    address: Option<Home>,
) -> Vec<Backend> {
    let Some(several) = file.take("backends") else {
        let address = address.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], PORT)).into());
        let hosts = hosts(file, folder, MISSING);
        let one = hosts.map(|hosts| Backend { name: "backend".to_owned(), address, hosts });
        return one.into_iter().collect();
    };
    if file.take("hosts").is_some() {
        file.problem("hosts", "each of `backends` has hosts of its own: write them there");
    }
    if address.is_some() {
        let problem = "each of `backends` has an address of its own: write it there";
        file.problem("backend.address", problem);
    }
    let Value::Sequence(values) = several else {
        file.problem("backends", LIST);
        return Vec::new();
    };
    if values.is_empty() {
        file.problem("backends", LIST);
    }
    let mut backends = Vec::with_capacity(values.len());
    for (index, value) in values.into_iter().enumerate() {
        let mut section = file.within(format!("backends[{index}]"), value);
        let name = section.required("name", "write what people call it", |text| {
            non_empty(text).map(str::to_owned)
        });
        let address = section.required("address", "write where it takes streams", home);
        let hosts = hosts(&mut section, folder, "is missing: list the domains that it serves");
        if hosts == Some(Hosts::Auto) {
            section.problem("hosts", "with several servers, list the domains of each");
        }
        section.finish();
        if let (Some(name), Some(address), Some(hosts)) = (name, address, hosts) {
            backends.push(Backend { name, address, hosts });
        }
    }
    tell_apart(file, &backends);
    backends
}

/// A domain has one home, and a server one place in the list.
fn tell_apart(file: &Section<'_>, backends: &[Backend]) {
    let mut homes: HashMap<&Domain, &str> = HashMap::new();
    for (index, backend) in backends.iter().enumerate() {
        let earlier = &backends[..index];
        let problem = |key: &str, problem: String| {
            file.problem(&format!("backends[{index}].{key}"), problem);
        };
        if earlier.iter().any(|it| it.name == backend.name) {
            problem("name", format!("{:?} is another's: write one of its own", backend.name));
        }
        if let Some(other) = earlier.iter().find(|it| it.address == backend.address) {
            let text = format!("is that of {:?}: write all their hosts there", other.name);
            problem("address", text);
        }
        for domain in backend.domains() {
            if let Some(other) = homes.insert(domain, &backend.name) {
                let text = format!("{domain} is one of {other:?}: write it in one place");
                problem("hosts", text);
            }
        }
    }
}

impl Backend {
    /// The domains that are listed.
    pub fn domains(&self) -> impl Iterator<Item = &Domain> {
        match &self.hosts {
            Hosts::Listed { domains, .. } => Some(domains),
            Hosts::Auto => None,
        }
        .into_iter()
        .flatten()
    }

    /// The file that they were read from.
    pub fn file(&self) -> Option<&Path> {
        match &self.hosts {
            Hosts::Listed { file, .. } => file.as_deref(),
            Hosts::Auto => None,
        }
    }
}

fn hosts(file: &mut Section<'_>, folder: &Path, missing: &str) -> Option<Hosts> {
    let Some(value) = file.take("hosts") else {
        file.problem("hosts", missing);
        return None;
    };
    if value.as_str() == Some("auto") {
        return Some(Hosts::Auto);
    }
    let (domains, source) = if value.is_mapping() {
        let mut section = file.within(file.path("hosts"), value);
        let source =
            section.required("file", "write the path of a list, one domain a line", |text| {
                Ok(folder.join(non_empty(text)?))
            });
        section.finish();
        let source = source?;
        match read_text(&source, LIST_BYTES_MAX) {
            Ok(text) => (listed(&text, file), Some(source)),
            Err(problem) => {
                let problem =
                    format!("{}: {problem}: write one domain a line there", source.display());
                file.problem("hosts.file", problem);
                return None;
            }
        }
    } else {
        (file.each(&file.path("hosts"), value, domain), None)
    };
    if domains.is_empty() {
        file.problem("hosts", "name at least one domain");
        return None;
    }
    let domains: BTreeSet<_> = domains.into_iter().collect();
    Some(Hosts::Listed { domains, file: source })
}

/// The domains of a list, one a line; `#` begins a comment.
fn listed(text: &str, file: &Section<'_>) -> Vec<Domain> {
    let mut domains = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let name = line.split('#').next().unwrap_or(line).trim();
        match (name.is_empty(), domain(name)) {
            (true, _) => {}
            (false, Ok(domain)) => domains.push(domain),
            (false, Err(problem)) => {
                file.problem("hosts.file", format!("line {}: {problem}", index + 1));
            }
        }
    }
    domains
}

const MISSING: &str = "is missing: list the domains your server hosts, or write `auto`";
const LIST: &str = "must be a list of {name: WORD, address: HOST:PORT, hosts: [...]}";

/// Where servers listen for each other unless they are told otherwise (RFC 6120 §14.7).
const PORT: u16 = 5269;

/// A hundred thousand domains of usual length, thrice over.
const LIST_BYTES_MAX: u64 = 8_388_608;

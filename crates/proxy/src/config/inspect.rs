//! A look at everything that the configuration names, as `ligase validate` takes it.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use ligase_verifier::{self as verifier, Prooftype, SetupError, Verifier};

use super::{
    Backend, BackendTls, Capture, CertificateFiles, Config, Dnssec, Error, ResolverServers, Roots,
};
use crate::tls::identity::{self, Identities, Identity};
use crate::tls::local_ca::{self, LocalCa};

/// What was found in the files that a configuration names, and in how it fits together.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Findings {
    /// What will not work.
    pub problems: Vec<Error>,
    /// What will work, and perhaps not as it was meant.
    pub warnings: Vec<Error>,
}

impl Findings {
    fn problem(&mut self, key: impl Into<String>, problem: impl std::fmt::Display) {
        self.problems.push(Error::at(key, problem));
    }

    fn warn(&mut self, key: impl Into<String>, problem: impl std::fmt::Display) {
        self.warnings.push(Error::at(key, problem));
    }
}

impl Config {
    /// Looks at everything that the configuration names, as it is `at` this time. Makes nothing
    /// and asks nobody.
    pub fn inspect(&self, at: SystemTime) -> Findings {
        let mut findings = Findings::default();
        self.inspect_certificates(at, &mut findings);
        self.inspect_local_ca(at, &mut findings);
        self.inspect_verifier(&mut findings);
        self.inspect_exposure(&mut findings);
        if let Some(secret) = &self.dialback_secret {
            keep_private("dialback_secret.file", &secret.file, &mut findings);
        }
        findings
    }

    /// What the verifier is to be set up with.
    pub fn verifier_settings(&self) -> verifier::Settings {
        verifier::Settings {
            servers: match &self.resolver.servers {
                ResolverServers::System => verifier::Servers::System,
                ResolverServers::Listed(servers) => verifier::Servers::These(servers.clone()),
            },
            dnssec: match self.resolver.dnssec {
                Dnssec::Validate => verifier::Dnssec::Validate,
                Dnssec::TrustAd => verifier::Dnssec::TrustAd,
                Dnssec::Off => verifier::Dnssec::Off,
            },
            trust_anchor: self.resolver.trust_anchor.clone(),
            roots: match &self.roots {
                Roots::System => verifier::RootSource::System,
                Roots::File(path) => verifier::RootSource::File(path.clone()),
            },
            revocations: self.revocations.clone(),
            prooftypes: self.prooftypes.clone(),
            tlsa_usages: self.tlsa_usages.clone(),
            posh_port: self.posh_port,
            reach: verifier::Reach {
                loopback: self.resolver.allow_loopback,
                ..verifier::Reach::default()
            },
            limits: verifier::Limits {
                lookup_patience: self.limits.lookup_seconds,
                answers_max: self.limits.dns_answers,
                ..verifier::Limits::default()
            },
        }
    }

    /// Every file whose change means that the configuration should be read again.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for certificate in &self.certificates {
            files.extend([certificate.chain.clone(), certificate.key.clone()]);
        }
        files.extend(self.backends.iter().filter_map(Backend::file).map(Path::to_owned));
        files.extend(self.verifier_files());
        files.extend(self.dialback_secret.as_ref().map(|it| it.file.clone()));
        files
    }

    /// Those of them that decide who is believed about peers.
    pub fn verifier_files(&self) -> Vec<PathBuf> {
        let roots = match &self.roots {
            Roots::File(path) => Some(path.clone()),
            Roots::System => None,
        };
        let files = [roots, self.revocations.clone(), self.resolver.trust_anchor.clone()];
        files.into_iter().flatten().collect()
    }

    fn inspect_certificates(&self, at: SystemTime, findings: &mut Findings) {
        let mut named = false;
        let mut all_read = true;
        for (index, files) in self.certificates.iter().enumerate() {
            let key = format!("certificates[{index}]");
            match identity_of(files) {
                Ok(identity) => {
                    inspect_identity(&key, &identity, at, findings);
                    named |= identity.is_for(self.server_name.ascii());
                }
                Err(error) => {
                    all_read = false;
                    let part = if error.path == files.key { "key" } else { "chain" };
                    findings.problem(format!("{key}.{part}"), error);
                }
            }
            keep_private(format!("{key}.key"), &files.key, findings);
            inspect_next_key(format!("{key}.next_key"), files, findings);
        }
        if all_read && !named {
            let problem = format!(
                "no certificate names {}: streams under our own name will not be trusted; get one that \
                 does, or write a name that one bears",
                self.server_name
            );
            findings.warn("server_name", problem);
        }
    }

    /// Nothing is made here: that is for the first start, by the user that ligase runs as.
    fn inspect_local_ca(&self, at: SystemTime, findings: &mut Findings) {
        if self.backend.tls == BackendTls::Off {
            return;
        }
        let (certificate, key) = (&self.backend.local_ca.certificate, &self.backend.local_ca.key);
        match (certificate.exists(), key.exists()) {
            (true, true) => {
                let files = local_ca::Files { certificate: certificate.clone(), key: key.clone() };
                if let Err(error) = LocalCa::load_or_create(&files, at) {
                    let part = if error.path == *key { "key" } else { "certificate" };
                    findings.problem(format!("backend.local_ca.{part}"), error);
                }
                keep_private("backend.local_ca.key", key, findings);
            }
            (true, false) => {
                let problem = format!(
                    "{} is not there, but its certificate is: put it back, or remove the certificate and \
                     let the backend trust the next one",
                    key.display()
                );
                findings.problem("backend.local_ca.key", problem);
            }
            (false, _) => {
                let folder = certificate.ancestors().skip(1).find(|it| it.exists());
                let is_folder = folder.is_some_and(Path::is_dir);
                if !is_folder {
                    let problem = format!(
                        "{} cannot be made: name a folder that ligase may write to",
                        certificate.display()
                    );
                    findings.problem("backend.local_ca.certificate", problem);
                }
            }
        }
    }

    fn inspect_verifier(&self, findings: &mut Findings) {
        if let Err(error) = Verifier::new(&self.verifier_settings()) {
            findings.problem(verifier_key(&error), error);
        }
        if self.resolver.dnssec == Dnssec::Off && self.prooftypes.contains(&Prooftype::Dane) {
            findings.warn(
                "resolver.dnssec",
                "without DNSSEC, DANE proves nothing: write validate, or leave dane out of \
                 policy.prooftypes",
            );
        }
        if let (Dnssec::TrustAd, ResolverServers::Listed(servers)) =
            (self.resolver.dnssec, &self.resolver.servers)
            && servers.iter().any(|it| !it.ip().to_canonical().is_loopback())
        {
            let problem = "only resolvers on loopback are believed, anybody on the path could lie: \
                           write validate, or ask one on this machine";
            findings.warn("resolver.dnssec", problem);
        }
        if self.resolver.allow_loopback {
            let problem = "peers may lead us to services of this machine: leave it out, unless this is \
                           a laboratory";
            findings.warn("resolver.allow", problem);
        }
    }

    /// What is open to more than it should be.
    fn inspect_exposure(&self, findings: &mut Findings) {
        let doors = [
            (
                "listen.backend",
                &self.listen.backend,
                "whoever reaches it and is taken for the backend sends as every hosted domain",
            ),
            ("listen.dns", &self.listen.dns, "it is for the backend's resolver alone"),
        ];
        for (key, addresses, why) in doors {
            for address in addresses {
                if !address.ip().to_canonical().is_loopback() {
                    findings.warn(key, format!("{address} is not on loopback: {why}; {LOOPBACK}"));
                }
            }
        }
        for network in self.proxy_protocol.trusted.iter().filter(|it| it.prefix_len() == 0) {
            let problem = format!(
                "{network} is everybody: a peer could say that it is from anywhere, and escape \
                 limits.connections_per_address; write the addresses of your load balancers"
            );
            findings.warn("proxy_protocol.trusted", problem);
        }
        if let Capture::Redirect { uid, resolver_uid } = self.capture {
            let problem = "nothing that runs as root is captured: let it run as a user of its own";
            for (key, uid) in [("uid", Some(uid)), ("resolver_uid", resolver_uid)] {
                if uid == Some(0) {
                    findings.warn(format!("redirect.{key}"), problem);
                }
            }
            self.inspect_families(findings);
        }
    }

    /// The rules turn both families to us, to loopback what comes from this machine and to its
    /// address what comes from elsewhere.
    fn inspect_families(&self, findings: &mut Findings) {
        let doors = [
            (
                "listen.federation",
                &self.listen.federation,
                [Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()],
            ),
            (
                "listen.backend",
                &self.listen.backend,
                [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
            ),
            (
                "listen.dns",
                &self.listen.dns,
                [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
            ),
        ];
        for (key, addresses, wanted) in doors {
            let hears = |wanted: IpAddr| {
                addresses.iter().map(|it| it.ip()).any(|it| {
                    it == wanted || it.is_unspecified() && (it.is_ipv6() || wanted.is_ipv4())
                })
            };
            for wanted in wanted.into_iter().filter(|it| !hears(*it)) {
                let port = addresses.first().map_or(0, SocketAddr::port);
                let wanted = SocketAddr::new(wanted, port);
                let problem = format!(
                    "the rules turn connections to {wanted}, where nobody would take them: write it, too"
                );
                findings.warn(key, problem);
            }
        }
    }

    /// What is wrong where `user` runs us, if our own traffic would not be spared: it would come
    /// back to us without end.
    pub fn foreign_user(&self, user: Option<u32>) -> Option<Error> {
        match (self.capture, user) {
            (Capture::Redirect { uid, .. }, Some(user)) if uid != user => Some(Error::at(
                "redirect.uid",
                format!(
                    "this is user {user}, and the rules spare user {uid}: what ligase sends would be \
                     turned to ligase; let it run as {uid}, or write the number of its user here and \
                     apply the rules again"
                ),
            )),
            _ => None,
        }
    }
}

/// The key at fault when the verifier cannot be set up.
pub fn verifier_key(error: &SetupError) -> &'static str {
    match error {
        SetupError::TrustAnchor(_) => "resolver.trust_anchor",
        SetupError::Roots(_) => "trust.roots",
        SetupError::Revocations(_) => "trust.revocations",
        SetupError::NoServers | SetupError::Resolver => "resolver.servers",
    }
}

fn identity_of(files: &CertificateFiles) -> Result<Identity, identity::Error> {
    let files = identity::Files { chain: files.chain.clone(), key: files.key.clone() };
    let list = Identities::load(vec![files.clone()])?.list();
    list.first()
        .cloned()
        .ok_or(identity::Error { path: files.chain, problem: identity::Problem::NoneNamed })
}

fn inspect_identity(key: &str, identity: &Identity, at: SystemTime, findings: &mut Findings) {
    let chain = identity.files.chain.display();
    match identity.not_after.duration_since(at) {
        Err(_) => {
            findings.problem(format!("{key}.chain"), format!("{chain}: has expired: {RENEW}"))
        }
        Ok(left) if left < EXPIRY_NEAR => {
            let days = left.as_secs() / 86_400;
            let problem = format!("{chain}: expires in less than {} days: {RENEW}", days + 1);
            findings.warn(format!("{key}.chain"), problem);
        }
        Ok(_) => {}
    }
}

/// A key that is announced and cannot be used would be missed on the day of the change.
fn inspect_next_key(key: String, files: &CertificateFiles, findings: &mut Findings) {
    let Some(next) = &files.next_key else {
        return;
    };
    match identity::public_key(next) {
        Ok(next_key) if identity::public_key(&files.key).is_ok_and(|it| it == next_key) => {
            let problem =
                format!("{}: is the key in use: announce the one after it", next.display());
            findings.warn(&key, problem);
        }
        Ok(_) => {}
        Err(error) => findings.problem(&key, error),
    }
    keep_private(key, next, findings);
}

/// A secret that others on this machine may read is no secret of ours.
fn keep_private(key: impl Into<String>, path: &Path, findings: &mut Findings) {
    let Ok(metadata) = fs::metadata(path) else {
        return; // That it is not there has been told already.
    };
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o007 != 0 {
        let problem = {
            let path = path.display();
            format!("{path}: every user may use it (mode {mode:03o}): `chmod o= {path}` ends that")
        };
        findings.warn(key, problem);
    }
}

/// What to do about a door that is open to more than it should be.
const LOOPBACK: &str = "write 127.0.0.1, or let a packet filter keep others out";

/// What to do about a certificate that ends.
const RENEW: &str = "renew it; a new file is taken up at once";

/// Two weeks: what renews itself has done so by then.
const EXPIRY_NEAR: Duration = Duration::from_secs(14 * 86_400);

#[cfg(test)]
mod tests;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use rcgen::{CertificateParams, KeyPair};

use ligase_verifier::SetupError;

use super::{Findings, verifier_key};
use crate::config::tests::assert_cure;
use crate::config::{Config, Error, Overrides};

/// A folder with a configuration and everything it names: all of it is
/// sound.
struct Place {
    folder: PathBuf,
    config: String,
}

const SOUND: &str = "\
server_name: xmpp1.hosting.example
hosts: [montague.example]
certificates: [{chain: tls.crt, key: tls.key}]
backend: {local_ca: {certificate: ca/ca.crt, key: ca/ca.key}}
resolver: {servers: ['192.0.2.53']}
";

/// When the certificates here expire.
fn expiry() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_893_456_000) // 2030-01-01
}

fn days(days: u64) -> Duration {
    Duration::from_secs(days * 86_400)
}

impl Place {
    fn new(name: &str) -> Self {
        let folder = format!("ligase-inspect-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        fs::create_dir_all(&folder).unwrap();
        let place = Self { folder, config: SOUND.to_owned() };
        place.certificate("tls", "*.hosting.example");
        place
    }

    fn certificate(&self, file: &str, name: &str) {
        let key = KeyPair::generate().unwrap();
        let mut made = CertificateParams::new(vec![name.to_owned()]).unwrap();
        made.not_before = rcgen::date_time_ymd(2025, 1, 1);
        made.not_after = rcgen::date_time_ymd(2030, 1, 1);
        let certificate = made.self_signed(&key).unwrap();
        self.write(&format!("{file}.crt"), &certificate.pem(), 0o644);
        self.write(&format!("{file}.key"), &key.serialize_pem(), 0o640);
    }

    fn write(&self, file: &str, text: &str, mode: u32) {
        let path = self.folder.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    }

    fn config(&self, more: &str) -> Config {
        let text = format!("{}{more}", self.config);
        Config::parse(&text, &self.folder, &Overrides::default()).unwrap()
    }

    /// What is found; paths of this folder are shown as `./`.
    #[track_caller]
    fn check(&self, more: &str, at: SystemTime, problems: &[&str], warnings: &[&str]) {
        let Findings { problems: found, warnings: warned } = self.config(more).inspect(at);
        let shown = |errors: Vec<Error>| -> Vec<String> {
            let folder = format!("{}/", self.folder.display());
            errors.iter().for_each(assert_cure);
            errors.iter().map(|it| it.to_string().replace(&folder, "./")).collect()
        };
        assert_eq!(shown(found), problems);
        assert_eq!(shown(warned), warnings);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn what_is_sound_raises_nothing_and_makes_nothing() {
    let place = Place::new("sound");
    place.check("", expiry() - days(30), &[], &[]);
    assert!(!place.folder.join("ca").exists(), "validate makes no authority");
}

#[test]
fn a_certificate_is_looked_at_as_it_is_now() {
    let place = Place::new("expiry");
    let near = "certificates[0].chain: ./tls.crt: expires in less than 3 days: renew it; a new file is taken up at once";
    place.check("", expiry() - days(15), &[], &[]);
    place.check("", expiry() - days(2) - Duration::from_secs(1), &[], &[near]);
    place.check("", expiry() + days(1), &["certificates[0].chain: ./tls.crt: has expired: renew it; a new file is taken up at once"], &[]);
}

/// Whoever runs us as another user than the rules spare has us talk to ourselves.
#[test]
fn the_rules_spare_the_user_that_we_run_as() {
    let place = Place::new("users");
    let told = |more, user| place.config(more).foreign_user(user).map(|it| it.to_string());
    let redirect = "capture: redirect\nredirect: {uid: 7269}";
    assert_eq!(told(redirect, Some(7269)), None);
    assert_eq!(told(redirect, None), None);
    assert_eq!(told("", Some(1)), None);
    let expect = "redirect.uid: this is user 1, and the rules spare user 7269: what ligase sends would be turned to ligase; let it run as 7269, or write the number of its user here and apply the rules again";
    assert_eq!(told(redirect, Some(1)).as_deref(), Some(expect));
}

#[test]
fn files_that_do_not_fit_are_named() {
    let place = Place::new("files");
    let at = expiry() - days(30);
    place.certificate("other", "xmpp1.hosting.example");
    fs::copy(place.folder.join("other.key"), place.folder.join("tls.key")).unwrap();
    place.check(
        "",
        at,
        &["certificates[0].key: ./tls.key: is not the key of the certificate: name the one that it was made with"],
        &[],
    );
    place.write("tls.key", "nothing", 0o600);
    place.check(
        "",
        at,
        &["certificates[0].key: ./tls.key: has no private key in it that can be used: write one in PEM, not encrypted"],
        &[],
    );
    fs::remove_file(place.folder.join("tls.key")).unwrap();
    place.check("", at, &["certificates[0].key: ./tls.key: cannot be read: entity not found: name a file that ligase may read"], &[]);
    place.write("tls.crt", "nothing", 0o644);
    place.write("tls.key", "nothing", 0o600);
    place.check("", at, &["certificates[0].chain: ./tls.crt: has no certificate in it: write a PEM chain, leaf first"], &[]);
}

#[test]
fn a_key_that_is_to_follow_is_looked_at_too() {
    let mut place = Place::new("next");
    place.config = SOUND.replace("key: tls.key", "key: tls.key, next_key: next.key");
    let at = expiry() - days(30);
    let missing = "certificates[0].next_key: ./next.key: cannot be read: entity not found: name a file that ligase may read";
    place.check("", at, &[missing], &[]);
    place.write("next.key", "nothing", 0o600);
    let unusable = "certificates[0].next_key: ./next.key: has no private key in it that can be used: write one in PEM, not encrypted";
    place.check("", at, &[unusable], &[]);
    place.write("next.key", &KeyPair::generate().unwrap().serialize_pem(), 0o600);
    place.check("", at, &[], &[]);
    let same = fs::read_to_string(place.folder.join("tls.key")).unwrap();
    place.write("next.key", &same, 0o604);
    place.check(
        "",
        at,
        &[],
        &[
            "certificates[0].next_key: ./next.key: is the key in use: announce the one after it",
            "certificates[0].next_key: ./next.key: every user may use it (mode 604): `chmod o= ./next.key` ends that",
        ],
    );
}

#[test]
fn a_name_that_no_certificate_bears_is_told() {
    let place = Place::new("names");
    place.certificate("tls", "hosting.example");
    let warning = "server_name: no certificate names xmpp1.hosting.example: streams under our own name will not be trusted; get one that does, or write a name that one bears";
    place.check("", expiry() - days(30), &[], &[warning]);
    place.certificate("tls", "*.x.hosting.example");
    place.check("", expiry() - days(30), &[], &[warning]);
    place.certificate("tls", "xmpp1.hosting.example");
    place.check("", expiry() - days(30), &[], &[]);
}

#[test]
fn secrets_that_everybody_may_read_are_told() {
    let place = Place::new("secrets");
    place.write("secret", &"s".repeat(32), 0o644);
    let key = fs::read_to_string(place.folder.join("tls.key")).unwrap();
    place.write("tls.key", &key, 0o604);
    place.check(
        "dialback_secret: {file: secret}",
        expiry() - days(30),
        &[],
        &[
            "certificates[0].key: ./tls.key: every user may use it (mode 604): `chmod o= ./tls.key` ends that",
            "dialback_secret.file: ./secret: every user may use it (mode 644): `chmod o= ./secret` ends that",
        ],
    );
}

#[test]
fn an_authority_is_looked_at_where_there_is_one() {
    let place = Place::new("authority");
    let at = expiry() - days(30);
    let certificate = fs::read_to_string(place.folder.join("tls.crt")).unwrap();
    place.write("ca/ca.crt", &certificate, 0o644);
    place.check(
        "",
        at,
        &["backend.local_ca.key: ./ca/ca.key is not there, but its certificate is: put it back, or remove the certificate and let the backend trust the next one"],
        &[],
    );
    place.write("ca/ca.key", "nothing", 0o600);
    place.check(
        "",
        at,
        &["backend.local_ca.key: ./ca/ca.key: has no private key in it that can be used: write one in PEM, not encrypted"],
        &[],
    );
    fs::remove_dir_all(place.folder.join("ca")).unwrap();
    place.write("ca", "not a folder", 0o644);
    place.check("", at, &["backend.local_ca.certificate: ./ca/ca.crt cannot be made: name a folder that ligase may write to"], &[]);
}

#[test]
fn anchor_and_roots_are_read() {
    let mut place = Place::new("anchor");
    let at = expiry() - days(30);
    place.write("empty", "", 0o644);
    place.write("broken", ". IN DNSKEY nonsense", 0o644);
    place.config = SOUND.replace("resolver: {servers: ['192.0.2.53']}\n", "");
    place.check(
        "resolver: {servers: ['192.0.2.53'], trust_anchor: broken}",
        at,
        &["resolver.trust_anchor: ./broken has no usable DNSKEY or DS record: write the root's, one a line"],
        &[],
    );
    place.check(
        "resolver: {servers: ['192.0.2.53']}\ntrust: {roots: empty}",
        at,
        &["trust.roots: ./empty has no usable certificate: write those of authorities, in PEM"],
        &[],
    );
    place.check("resolver: {servers: ['192.0.2.53']}\ntrust: {roots: tls.crt}", at, &[], &[]);
    place.check(
        "resolver: {servers: ['192.0.2.53']}\ntrust: {revocations: tls.crt}",
        at,
        &["trust.revocations: ./tls.crt is no list of revoked certificates: write CRLs in PEM"],
        &[],
    );
    place.check(
        "resolver: {servers: ['192.0.2.53'], dnssec: trust-ad}",
        at,
        &[],
        &["resolver.dnssec: only resolvers on loopback are believed, anybody on the path could lie: write validate, or ask one on this machine"],
    );
    place.check("resolver: {servers: ['127.0.0.53'], dnssec: trust-ad}", at, &[], &[]);
    place.check(
        "resolver: {servers: ['192.0.2.53'], dnssec: off, allow: [loopback]}",
        at,
        &[],
        &[
            "resolver.dnssec: without DNSSEC, DANE proves nothing: write validate, or leave dane out of policy.prooftypes",
            "resolver.allow: peers may lead us to services of this machine: leave it out, unless this is a laboratory",
        ],
    );
}

#[test]
fn whatever_keeps_the_verifier_from_being_set_up_has_a_key_and_a_cure() {
    let path = || PathBuf::from("x.pem");
    for (error, expect) in [
        (
            SetupError::NoServers,
            "resolver.servers: there is no DNS server to ask: name one by IP:PORT",
        ),
        (
            SetupError::Resolver,
            "resolver.servers: the resolver cannot be set up: name DNS servers by IP:PORT",
        ),
        (
            SetupError::Roots(path()),
            "trust.roots: x.pem has no usable certificate: write those of authorities, in PEM",
        ),
    ] {
        let error = Error::at(verifier_key(&error), error);
        assert_cure(&error);
        assert_eq!(error.to_string(), expect);
    }
}

#[test]
fn doors_that_stand_open_are_told() {
    let place = Place::new("doors");
    place.check(
        "listen: {backend: '192.0.2.1:7270', dns: '[::ffff:192.0.2.1]:53'}\ncapture: redirect\nredirect: {uid: 0}",
        expiry() - days(30),
        &[],
        &[
            "listen.backend: 192.0.2.1:7270 is not on loopback: whoever reaches it and is taken for the backend sends as every hosted domain; write 127.0.0.1, or let a packet filter keep others out",
            "listen.dns: [::ffff:192.0.2.1]:53 is not on loopback: it is for the backend's resolver alone; write 127.0.0.1, or let a packet filter keep others out",
            "redirect.uid: nothing that runs as root is captured: let it run as a user of its own",
            "listen.backend: the rules turn connections to 127.0.0.1:7270, where nobody would take them: write it, too",
            "listen.backend: the rules turn connections to [::1]:7270, where nobody would take them: write it, too",
            "listen.dns: the rules turn connections to 127.0.0.1:53, where nobody would take them: write it, too",
            "listen.dns: the rules turn connections to [::1]:53, where nobody would take them: write it, too",
        ],
    );
}

#[test]
fn trusting_everybody_is_told() {
    let place = Place::new("relays");
    place.check(
        "proxy_protocol: {trusted: [192.0.2.0/24, 0.0.0.0/0, '::/0']}",
        expiry() - days(30),
        &[],
        &["0.0.0.0/0", "::/0"].map(|network| format!("proxy_protocol.trusted: {network} is everybody: a peer could say that it is from anywhere, and escape limits.connections_per_address; write the addresses of your load balancers")).each_ref().map(String::as_str),
    );
}

#[test]
fn every_file_that_may_change_is_listed() {
    let place = Place::new("list");
    place.write("secret", &"s".repeat(32), 0o600);
    let config = place.config("trust: {roots: tls.crt}\ndialback_secret: {file: secret}");
    let expect = ["tls.crt", "tls.key", "tls.crt", "secret"].map(|it| place.folder.join(it));
    assert_eq!(config.files(), expect);
}

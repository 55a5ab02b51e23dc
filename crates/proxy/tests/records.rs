//! `ligase records` as an operator calls it, held against what others make of certificates, keys
//! and zone files.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};

/// A folder of one test's own, gone when the test ends.
struct Folder(PathBuf);

impl Folder {
    /// With the certificate of the hoster and its next key, and with that of one of its tenants.
    fn new(name: &str) -> Self {
        let folder = format!("ligase-records-{name}-{}", std::process::id());
        let folder = Self(std::env::temp_dir().join(folder));
        fs::create_dir_all(&folder.0).unwrap();
        folder.certificate("tls", "xmpp1.hosting.example");
        folder.certificate("mantua", "mantua.example");
        folder.write("next.key", &KeyPair::generate().unwrap().serialize_pem());
        folder
    }

    fn certificate(&self, file: &str, name: &str) {
        let key = KeyPair::generate().unwrap();
        let mut made = CertificateParams::new(vec![name.to_owned()]).unwrap();
        made.not_before = rcgen::date_time_ymd(2025, 1, 1);
        made.not_after = rcgen::date_time_ymd(2030, 1, 2);
        self.write(&format!("{file}.crt"), &made.self_signed(&key).unwrap().pem());
        self.write(&format!("{file}.key"), &key.serialize_pem());
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).unwrap();
    }

    /// Calls the program with the usual configuration, changed so.
    fn records(&self, arguments: &[&str], old: &str, new: &str) -> Output {
        assert!(USUAL.contains(old), "{old}");
        self.write("ligase.yaml", &USUAL.replace(old, new));
        let mut program = Command::new(env!("CARGO_BIN_EXE_ligase"));
        program.args(["records", "--config", "ligase.yaml"]).args(arguments);
        program.current_dir(&self.0).env_clear().output().unwrap()
    }

    /// What the program prints with the usual configuration; paths of this folder are shown as
    /// `./`.
    #[track_caller]
    fn print(&self, arguments: &[&str]) -> String {
        let output = self.records(arguments, "", "");
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        let folder = format!("{}/", self.0.display());
        String::from_utf8(output.stdout).unwrap().replace(&folder, "./")
    }

    /// What a shell finds in this folder.
    #[track_caller]
    fn sh(&self, script: &str) -> String {
        let done = Command::new("sh").args(["-ec", script]).current_dir(&self.0).output().unwrap();
        assert!(done.status.success(), "{script}: {done:?}");
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }

    /// The TLSA data of a key, by a program of others.
    fn tlsa(&self, file: &str) -> String {
        let script = format!(
            "openssl pkey -in {file} -pubout -outform der | openssl dgst -sha256 -r | cut -d ' ' -f 1"
        );
        format!("3 1 1 {}", self.sh(&script))
    }

    /// The POSH document for these certificates, by a program of others.
    fn document(&self, files: &[&str]) -> Value {
        let digest = |file: &str, algorithm: &str| {
            let der = format!("openssl x509 -in {file} -outform der");
            self.sh(&format!("{der} | openssl dgst -{algorithm} -binary | base64 -w0"))
        };
        let fingerprints = files.iter().map(
            |file| json!({"sha-256": digest(file, "sha256"), "sha-512": digest(file, "sha512")}),
        );
        json!({"fingerprints": fingerprints.collect::<Vec<_>>(), "expires": 3600})
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A hoster with a tenant that has a certificate of its own, and one that has not.
const USUAL: &str = "\
server_name: xmpp1.hosting.example
hosts: [bücher.example, mantua.example]
certificates:
  - {chain: tls.crt, key: tls.key, next_key: next.key}
  - {chain: mantua.crt, key: mantua.key}
public: {starttls: 5269, direct_tls: 5270}
resolver: {servers: ['192.0.2.53']}
";

#[test]
fn a_zone_file_is_told_everything() {
    let folder = Folder::new("zone");
    let (own, next) = (folder.tlsa("tls.key"), folder.tlsa("next.key"));
    let mantua = folder.tlsa("mantua.key");
    let own_document = folder.document(&["tls.crt"]);
    let mantua_document = folder.document(&["mantua.crt", "tls.crt"]);
    let mut keys = String::new();
    for port in [5269, 5270] {
        for (which, data) in [
            ("the key of ./tls.crt", &own),
            ("the key of ./mantua.crt", &mantua),
            ("the key after that of ./tls.crt", &next),
        ] {
            keys +=
                &format!("; {which}\n_{port}._tcp.xmpp1.hosting.example. 3600 IN TLSA {data}\n");
        }
    }
    let expect = format!(
        "\
; xmpp1.hosting.example is the target of all: it needs A or AAAA records, no CNAME.
; Its keys count only where its zone is signed (DNSSEC). Publish all of them: a peer
; may be shown any, and a next key has to be known before it is used.
{keys}\
; POSH, if domains refer to it: https://xmpp1.hosting.example/.well-known/posh/xmpp-server.json
; {own_document}

; mantua.example, served with ./mantua.crt
_xmpp-server._tcp.mantua.example. 3600 IN SRV 0 5 5269 xmpp1.hosting.example.
_xmpps-server._tcp.mantua.example. 3600 IN SRV 0 5 5270 xmpp1.hosting.example.
; POSH: https://mantua.example/.well-known/posh/xmpp-server.json
; {mantua_document}

; xn--bcher-kva.example, served with ./tls.crt
; which does not name it: peers need the signed records or the POSH document.
_xmpp-server._tcp.xn--bcher-kva.example. 3600 IN SRV 0 5 5269 xmpp1.hosting.example.
_xmpps-server._tcp.xn--bcher-kva.example. 3600 IN SRV 0 5 5270 xmpp1.hosting.example.
; POSH: https://xn--bcher-kva.example/.well-known/posh/xmpp-server.json
; {own_document}
; or, in its place, a reference that never changes:
; {{\"expires\":86400,\"url\":\"https://xmpp1.hosting.example/.well-known/posh/xmpp-server.json\"}}
"
    );
    assert_eq!(folder.print(&[]), expect);
    assert_eq!(folder.print(&["-o", "zone"]), expect);
}

/// The first block of this kind in the documentation.
fn documented(kind: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/records.md");
    let text = fs::read_to_string(path).unwrap();
    let (_, rest) = text.split_once(&format!("```{kind}\n")).unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

#[test]
fn the_documentation_shows_what_is_printed() {
    let folder = Folder::new("docs");
    let config = documented("yaml").replace("/etc/ligase/tls/", "");
    let resolver = "resolver: {servers: ['192.0.2.53']}\n";
    let output = folder.records(&[], USUAL, &format!("{config}{resolver}"));
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let folder_name = format!("{}/", folder.0.display());
    let mut printed = String::from_utf8(output.stdout).unwrap();
    printed = printed.replace(&folder_name, "/etc/ligase/tls/");
    let documents = ["tls.crt", "mantua.crt"].map(|it| folder.document(&[it]));
    let fingerprints = documents.iter().flat_map(|it| it["fingerprints"].as_array().unwrap());
    let digests = fingerprints.flat_map(|it| it.as_object().unwrap().values());
    let keys = ["tls.key", "mantua.key", "next.key"].map(|it| folder.tlsa(it));
    for digest in digests.map(|it| it.as_str().unwrap()).chain(keys.iter().map(|it| &it[6..])) {
        assert!(printed.contains(digest), "{digest}: {printed}");
        printed = printed.replace(digest, "DIGEST");
    }
    assert_eq!(printed, documented("text"));
}

#[test]
fn a_zone_file_is_one_that_bind_takes() {
    let folder = Folder::new("bind");
    let head = "$TTL 60\n@ IN SOA ns. hostmaster. 1 3600 600 86400 5\n@ IN NS ns.\n\
                ns. IN A 192.0.2.53\nxmpp1.hosting.example. IN A 192.0.2.1\n";
    folder.write("zone", &format!("{head}{}", folder.print(&[])));
    // Strict about names, about targets and about everything else.
    let said = folder.sh("named-checkzone -i full -k fail -n fail -r fail -S fail -D . zone");
    // It prints what it has understood, with spaces and capitals of its own.
    let compact = |text: &str| text.split_whitespace().collect::<String>().to_lowercase();
    let understood: Vec<_> = said.lines().map(compact).collect();
    let printed = folder.print(&[]);
    let records: Vec<_> = printed.lines().filter(|it| it.contains(" IN ")).map(compact).collect();
    assert_eq!(records.len(), 10, "{printed}");
    for record in records {
        assert!(understood.contains(&record), "{record} is not in {understood:?}");
    }
}

#[test]
fn programs_are_told_the_same() {
    let folder = Folder::new("json");
    let found: Value =
        serde_json::from_str(&folder.print(&["-o", "json", "mantua.example"])).unwrap();
    let tlsa = |port, file: &str, key, chain| {
        json!({
            "name": format!("_{port}._tcp.xmpp1.hosting.example"), "ttl": 3600,
            "data": folder.tlsa(file), "key": key, "chain": chain,
        })
    };
    let srv = |service, port| {
        json!({
            "name": format!("_{service}._tcp.mantua.example"), "ttl": 3600,
            "data": format!("0 5 {port} xmpp1.hosting.example."), "service": service,
            "priority": 0, "weight": 5, "port": port, "target": "xmpp1.hosting.example",
        })
    };
    let sha256 = folder.sh("openssl x509 -in mantua.crt -outform der | openssl dgst -sha256 -r");
    let expect = json!({
        "version": 1,
        "server_name": "xmpp1.hosting.example",
        "tlsa": [
            tlsa(5269, "tls.key", "current", "./tls.crt"),
            tlsa(5269, "mantua.key", "current", "./mantua.crt"),
            tlsa(5269, "next.key", "next", "./tls.crt"),
            tlsa(5270, "tls.key", "current", "./tls.crt"),
            tlsa(5270, "mantua.key", "current", "./mantua.crt"),
            tlsa(5270, "next.key", "next", "./tls.crt"),
        ],
        "posh": {
            "url": "https://xmpp1.hosting.example/.well-known/posh/xmpp-server.json",
            "document": folder.document(&["tls.crt"]),
        },
        "domains": [{
            "domain": "mantua.example",
            "srv": [srv("xmpp-server", 5269), srv("xmpps-server", 5270)],
            "certificate": {
                "chain": "./mantua.crt",
                "names": ["mantua.example"],
                "names_domain": true,
                "not_after": "2030-01-02T00:00:00Z",
                "sha256": sha256.split(' ').next().unwrap(),
            },
            "posh": {
                "url": "https://mantua.example/.well-known/posh/xmpp-server.json",
                "document": folder.document(&["mantua.crt", "tls.crt"]),
                "reference": null,
            },
        }],
    });
    assert_eq!(found, expect);
}

#[test]
fn each_port_and_each_key_is_told_once() {
    let folder = Folder::new("once");
    folder.write("next.key", &fs::read_to_string(folder.0.join("mantua.key")).unwrap());
    let output = folder.records(&["-o", "json"], "public: {starttls: 5269, direct_tls: 5270}", "");
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let tlsa = found["tlsa"].as_array().unwrap();
    let told: Vec<_> = tlsa.iter().map(|it| (it["name"].as_str(), it["key"].as_str())).collect();
    let name = Some("_7269._tcp.xmpp1.hosting.example");
    assert_eq!(told, [(name, Some("current")), (name, Some("current"))]);
}

#[test]
fn domains_may_be_asked_for_one_by_one() {
    let folder = Folder::new("domains");
    let told = |arguments: &[&str], old: &str, new: &str| {
        let mut arguments = arguments.to_vec();
        arguments.extend(["-o", "json"]);
        let output = folder.records(&arguments, old, new);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        let domains = found["domains"].as_array().unwrap().clone();
        assert_eq!(found["tlsa"].as_array().unwrap().len(), 6, "all keys, whoever is asked for");
        domains.iter().map(|it| it["domain"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(told(&[], "", ""), ["mantua.example", "xn--bcher-kva.example"]);
    assert_eq!(told(&["BÜCHER.example."], "", ""), ["xn--bcher-kva.example"]);
    let auto = ("[bücher.example, mantua.example]", "auto");
    assert_eq!(told(&["padua.example"], auto.0, auto.1), ["padua.example"]);
}

#[test]
fn what_cannot_be_told_is_said() {
    let folder = Folder::new("trouble");
    let check = |arguments: &[&str], old: &str, new: &str, code: i32, expect: &str| {
        let output = folder.records(arguments, old, new);
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.replace(&format!("{}/", folder.0.display()), "./");
        assert_eq!(said, format!("{expect}\n"));
        assert_eq!(output.status.code(), Some(code));
        assert_eq!(output.stdout, b"", "{output:?}");
    };
    check(&["padua.example"], "", "", 64, "padua.example: is none of `hosts`");
    check(
        &[],
        "[bücher.example, mantua.example]",
        "auto",
        64,
        "`hosts: auto` leaves them to the backend: name the domains",
    );
    check(
        &[],
        "public: {starttls: 5269, direct_tls: 5270}",
        "public: {direct_tls: 5270}\nlisten: {federation: '0.0.0.0:0'}",
        78,
        "public.starttls: is missing: listen.federation leaves the port to the system",
    );
    check(
        &[],
        "server_name",
        "servername",
        78,
        "server_name: is missing: write the name that the certificate bears\nservername: unknown key; did you mean `server_name`?",
    );
    check(
        &[],
        "next.key",
        "none.key",
        69,
        "certificates[0].next_key: ./none.key: cannot be read: entity not found: name a file that ligase may read",
    );
    check(
        &[],
        "key: mantua.key",
        "key: next.key",
        69,
        "certificates: ./next.key: is not the key of the certificate: name the one that it was made with",
    );
}

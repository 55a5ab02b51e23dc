//! What `ligase records` prints, once it is published: others verify ligase by it.

use std::fs;
use std::path::PathBuf;

use ligase_tests::{
    Capture, Certificate, Host, Kind, Leaf, Ligase, OrFail, Proxy, Setup, World, peer,
};

use crate::verona::names_of;

/// DANE, as two libraries of others read it: nobody vouches for the certificate but the records,
/// by STARTTLS and by direct TLS, with the key of today and with the one that was announced.
#[test]
fn openssl_and_gnutls_verify_what_is_shown_by_what_was_printed() {
    let mut world = World::new();
    let (montague, padua) = (world.host("montague"), world.host("padua"));
    let names = [vec![TARGET.to_owned()], names_of("montague.lab").to_vec()].concat();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let [today, tomorrow, unannounced] = [(); 3].map(|()| Leaf::of(&names).self_signed());
    let printed = print(&montague, &names_of("montague.lab"), &today, Some(&tomorrow), "zone");
    world.zone.lines(&printed);
    world.zone.address(TARGET, &montague);
    world.open();

    let mut proxy = Proxy::new(&world, &montague, Capture::Dns, &names_of("montague.lab"), &today);
    proxy.set("public.direct_tls", "5270");
    // Two ports of the outside lead to the same listener, as a Service would have it.
    proxy.set("listen.federation", "[\"[::]:7269\", \"[::]:5270\"]");
    let mut ligase = proxy.start();
    Setup::new(Kind::Prosody, &montague, &["montague.lab"], &Leaf::of(&names).self_signed())
        .start();

    let asking = Asking { host: &padua, anchor: world.trust_anchor() };
    asking.assert_all(true);

    // The key that was announced, and no record is touched.
    show(&mut ligase, &tomorrow);
    asking.assert_all(true);

    // A key that was not.
    show(&mut ligase, &unannounced);
    asking.assert_all(false);
}

/// Where all domains are served here.
const TARGET: &str = "xmpp.montague.lab";

/// The two ways in, as they were printed.
const WAYS: [(u16, bool); 2] = [(7269, true), (5270, false)];

/// Somebody else, who asks by means of his own.
struct Asking<'a> {
    host: &'a Host,
    anchor: PathBuf,
}

impl Asking<'_> {
    /// Whether what is shown is what was published, by every tool and every way in.
    #[track_caller]
    fn assert_all(&self, matches: bool) {
        for (port, starttls) in WAYS {
            // Servers of today ask by the name of the domain, too.
            for name in [TARGET, "montague.lab"] {
                self.assert_openssl(port, starttls, name, matches);
            }
            self.assert_danetool(port, starttls, matches);
        }
    }

    #[track_caller]
    fn assert_openssl(&self, port: u16, starttls: bool, name: &str, matches: bool) {
        let said = self.openssl(port, starttls, name);
        let matched =
            said.contains("matched EE certificate at depth 0") && said.contains("Verification: OK");
        assert_eq!(matched, matches, "port {port}, {name}: {said}");
    }

    /// What openssl says of a handshake, with the records that DNS tells.
    fn openssl(&self, port: u16, starttls: bool, name: &str) -> String {
        let records = self.host.dig(&format!("_{port}._tcp.{TARGET}"), "TLSA");
        assert_eq!(records.len(), 2, "{records:?}");
        let at = format!("{TARGET}:{port}");
        let mut openssl = self.host.command("openssl");
        openssl.args(["s_client", "-connect", &at, "-dane_tlsa_domain", TARGET]);
        for record in &records {
            openssl.args(["-dane_tlsa_rrdata", record]);
        }
        if starttls {
            openssl.args(["-starttls", "xmpp-server", "-xmpphost", "montague.lab"]);
        }
        let done = openssl
            .args(["-servername", name])
            .stdin(std::process::Stdio::null())
            .output()
            .or_fail("run openssl");
        let said = [done.stdout, done.stderr].concat();
        String::from_utf8_lossy(&said).into_owned()
    }

    /// danetool asks DNS itself and validates the answer by our root's key. Of XMPP it knows the
    /// clients' STARTTLS only, so it is given the certificate that openssl was shown there.
    #[track_caller]
    fn assert_danetool(&self, port: u16, starttls: bool, matches: bool) {
        let port_text = port.to_string();
        let mut arguments = vec!["--check", TARGET, "--port", &port_text, "--local-dns"];
        let chain = self.host.folder("danetool").join("shown.pem").display().to_string();
        if starttls {
            let said = self.openssl(port, true, TARGET);
            let (_, rest) = said.split_once(BEGIN).or_fail("find a certificate");
            let (body, _) = rest.split_once(END).or_fail("find a certificate's end");
            fs::write(&chain, format!("{BEGIN}{body}{END}\n")).or_fail("write a certificate");
            arguments.extend(["--load-certificate", &chain]);
        }
        let script = format!("mount --bind \"$0\" {ROOT_KEY}; exec danetool \"$@\"");
        let mut danetool = self.host.command("unshare");
        danetool.args(["--mount", "sh", "-ec", &script]).arg(&self.anchor).args(&arguments);
        let done = danetool.output().or_fail("run danetool");
        let said = [done.stdout, done.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert_eq!(done.status.success(), matches, "{arguments:?}: {said}");
        assert!(said.contains("Verification: Certificate matches.") == matches, "{said}");
    }
}

/// Shows this certificate from now on.
fn show(ligase: &mut Ligase, certificate: &Certificate) {
    certificate.write(&ligase.proxy().folder(), "tls");
    ligase.proxy().write();
    ligase.program().signal("HUP");
    ligase.await_answer("/certificates", &certificate.digest());
}

/// What `ligase records` prints for these domains before anything runs.
fn print(
    host: &Host,
    domains: &[String],
    certificate: &Certificate,
    next: Option<&Certificate>,
    form: &str,
) -> String {
    let folder = host.folder("records");
    let (chain, key) = certificate.write(&folder, "tls");
    let next = match next {
        Some(next) => format!(", next_key: {}", next.write(&folder, "next").1.display()),
        None => String::new(),
    };
    let config = folder.join("ligase.yaml");
    let text = format!(
        "server_name: {TARGET}\nhosts: [{}]\ncertificates: [{{chain: {}, key: {}{next}}}]\n\
         public: {{starttls: 7269, direct_tls: 5270}}\n",
        domains.join(", "),
        chain.display(),
        key.display(),
    );
    fs::write(&config, text).or_fail("configure ligase");
    let config = config.display().to_string();
    host.run(&peer::program("ligase"), &["records", "--config", &config, "-o", form])
}

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// Where the library that asks DNS for danetool keeps the key of the root.
const ROOT_KEY: &str = "/usr/share/dns/root.key";

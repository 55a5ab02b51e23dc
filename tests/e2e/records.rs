//! What `ligase records` prints, once it is published: others verify ligase by it.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use ligase_tests::{
    Capture, Certificate, Host, Kind, Leaf, Ligase, OrFail, Proxy, Setup, Web, World, peer,
};
use serde_json::Value;

use crate::conversation::chat;
use crate::verona::{names_of, publish};

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
    let well = (Some("proven".to_owned()), Some("dane".to_owned()));
    assert_eq!(check(&world, &padua, "montague.lab"), well);

    // The key that was announced, and no record is touched.
    show(&mut ligase, &tomorrow);
    asking.assert_all(true);
    assert_eq!(check(&world, &padua, "montague.lab"), well);

    // A key that was not.
    show(&mut ligase, &unannounced);
    asking.assert_all(false);
    assert_eq!(check(&world, &padua, "montague.lab"), (Some("refuted".to_owned()), None));
}

/// POSH, as another ligase reads it: a tenant whose zone nobody signs and whom no certificate of the
/// hoster names, by the reference that its own web server keeps and the document that ours serves.
#[test]
fn another_ligase_is_convinced_by_the_document_that_is_served() {
    let mut world = World::new();
    let (montague, capulet) = (world.host("montague"), world.host("capulet"));
    let web = world.host("web");
    let certificate = world.authority.issue(&[TARGET]);
    let hosted = [TENANT.to_owned()];
    world.zone.lines(&print(&montague, &hosted, &certificate, None, "zone"));
    world.zone.address(TARGET, &montague);
    world.zone.address(TENANT, &web);
    publish(&mut world, "capulet.lab", &capulet, 7269);
    world.open();

    let printed = print(&montague, &hosted, &certificate, None, "json");
    let printed: Value = serde_json::from_str(&printed).or_fail("read what was printed");
    let posh = &printed["domains"][0]["posh"];
    let url = format!("https://{TENANT}/.well-known/posh/xmpp-server.json");
    assert_eq!(posh["url"], url);
    let site = Web::start(&web, &world.authority.issue(&[TENANT]));
    site.publish(TENANT, &posh["reference"].to_string());

    let mut proxy = Proxy::new(&world, &montague, Capture::Dns, &hosted, &certificate);
    proxy.set("server_name", TARGET);
    proxy.set("listen.posh", "\"[::]:443\"");
    proxy.set("listen.federation", "[\"[::]:7269\", \"[::]:5270\"]");
    // Each end is to be the one that was dialed, and the one that dialed.
    proxy.set("channels.bidi", "false");
    let _ours = proxy.start();
    let theirs = world.authority.issue(&["capulet.lab", "conference.capulet.lab"]);
    let names = names_of("capulet.lab");
    let mut proxy = Proxy::new(&world, &capulet, Capture::Dns, &names, &theirs);
    proxy.set("policy.default", "dna");
    let their_ligase = proxy.start();
    let users = [(&montague, "romeo", TENANT), (&capulet, "juliet", "capulet.lab")];
    let servers = users.map(|(host, user, domain)| {
        let own = Leaf::of(&[domain]).self_signed();
        let server = Setup::new(Kind::Prosody, host, &[domain], &own).start();
        server.register(user, domain);
        server
    });
    let [romeo, juliet] =
        users.map(|(host, user, domain)| world.users().login(&format!("{user}@{domain}"), host));

    chat(&romeo, &juliet);
    chat(&juliet, &romeo);
    let connections = their_ligase.json("/connections");
    for direction in ["inbound", "outbound"] {
        let proofs = proofs(&connections, direction);
        assert_eq!(proofs, ["posh"], "{direction}: {connections:#}");
    }
    let well = (Some("proven".to_owned()), Some("posh".to_owned()));
    assert_eq!(check(&world, &capulet, TENANT), well);
    drop(servers);
}

/// What `ligase check` says of a domain, asked from that host: the verdict, and by what.
fn check(world: &World, host: &Host, domain: &str) -> (Option<String>, Option<String>) {
    let roots = host.folder("check").join("roots.pem");
    fs::write(&roots, world.authority.pem()).or_fail("write the trusted roots");
    let mut check = host.command(&peer::program("ligase"));
    check.args(["check", domain, "-o", "json", "--resolver", &world.resolver()]);
    check.arg("--trust-anchor").arg(world.trust_anchor()).arg("--roots").arg(&roots);
    let done = check.output().or_fail("run ligase check");
    let found: Value = serde_json::from_slice(&done.stdout).or_fail("read what it says");
    let found = &found["checks"][0];
    let [verdict, by] = ["verdict", "prooftype"].map(|key| found[key].as_str().map(str::to_owned));
    (verdict, by)
}

/// By which proofs the tenant is known on the connections of one direction.
fn proofs(connections: &Value, direction: &str) -> Vec<String> {
    let each = connections.as_array().into_iter().flatten();
    let each = each.filter(|it| it["direction"] == direction && it["side"] == "public");
    let names = each.filter_map(|it| it["delegated"].as_array()).flatten();
    let names = names.filter(|it| it["domain"] == TENANT);
    names.filter_map(|it| it["prooftype"].as_str()).map(str::to_owned).collect()
}

/// A tenant, whose zone is not signed.
const TENANT: &str = "tenant.old";

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
            .stdin(Stdio::null())
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

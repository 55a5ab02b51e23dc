use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use rcgen::{BasicConstraints, CertificateParams, CustomExtension, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConnection, HandshakeKind, ServerConnection, SupportedProtocolVersion};
use tokio_rustls::TlsAcceptor;

use super::*;
use identity::Files;

/// A directory that goes when the test does.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("ligase-tls-{}-{next}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// A new self-signed certificate for these names, in files of this name.
    pub(super) fn identity(&self, file: &str, names: &[&str]) -> Files {
        let key = KeyPair::generate().unwrap();
        let names: Vec<_> = names.iter().map(|it| (*it).to_owned()).collect();
        let made = CertificateParams::new(names).unwrap();
        let made = made.self_signed(&key).unwrap();
        Files {
            chain: self.write(&format!("{file}.crt"), made.pem()),
            key: self.write(&format!("{file}.key"), key.serialize_pem()),
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs the openssl command and returns what it printed.
#[track_caller]
pub(super) fn openssl(folder: &Path, line: &str) -> String {
    let arguments = line.split_whitespace();
    let done = Command::new("openssl").args(arguments).current_dir(folder).output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout) + String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "openssl {line}: {said}");
    said.into_owned()
}

fn tls(folder: &Folder) -> Tls {
    let files = vec![
        folder.identity("hosting", &["xmpp1.hosting.example"]),
        folder.identity("montague", &["montague.example"]),
        folder.identity("verona", &["*.verona.example"]),
    ];
    Tls::new(Arc::new(Identities::load(files).unwrap())).unwrap()
}

/// A certificate made from these parameters, with the key of another if told so.
fn certified(params: CertificateParams, stolen: bool) -> Arc<CertifiedKey> {
    let key = KeyPair::generate().unwrap();
    let made = params.self_signed(&key).unwrap();
    let held = if stolen { KeyPair::generate().unwrap() } else { key };
    let held = PrivateKeyDer::Pkcs8(held.serialize_der().into());
    let held = provider().key_provider.load_private_key(held).unwrap();
    Arc::new(CertifiedKey::new(vec![made.der().clone()], held))
}

fn params() -> CertificateParams {
    CertificateParams::new(vec!["capulet.example".to_owned()]).unwrap()
}

/// A peer of ours with one TLS version, whose certificate is this, as server and as client.
fn peer(
    version: &'static SupportedProtocolVersion,
    shown: Option<Arc<CertifiedKey>>,
) -> (Arc<ServerConfig>, ClientConfig) {
    let provider = provider();
    let unverified = Arc::new(Unverified::new(&provider));
    let certificate = shown.clone().unwrap_or_else(|| certified(params(), false));
    let server = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[version])
        .unwrap()
        .with_client_cert_verifier(unverified.clone())
        .with_cert_resolver(Arc::new(Fixed(certificate)));
    let builder =
        ClientConfig::builder_with_provider(provider).with_protocol_versions(&[version]).unwrap();
    let mut client = unverified::client(builder, unverified);
    if let Some(shown) = shown {
        client.client_auth_cert_resolver = Arc::new(Fixed(shown));
    }
    (Arc::new(server), client)
}

/// Both ends of a finished handshake.
type Ends = (ClientConnection, ServerConnection);

/// A handshake in memory, or the error of whichever end noticed first.
fn shake(
    client: impl Into<Arc<ClientConfig>>,
    server: Arc<ServerConfig>,
    name: Option<&str>,
) -> Result<Ends, rustls::Error> {
    // An address is no name, so none is sent.
    let name = ServerName::try_from(name.unwrap_or("192.0.2.1").to_owned()).unwrap();
    let mut client = ClientConnection::new(client.into(), name).unwrap();
    let mut server = ServerConnection::new(server).unwrap();
    let mut wire = Vec::new();
    while client.is_handshaking() || server.is_handshaking() || client.wants_write() {
        client.write_tls(&mut wire).unwrap();
        let mut sent = wire.as_slice();
        while !sent.is_empty() {
            server.read_tls(&mut sent).unwrap();
            server.process_new_packets()?;
        }
        wire.clear();
        server.write_tls(&mut wire).unwrap();
        let mut sent = wire.as_slice();
        while !sent.is_empty() {
            client.read_tls(&mut sent).unwrap();
            client.process_new_packets()?;
        }
        wire.clear();
    }
    Ok((client, server))
}

fn blame(error: rustls::Error) -> Option<Violation> {
    violation(&io::Error::new(io::ErrorKind::InvalidData, error))
}

const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];

#[track_caller]
fn is_presented(shown: &Arc<CertifiedKey>) {
    let folder = Folder::new();
    let tls = tls(&folder);
    for version in VERSIONS {
        let (server, client) = peer(version, Some(shown.clone()));
        let (_, ours) = shake(client, tls.receive(None), None).unwrap();
        let seen = presented(&ours).unwrap();
        assert_eq!(seen.leaf(), &shown.cert[0], "{version:?}, as our client");

        let own = tls.identities().for_name("montague.example");
        let ours = tls.initiate(own.clone(), Begin::AfterStartTls);
        let (ours, theirs) = shake(ours, server, Some("capulet.example")).unwrap();
        let seen = presented(&ours).unwrap();
        assert_eq!(seen.leaf(), &shown.cert[0], "{version:?}, as our server");
        assert_eq!(presented(&theirs).unwrap().leaf(), &own.cert[0]);
    }
}

#[test]
fn any_certificate_will_do_whose_key_the_peer_holds() {
    is_presented(&certified(params(), false));

    let mut expired = params();
    expired.not_before = rcgen::date_time_ymd(2001, 1, 1);
    expired.not_after = rcgen::date_time_ymd(2002, 1, 1);
    is_presented(&certified(expired, false));

    let mut authority = params();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    is_presented(&certified(authority, false));

    let mut critical = params();
    let mut unheard_of = CustomExtension::from_oid_content(&[1, 3, 9999], vec![5, 0]);
    unheard_of.set_criticality(true);
    critical.custom_extensions.push(unheard_of);
    is_presented(&certified(critical, false));
}

#[test]
fn a_certificate_of_the_first_version_will_do() {
    let folder = Folder::new();
    for key in ["rsa:2048", "ec -pkeyopt ec_paramgen_curve:P-256"] {
        let request = format!("req -newkey {key} -nodes -keyout k.pem -out r.pem -subj /CN=old");
        openssl(folder.path(), &request);
        openssl(folder.path(), "x509 -req -in r.pem -signkey k.pem -out c.pem -days 2");
        let text = openssl(folder.path(), "x509 -in c.pem -noout -text");
        assert!(text.contains("Version: 1"), "{text}");
        let certificate = CertificateDer::from_pem_file(folder.path().join("c.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_file(folder.path().join("k.pem")).unwrap();
        let key = provider().key_provider.load_private_key(key).unwrap();
        is_presented(&Arc::new(CertifiedKey::new(vec![certificate], key)));
    }
}

#[test]
fn a_certificate_without_its_key_is_worth_nothing() {
    let folder = Folder::new();
    let tls = tls(&folder);
    let mut critical = params();
    let mut unheard_of = CustomExtension::from_oid_content(&[1, 3, 9999], vec![5, 0]);
    unheard_of.set_criticality(true);
    critical.custom_extensions.push(unheard_of);
    for shown in [params(), critical].map(|params| certified(params, true)) {
        for version in VERSIONS {
            let (server, client) = peer(version, Some(shown.clone()));
            let error = shake(client, tls.receive(None), None).unwrap_err();
            assert_eq!(blame(error), Some(Violation::CertProofOfPossession));
            let own = tls.identities().for_name("montague.example");
            let ours = tls.initiate(own, Begin::AtOnce);
            let error = shake(ours, server, None).unwrap_err();
            assert_eq!(blame(error), Some(Violation::CertProofOfPossession));
        }
    }
}

#[test]
fn a_certificate_that_cannot_be_read_at_all_is_refused() {
    let folder = Folder::new();
    let tls = tls(&folder);
    let sound = certified(params(), false);
    let garbled = CertificateDer::from(vec![0x30, 0x03, 1, 2, 3]);
    let garbled = Arc::new(CertifiedKey::new(vec![garbled], sound.key.clone()));
    for version in VERSIONS {
        let (_, client) = peer(version, Some(garbled.clone()));
        let error = shake(client, tls.receive(None), None).unwrap_err();
        assert_eq!(blame(error), Some(Violation::CertMalformed));
    }
}

#[test]
fn a_client_without_a_certificate_is_served() {
    let folder = Folder::new();
    let tls = tls(&folder);
    for version in VERSIONS {
        let (_, client) = peer(version, None);
        let (_, ours) = shake(client, tls.receive(None), None).unwrap();
        assert_eq!(presented(&ours), None);
    }
}

/// Which of our names is shown to a client that asks for this one, on a stream to that one.
#[track_caller]
fn check_shown(asked: Option<&str>, addressed: Option<&str>, expect: &str) {
    let folder = Folder::new();
    let tls = tls(&folder);
    let addressed = addressed.map(|it| it.parse().unwrap());
    let (_, client) = peer(&TLS13, None);
    let (client, _) = shake(client, tls.receive(addressed), asked).unwrap();
    assert_eq!(presented(&client).unwrap().names().dns, [expect]);
}

#[test]
fn the_certificate_is_the_one_asked_for_else_the_default() {
    const DEFAULT: &str = "xmpp1.hosting.example";
    check_shown(Some("montague.example"), None, "montague.example");
    check_shown(Some("MONTAGUE.example"), None, "montague.example");
    check_shown(Some("a.verona.example"), None, "*.verona.example");
    check_shown(Some("a.b.verona.example"), None, DEFAULT);
    check_shown(Some("verona.example"), None, DEFAULT);
    check_shown(Some("unheard.example"), None, DEFAULT);
    check_shown(None, None, DEFAULT);
    check_shown(None, Some("montague.example"), "montague.example");
    check_shown(None, Some("unheard.example"), DEFAULT);
    check_shown(Some(DEFAULT), Some("montague.example"), "xmpp1.hosting.example");
}

#[test]
fn a_fixed_certificate_is_shown_whatever_is_asked_for() {
    let folder = Folder::new();
    let tls = tls(&folder);
    let fixed = certified(params(), false);
    let (_, client) = peer(&TLS13, None);
    let (client, _) =
        shake(client, tls.receive_as(fixed.clone()), Some("montague.example")).unwrap();
    assert_eq!(presented(&client).unwrap().leaf(), &fixed.cert[0]);
}

#[test]
fn streams_between_servers_are_the_only_protocol() {
    let folder = Folder::new();
    let tls = tls(&folder);
    let offer = |protocols: &[&[u8]]| {
        let (_, mut client) = peer(&TLS13, None);
        client.alpn_protocols = protocols.iter().map(|it| it.to_vec()).collect();
        shake(client, tls.receive(None), None).map(|(client, _)| {
            let chosen = client.alpn_protocol().unwrap_or_default();
            String::from_utf8_lossy(chosen).into_owned()
        })
    };
    assert_eq!(offer(&[]).unwrap(), "");
    assert_eq!(offer(&[b"h2", b"xmpp-server"]).unwrap(), "xmpp-server");
    for foreign in [b"xmpp-client".as_slice(), b"h2"] {
        let refused = offer(&[foreign]).unwrap_err();
        assert_eq!(blame(refused), Some(Violation::TlsAlpn));
    }
}

#[test]
fn who_comes_for_a_page_is_shown_the_same_and_asked_for_nothing() {
    let folder = Folder::new();
    let tls = tls(&folder);
    let offer = |version, asked, protocols: &[&[u8]]| {
        let (_, mut client) = peer(version, Some(certified(params(), false)));
        client.alpn_protocols = protocols.iter().map(|it| it.to_vec()).collect();
        shake(client, tls.receive_web(), Some(asked))
    };
    for version in VERSIONS {
        let (client, ours) = offer(version, "montague.example", &[b"h2", b"http/1.1"]).unwrap();
        assert_eq!(presented(&client).unwrap().names().dns, ["montague.example"]);
        assert_eq!(presented(&ours), None, "a certificate that nobody asked for");
        assert_eq!(client.alpn_protocol(), Some(&b"http/1.1"[..]));
        let (client, _) = offer(version, "unheard.example", &[]).unwrap();
        assert_eq!(presented(&client).unwrap().names().dns, ["xmpp1.hosting.example"]);
        // A stream is no page, whoever leads it here.
        let refused = offer(version, "montague.example", &[b"xmpp-server"]).unwrap_err();
        assert_eq!(blame(refused), Some(Violation::TlsAlpn));
    }
}

#[test]
fn only_direct_tls_names_its_protocol() {
    let folder = Folder::new();
    let tls = tls(&folder);
    let own = tls.identities().for_name("");
    let dial = |begin, protocols: &[&[u8]]| {
        let (server, _) = peer(&TLS13, None);
        let mut server = ServerConfig::clone(&server);
        server.alpn_protocols = protocols.iter().map(|it| it.to_vec()).collect();
        shake(tls.initiate(own.clone(), begin), Arc::new(server), None)
            .map(|(_, server)| server.alpn_protocol().map(<[u8]>::to_vec))
    };
    let ours: &[u8] = b"xmpp-server";
    assert_eq!(dial(Begin::AtOnce, &[ours]).unwrap(), Some(ours.to_vec()));
    assert_eq!(dial(Begin::AtOnce, &[]).unwrap(), None);
    assert_eq!(dial(Begin::AfterStartTls, &[ours]).unwrap(), None);
    let refused = dial(Begin::AtOnce, &[b"h2"]).unwrap_err();
    assert_eq!(blame(refused), Some(Violation::TlsAlpn));
}

#[test]
fn nothing_is_ever_resumed() {
    let folder = Folder::new();
    let tls = tls(&folder);
    for version in VERSIONS {
        // A client that would like to; and a server that would, for our client.
        let (server, client) = peer(version, Some(certified(params(), false)));
        let client = Arc::new(client);
        let ours = tls.initiate(tls.identities().for_name(""), Begin::AfterStartTls);
        for _ in 0..3 {
            for receive in [tls.receive(None), tls.receive_web()] {
                let (_, end) = shake(client.clone(), receive, Some("a.example")).unwrap();
                assert_ne!(end.handshake_kind(), Some(HandshakeKind::Resumed));
                assert!(end.handshake_kind().is_some());
            }
            let (end, _) = shake(ours.clone(), server.clone(), Some("a.example")).unwrap();
            assert_ne!(end.handshake_kind(), Some(HandshakeKind::Resumed));
        }
        // They would indeed.
        shake(client.clone(), server.clone(), Some("a.example")).unwrap();
        let (end, _) = shake(client, server, Some("a.example")).unwrap();
        assert_eq!(end.handshake_kind(), Some(HandshakeKind::Resumed));
    }
}

#[test]
fn keys_are_agreed_on_so_that_no_later_computer_finds_them() {
    let folder = Folder::new();
    let tls = tls(&folder);
    let ours = tls.initiate(tls.identities().for_name(""), Begin::AtOnce);
    let (end, _) = shake(ours, tls.receive(None), None).unwrap();
    let group = end.negotiated_key_exchange_group().unwrap();
    assert_eq!(group.name(), rustls::NamedGroup::X25519MLKEM768);
}

#[tokio::test]
async fn a_peer_that_knows_only_old_versions_is_refused() {
    let folder = Folder::new();
    let tls = tls(&folder);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut caller = tokio::process::Command::new("openssl")
        .args(["s_client", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"])
        .args(["-connect", &address.to_string()])
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let (socket, _) = listener.accept().await.unwrap();
    let error = TlsAcceptor::from(tls.receive(None)).accept(socket).await;
    assert_eq!(violation(&error.unwrap_err()), Some(Violation::TlsVersion));
    caller.wait().await.unwrap();
}

#[test]
fn a_broken_network_is_nobodys_violation() {
    assert_eq!(violation(&io::ErrorKind::UnexpectedEof.into()), None);
}

#[test]
fn what_breaks_tls_within_it_is_counted_and_word_of_the_far_ends_is_not() {
    let within = |error| violation_within(&io::Error::new(io::ErrorKind::InvalidData, error));
    // Another handshake within this one, ten thousand times over.
    let again = rustls::PeerMisbehaved::TooManyRenegotiationRequests;
    assert_eq!(within(again.into()), Some(Violation::TlsHandshake));
    assert_eq!(within(rustls::Error::DecryptError), Some(Violation::TlsHandshake));
    let alert = rustls::Error::AlertReceived(AlertDescription::UnknownCA);
    assert_eq!(within(alert), None);
    assert_eq!(violation_within(&io::ErrorKind::ConnectionReset.into()), None);
}

use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::ServerName;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::*;
use crate::tls::Begin;
use crate::tls::identity::{Files, Identities};

/// A folder with certificates, gone when the test ends.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("ligase-posh-{}-{next}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    /// A new certificate for these names.
    pub(super) fn files(&self, file: &str, names: &[&str]) -> Files {
        let key = KeyPair::generate().unwrap();
        let names: Vec<_> = names.iter().map(|it| (*it).to_owned()).collect();
        let made = CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
        let chain = self.0.join(format!("{file}.crt"));
        fs::write(&chain, made.pem()).unwrap();
        let place = self.0.join(format!("{file}.key"));
        fs::write(&place, key.serialize_pem()).unwrap();
        Files { chain, key: place }
    }

    fn load(&self, all: &[(&str, &[&str])]) -> Identities {
        Identities::load(all.iter().map(|(file, names)| self.files(file, names)).collect()).unwrap()
    }

    /// Our own certificate, and that of a domain.
    pub(super) fn both(&self) -> Identities {
        self.load(&[("own", &["xmpp1.hosting.example"]), ("montague", &["montague.example"])])
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(super) fn domain(name: &str) -> Domain {
    name.parse().unwrap()
}

/// A listener of its own that serves `montague.example`, and whoever was turned away from it.
struct Served {
    address: SocketAddr,
    tls: Tls,
    turned_away: Arc<Mutex<Vec<Violation>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Served {
    #[expect(clippy::disallowed_methods, reason = "the listener runs beside the test")]
    async fn start(identities: Arc<Identities>, seats: Admission, patience: Patience) -> Self {
        let tls = Tls::new(Arc::clone(&identities)).unwrap();
        let turned_away = Arc::<Mutex<Vec<Violation>>>::default();
        let told = Arc::clone(&turned_away);
        let site = Site {
            tls: tls.clone(),
            document: Box::new(move |asked| {
                let own = domain("xmpp1.hosting.example");
                let ours = asked == domain("montague.example");
                ours.then(|| fingerprints(&identities, &own, &asked))
            }),
            turned_away: Box::new(move |violation, _| told.lock().unwrap().push(violation)),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(serve_with(listener, seats, Arc::new(site), patience));
        Self { address, tls, turned_away, task }
    }

    async fn usual(folder: &Folder) -> Self {
        Self::start(Arc::new(folder.both()), admission(), PATIENCE).await
    }

    async fn shake(&self, name: &str) -> TlsStream<TcpStream> {
        let shown = self.tls.identities().for_name("");
        let client = TlsConnector::from(self.tls.initiate(shown, Begin::AfterStartTls));
        let socket = TcpStream::connect(self.address).await.unwrap();
        client.connect(ServerName::try_from(name.to_owned()).unwrap(), socket).await.unwrap()
    }

    /// Everything that is said to this, and the leaf that was shown.
    async fn ask(&self, name: &str, request: &str) -> (String, Vec<u8>) {
        let mut stream = self.shake(name).await;
        let leaf = stream.get_ref().1.peer_certificates().unwrap()[0].to_vec();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).await.unwrap();
        (said, leaf)
    }
}

const GET: &str =
    "GET /.well-known/posh/xmpp-server.json HTTP/1.1\r\nHost: montague.example\r\n\r\n";

#[tokio::test]
async fn a_hosted_domain_has_one_page() {
    let folder = Folder::new();
    let served = Served::usual(&folder).await;
    let identities = served.tls.identities();
    let (said, leaf) = served.ask("montague.example", GET).await;
    let (head, body) = said.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains("content-type: application/json\r\n"), "{head}");
    let own = domain("xmpp1.hosting.example");
    let expect = fingerprints(identities, &own, &domain("montague.example"));
    assert_eq!(body, expect.to_string());
    assert_eq!(leaf, identities.for_name("montague.example").cert[0].to_vec());

    let (said, leaf) = served.ask("capulet.example", &GET.replace("montague", "capulet")).await;
    assert!(said.starts_with("HTTP/1.1 404 Not Found\r\n"), "{said}");
    assert_eq!(leaf, identities.for_name("").cert[0].to_vec());
    assert_eq!(*served.turned_away.lock().unwrap(), []);
}

#[tokio::test]
async fn a_certificate_that_has_changed_is_served_at_once() {
    let folder = Folder::new();
    let served = Served::usual(&folder).await;
    let (before, _) = served.ask("montague.example", GET).await;
    let files = served.tls.identities().list().iter().map(|it| it.files.clone()).collect();
    folder.files("montague", &["montague.example"]);
    served.tls.identities().replace(files).unwrap();
    let (after, leaf) = served.ask("montague.example", GET).await;
    assert_ne!(before, after);
    assert_eq!(leaf, served.tls.identities().for_name("montague.example").cert[0].to_vec());
}

#[tokio::test]
async fn who_says_nothing_or_too_much_is_hung_up_on() {
    let folder = Folder::new();
    let brief = Duration::from_millis(50);
    let long = Duration::from_secs(60);
    let served = |patience| Served::start(Arc::new(folder.both()), admission(), patience);

    // Not a byte.
    let mute = served(Patience { handshake: brief, header: long, talk: long }).await;
    let mut socket = TcpStream::connect(mute.address).await.unwrap();
    assert_eq!(socket.read(&mut [0]).await.unwrap(), 0);

    // Not a whole request.
    let slow = served(Patience { handshake: long, header: brief, talk: long }).await;
    let mut stream = slow.shake("montague.example").await;
    stream.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    assert!(matches!(stream.read(&mut [0]).await, Ok(0) | Err(_)));

    // Nothing that is read.
    let late = served(Patience { handshake: long, header: long, talk: brief }).await;
    let mut stream = late.shake("montague.example").await;
    assert!(matches!(stream.read(&mut [0]).await, Ok(0) | Err(_)));

    // Headers without end.
    let full = served(PATIENCE).await;
    let endless = GET.replace("\r\n\r\n", &"\r\nCookie: crumbs".repeat(HEADER_BYTES_MAX / 8));
    let mut stream = full.shake("montague.example").await;
    stream.write_all(endless.as_bytes()).await.unwrap();
    let mut said = Vec::new();
    let _ = stream.read_to_end(&mut said).await;
    assert!(said.starts_with(b"HTTP/1.1 431 "), "{}", String::from_utf8_lossy(&said));
}

#[tokio::test]
async fn only_so_many_are_served_at_a_time() {
    let folder = Folder::new();
    let seats = Admission::new(Limits { connections_max: 1, per_address_max: 1 });
    let served = Served::start(Arc::new(folder.both()), seats.clone(), PATIENCE).await;
    let first = served.shake("montague.example").await;
    let mut second = TcpStream::connect(served.address).await.unwrap();
    assert!(second.read(&mut [0]).await.is_err(), "a reset is an error");
    assert_eq!(*served.turned_away.lock().unwrap(), [Violation::LimitConnections]);

    // Whoever is being answered leaves with the listener.
    served.task.abort();
    let mut first = first;
    assert!(matches!(first.read(&mut [0]).await, Ok(0) | Err(_)));
    while 0 < seats.taken() {
        tokio::task::yield_now().await;
    }
}

#[test]
fn nobody_who_asks_sees_what_is_inside() {
    let folder = Folder::new();
    let tls = Tls::new(Arc::new(folder.both())).unwrap();
    let site =
        Site { tls, document: Box::new(|_| Some(json!({}))), turned_away: Box::new(|_, _| ()) };
    assert_eq!(format!("{site:?}"), "Site { .. }");
}

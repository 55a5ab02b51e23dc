//! An HTTPS server that says what it is told to, be it HTTP or not, as slowly as it is told to.
//!
//! Every line on standard input is an order, a JSON object with a `number`, which is said again
//! when it is obeyed: a `site`, known by its host's name, with its certificate; or a `page` of it.

use std::collections::HashMap;
use std::io::{self, stdin};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::server::Acceptor;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;
use tokio_rustls::{LazyConfigAcceptor, server::TlsStream};

use crate::tls;

/// Serves at an address; says `serving` first.
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn serve(at: &str) -> ExitCode {
    let listener = match TcpListener::bind(at).await {
        Ok(listener) => listener,
        Err(error) => {
            eprintln!("{at}: {error}");
            return ExitCode::FAILURE;
        }
    };
    println!("serving");
    let sites = Arc::<Sites>::default();
    let orders = sites.clone();
    thread::spawn(move || {
        for order in stdin().lines().map_while(Result::ok) {
            println!("{}", orders.obey(&order));
        }
    });
    while let Ok((socket, _)) = listener.accept().await {
        let sites = sites.clone();
        // Whoever leaves early misses something, and nobody else does.
        crate::spawn(async move { drop(sites.welcome(socket).await) });
    }
    ExitCode::FAILURE
}

/// All sites, by their names.
#[derive(Default)]
struct Sites(Mutex<HashMap<String, Site>>);

struct Site {
    tls: Arc<ServerConfig>,
    /// What is said, by what is asked for.
    pages: HashMap<String, Page>,
}

/// What is said to a question.
#[derive(Clone, Default)]
struct Page {
    head: Vec<u8>,
    /// What is said after it, in pieces.
    body: Vec<u8>,
    piece: usize,
    /// How often the body is said.
    times: u64,
    /// How long to wait before each piece.
    pace: Duration,
}

impl Sites {
    fn obey(&self, order: &str) -> Value {
        let order: Value = serde_json::from_str(order).unwrap_or_default();
        match self.try_obey(&order) {
            Ok(()) => json!({"done": order["number"]}),
            Err(why) => json!({"done": order["number"], "error": why}),
        }
    }

    fn try_obey(&self, order: &Value) -> Result<(), String> {
        let text = |key: &str| order[key].as_str().unwrap_or_default();
        let host = text("host").to_owned();
        if text("do") == "site" {
            let site = Site { tls: config(text("chain"), text("key"))?, pages: HashMap::new() };
            let mut sites = self.lock();
            if SITES_MAX <= sites.len() {
                sites.clear();
            }
            sites.insert(host, site);
            return Ok(());
        }
        let bytes = |key: &str| BASE64_STANDARD.decode(text(key)).map_err(|it| it.to_string());
        let number = |key: &str| order[key].as_u64().unwrap_or_default();
        let page = Page {
            head: bytes("head")?,
            body: bytes("body")?,
            piece: usize::try_from(number("piece")).unwrap_or_default().max(1),
            times: number("times"),
            pace: Duration::from_millis(number("pace")),
        };
        let mut sites = self.lock();
        let site = sites.get_mut(&host).ok_or("no such site")?;
        site.pages.insert(text("path").to_owned(), page);
        Ok(())
    }

    async fn welcome(&self, socket: TcpStream) -> io::Result<()> {
        let hello = LazyConfigAcceptor::new(Acceptor::default(), socket).await?;
        let host = hello.client_hello().server_name().unwrap_or_default().to_owned();
        let Some(tls) = self.lock().get(&host).map(|it| it.tls.clone()) else {
            return Err(io::Error::other("no such site"));
        };
        let mut stream = hello.into_stream(tls).await?;
        let path = asked(&mut stream).await?;
        let page = self.lock().get(&host).and_then(|it| it.pages.get(&path).cloned());
        say(&mut stream, page.unwrap_or_else(nothing)).await?;
        stream.shutdown().await
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Site>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn config(chain: &str, key: &str) -> Result<Arc<ServerConfig>, String> {
    let (chain, key) = tls::identity(chain, key)?;
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|it| it.with_no_client_auth().with_single_cert(chain, key));
    config.map(Arc::new).map_err(|error| error.to_string())
}

/// Reads a question, and tells which path it is about.
async fn asked(stream: &mut TlsStream<TcpStream>) -> io::Result<String> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") && request.len() < REQUEST_MAX {
        request.push(stream.read_u8().await?);
    }
    let request = String::from_utf8_lossy(&request);
    println!("{}", json!({"asked": request.lines().next()}));
    Ok(request.split(' ').nth(1).unwrap_or_default().to_owned())
}

async fn say(stream: &mut TlsStream<TcpStream>, page: Page) -> io::Result<()> {
    stream.write_all(&page.head).await?;
    stream.flush().await?;
    for _ in 0..page.times {
        for piece in page.body.chunks(page.piece) {
            if !page.pace.is_zero() {
                sleep(page.pace).await;
            }
            stream.write_all(piece).await?;
            stream.flush().await?;
        }
    }
    Ok(())
}

/// What is said where nothing is.
fn nothing() -> Page {
    let head = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    Page { head: head.to_vec(), ..Page::default() }
}

const REQUEST_MAX: usize = 8192;

/// Sites that are kept.
const SITES_MAX: usize = 256;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};

use ligase::admin::{Explained, Readiness, Views, serve};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::Runtime;

/// The port, and whether somebody has had something done.
struct Port {
    runtime: Runtime,
    address: SocketAddr,
    moved: Arc<AtomicBool>,
}

static PORT: LazyLock<Port> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let moved = Arc::<AtomicBool>::default();
    let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(serve(listener, Arc::new(views(&moved))));
    Port { runtime, address, moved }
});

fn views(moved: &Arc<AtomicBool>) -> Views {
    let mover = || {
        let moved = Arc::clone(moved);
        move || moved.store(true, Ordering::Relaxed)
    };
    let (reload, retry, drain, log) = (mover(), mover(), mover(), mover());
    Views {
        server_name: "xmpp.a.test".parse().unwrap(),
        ready: Box::new(Readiness::default),
        metrics: Box::new(|| "ligase_up 1\n".to_owned()),
        config: Box::new(|| json!({})),
        connections: Box::new(|| json!([])),
        bindings: Box::new(|| json!([])),
        explain: Box::new(|local, remote| {
            let pair = json!([local.as_str(), remote.as_str()]);
            Explained(Box::pin(async { pair }))
        }),
        status: Box::new(|| json!({})),
        self_check: Box::new(|| json!({})),
        failures: Box::new(|| json!({})),
        certificates: Box::new(|| json!([])),
        reload: Box::new(move || {
            reload();
            Ok(())
        }),
        retry: Box::new(move |_| {
            retry();
            1
        }),
        drain: Box::new(drain),
        levels: Box::new(|| json!({})),
        log: Box::new(move |_| log()),
        turned_away: Box::new(|_, _| ()),
    }
}

/// What somebody says to the admin port, who then listens: there is an answer in HTTP or none,
/// no markup of the request is in it, and nothing is done unless it is asked for by POST.
pub(super) fn admin(input: &[u8]) {
    static CLIENTS: AtomicU32 = AtomicU32::new(0);
    // A client of its own for each, or ports would run out.
    let [_, high, middle, low] =
        (CLIENTS.fetch_add(1, Ordering::Relaxed) % 0xf0_0000).to_be_bytes();
    let client = SocketAddr::from(([127, high, middle, low | 1], 0));
    PORT.moved.store(false, Ordering::Relaxed);
    let answer = PORT.runtime.block_on(async {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(client).unwrap();
        let mut stream = socket.connect(PORT.address).await.unwrap();
        let mut answer = Vec::new();
        // It may hang up as soon as it has heard enough.
        let _ = stream.write_all(input).await;
        let _ = stream.shutdown().await;
        let _ = stream.read_to_end(&mut answer).await;
        answer
    });
    let head: Vec<_> = answer.split(|&byte| byte == b'\n').take(1).collect();
    let known = [
        "100", "200", "202", "400", "403", "404", "405", "409", "413", "414", "415", "421", "422",
        "431", "500", "503",
    ];
    assert!(
        answer.is_empty()
            || known.iter().any(|it| head[0].starts_with(format!("HTTP/1.1 {it} ").as_bytes())
                || head[0].starts_with(format!("HTTP/1.0 {it} ").as_bytes())),
        "{}",
        answer.escape_ascii()
    );
    assert!(!contains(&answer, b"<mark"), "{}", answer.escape_ascii());
    if PORT.moved.load(Ordering::Relaxed) {
        assert!(contains(input, b"POST "), "it was not asked for");
    }
}

fn contains(text: &[u8], what: &[u8]) -> bool {
    text.windows(what.len()).any(|it| it == what)
}

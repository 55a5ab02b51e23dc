use std::net::Ipv4Addr;

use tokio::net::TcpSocket;
use tokio::process::Command;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::message::tests::{noise, query};
use super::*;

fn steering() -> Steering {
    Steering { address: Ipv4Addr::LOCALHOST.into(), port: 7270 }
}

/// What is said to a question: `here`, `nothing`, `no name`, `fail`, or `pass` if it is passed on.
#[track_caller]
fn check(name: &str, kind: u16, expect: &str) {
    let bytes = query(name, kind, None);
    let found = match steering().decide(&Query::read(&bytes).unwrap()) {
        None => "pass",
        Some(Outcome::Service { .. }) => "here",
        Some(Outcome::NoData) => "nothing",
        Some(Outcome::Fail(_)) => "fail",
    };
    assert_eq!(found, expect, "{name} {kind}");
}

const A: u16 = 1;
const TLSA: u16 = 52;
const ANY: u16 = 255;

#[test]
fn every_peer_is_here_and_has_no_direct_tls() {
    check("_xmpp-server._tcp.capulet.example", message::SRV, "here");
    check("_XMPP-SERVER._TCP.Capulet.Example.", message::SRV, "here");
    check("_xmpps-server._tcp.capulet.example", message::SRV, "nothing");
    check("_xmpp-server._tcp.capulet.example", A, "nothing");
    check("_xmpp-server._tcp.capulet.example", ANY, "nothing");
    check("_xmpps-server._tcp.capulet.example", A, "nothing");
    check("_xmpp-server._tcp.localhost", message::SRV, "here");
}

#[test]
fn all_else_is_passed_on() {
    check("capulet.example", A, "pass");
    check("capulet.example", message::SRV, "pass");
    check("_xmpp-client._tcp.capulet.example", message::SRV, "pass");
    check("_xmpp-server._udp.capulet.example", message::SRV, "pass");
    check("_xmpp-server._tcp", message::SRV, "pass");
    check("_tcp.capulet.example", message::SRV, "pass");
    check("_5269._tcp.capulet.example", TLSA, "pass");
    check("x._xmpp-server._tcp.capulet.example", message::SRV, "pass");
    check("", A, "pass");
}

/// Whether a resolver appended `svc.cluster.local` or a domain is below it, nobody can tell; and
/// whoever is denied goes to the domain's own addresses, past us.
#[test]
fn names_with_a_search_suffix_are_here_too() {
    for suffix in ["verona.svc.cluster.local", "svc.cluster.local", "cluster.local", "local"] {
        let name = format!("_xmpp-server._tcp.capulet.example.{suffix}");
        check(&name, message::SRV, "here");
        check(&name.replace("xmpp-", "xmpps-"), message::SRV, "nothing");
        check(&format!("capulet.example.{suffix}"), A, "pass");
    }
    check("postgres.verona.svc.cluster.local", A, "pass");
    check("_postgresql._tcp.postgres.verona.svc.cluster.local", message::SRV, "pass");
}

#[test]
fn a_zone_is_not_transferred() {
    check("example", message::AXFR, "fail");
    check("_xmpp-server._tcp.capulet.example", message::IXFR, "fail");
}

#[test]
fn strangers_are_not_answered() {
    let admitted = |sources: Sources, address: &str| sources.admit(address.parse().unwrap());
    for own in ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"] {
        assert!(admitted(loopback(), own), "{own}");
        assert!(admitted(Sources::ThisHost, own), "{own}");
    }
    for other in ["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"] {
        assert!(!admitted(loopback(), other), "{other}");
        assert!(!admitted(Sources::ThisHost, other), "{other}");
        assert!(admitted(Sources::Anybody, other), "{other}");
    }
}

/// A responder on loopback, in both families, and what it is asked through.
struct World {
    tasks: JoinSet<()>,
    addresses: Vec<SocketAddr>,
    shared: Arc<Shared>,
    /// What became of queries.
    told: UnboundedReceiver<Fate>,
}

impl World {
    fn new(upstream: Vec<SocketAddr>) -> Self {
        let settings = Settings {
            listen: ["127.0.0.1:0", "[::1]:0"].map(|it| it.parse().unwrap()).to_vec(),
            upstream,
            steering: steering(),
            sources: loopback(),
        };
        let responder = Responder::bind(settings, &mut Inherited::default()).unwrap();
        let (fates, told) = unbounded_channel();
        let responder = responder.observed_by(move |fate| {
            let _ = fates.send(fate);
        });
        let addresses = responder.addresses().unwrap();
        let shared = Arc::clone(&responder.shared);
        let mut tasks = JoinSet::new();
        tasks.spawn(responder.serve());
        Self { tasks, addresses, shared, told }
    }

    /// An upstream server that gives one text for every name, or more than it may if the name says
    /// that it boasts.
    async fn with_upstream() -> Self {
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = tcp.local_addr().unwrap();
        let udp = UdpSocket::bind(address).await.unwrap();
        let mut world = Self::new(vec![address]);
        world.tasks.spawn(async move {
            let mut buffer = [0; 4096];
            loop {
                let (length, source) = udp.recv_from(&mut buffer).await.unwrap();
                let mut answer = text(&buffer[..length]);
                if 1232 < answer.len() && !buffer[13..].starts_with(b"boasting") {
                    answer.truncate(length);
                    answer[7] = 0;
                    answer[2] |= 2;
                }
                udp.send_to(&answer, source).await.unwrap();
            }
        });
        world.tasks.spawn(async move {
            loop {
                let (mut socket, _) = tcp.accept().await.unwrap();
                let asked = read_message(&mut socket, 4096).await.unwrap();
                let answer = text(&asked);
                write_message(&mut socket, &answer).await.unwrap();
            }
        });
        world
    }

    /// What `dig` prints when asked this, in each family.
    async fn dig(&self, question: &str) -> Vec<String> {
        let mut said = Vec::new();
        for address in &self.addresses {
            let done = Command::new("dig")
                .arg(format!("@{}", address.ip()))
                .args(["-p", &address.port().to_string()])
                .args(["+tries=1", "+time=9"])
                .args(question.split_whitespace())
                .output()
                .await
                .unwrap();
            assert!(done.status.success(), "{done:?}");
            said.push(String::from_utf8(done.stdout).unwrap());
        }
        said
    }
}

/// The answer to a TXT query: one string, or fifty if the name begins with "long" or "boasting".
fn text(asked: &[u8]) -> Vec<u8> {
    let long = [&b"long"[..], b"boasting"].iter().any(|it| asked[13..].starts_with(it));
    let count = if long { 50 } else { 1 };
    // The additional records stay where they are, after the answer.
    let end = asked.iter().skip(12).position(|it| *it == 0).unwrap() + 12 + 5;
    let mut answer = asked[..end].to_vec();
    answer[2] |= 0x80;
    answer[3] |= 0xa0;
    answer[7] = count;
    for number in 0..count {
        answer.extend_from_slice(&[0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 9, 0, 31, 30]);
        answer.extend_from_slice(format!("wherefore art thou, Romeo? {number:03}").as_bytes());
    }
    answer.extend_from_slice(&asked[end..]);
    answer
}

#[tokio::test]
async fn others_understand_our_answers() {
    let world = World::new(vec![]);
    let name = "_xmpp-server._tcp.capulet.example";
    for options in ["+noedns", "+edns=0 +dnssec", "+tcp", "+tcp +bufsize=700"] {
        for said in world.dig(&format!("+short {options} {name} SRV")).await {
            assert_eq!(said.trim(), "0 0 7270 127.0.0.1.", "{options}");
        }
        let nothing = format!("{options} {} SRV", name.replace("xmpp-", "xmpps-"));
        for said in world.dig(&nothing).await {
            assert!(said.contains("status: NOERROR"), "{said}");
            assert!(said.contains("ANSWER: 0, AUTHORITY: 1"), "{said}");
            assert!(!said.contains("WARNING"), "{said}");
        }
    }
}

#[tokio::test]
async fn what_upstream_says_is_passed_on() {
    let world = World::with_upstream().await;
    for options in ["+noedns", "+dnssec", "+tcp"] {
        for said in world.dig(&format!("{options} capulet.example TXT")).await {
            assert!(said.contains("Romeo? 000"), "{said}");
            // It was upstream that said so; we never do.
            assert!(said.contains("flags: qr rd ra ad"), "{said}");
        }
    }
}

#[tokio::test]
async fn a_long_answer_is_truncated_over_udp_and_whole_over_tcp() {
    let world = World::with_upstream().await;
    for said in world.dig("+ignore long.example TXT").await {
        assert!(said.contains("flags: qr tc rd"), "{said}");
    }
    // As a resolver does: it asks again.
    for said in world.dig("long.example TXT").await {
        assert!(said.contains("ANSWER: 50"), "{said}");
    }
}

/// Few octets must not bring many to an address that somebody else has written on them.
#[tokio::test]
async fn no_datagram_is_longer_than_was_asked_for_whatever_upstream_sends() {
    let world = World::with_upstream().await;
    for (options, length_max) in
        [("+noedns", 512), ("+bufsize=512", 512), ("+bufsize=900", 900), ("+bufsize=4096", 1232)]
    {
        for said in world.dig(&format!("+ignore {options} boasting.example TXT")).await {
            assert!(said.contains("flags: qr tc rd"), "{options} {said}");
            let (_, length) = said.split_once("MSG SIZE  rcvd: ").unwrap();
            assert!(length.trim().parse::<usize>().unwrap() <= length_max, "{options} {said}");
            assert_eq!(said.contains("EDNS: version: 0"), options != "+noedns", "{said}");
        }
        for said in world.dig(&format!("{options} boasting.example TXT")).await {
            assert!(said.contains("ANSWER: 50"), "{options} {said}");
        }
    }
}

/// Asks one question over a connection from this address.
async fn connect(world: &World, from: &str) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(from.parse().unwrap(), 0))?;
    let mut socket = socket.connect(world.addresses[0]).await?;
    let bytes = query("_xmpp-server._tcp.capulet.example", message::SRV, None);
    write_message(&mut socket, &bytes).await?;
    read_message(&mut socket, 512).await?;
    Ok(socket)
}

#[tokio::test]
async fn one_address_leaves_connections_to_the_others() {
    let world = World::new(vec![]);
    let mut idle = Vec::new();
    for _ in 0..CONNECTIONS_MAX / 4 {
        idle.push(connect(&world, "127.0.0.2").await.unwrap());
    }
    connect(&world, "127.0.0.2").await.unwrap_err();
    connect(&world, "127.0.0.3").await.unwrap();
}

/// What an asker is told over UDP: the response code, or nothing.
async fn ask(world: &World, from: &str, name: &str) -> Option<u8> {
    let from = Transport::Udp(from.parse().unwrap());
    let answer = world.shared.answer(&query(name, message::SRV, None), from).await;
    answer.map(|it| message::rcode(&it).unwrap())
}

const OURS: &str = "_xmpp-server._tcp.capulet.example";
const OTHERS: &str = "capulet.example";

#[tokio::test]
async fn one_address_leaves_places_to_the_others() {
    let world = World::with_upstream().await;
    let admit = |from: &str| world.shared.places.admit(from.parse().unwrap()).unwrap();
    let waiting: Vec<_> = (0..QUERIES_MAX / 4).map(|_| admit("127.0.0.1")).collect();
    assert_eq!(ask(&world, "127.0.0.1", OTHERS).await, None);
    assert_eq!(ask(&world, "::ffff:127.0.0.1", OTHERS).await, None);
    assert_eq!(ask(&world, "127.0.0.1", OURS).await, Some(0));
    assert_eq!(ask(&world, "127.0.0.2", OTHERS).await, Some(0));
    assert_eq!(ask(&world, "::1", OTHERS).await, Some(0));
    drop(waiting);
    assert_eq!(ask(&world, "127.0.0.1", OTHERS).await, Some(0));
    assert_eq!(world.shared.places.taken(), 0);
}

#[tokio::test]
async fn only_what_waits_for_upstream_by_udp_needs_a_place() {
    let mut world = World::with_upstream().await;
    let places: Vec<_> = (0..QUERIES_MAX)
        .map(|it| world.shared.places.admit(Ipv4Addr::from(1 + it as u32).into()).unwrap())
        .collect();
    assert_eq!(ask(&world, "127.0.0.1", OTHERS).await, None);
    // What has no place has not been passed on.
    assert!(world.told.is_empty());
    // A whole way, too.
    for said in world.dig(&format!("+short {OURS} SRV")).await {
        assert_eq!(said.trim(), "0 0 7270 127.0.0.1.");
        assert_eq!(world.told.recv().await, Some(Fate::Here));
    }
    for said in world.dig(&format!("+tcp {OTHERS} TXT")).await {
        assert!(said.contains("Romeo? 000"), "{said}");
    }
    drop(places);
    assert_eq!(ask(&world, "127.0.0.1", OTHERS).await, Some(0));
}

/// One that nobody answers keeps its place until it is given up, and no longer.
#[tokio::test]
async fn a_place_is_kept_while_upstream_is_silent() {
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let world = World::new(vec![silent.local_addr().unwrap()]);
    let (answer, ()) = tokio::join!(ask(&world, "127.0.0.1", OTHERS), async {
        silent.recv_from(&mut [0; 512]).await.unwrap();
        assert_eq!(world.shared.places.taken(), 1);
    });
    assert_eq!(answer, Some(Rcode::ServerFailure as u8));
    assert_eq!(world.shared.places.taken(), 0);
}

#[tokio::test]
async fn without_upstream_only_our_own_answers_are_given() {
    let world = World::new(vec![]);
    for said in world.dig("capulet.example A").await {
        assert!(said.contains("status: SERVFAIL"), "{said}");
    }
}

#[tokio::test]
async fn what_becomes_of_each_query_is_told() {
    let mut world = World::with_upstream().await;
    for (question, fate) in [
        ("_xmpp-server._tcp.capulet.example SRV", Fate::Here),
        ("+tcp _xmpp-server._tcp.capulet.example SRV", Fate::Here),
        ("_xmpps-server._tcp.capulet.example SRV", Fate::Denied),
        ("_xmpp-server._tcp.capulet.example A", Fate::Denied),
        ("capulet.example TXT", Fate::Passed),
    ] {
        for _ in world.dig(question).await {
            assert_eq!(world.told.recv().await, Some(fate), "{question}");
        }
        assert!(world.told.is_empty(), "{question}");
    }
}

#[tokio::test]
async fn one_connection_may_ask_many_questions_and_garbage_ends_it() {
    let world = World::new(vec![]);
    let mut socket = TcpStream::connect(world.addresses[0]).await.unwrap();
    let bytes = query("_xmpp-server._tcp.capulet.example", message::SRV, None);
    for _ in 0..3 {
        write_message(&mut socket, &bytes).await.unwrap();
        let answer = read_message(&mut socket, 512).await.unwrap();
        assert_eq!(message::rcode(&answer), Some(0));
    }
    write_message(&mut socket, b"nonsense").await.unwrap();
    assert_eq!(socket.read(&mut [0]).await.unwrap(), 0);
}

#[tokio::test]
async fn garbage_leaves_the_responder_standing() {
    let world = World::new(vec![]);
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(world.addresses[0]).await.unwrap();
    let whole = query("_xmpp-server._tcp.capulet.example", message::SRV, Some(1232));
    let mut noise = noise();
    for _ in 0..500 {
        let mut bytes = whole.clone();
        let at = noise(bytes.len());
        bytes[at] = noise(256).try_into().unwrap();
        bytes.truncate(noise(2 * whole.len()));
        socket.send(&bytes).await.unwrap();
    }
    // The right answer comes after those that the garbage got.
    let mut last = whole.clone();
    last[..2].copy_from_slice(&[0x77, 0x77]);
    let mut buffer = [0; 512];
    let answered = async {
        loop {
            socket.send(&last).await.unwrap();
            let wait = Duration::from_millis(200);
            while let Ok(received) = timeout(wait, socket.recv(&mut buffer)).await {
                let length = received.unwrap();
                if buffer[..2] == last[..2] && message::rcode(&buffer[..length]) == Some(0) {
                    return;
                }
            }
        }
    };
    timeout(Duration::from_secs(9), answered).await.unwrap();
}

/// The packet filter turns what we ask back to us: that ends at once, and the asker hears of it.
#[tokio::test]
async fn what_comes_back_is_not_passed_on_again() {
    let turner = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut world = World::new(vec![turner.local_addr().unwrap()]);
    let responder = world.addresses[0];
    world.tasks.spawn(async move {
        let back = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        back.connect(responder).await.unwrap();
        let mut buffer = [0; 4096];
        loop {
            let (length, source) = turner.recv_from(&mut buffer).await.unwrap();
            back.send(&buffer[..length]).await.unwrap();
            let length = back.recv(&mut buffer).await.unwrap();
            turner.send_to(&buffer[..length], source).await.unwrap();
        }
    });
    for said in world.dig("+time=1 capulet.example A").await {
        assert!(said.contains("status: SERVFAIL"), "{said}");
    }
    for _ in &world.addresses {
        assert_eq!(world.told.recv().await, Some(Fate::Passed));
    }
    assert!(world.told.is_empty(), "nothing was passed on twice");
}

#[tokio::test]
async fn it_does_not_ask_itself() {
    let address: SocketAddr = "127.0.0.1:7253".parse().unwrap();
    let settings = Settings {
        listen: vec![address],
        upstream: vec![address],
        steering: steering(),
        sources: loopback(),
    };
    let error = Responder::bind(settings, &mut Inherited::default()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
}

fn loopback() -> Sources {
    Sources::Networks(["127.0.0.0/8", "::1/128"].map(|it| it.parse().unwrap()).into())
}

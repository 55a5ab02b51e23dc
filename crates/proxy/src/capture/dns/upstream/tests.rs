use std::future::Future;
use std::pin::Pin;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::super::message::tests::query;
use super::super::message::{Outcome, SRV};
use super::*;

const BY_UDP: Transport = Transport::Udp(IpAddr::V4(Ipv4Addr::LOCALHOST));

/// How a server behaves over UDP.
#[derive(Clone, Copy)]
enum Far {
    Answers,
    Fails(Rcode),
    Silent,
    /// Has lost the first query and answers the second.
    Loses,
    /// Sends forgeries before the answer.
    Forged,
    Truncates,
}

/// A server on loopback, over TCP always answering; counts its queries over UDP in its answers.
async fn server(far: Far, tasks: &mut JoinSet<()>) -> SocketAddr {
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = tcp.local_addr().unwrap();
    let udp = UdpSocket::bind(address).await.unwrap();
    tasks.spawn(async move {
        let mut buffer = [0; 512];
        if matches!(far, Far::Loses) {
            udp.recv_from(&mut buffer).await.unwrap();
        }
        loop {
            let (length, source) = udp.recv_from(&mut buffer).await.unwrap();
            for answer in answers(far, &buffer[..length]) {
                udp.send_to(&answer, source).await.unwrap();
            }
        }
    });
    tasks.spawn(async move {
        loop {
            let (mut socket, _) = tcp.accept().await.unwrap();
            let asked = read_message(&mut socket, 512).await.unwrap();
            let query = Query::read(&asked).unwrap();
            let answer = query.answer(&Outcome::Fail(Rcode::NameError));
            write_message(&mut socket, &answer).await.unwrap();
        }
    });
    address
}

fn answers(far: Far, asked: &[u8]) -> Vec<Vec<u8>> {
    let asked = Query::read(asked).unwrap();
    let right = asked.answer(&Outcome::NoData);
    let changed = |at: usize, bit: u8| {
        let mut answer = right.clone();
        answer[at] ^= bit;
        answer
    };
    match far {
        Far::Answers | Far::Loses => vec![right],
        Far::Fails(rcode) => vec![asked.answer(&Outcome::Fail(rcode))],
        Far::Silent => vec![],
        Far::Forged => vec![changed(0, 1), changed(1, 0x80), changed(13, 1), vec![], right],
        Far::Truncates => vec![changed(2, 2)],
    }
}

/// What is found by asking these in turn: the response code, `+tc` if truncated; and who comes
/// first afterwards.
async fn run(far: &[Far], transport: Transport) -> (String, usize) {
    let mut tasks = JoinSet::new();
    let mut servers = Vec::new();
    for far in far {
        servers.push(server(*far, &mut tasks).await);
    }
    let upstreams = Upstreams::new(servers);
    let bytes = query("capulet.example", SRV, Some(1232));
    let asked = Query::read(&bytes).unwrap();
    let asking: Pin<Box<dyn Future<Output = _>>> = Box::pin(upstreams.ask(&asked, transport));
    let said = match asking.await {
        None => "nothing".to_owned(),
        Some(answer) => {
            assert!(asked.is_answered_by(&answer, [bytes[0], bytes[1]]));
            let cut = if is_truncated(&answer) { "+tc" } else { "" };
            format!("{}{cut}", rcode(&answer).unwrap())
        }
    };
    (said, upstreams.preferred.load(Ordering::Relaxed))
}

#[track_caller]
fn expect(found: (String, usize), said: &str, preferred: usize) {
    assert_eq!(found, (said.to_owned(), preferred));
}

#[tokio::test]
async fn the_first_server_that_knows_is_heard_and_asked_first_from_then_on() {
    expect(run(&[Far::Answers], BY_UDP).await, "0", 0);
    let second = [Far::Fails(Rcode::ServerFailure), Far::Answers];
    expect(run(&second, BY_UDP).await, "0", 1);
    let third = [
        Far::Fails(Rcode::Refused),
        Far::Fails(Rcode::ServerFailure),
        Far::Fails(Rcode::NameError),
    ];
    expect(run(&third, BY_UDP).await, "3", 2);
}

#[tokio::test]
async fn if_all_fail_their_failure_is_the_answer() {
    let all = [Far::Fails(Rcode::Refused), Far::Fails(Rcode::ServerFailure)];
    expect(run(&all, BY_UDP).await, "2", 0);
    expect(run(&[], BY_UDP).await, "nothing", 0);
}

#[tokio::test]
async fn a_silent_server_is_passed_over() {
    let second = [Far::Silent, Far::Answers];
    expect(run(&second, BY_UDP).await, "0", 1);
}

/// A datagram that got lost is no failure of the server, and not to be told as one.
#[tokio::test]
async fn a_lost_query_is_sent_again() {
    expect(run(&[Far::Loses], BY_UDP).await, "0", 0);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_passed_over_at_once() {
    let mut tasks = JoinSet::new();
    let there = server(Far::Answers, &mut tasks).await;
    let gone = {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.local_addr().unwrap()
    };
    let upstreams = Upstreams::new(vec![gone, there]);
    let bytes = query("capulet.example", SRV, None);
    let asked = Query::read(&bytes).unwrap();
    let answer = timeout(PATIENCE / 2, upstreams.ask(&asked, BY_UDP)).await;
    assert!(answer.unwrap().is_some());
}

#[tokio::test]
async fn forgeries_are_passed_over() {
    expect(run(&[Far::Forged], BY_UDP).await, "0", 0);
}

#[tokio::test]
async fn a_truncated_answer_is_whole_only_for_those_who_use_tcp() {
    expect(run(&[Far::Truncates], BY_UDP).await, "0+tc", 0);
    expect(run(&[Far::Truncates], Transport::Tcp).await, "3", 0);
}

/// What the packet filter turns back to us is known as ours while we wait for its answer.
#[tokio::test]
async fn a_query_that_comes_back_is_known() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let upstreams = Upstreams::new(vec![socket.local_addr().unwrap()]);
    let bytes = query("capulet.example", SRV, None);
    let asked = Query::read(&bytes).unwrap();
    let mut buffer = [0; 512];
    let listening = async {
        let (length, source) = socket.recv_from(&mut buffer).await.unwrap();
        assert!(upstreams.is_ours(&Query::read(&buffer[..length]).unwrap()));
        assert!(!upstreams.is_ours(&asked), "the number is another");
        socket.send_to(&answers(Far::Answers, &buffer[..length])[0], source).await.unwrap();
        length
    };
    let (length, answer) = tokio::join!(listening, upstreams.ask(&asked, BY_UDP));
    assert!(answer.is_some());
    assert!(!upstreams.is_ours(&Query::read(&buffer[..length]).unwrap()));
}

#[tokio::test]
async fn no_two_queries_have_the_same_number_and_port() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let upstreams = Upstreams::new(vec![socket.local_addr().unwrap()]);
    let bytes = query("capulet.example", SRV, None);
    let asked = Query::read(&bytes).unwrap();
    let mut seen = HashSet::new();
    for _ in 0..16 {
        let mut buffer = [0; 512];
        let listening = async {
            let (length, source) = socket.recv_from(&mut buffer).await.unwrap();
            socket.send_to(&answers(Far::Answers, &buffer[..length])[0], source).await.unwrap();
            (source.port(), [buffer[0], buffer[1]])
        };
        let (told, answer) = tokio::join!(listening, upstreams.ask(&asked, BY_UDP));
        assert_eq!(answer.unwrap()[..2], bytes[..2]);
        seen.insert(told);
    }
    assert_eq!(seen.len(), 16);
    let numbers: HashSet<_> = seen.iter().map(|it| it.1).collect();
    assert!(8 < numbers.len(), "{numbers:?}");
}

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

use super::*;

const PATIENCE: Patience =
    Patience { attempt: Duration::from_secs(5), total: Duration::from_secs(12) };

/// What becomes of dialing port n, where n stands for: answer or refuse after so many
/// milliseconds, or never.
#[derive(Clone, Copy)]
enum Far {
    Answers(u64),
    Refuses(u64),
    Unroutable,
    Silent,
}

/// The index of the winner or the reason; when it was known, and when each was dialed.
#[expect(clippy::disallowed_methods, reason = "the clock is virtual")]
async fn run(far: &[Far]) -> (Result<usize, Unreached>, u128, Vec<u128>) {
    let addresses: Vec<_> = (0..far.len())
        .map(|port| SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port.try_into().unwrap()))
        .collect();
    let began = Instant::now();
    let dialed = Arc::new(Mutex::new(Vec::new()));
    let result = race(&addresses, PATIENCE, |address| {
        let port = usize::from(address.port());
        let far = far[port];
        dialed.lock().unwrap().push(began.elapsed().as_millis());
        async move {
            match far {
                Far::Answers(after) => {
                    sleep(Duration::from_millis(after)).await;
                    Ok(port)
                }
                Far::Refuses(after) => {
                    sleep(Duration::from_millis(after)).await;
                    Err(io::ErrorKind::ConnectionRefused.into())
                }
                Far::Unroutable => Err(io::ErrorKind::NetworkUnreachable.into()),
                Far::Silent => std::future::pending().await,
            }
        }
    })
    .await;
    let took = began.elapsed().as_millis();
    let dialed = dialed.lock().unwrap().clone();
    (result, took, dialed)
}

#[tokio::test(start_paused = true)]
async fn the_first_address_wins_alone_if_it_is_quick() {
    let found = run(&[Far::Answers(100), Far::Answers(0)]).await;
    assert_eq!(found, (Ok(0), 100, vec![0]));
}

#[tokio::test(start_paused = true)]
async fn a_silent_address_costs_a_quarter_of_a_second() {
    let found = run(&[Far::Silent, Far::Answers(10)]).await;
    assert_eq!(found, (Ok(1), 260, vec![0, 250]));
}

#[tokio::test(start_paused = true)]
async fn a_failed_address_costs_nothing_more() {
    let found = run(&[Far::Refuses(30), Far::Unroutable, Far::Answers(10)]).await;
    assert_eq!(found, (Ok(2), 40, vec![0, 30, 30]));
}

#[tokio::test(start_paused = true)]
async fn a_slow_address_may_still_win() {
    let found = run(&[Far::Answers(400), Far::Silent]).await;
    assert_eq!(found, (Ok(0), 400, vec![0, 250]));
}

#[tokio::test(start_paused = true)]
async fn each_address_has_its_own_limit() {
    let found = run(&[Far::Silent]).await;
    assert_eq!(found, (Err(Unreached::TimedOut), 5_000, vec![0]));
}

#[tokio::test(start_paused = true)]
async fn all_addresses_together_have_a_limit_in_time_and_number() {
    let (result, took, dialed) = run(&[Far::Silent; 60]).await;
    assert_eq!(result, Err(Unreached::TimedOut));
    assert_eq!(took, 15 * 250 + 5_000);
    assert_eq!(dialed.len(), ADDRESSES_MAX);
}

#[tokio::test(start_paused = true)]
async fn the_most_telling_reason_is_given() {
    assert_eq!(run(&[]).await.0, Err(Unreached::NoAddress));
    assert_eq!(run(&[Far::Unroutable]).await.0, Err(Unreached::Unreachable));
    let mixed = [Far::Unroutable, Far::Refuses(1), Far::Silent];
    assert_eq!(run(&mixed).await.0, Err(Unreached::Refused));
}

#[tokio::test]
async fn the_second_address_answers_where_the_first_refuses() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let open = listener.local_addr().unwrap();
    // Nobody else is likely to listen on 127.9.9.9.
    let closed = SocketAddr::new(Ipv4Addr::new(127, 9, 9, 9).into(), open.port());
    assert_eq!(dial(&[closed], PATIENCE).await.unwrap_err(), Unreached::Refused);
    let socket = dial(&[closed, open], PATIENCE).await.unwrap();
    assert_eq!(socket.peer_addr().unwrap(), open);
    assert!(socket.nodelay().unwrap());
}

#[test]
fn want_of_descriptors_is_our_own_fault() {
    assert_eq!(why(&io::Error::from_raw_os_error(EMFILE)), Unreached::Exhausted);
}

//! Scan: which ports of a machine are open.

use std::net::IpAddr;
use std::process::ExitCode;

use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Prints the TCP ports of an address that take a connection, in order, on one line.
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn scan(address: &str) -> ExitCode {
    let Ok(address) = address.parse::<IpAddr>() else {
        return ExitCode::from(2);
    };
    let mut open = Vec::new();
    let mut tried = JoinSet::new();
    for port in 1..=u16::MAX {
        tried.spawn(
            async move { TcpStream::connect((address, port)).await.is_ok().then_some(port) },
        );
        if AT_ONCE <= tried.len()
            && let Some(Ok(Some(port))) = tried.join_next().await
        {
            open.push(port);
        }
    }
    while let Some(port) = tried.join_next().await {
        open.extend(port.ok().flatten());
    }
    open.sort_unstable();
    let open: Vec<_> = open.iter().map(u16::to_string).collect();
    println!("{}", open.join(" "));
    ExitCode::SUCCESS
}

/// Connections at a time.
const AT_ONCE: usize = 256;

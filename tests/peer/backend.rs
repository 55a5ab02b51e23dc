//! What both kinds of a server behind a proxy share.

use std::io;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::load::BACKEND;
use crate::spawn;

/// Takes every stream that the proxy opens, and has `receive` do the rest, with the stream's number
/// and a way to say that all has come.
pub(crate) async fn listen<F>(
    receive: impl Fn(TcpStream, u32, UnboundedSender<()>) -> F + Send + 'static,
) -> io::Result<UnboundedReceiver<()>>
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let listener = TcpListener::bind(BACKEND).await?;
    let (done, finished) = unbounded_channel();
    spawn(async move {
        let mut number = 0;
        while let Ok((socket, _)) = listener.accept().await {
            number += 1;
            let received = receive(socket, number, done.clone());
            spawn(async move {
                // A stream that breaks leaves the sum short, which is what is looked at.
                let _ = received.await;
            });
        }
    });
    Ok(finished)
}

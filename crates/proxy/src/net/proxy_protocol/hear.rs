use std::io;

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use super::{Header, Malformed, Reading};

/// What a load balancer said before it handed the connection on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Heard {
    /// A header, which is not in the socket any more; what follows it still is.
    Header(Header),
    /// Something else, all of which is still in the socket.
    Nothing,
    /// Something that is no header, and is nothing else either.
    Malformed,
    /// It has gone without a word: somebody looked whether we listen.
    Left,
}

/// Hears a header out. Takes no byte beyond it, and none if the first is not that of a header;
/// `reading` holds what has come, for whoever gives up in between. It waits for as long as it takes.
///
/// # Errors
/// The socket's.
pub async fn hear(socket: &mut TcpStream, reading: &mut Reading) -> io::Result<Heard> {
    let mut seen = [0; GLANCE];
    loop {
        let count = socket.peek(&mut seen).await?;
        let Some(bytes) = seen.get_mut(..count).filter(|it| !it.is_empty()) else {
            let has_begun = reading.version().is_some();
            return Ok(if has_begun { Heard::Malformed } else { Heard::Left });
        };
        let taken = reading.take(bytes);
        if reading.version().is_none() {
            return Ok(Heard::Nothing);
        }
        match taken {
            Ok((count, header)) => {
                // It is there, so nobody waits.
                socket.read_exact(&mut bytes[..count]).await?;
                if let Some(header) = header {
                    return Ok(Heard::Header(header));
                }
            }
            Err(Malformed) => return Ok(Heard::Malformed),
        }
    }
}

/// Bytes looked at in one go: more than headers have.
const GLANCE: usize = 256;

use std::io;

use bytes::BytesMut;
use tokio::net::TcpStream;

use crate::stream::{Limits, Reader};

/// The beginning of a stream, as far as it has come.
///
/// Most that a stream needs is for what is said on it. Whoever sends a blank now and then, or half
/// of a header, has said nothing yet, and costs next to nothing until then.
#[derive(Debug)]
pub struct Opening {
    /// What reads it.
    pub reader: Reader,
    /// What was read and is not understood yet.
    pub incoming: BytesMut,
    /// How many bytes have come.
    pub bytes: u64,
}

impl Opening {
    /// One of which nothing has come.
    pub fn new(limits: Limits) -> Box<Self> {
        let reader = Reader::new(limits);
        Box::new(Self { reader, incoming: BytesMut::new(), bytes: 0 })
    }

    /// Reads until there is something to answer: a frame, a mistake, or the end; or until so much
    /// has come that it is to be counted and paced like everything else.
    ///
    /// # Errors
    /// The network's.
    pub async fn listen(&mut self, socket: &TcpStream) -> io::Result<()> {
        while self.bytes < BYTES_MAX && !self.reader.look_ahead(&mut self.incoming) {
            socket.readable().await?;
            match read(socket, &mut self.incoming) {
                Ok(0) => break,
                Ok(count) => self.bytes += count as u64,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => (),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Reads what is there, up to the length of a usual header.
fn read(socket: &TcpStream, incoming: &mut BytesMut) -> io::Result<usize> {
    // Not held while nothing comes.
    let mut buffer = [0; 512];
    let count = socket.try_read(&mut buffer)?;
    incoming.extend_from_slice(buffer.get(..count).unwrap_or_default());
    Ok(count)
}

/// More than the header of an honest server has.
const BYTES_MAX: u64 = 1024;

#[cfg(test)]
mod tests;

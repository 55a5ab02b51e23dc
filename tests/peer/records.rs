//! TLS 1.2 records under the keys of a session, saying what no library would (RFC 5246 §6.2).

use std::io;

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, Algorithm, LessSafeKey, Nonce, UnboundKey};
use rustls::ConnectionTrafficSecrets;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsStream;

use crate::tell;
use crate::tls::Wire;

/// One direction's key, and the number of its next record.
struct Direction {
    key: LessSafeKey,
    salt: [u8; 4],
    sequence: u64,
}

/// Asks for another handshake, again and again, and tells all records that come; how it ended.
pub(crate) async fn renegotiate(number: u64, wire: Wire, order: &Value) -> String {
    let times = order.get("times").and_then(Value::as_u64).unwrap_or_default();
    match ask(number, wire, times).await {
        Ok(()) => "by the other end".to_owned(),
        Err(error) => error.to_string(),
    }
}

async fn ask(number: u64, wire: Wire, times: u64) -> io::Result<()> {
    let Wire::Secure(stream) = wire else {
        return Err(io::Error::other("no TLS to ask within"));
    };
    let TlsStream::Client(client) = stream else {
        return Err(io::Error::other("only a client asks so"));
    };
    let (socket, connection) = client.into_inner();
    let secrets = connection.dangerous_extract_secrets().map_err(io::Error::other)?;
    let mut sends = Direction::new(secrets.tx)?;
    let mut hears = Direction::new(secrets.rx)?;
    let (mut reading, mut writing) = socket.into_split();
    let hello = hello();
    let writes = async {
        for _ in 0..times {
            // Whoever is refused is not read any more.
            if writing.write_all(&sends.seal(HANDSHAKE, &hello)?).await.is_err() {
                break;
            }
        }
        Ok::<_, io::Error>(())
    };
    let reads = async {
        loop {
            let mut head = [0; 5];
            if reading.read_exact(&mut head).await.is_err() {
                return Ok::<_, io::Error>(());
            }
            let [kind, _, _, high, low] = head;
            let mut body = vec![0; usize::from(u16::from_be_bytes([high, low]))];
            if reading.read_exact(&mut body).await.is_err() {
                return Ok(());
            }
            let said = hears.open(kind, &mut body)?;
            let hex: String = said.iter().map(|byte| format!("{byte:02x}")).collect();
            tell(json!({"wire": number, "text": format!("record {kind} {hex}\n")}));
        }
    };
    let (written, read) = tokio::join!(writes, reads);
    written.and(read)
}

impl Direction {
    fn new((sequence, secrets): (u64, ConnectionTrafficSecrets)) -> io::Result<Self> {
        use ConnectionTrafficSecrets::{Aes128Gcm, Aes256Gcm};

        let (algorithm, key, iv): (&'static Algorithm, _, _) =
            if let Aes128Gcm { key, iv } = &secrets {
                (&AES_128_GCM, key, iv)
            } else if let Aes256Gcm { key, iv } = &secrets {
                (&AES_256_GCM, key, iv)
            } else {
                return Err(io::Error::other("another cipher than was asked for"));
            };
        let key = UnboundKey::new(algorithm, key.as_ref()).map_err(io::Error::other)?;
        let salt = iv.as_ref().first_chunk().copied().unwrap_or_default();
        Ok(Self { key: LessSafeKey::new(key), salt, sequence })
    }

    /// A whole record (RFC 5288 §3).
    fn seal(&mut self, kind: u8, said: &[u8]) -> io::Result<Vec<u8>> {
        let explicit = self.sequence.to_be_bytes();
        let aad = self.aad(kind, said.len())?;
        let mut sealed = said.to_vec();
        let nonce = self.nonce(explicit);
        self.key.seal_in_place_append_tag(nonce, aad, &mut sealed).map_err(io::Error::other)?;
        let length = u16::try_from(explicit.len() + sealed.len()).map_err(io::Error::other)?;
        let head = [&[kind, 3, 3][..], &length.to_be_bytes(), &explicit].concat();
        Ok([head, sealed].concat())
    }

    /// What a record says.
    fn open<'a>(&mut self, kind: u8, body: &'a mut [u8]) -> io::Result<&'a [u8]> {
        let short = || io::Error::other("a record too short");
        let (explicit, sealed) = body.split_first_chunk_mut::<8>().ok_or_else(short)?;
        let tag = self.key.algorithm().tag_len();
        let aad = self.aad(kind, sealed.len().checked_sub(tag).ok_or_else(short)?)?;
        let nonce = self.nonce(*explicit);
        let said = self.key.open_in_place(nonce, aad, sealed).map_err(io::Error::other)?;
        Ok(said)
    }

    fn nonce(&self, explicit: [u8; 8]) -> Nonce {
        let [a, b, c, d] = self.salt;
        let [e, f, g, h, i, j, k, l] = explicit;
        Nonce::assume_unique_for_key([a, b, c, d, e, f, g, h, i, j, k, l])
    }

    /// What is vouched for besides; the next record has the next number.
    fn aad(&mut self, kind: u8, length: usize) -> io::Result<Aad<Vec<u8>>> {
        let length = u16::try_from(length).map_err(io::Error::other)?;
        let number = self.sequence.to_be_bytes();
        self.sequence += 1;
        Ok(Aad::from([&number[..], &[kind, 3, 3], &length.to_be_bytes()].concat()))
    }
}

/// A ClientHello as short as it may be (RFC 5246 §7.4.1.2), with one suite and no extension.
fn hello() -> Vec<u8> {
    let body = [&[3, 3][..], &[7; 32], &[0, 0, 2, 0xC0, 0x2F, 1, 0]].concat();
    let length = u8::try_from(body.len()).unwrap_or_default();
    [&[1, 0, 0, length][..], &body].concat()
}

const HANDSHAKE: u8 = 22;

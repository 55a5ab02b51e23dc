//! Passers-by: strangers who come for a moment, say or ask something, and are gone.

use std::io;
use std::time::Duration;

use ligase_tests::xml::attribute;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::load::{element, header};
use crate::tell;
use crate::tls::Wire;

/// Shakes hands, and hangs up.
pub(crate) async fn shake(socket: TcpStream, order: &Value) -> io::Result<()> {
    secure(socket, "somebody.lab", order).await?.shutdown().await
}

/// Goes as far in a negotiation as his number says, and then breaks off with a reset.
pub(crate) async fn abort(socket: TcpStream, order: &Value, number: u32) -> io::Result<()> {
    // A socket that is dropped with this resets the connection (socket(7)).
    socket.set_zero_linger()?;
    let whole = header(&format!("s{number}.lab"), "l1.lab", None);
    let (half, _) = whole.split_at(whole.len() / 2);
    let mut wire = Wire::Plain(socket);
    let mut text = String::new();
    match number % 8 {
        0 => return Ok(()),
        1 => return wire.write_all(half.as_bytes()).await,
        2 => {
            wire.write_all(whole.as_bytes()).await?;
            return element(&mut wire, &mut text).await.map(drop);
        }
        3 => {
            // The first bytes of a handshake's first record (RFC 8446 §5.1).
            return wire.write_all(&[22, 3, 1, 2, 0, 1, 0]).await;
        }
        4 => {
            wire.write_all(whole.as_bytes()).await?;
            wire.write_all(STARTTLS.as_bytes()).await?;
            return element(&mut wire, &mut text).await.map(drop);
        }
        _ => (),
    }
    let Wire::Plain(socket) = wire else { return Ok(()) };
    let mut wire = secure(socket, "l1.lab", order).await?;
    let claim = format!("<db:result from='s{number}.lab' to='l1.lab'>0123</db:result>");
    let (half, _) = claim.split_at(claim.len() / 2);
    let said = match number % 8 {
        5 => String::new(),
        6 => whole + half,
        _ => whole + &claim,
    };
    wire.write_all(said.as_bytes()).await?;
    wire.flush().await
}

/// Says names and words that nobody has ever said before, wherever there is room for one.
pub(crate) async fn name(socket: TcpStream, order: &Value, number: u32) -> io::Result<()> {
    let mut wire = secure(socket, &format!("s{number}.lab"), order).await?;
    let own = format!("n{number}.lab");
    let said = format!(
        "{}<db:verify from='{own}' to='l1.lab' id='i{number}'>00</db:verify>\
         <db:result from='{own}' to='l1.lab' type='t{number}'>00</db:result>\
         <auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='M{number}'>=</auth>\
         </stream:stream>",
        header(&own, "l1.lab", None)
    );
    wire.write_all(said.as_bytes()).await?;
    wire.flush().await?;
    let mut rest = Vec::new();
    tokio::time::timeout(PATIENCE, wire.read_to_end(&mut rest))
        .await
        .map_err(io::Error::from)?
        .map(drop)
}

/// Opens a stream in the clear, and tells the id that it has been given.
pub(crate) async fn ask_id(mut socket: TcpStream, number: u32) -> io::Result<()> {
    socket.write_all(header(&format!("s{number}.lab"), "l1.lab", None).as_bytes()).await?;
    let mut text = String::new();
    loop {
        let said = element(&mut socket, &mut text).await?;
        if said.starts_with("<stream:stream") {
            tell(json!({"id": attribute(&said, "id")}));
            return Ok(());
        }
    }
}

/// Shakes hands and says nothing but blanks, as many as `bytes` says.
pub(crate) async fn be_blank(socket: TcpStream, order: &Value, number: u32) -> io::Result<()> {
    let (mut wire, own, _) = crate::talker::authenticate(socket, order, number, "").await?;
    let mut left = order.get("bytes").and_then(Value::as_u64).unwrap_or_default();
    let blanks = vec![b' '; 65_536];
    while 0 < left {
        let now = left.min(65_536);
        let piece = blanks.get(..usize::try_from(now).unwrap_or_default()).unwrap_or_default();
        wire.write_all(piece).await?;
        left -= now;
    }
    wire.flush().await?;
    tell(json!({"poured": own}));
    let mut rest = Vec::new();
    wire.read_to_end(&mut rest).await.map(drop)
}

async fn secure(socket: TcpStream, name: &str, order: &Value) -> io::Result<Wire> {
    let text = |key: &str| order.get(key).and_then(Value::as_str).unwrap_or_default();
    let handshake =
        json!({"as": "client", "name": name, "chain": text("chain"), "key": text("key")});
    let (wire, _) = Wire::Plain(socket).secure(&handshake).await.map_err(io::Error::other)?;
    Ok(wire)
}

const STARTTLS: &str = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";

/// Longer than any answer takes.
const PATIENCE: Duration = Duration::from_secs(30);

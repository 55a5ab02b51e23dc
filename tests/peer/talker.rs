//! Talkers: strangers who prove who they are, and then are a burden all the same.

use std::future::pending;
use std::io;

use ligase_tests::xml::attribute;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::load::{element, header};
use crate::tell;
use crate::tls::Wire;

/// Proves who he is, and then says messages of a kibibyte each, as many as are taken.
pub(crate) async fn talk(socket: TcpStream, order: &Value, number: u32) -> io::Result<()> {
    let (mut wire, own, to) = authenticate(socket, order, number, "").await?;
    let body = "o".repeat(1024);
    let message = format!("<message from='{own}' to='{to}'><body>{body}</body></message>");
    let batch = message.repeat(16);
    loop {
        wire.write_all(batch.as_bytes()).await?;
        wire.flush().await?;
    }
}

/// Proves who he is, has whoever speaks to him do so on the same connection (XEP-0288), and reads
/// on to the first message; none that follows.
pub(crate) async fn be_deaf(socket: TcpStream, order: &Value, number: u32) -> io::Result<()> {
    let (mut wire, own, to) = authenticate(socket, order, number, BIDI).await?;
    let mut text = String::new();
    loop {
        let said = element(&mut wire, &mut text).await?;
        if said.starts_with("<db:result") && attribute(&said, "type").is_none() {
            let from = attribute(&said, "from").unwrap_or(&to);
            let answer = format!("<db:result from='{own}' to='{from}' type='valid'/>");
            wire.write_all(answer.as_bytes()).await?;
            wire.flush().await?;
        } else if said.starts_with("<message") {
            // The connection stays as long as the program does.
            return pending().await;
        } else if said.starts_with("</stream:stream") || said.starts_with("<stream:error") {
            return Err(io::Error::other(said));
        }
    }
}

/// Shakes hands as the order says, opens a stream on which `wish` comes first, and has the right of
/// one domain granted: `domain` with the stranger's number in the place of `#`; then it says that he
/// is `proven`. Returns the wire, that domain, and the one that it may speak to.
pub(crate) async fn authenticate(
    socket: TcpStream,
    order: &Value,
    number: u32,
    wish: &str,
) -> io::Result<(Wire, String, String)> {
    let text = |key: &str| order.get(key).and_then(Value::as_str).unwrap_or_default();
    let [own, to] = ["domain", "to"].map(|key| text(key).replace('#', &number.to_string()));
    let handshake = json!({
        "as": "client", "name": to, "alpn": "xmpp-server",
        "chain": text("chain"), "key": text("key"),
    });
    let (mut wire, _) = Wire::Plain(socket).secure(&handshake).await.map_err(io::Error::other)?;
    wire.write_all(header(&own, &to, None).as_bytes()).await?;
    wire.flush().await?;
    let mut said = String::new();
    await_element(&mut wire, &mut said, "<stream:features").await?;
    let claim = format!("{wish}<db:result from='{own}' to='{to}'>0123</db:result>");
    wire.write_all(claim.as_bytes()).await?;
    wire.flush().await?;
    let answer = await_element(&mut wire, &mut said, "<db:result").await?;
    match attribute(&answer, "type") {
        Some("valid") => {
            tell(json!({"proven": own}));
            Ok((wire, own, to))
        }
        _ => Err(io::Error::other(answer)),
    }
}

/// The next element of this name; what comes before it is passed over.
async fn await_element(wire: &mut Wire, text: &mut String, name: &str) -> io::Result<String> {
    loop {
        let said = element(wire, text).await?;
        if said.starts_with(name) {
            return Ok(said);
        }
        if said.starts_with("</stream:stream") || said.starts_with("<stream:error") {
            return Err(io::Error::other(said));
        }
    }
}

pub(crate) const BIDI: &str = "<bidi xmlns='urn:xmpp:bidi'/>";

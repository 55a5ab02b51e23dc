//! Pourers: senders who have a right to what they do, and do it all at once.

use std::io;

use ligase_tests::xml::attribute;
use serde_json::{Value, json};
use tokio::io::{AsyncWriteExt, split};
use tokio::net::TcpStream;

use crate::load::element;
use crate::talker::{BIDI, authenticate};
use crate::tell;

/// Has a pair granted, sends `stanzas` messages of `bytes` each, and says that it is `poured`; then
/// stays until the other end hangs up. From outside, it has answers come on the same connection
/// (XEP-0288), and lets the other end in.
pub(crate) async fn pour(
    socket: TcpStream,
    order: &Value,
    number: u32,
    from_outside: bool,
) -> io::Result<()> {
    let wish = if from_outside { BIDI } else { "" };
    let (wire, own, to) = authenticate(socket, order, number, wish).await?;
    let amount = |key: &str| order.get(key).and_then(Value::as_u64).unwrap_or_default();
    let body = "o".repeat(usize::try_from(amount("bytes")).unwrap_or_default());
    let (mut reader, mut writer) = split(wire);
    let (answers, mut to_say) = tokio::sync::mpsc::unbounded_channel::<String>();
    let name = own.clone();
    let reading = async move {
        let mut text = String::new();
        loop {
            let said = element(&mut reader, &mut text).await?;
            if said.starts_with("<db:result") && attribute(&said, "type").is_none() {
                let from = attribute(&said, "from").unwrap_or_default();
                let answer = format!("<db:result from='{name}' to='{from}' type='valid'/>");
                // Whoever writes has ended only with the connection.
                let _ = answers.send(answer);
            } else if said.contains("type='error'") {
                tell(json!({"bounced": attribute(&said, "id")}));
            } else if said.starts_with("</stream:stream") || said.starts_with("<stream:error") {
                return Err(io::Error::other(said));
            }
        }
    };
    let writing = async move {
        for count in 0..amount("stanzas") {
            while let Ok(answer) = to_say.try_recv() {
                writer.write_all(answer.as_bytes()).await?;
            }
            let message = format!(
                "<message from='p@{own}' to='u@{to}' id='{number}-{count}'>\
                 <body>{body}</body></message>"
            );
            writer.write_all(message.as_bytes()).await?;
        }
        writer.flush().await?;
        tell(json!({"poured": own}));
        while let Some(answer) = to_say.recv().await {
            writer.write_all(answer.as_bytes()).await?;
            writer.flush().await?;
        }
        Ok(())
    };
    tokio::select! {
        ended = reading => ended,
        ended = async { let ended: io::Result<()> = writing.await; ended } => ended,
    }
}

//! Resident: somebody who lives at a real server, and keeps every stanza as it came.

use std::sync::Arc;
use std::thread;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ligase_tests::client::PASSWORD;
use ligase_tests::{Peer, Stream};

use crate::backend::Inbox;
use crate::deeds::PATIENCE;
use crate::negotiate::{features, next, offered};

/// Logs somebody in; what comes for them is kept.
pub(crate) fn login(
    peer: &Peer,
    name: &str,
    domain: &str,
    inbox: &Arc<Inbox>,
) -> Result<Stream, String> {
    let stream = peer.try_dial("127.0.0.1:5222")?;
    let open = format!(
        "<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
         xmlns:stream='http://etherx.jabber.org/streams' to='{domain}' version='1.0'>"
    );
    stream.send(&open);
    offered(&features(&stream)?.features, "<starttls")?;
    stream.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    offered(&next(&stream, PATIENCE)?, "<proceed")?;
    stream.start_tls(domain, None)?;
    stream.send(&open);
    offered(&features(&stream)?.features, ">PLAIN<")?;
    let word = STANDARD.encode(format!("\0{name}\0{PASSWORD}"));
    stream.send(&format!(
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{word}</auth>"
    ));
    offered(&next(&stream, PATIENCE)?, "<success")?;
    stream.send(&open);
    features(&stream)?;
    stream.send("<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>");
    offered(&next(&stream, PATIENCE)?, "result")?;
    stream.send("<presence/>");
    let (hearing, inbox) = (stream.clone(), inbox.clone());
    thread::spawn(move || {
        while let Some(said) = hearing.next_ever() {
            inbox.keep(said);
        }
    });
    Ok(stream)
}

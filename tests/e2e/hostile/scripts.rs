//! Scripts: conversations of the crowd.

use serde_json::{Value, json};

/// A name in every place where a stranger can put one. Each conversation is one name's.
pub(super) fn with_names() -> Vec<Value> {
    let open = format!("{}<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", header("r.lab"));
    let secured = |said: &str| {
        let said = format!("{}{said}", header("{name}").replace("from='{name}'", "from='r.lab'"));
        json!([{"say": open}, {"hear": "<proceed"}, {"tls": "l1.lab"}, {"say": said}])
    };
    vec![
        // Header: from, id and lang; to.
        json!([{"say": header("{name}")}]),
        json!([{"say": header("r.lab").replace("to='l1.lab'", "to='{name}'")}]),
        // The text of an error, and what else may stand there.
        json!([{"say": format!("{}<stream:error><see-other-host \
            xmlns='urn:ietf:params:xml:ns:xmpp-streams'>{{name}}</see-other-host>\
            <text xmlns='urn:ietf:params:xml:ns:xmpp-streams' xml:lang='{{name}}'>{{name}}</text>\
            <e{{number}} xmlns='{{name}}'/></stream:error></stream:stream>", header("r.lab"))}]),
        // What an element is called, and where its name is from.
        json!([{"say": format!("{}<e{{number}} xmlns='{{name}}' a='{{name}}'/>", header("r.lab"))}]),
        // Server name and protocol of a TLS handshake.
        json!([{"hello": "{raw}"}]),
        // SASL: the mechanism, and whom it is to be.
        secured(
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='{name}'>{name}</auth>\
             </stream:stream>",
        ),
        // Dialback: from, to, type and key.
        secured(
            "<db:result from='{name}' to='l1.lab' type='{name}'>{name}</db:result></stream:stream>",
        ),
        secured("<db:verify from='r.lab' to='{name}' id='{name}'>00</db:verify></stream:stream>"),
        // The addresses of a stanza.
        secured("<message from='{name}' to='{name}' id='{name}'/></stream:stream>"),
    ]
}

/// Rules broken, each at the least cost to whoever breaks it.
pub(super) fn violations() -> Vec<Value> {
    let header = header("r.lab");
    let after = |said: &str| json!([{"say": format!("{header}{said}")}]);
    let bytes = |bytes: &[u8]| json!([{"bytes": bytes}]);
    let long = "A".repeat(10_000);
    let attributes: String = (0..300).map(|it| format!(" a{it}='b'")).collect();
    vec![
        json!([{"say": header.replace("to='l1.lab'", "to='198.18.0.2'")}]),
        json!([{"say": header.replace("from='r.lab'", "from='fa\u{df}.lab'")}]),
        json!([{"say": header.replace("to='l1.lab'", "to='n{number}.elsewhere.lab'")}]),
        json!([{"say": "<!DOCTYPE a [<!ENTITY b 'c'>]>"}]),
        bytes(b"\xff\xfe<\0?\0x\0m\0l\0"),
        after("<a></b>"),
        after("<!-- {number} -->"),
        after(&format!("<a b='{long}'/>")),
        after(&format!("<a{attributes}/>")),
        after("<db:result from='r.lab' to='l1.lab'>00</db:result></stream:stream>"),
        after("<message from='u{number}@r.lab' to='u@l1.lab'/>"),
        after("<e{number} xmlns='urn:flood'/>"),
        after("some text"),
        after(
            "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>\
             <db:result from='r.lab' to='l1.lab'>00</db:result>",
        ),
        after("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>"),
        after("<stream:features/>"),
        json!([{"say": header.replace("xmlns='jabber:server'", "xmlns='jabber:client'")}]),
        json!([{"hello": "n{number}.flood.lab"}]),
        // TLS 1.1, and no TLS at all after its first byte.
        bytes(
            &[&b"\x16\x03\x01\0\x2d\x01\0\0\x29\x03\x02"[..], &[7; 32], b"\0\0\x02\0\x2f\x01\0"]
                .concat(),
        ),
        bytes(b"\x16 this is no handshake, and never will be"),
    ]
}

/// A stream's header, whose sender, id and language are this.
fn header(name: &str) -> String {
    format!(
        "<?xml version='1.0'?><stream:stream xmlns='jabber:server' \
         xmlns:db='jabber:server:dialback' xmlns:stream='http://etherx.jabber.org/streams' \
         from='{name}' to='l1.lab' id='{name}' version='1.0' xml:lang='{name}'>"
    )
}

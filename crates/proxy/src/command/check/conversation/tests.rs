use ligase_verifier::Service;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

use super::{Conversation, Speaker};
use crate::command::check::facts::{Greeting, Unseen};
use crate::stream::Condition;

fn speaker(service: Service) -> Speaker {
    Speaker { service, to: "a.example".parse().unwrap(), from: None }
}

/// What is made of an answer that comes at once and whole, and what was said for it.
async fn open(service: Service, answer: &str) -> (Result<Greeting, Unseen>, String) {
    let (mut near, far) = duplex(1 << 20);
    let greeting = async move { Conversation::new(&mut near).open(&speaker(service)).await };
    tokio::join!(greeting, answering(far, answer.to_owned()))
}

async fn answering(mut far: DuplexStream, answer: String) -> String {
    far.write_all(answer.as_bytes()).await.unwrap();
    far.shutdown().await.unwrap();
    let mut said = String::new();
    far.read_to_string(&mut said).await.unwrap();
    said
}

fn header(namespace: &str, more: &str) -> String {
    format!(
        "<?xml version='1.0'?><stream:stream xmlns='{namespace}' version='1.0' \
         xmlns:stream='http://etherx.jabber.org/streams'{more}>"
    )
}

const FEATURES: &str = "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>\
                        <dialback xmlns='urn:xmpp:features:dialback'/></stream:features>";

#[tokio::test]
async fn a_server_is_greeted_as_a_server_and_a_users_server_as_a_user() {
    let answer = header("jabber:server", " from='a.example'") + FEATURES;
    let (greeting, said) = open(Service::Server, &answer).await;
    let greeting = greeting.unwrap();
    assert!(greeting.features.start_tls && greeting.features.dialback && !greeting.is_other);
    assert_eq!(
        said,
        "<?xml version='1.0'?><stream:stream xmlns='jabber:server' \
         xmlns:db='jabber:server:dialback' xmlns:stream='http://etherx.jabber.org/streams' \
         to='a.example' version='1.0' xml:lang='en'>"
    );
    let answer = header("jabber:client", " from='b.example'") + FEATURES;
    let (greeting, said) = open(Service::Client, &answer).await;
    assert!(greeting.unwrap().is_other);
    assert_eq!(
        said,
        "<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
         xmlns:stream='http://etherx.jabber.org/streams' to='a.example' version='1.0' \
         xml:lang='en'>"
    );
}

#[tokio::test]
async fn what_is_no_answer_is_taken_for_none() {
    let server = |more: &str| header("jabber:server", "") + more;
    let error = |condition: &str| {
        server(&format!(
            "<stream:error><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
        ))
    };
    for (answer, expect) in [
        (String::new(), "net.closed"),
        ("SSH-2.0-OpenSSH_9.2\r\n".to_owned(), "stream.foreign"),
        ("HTTP/1.1 400 Bad Request\r\n\r\n".to_owned(), "stream.foreign"),
        (header("jabber:client", "") + FEATURES, "stream.foreign"),
        (header("jabber:server", "").replace(" version='1.0' ", " "), "tls.none"),
        (server(""), "net.closed"),
        (server("</stream:stream>"), "net.closed"),
        (server("<message/>"), "stream.foreign"),
        (error("host-unknown"), "stream.error"),
        (server(&" ".repeat(200_000)), "stream.foreign"),
        (server(&format!("<a>{}", "x".repeat(200_000))), "stream.foreign"),
    ] {
        let (greeting, _) = open(Service::Server, &answer).await;
        assert_eq!(greeting.unwrap_err().label(), expect, "{answer:.100}");
    }
    let (greeting, _) = open(Service::Server, &error("host-unknown")).await;
    assert_eq!(greeting.unwrap_err(), Unseen::Refused(Some(Condition::HostUnknown)));
}

#[tokio::test]
async fn tls_begins_after_proceed_and_after_nothing_else() {
    for (answer, expect) in [
        ("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", None),
        ("<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", Some("tls.none")),
        ("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/> ", Some("stream.foreign")),
        ("<proceed/>", Some("stream.foreign")),
        ("</stream:stream>", Some("net.closed")),
    ] {
        let (mut near, far) = duplex(1 << 20);
        let whole = header("jabber:server", "") + FEATURES + answer;
        let talking = async move {
            let mut conversation = Conversation::new(&mut near);
            conversation.open(&speaker(Service::Server)).await.unwrap();
            conversation.start_tls().await
        };
        let (begun, said) = tokio::join!(talking, answering(far, whole));
        assert_eq!(begun.err().map(|it| it.label()), expect, "{answer}");
        assert!(said.ends_with("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"), "{said}");
    }
}

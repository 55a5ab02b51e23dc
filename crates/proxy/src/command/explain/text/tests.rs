use serde_json::json;

use super::*;

/// A pair that is carried one way, and refused the other.
fn told() -> Value {
    serde_json::from_str(include_str!("tests/told.json")).unwrap()
}

const EXPECT: &str = "\
\x20 ours       montague.example: hosted here (listed in hosts)
  peer       capulet.example: not hosted here (not listed in hosts)
  policy     encrypted (policy.default): dialback will do

montague.example -> capulet.example: carried
  now        connection 7, server to server, both ways, TLS by STARTTLS
             opened by the peer at 2026-11-22T05:00:00Z, 192.0.2.7:5269
             the server is xmpp.capulet.example
             proven by dane, until 2026-11-22T06:00:00Z
  stands by  connection 9, domain to domain, direct TLS
             opened by us at 2026-11-22T05:01:00Z, 192.0.2.8:5270
             by dialback, for as long as it is open
  our server connection 2, domain to domain, in the clear
             opened by our server at 2026-11-22T04:59:00Z, 127.0.0.1:40000
             it is at the address that we were told

capulet.example -> montague.example: not reached; left alone for a while
  why        Nobody is there (connect)
  do         Try again.
  queue      1 stanza waits
  back-off   until 2026-11-22T05:02:00Z, after 3 in a row
  came       2026-11-22T05:00:30Z: unproven (cert.chain)
  search     began at 2026-11-22T05:00:01Z, ended at 2026-11-22T05:00:03Z: It does not believe us (sasl)
             (2 steps before these)
             xmpp.capulet.example:5269, server to server: It did not answer (timeout)
             our own server, dialback over TLS: met

  DNS        capulet.example is served at
             xmpp.capulet.example:5269, STARTTLS, signed
               met server to server before, failed since: 1; tried from server to server down to dialback over TLS
             old.capulet.example:5270, direct TLS, not signed
               not met lately; tried from domain to domain down to dialback in the clear
";

#[test]
fn an_explanation_reads_from_what_is_to_what_was_and_what_to_do() {
    assert_eq!(text(&told(), false), EXPECT);
}

#[test]
fn whoever_likes_color_reads_the_same_in_color() {
    let colored = text(&told(), true);
    assert!(colored.contains("\x1b[32mcarried\x1b[0m"), "{colored}");
    let mut bare = colored;
    for code in ["\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[36m"] {
        bare = bare.replace(code, "");
    }
    assert_eq!(bare, EXPECT);
}

#[test]
fn whatever_a_proxy_tells_steers_no_terminal_and_stops_nobody() {
    let evil = "\x1b[2J\u{202e}\n";
    let mut told = told();
    for place in ["/local", "/directions/0/from", "/directions/1/advice", "/dns/endpoints/0/target"]
    {
        *told.pointer_mut(place).unwrap() = json!(evil);
    }
    let text = text(&told, false);
    assert!(text.contains("\\u{1b}[2J\\u{202e}\\u{a}"), "{text}");
    assert!(text.chars().all(|it| it == '\n' || (' '..='~').contains(&it)), "{text}");
    for nothing in [json!(null), json!([]), json!({"directions": [1, {}], "dns": 7})] {
        assert!(super::text(&nothing, false).contains("(unknown)"), "{nothing}");
    }
}

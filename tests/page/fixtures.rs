use serde_json::{Map, Value, json};

/// Hosted here, in all of this.
const OURS: [&str; 4] = [
    "montague.example",
    "conference.montague.example",
    "laurence.example",
    "conference.laurence.example",
];

/// Others are made of these.
const WORDS: [&str; 25] = [
    "abram",
    "angelica",
    "balthasar",
    "benvolio",
    "bianca",
    "capulet",
    "cassio",
    "elsinore",
    "emilia",
    "gregory",
    "hamlet",
    "iago",
    "laertes",
    "lodovico",
    "mantua",
    "mercutio",
    "ophelia",
    "padua",
    "paris",
    "petruchio",
    "rosaline",
    "sampson",
    "tybalt",
    "verona",
    "yorick",
];

/// Just started, and nobody met.
pub(crate) fn empty() -> Value {
    let parts: Map<_, _> = ["config", "certificates", "resolver", "listeners"]
        .map(|it| (it.to_owned(), json!({"ready": true, "cause": null})))
        .into_iter()
        .collect();
    json!({
        "version": 1,
        "at": "2026-11-22T07:40:00Z",
        "product": {"version": "0.1.0", "revision": "5eb1d6d"},
        "server_name": "xmpp1.hosting.example",
        "started_at": "2026-11-22T07:39:18Z",
        "ready": {"ready": true, "components": parts},
        "backend": {"up": true, "address": "127.0.0.1:5269"},
        "draining": false,
        "counts": {
            "pairs": 0, "channels": 0, "connections": 0, "failures": 0, "queued_stanzas": 0,
            "by_proof": {"dane": 0, "posh": 0, "pkix": 0, "dialback": 0},
        },
        "pairs": [], "pairs_left_out": 0,
        "channels": [], "channels_left_out": 0,
        "failures": [],
        "self_check": {
            "version": 1, "at": null, "next_at": "2026-11-22T07:40:20Z", "result": "not-run",
            "domains": [], "left_out": 0,
        },
        "certificates": [certificate(&OURS, 61, "2027-01-22T00:00:00Z", "tls.crt")],
    })
}

/// As much as can be told, and all well.
pub(crate) fn busy() -> Value {
    let mut status = empty();
    status["started_at"] = json!("2026-11-19T03:50:00Z");
    status["pairs"] = (0..500).map(pair).collect();
    status["pairs_left_out"] = json!(748);
    status["channels"] = (0..200).map(channel).collect();
    status["channels_left_out"] = json!(3);
    status["counts"] = json!({
        "pairs": 1248, "channels": 203, "connections": 218, "failures": 0, "queued_stanzas": 12,
        "by_proof": {"dane": 372, "posh": 71, "pkix": 689, "dialback": 116},
    });
    let sound = OURS.map(|it| json!({"domain": it, "result": "ok", "checks": []}));
    status["self_check"] = json!({
        "version": 1, "at": "2026-11-22T07:20:00Z", "next_at": "2026-11-22T08:20:00Z",
        "result": "ok", "domains": sound, "left_out": 0,
    });
    status
}

/// Nearly everything that can be wrong.
pub(crate) fn failing() -> Value {
    let mut status = busy();
    for (key, most) in [("pairs", 14), ("channels", 5)] {
        let list = status[key].as_array().into_iter().flatten().take(most).cloned();
        status[key] = list.collect();
        status[format!("{key}_left_out")] = json!(0);
    }
    status["ready"]["ready"] = json!(false);
    status["ready"]["components"]["certificates"] =
        json!({"ready": false, "cause": "the certificate for montague.example has expired"});
    status["backend"]["up"] = json!(false);
    status["failures"] = failures();
    let count = status["failures"].as_array().map_or(0, Vec::len);
    status["counts"] = json!({
        "pairs": 14, "channels": 5, "connections": 9, "failures": count, "queued_stanzas": 37,
        "by_proof": {"dane": 5, "posh": 1, "pkix": 6, "dialback": 2},
    });
    status["self_check"] = self_check();
    status["certificates"] = json!([
        certificate(&["montague.example"], -1, "2026-11-21T00:00:00Z", "montague.crt"),
        certificate(&["laurence.example"], 9, "2026-12-01T00:00:00Z", "laurence.crt"),
        certificate(&OURS, 61, "2027-01-22T00:00:00Z", "tls.crt"),
    ]);
    status
}

/// What no peer can be called, but what each text would be if one could.
pub(crate) const HOSTILE: &str =
    "\"><script>alert(1)</script><img src=x onerror=alert(2)>\u{202e}`'";

/// The same as the page shows it: what turns the text around it is written as its number.
pub(crate) const SHOWN: &str = "\"><script>alert(1)</script><img src=x onerror=alert(2)>\\u{202e}";

/// Everything wrong, and a hostile name in every text but the times.
pub(crate) fn hostile() -> Value {
    let mut status = failing();
    poison(&mut status);
    status
}

fn poison(value: &mut Value) {
    match value {
        Value::String(text) if !text.ends_with("00Z") && !text.ends_with("59Z") => {
            *text = format!("{text}{HOSTILE}");
        }
        Value::Array(each) => each.iter_mut().for_each(poison),
        Value::Object(each) => each.values_mut().for_each(poison),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => (),
    }
}

/// A peer's name, unlike that of any other number below a thousand.
fn peer(number: usize) -> String {
    let word = |number: usize| WORDS.get(number % WORDS.len()).copied().unwrap_or_default();
    let place = ["example", "example.net", "example.org", "chat.example"];
    let place = place.get(number % place.len()).copied().unwrap_or_default();
    if number < WORDS.len() {
        format!("{}.{place}", word(number))
    } else {
        format!("{}-{}.{place}", word(number), word(number / WORDS.len()))
    }
}

fn pair(number: usize) -> Value {
    let proof = ["dane", "pkix", "pkix", "dane", "pkix", "posh", "pkix", "dialback", "pkix"];
    let proof = proof.get(number % proof.len()).copied().unwrap_or_default();
    let weak = proof == "dialback";
    let day = 1 + number % 21;
    json!({
        "local": OURS.get(number / 125).copied().unwrap_or_default(),
        "remote": peer(number),
        "proof": proof,
        "send": number % 7 != 3,
        "receive": number % 11 != 5,
        "mode": if weak { "domain-name" } else { "server-name" },
        "transport": if number.is_multiple_of(3) { "direct-tls" } else { "starttls" },
        "connections": [number % 200],
        "since": format!("2026-11-{day:02}T05:{:02}:00Z", number % 60),
        "expires_at": (!weak).then(|| format!("2026-11-{:02}T11:00:00Z", 22 + number % 5)),
    })
}

fn channel(number: usize) -> Value {
    let address = if number.is_multiple_of(4) {
        format!("[2001:db8::{number:x}]:5269")
    } else {
        format!("192.0.2.{}:5269", number + 1)
    };
    json!({
        "id": number,
        "direction": if number.is_multiple_of(2) { "inbound" } else { "outbound" },
        "peer_address": address,
        "server": (number % 9 != 8).then(|| format!("xmpp.{}", peer(number))),
        "mode": if number % 5 == 4 { "domain-name" } else { "server-name" },
        "transport": if number.is_multiple_of(3) { "direct-tls" } else { "starttls" },
        "bidi": number % 4 != 1,
        "pairs": 210 - number,
        "opened_at": format!("2026-11-22T0{}:{:02}:00Z", number % 7, number % 60),
    })
}

fn certificate(names: &[&str], days: i64, not_after: &str, file: &str) -> Value {
    json!({
        "names": names, "not_after": not_after, "days_left": days,
        "sha256": format!("e9878a79{}8ce63b81", file.len()).repeat(3),
        "file": format!("/etc/ligase/tls/{file}"),
    })
}

fn failures() -> Value {
    let failure = |remote: &str, label: &str, text: &str, advice: &str| {
        json!({
            "first_at": "2026-11-22T06:10:00Z", "last_at": "2026-11-22T07:38:59Z", "count": 37,
            "local": "montague.example", "remote": remote,
            "direction": "outbound", "side": "public",
            "reason": {"label": label, "text": text}, "advice": advice, "peer_address": null,
        })
    };
    let mut all = vec![failure(
        "capulet.example",
        "dane.mismatch",
        "The server shows a key that its TLSA records exclude.",
        "Its operator has to publish the TLSA record of the key that the server shows; until then \
         somebody else may be answering, so make no exception.",
    )];
    let mut caller = failure(
        "tybalt.example.net",
        "cert.expired",
        "The certificate has expired.",
        "Somebody claimed to be tybalt.example.net and showed nothing that proves it. If \
         [2001:db8:1::66] is not the peer's, there is nothing to do; if it is, its operator has to \
         renew the certificate: `ligase check tybalt.example.net` tells which.",
    );
    caller["direction"] = json!("inbound");
    caller["peer_address"] = json!("[2001:db8:1::66]:41822");
    caller["count"] = json!(1);
    all.push(caller);
    all.extend((30..37).map(|number| {
        let remote = peer(number);
        let advice = format!(
            "The server of {remote} is down or a packet filter is in the way: `ligase check \
             {remote}` tries every place from this machine."
        );
        failure(&remote, "connect", "No server of the domain accepts a connection.", &advice)
    }));
    let mut stranger = failure(
        "iago.example",
        "policy",
        "It shows less than policy asks for.",
        "policy.peers may make an exception for iago.example (`encrypted`).",
    );
    stranger["local"] = Value::Null;
    stranger["direction"] = json!("inbound");
    all.push(stranger);
    let mut own = failure(
        "padua.example",
        "connect",
        "Our own server accepts no connection.",
        "Our own server does not listen at backend.address: start it, or mend the address.",
    );
    own["side"] = json!("backend");
    own["direction"] = json!("inbound");
    all.push(own);
    Value::Array(all)
}

fn self_check() -> Value {
    json!({
        "version": 1, "at": "2026-11-22T07:20:00Z", "next_at": "2026-11-22T08:20:00Z",
        "result": "failing", "left_out": 2,
        "domains": [
            {"domain": "montague.example", "result": "failing", "checks": [
                {"check": "srv", "result": "ok", "fix": null,
                 "text": "_xmpp-server._tcp.montague.example leads to xmpp1.hosting.example:5269."},
                {"check": "tlsa", "result": "mismatch", "fix": TLSA,
                 "text": "The TLSA records of xmpp1.hosting.example match no certificate that is \
                          loaded: peers that look at DANE refuse us."},
                {"check": "posh", "result": "not-needed", "fix": null,
                 "text": "The certificate names the domain."},
            ]},
            {"domain": "laurence.example", "result": "failing", "checks": [
                {"check": "srv", "result": "missing", "fix": SRV,
                 "text": "There is no SRV record for laurence.example."},
            ]},
            {"domain": "conference.laurence.example", "result": "unknown", "checks": [
                {"check": "srv", "result": "unknown", "fix": null,
                 "text": "DNS did not answer in time."},
            ]},
            {"domain": "conference.montague.example", "result": "ok", "checks": []},
        ],
    })
}

/// What the zone of our server lacks.
pub(crate) const TLSA: &str = "_5269._tcp.xmpp1.hosting.example. 3600 IN TLSA 3 1 1 \
                               776d888a12484e0c19257c96dc7a1c8a6247942da357dddf3c1323fb68a877aa";

const SRV: &str = "_xmpp-server._tcp.laurence.example. 3600 IN SRV 0 5 5269 xmpp1.hosting.example.\n\
                   _xmpps-server._tcp.laurence.example. 3600 IN SRV 0 5 5270 xmpp1.hosting.example.";

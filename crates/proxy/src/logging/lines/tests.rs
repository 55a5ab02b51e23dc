use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tracing::{debug_span, error, info, info_span, warn};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt as _;

use super::{Lines, Look};

/// The lines that `events` make.
fn lines(look: Look, events: impl FnOnce()) -> String {
    let written = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&written);
    let write = move |line: &[u8]| sink.lock().unwrap().extend_from_slice(line);
    let clock = || SystemTime::UNIX_EPOCH + Duration::from_millis(1_800_000_000_007);
    let subscriber = Registry::default().with(Lines::new(look, clock, write));
    tracing::subscriber::with_default(subscriber, events);
    let written = written.lock().unwrap().clone();
    String::from_utf8(written).unwrap()
}

/// The one JSON object that `events` make.
fn json(events: impl FnOnce()) -> Value {
    let line = lines(Look::Json, events);
    assert_eq!(line.matches('\n').count(), 1, "{line}");
    assert!(line.len() <= 4_096, "{} bytes", line.len());
    assert!(line.trim_end().bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{line}");
    serde_json::from_str(&line).unwrap()
}

/// Whatever peers may have put into a value of whatever type, a line is one JSON object, and what
/// is short enough is in it as it was.
#[test]
fn whatever_is_logged_is_json() {
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    let mut whole = 0;
    for _ in 0..2_000 {
        let (text, other) = (chance.text(), chance.text());
        let (number, signed) = (chance.next(), chance.next().cast_signed());
        let float = f64::from_bits(chance.next());
        let error = std::io::Error::other(other.clone());
        let maybe = number.is_multiple_of(2).then_some(text.as_str());
        let value = json(|| {
            let outer = info_span!("outer", other = other.as_str(), level = text.as_str());
            let _inside = outer.enter();
            error!(
                text = text.as_str(),
                shown = %other,
                known = ?text,
                number,
                signed,
                float,
                large = u128::from(number) << 64,
                truth = number.is_multiple_of(2),
                maybe,
                error = &error as &dyn std::error::Error,
                "{text}"
            );
        });
        assert_eq!((&value["level"], &value["number"]), (&"ERROR".into(), &number.into()));
        assert_eq!(value["signed"], signed);
        if text.len() < 30 {
            assert_eq!(
                (&value["text"], &value["message"]),
                (&Value::from(text.as_str()), &Value::from(text.as_str()))
            );
            whole += 1;
        }
    }
    assert!(100 < whole, "only {whole} were short");
}

/// Chance that is the same every time (xorshift).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        for (left, by) in [(true, 13), (false, 7), (true, 17)] {
            self.0 ^= if left { self.0 << by } else { self.0 >> by };
        }
        self.0
    }

    /// Of any length, mostly of what hurts.
    fn text(&mut self) -> String {
        const SHARP: [char; 16] = [
            '"',
            '\\',
            '\n',
            '\r',
            '\0',
            '\x1b',
            '\u{7f}',
            '\u{85}',
            '\u{2028}',
            '\u{202e}',
            '\u{feff}',
            '\u{fffd}',
            '\u{10ffff}',
            '{',
            '}',
            'é',
        ];
        let length =
            if self.next().is_multiple_of(4) { self.next() % 400 } else { self.next() % 12 };
        (0..length)
            .map(|_| match self.next() % 3 {
                0 => SHARP[(self.next() % 16) as usize],
                1 => char::from((self.next() % 256) as u8),
                _ => char::from_u32((self.next() % 0x11_0000) as u32).unwrap_or('a'),
            })
            .collect()
    }
}

#[test]
fn people_read_words() {
    let line = lines(Look::Plain, || {
        info!(conn = 7, local = %"montague.example", cause = "no route", empty = "", "authenticated");
    });
    assert_eq!(
        line,
        "2027-01-15T08:00:00.007Z INFO  authenticated conn=7 local=montague.example cause=\"no route\" empty=\"\"\n"
    );
}

#[test]
fn people_with_a_terminal_read_colors() {
    let line = lines(Look::Color, || warn!(conn = 7, "slow"));
    assert_eq!(
        line,
        "\x1b[2m2027-01-15T08:00:00.007Z\x1b[0m \x1b[33mWARN \x1b[0m slow \x1b[2mconn=\x1b[0m7\n"
    );
}

#[test]
fn programs_read_objects() {
    let value = json(|| error!(conn = 7, up = true, delta = -1, who = ?"a\"b", "it broke"));
    let expect = serde_json::json!({
        "timestamp": "2027-01-15T08:00:00.007Z", "level": "ERROR", "target": module_path!(),
        "message": "it broke", "conn": 7, "up": true, "delta": -1, "who": "\"a\\\"b\"",
    });
    assert_eq!(value, expect);
}

#[test]
fn spans_lend_their_fields() {
    let value = json(|| {
        let outer =
            info_span!("connection", conn = 7, side = "public", mode = tracing::field::Empty);
        outer.record("mode", "domain-name");
        outer.record("side", "backend");
        let _outer = outer.entered();
        let _inner = debug_span!("pair", remote = "capulet.example", conn = 8).entered();
        info!(remote = "paris.example", "bound");
    });
    assert_eq!(value["conn"], 8);
    assert_eq!(value["side"], "backend");
    assert_eq!(value["mode"], "domain-name");
    assert_eq!(value["remote"], "paris.example");
}

#[test]
fn nobody_forges_a_line() {
    let evil = "\n{\"level\":\"error\"}\x1b[2J\u{202e}\u{9b}";
    let value =
        json(|| warn!(event = "violation", said = evil, who = %evil, dbg = ?evil, "{evil}"));
    assert_eq!(value["level"], "WARN");
    assert_eq!(value["said"], evil);
    assert_eq!(value["who"], evil);
    assert_eq!(value["message"], evil);
    let line = lines(Look::Plain, || warn!(said = evil, "{evil}"));
    assert!(line.trim_end().bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{line}");
    assert!(line.contains("said=\"\\n{\\\"level"), "{line}");
}

#[test]
fn nobody_forges_a_field() {
    let line = lines(Look::Plain, || info!(said = "x conn=9", "m"));
    assert!(line.ends_with("m said=\"x conn=9\"\n"), "{line}");
    let value = json(|| info!(level = "loud", target = "me", timestamp = 5, "m"));
    assert_eq!(value["level"], "INFO");
    assert_eq!(value["field.level"], "loud");
    assert_eq!(value["field.target"], "me");
    assert_eq!(value["field.timestamp"], 5);
}

#[test]
fn nobody_fills_the_log() {
    let long = "A".repeat(200 * 1_024);
    let value = json(|| {
        info!(
            a = long,
            b = long,
            c = long,
            d = long,
            e = long,
            f = long,
            g = long,
            h = long,
            "{long}"
        );
    });
    assert_eq!(value["a"].as_str().unwrap().len(), 256);
    assert!(value["a"].as_str().unwrap().ends_with("A..."));
    let value = json(|| {
        let evil = "\u{202e}".repeat(1_000);
        info!(
            a = evil,
            b = evil,
            c = evil,
            d = evil,
            e = evil,
            f = evil,
            g = evil,
            h = evil,
            i = evil,
            j = evil,
            k = evil,
            l = evil,
            m = evil,
            n = evil,
            o = evil,
            p = evil,
            "m"
        );
    });
    assert_eq!(value["cut"], true);
    assert!(value["a"].as_str().unwrap().starts_with('\u{202e}'));
}

#[test]
fn what_others_log_is_told_apart() {
    let line = lines(Look::Plain, || info!(target: "hickory", "a conn=7"));
    assert_eq!(line, "2027-01-15T08:00:00.007Z INFO  hickory: \"a conn=7\"\n");
    let value = json(|| warn!(target: "rustls::msgs", "no name: \"\n{{\"}}"));
    assert_eq!(value["message"], "a library said");
    assert_eq!(
        (&value["said"], &value["target"]),
        (&"no name: \"\n{\"}".into(), &"rustls::msgs".into())
    );
}

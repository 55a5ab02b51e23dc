//! Explanations for people.

use std::fmt::Write as _;

use serde_json::Value;

use crate::command::paint::{Color, paint};
use crate::command::printable::printable;

/// What the proxy told, for people. What it does not tell is left out.
pub(super) fn text(told: &Value, colored: bool) -> String {
    let mut page = Page { out: String::new(), colored };
    page.ends(told);
    for way in list(&told["directions"]) {
        page.way(way);
    }
    page.dns(&told["dns"], &word(&told["remote"]));
    page.out
}

struct Page {
    out: String,
    colored: bool,
}

impl Page {
    /// The two domains, and on what terms they are met.
    fn ends(&mut self, told: &Value) {
        let (local, remote) = (word(&told["local"]), word(&told["remote"]));
        let (here, there) = (&told["hosted"]["local"], &told["hosted"]["remote"]);
        let policy = &told["policy"];
        self.line("ours", &format!("{local}: {}", hosting(here)));
        self.line("peer", &format!("{remote}: {}", hosting(there)));
        let (level, rule) = (word(&policy["level"]), word(&policy["rule"]));
        self.line("policy", &format!("{level} ({rule}): {}", word(&policy["means"])));
    }

    /// One direction.
    fn way(&mut self, way: &Value) {
        let heading = format!("{} -> {}", word(&way["from"]), word(&way["to"]));
        let heading = self.paint(Color::Bold, &heading);
        let (color, state) = match way["state"].as_str().unwrap_or_default() {
            "carried" => (Color::Green, "carried"),
            "searching" => (Color::Yellow, "a way out is being looked for"),
            "backing-off" => (Color::Yellow, "not reached; left alone for a while"),
            "failed" => (Color::Red, "no way out was found"),
            "not-believed" => (Color::Red, "whoever came was not believed"),
            "idle" => (Color::Dim, "no connection carries it now"),
            _ => (Color::Red, "not for ligase to carry"),
        };
        let state = self.paint(color, state);
        // Writing into a String cannot fail.
        let _ = writeln!(self.out, "\n{heading}: {state}");
        self.cause(way);
        for connection in list(&way["connections"]) {
            self.connection(connection, false);
        }
        for connection in list(&way["backend_connections"]) {
            self.connection(connection, true);
        }
        self.pursuit(way);
    }

    /// Why it fails and what to do about it: what is looked for first, and by most alone.
    fn cause(&mut self, way: &Value) {
        if let Some(why) = why(way) {
            self.line("why", &reason(why));
        }
        if let Some(advice) = way["advice"].as_str() {
            let advice = self.paint(Color::Bold, &printable(advice, TEXT_MAX));
            self.line("do", &advice);
        }
        if why(way).is_some() && way["direction"] == "outbound" {
            let then = format!("`ligase retry {}`: it is tried anew at once", word(&way["to"]));
            self.line("then", &then);
        }
    }

    fn connection(&mut self, it: &Value, is_backend: bool) {
        let label = match (is_backend, it["use"].as_str()) {
            (true, _) => "our server",
            (false, Some("in-use")) => "now",
            (false, _) => "stands by",
        };
        // Directions are seen from our server: what we open to it leads inbound.
        let by_us = (it["direction"] == "outbound") != is_backend;
        let opened = match (by_us, is_backend) {
            (true, _) => "opened by us",
            (false, true) => "opened by our server",
            (false, false) => "opened by the peer",
        };
        let mode = match it["mode"].as_str().unwrap_or_default() {
            "server-name" => "server to server",
            "legacy" => "domain to domain, as before XMPP 1.0",
            _ => "domain to domain",
        };
        let bidi = if it["bidi"] == true { ", both ways" } else { "" };
        let transport = match it["transport"].as_str().unwrap_or_default() {
            "starttls" => "TLS by STARTTLS",
            "direct-tls" => "direct TLS",
            _ => "in the clear",
        };
        let (id, address, since) =
            (word(&it["id"]), word(&it["peer_address"]), word(&it["opened_at"]));
        self.line(label, &format!("connection {id}, {mode}{bidi}, {transport}"));
        self.line("", &format!("{opened} at {since}, {address}"));
        if let Some(server) = it["authenticated_server"].as_str() {
            self.line("", &format!("the server is {}", printable(server, TEXT_MAX)));
        }
        if let Some(prooftype) = it["prooftype"].as_str() {
            let proof = match prooftype {
                "configured" => "it is at the address that we were told".to_owned(),
                "dialback" => "by dialback, for as long as it is open".to_owned(),
                other => {
                    format!("proven by {}, until {}", printable(other, 20), word(&it["expires_at"]))
                }
            };
            self.line("", &proof);
        }
    }

    /// What is done and was done to find a way.
    fn pursuit(&mut self, way: &Value) {
        let waiting = way["stanzas_waiting"].as_u64().unwrap_or_default();
        if 0 < waiting {
            let plural = if waiting == 1 { "stanza waits" } else { "stanzas wait" };
            self.line("queue", &format!("{waiting} {plural}"));
        }
        let back_off = &way["back_off"];
        if !back_off.is_null() {
            let (until, failures) = (word(&back_off["until"]), word(&back_off["failures"]));
            self.line("back-off", &format!("until {until}, after {failures} in a row"));
        }
        let doubt = &way["not_believed"];
        if !doubt.is_null() {
            let (at, result, why) =
                (word(&doubt["at"]), word(&doubt["result"]), word(&doubt["reason"]));
            self.line("came", &format!("{at}: {result} ({why})"));
        }
        // Of a way that is open it is enough to know which.
        if way["state"] != "carried" {
            self.search(&way["last_search"], why(way));
        }
    }

    fn search(&mut self, search: &Value, told: Option<&Value>) {
        if search.is_null() {
            return;
        }
        let began = word(&search["began_at"]);
        let end = match search["result"].as_str().unwrap_or_default() {
            "under-way" => "is under way".to_owned(),
            "met" => "found a way".to_owned(),
            // Once is enough.
            _ if told == Some(&search["reason"]) => {
                format!("ended at {}", word(&search["ended_at"]))
            }
            _ => format!("ended at {}: {}", word(&search["ended_at"]), reason(&search["reason"])),
        };
        self.line("search", &format!("began at {began}, {end}"));
        let left_out = search["steps_left_out"].as_u64().unwrap_or_default();
        if 0 < left_out {
            self.line("", &format!("({left_out} steps before these)"));
        }
        for step in list(&search["steps"]) {
            let place = match step["target"].as_str() {
                Some(target) => {
                    format!("{}:{}", printable(target, TEXT_MAX), word(&step["port"]))
                }
                None => "our own server".to_owned(),
            };
            let rung = step["rung"].as_str().map(|it| format!(", {}", rung(it)));
            let end = match step["result"].as_str() {
                Some("met") => self.paint(Color::Green, "met"),
                _ if step["rung"] == "server-name" && step["reason"]["label"] == "host_unknown" => {
                    "it goes by the names of its domains alone, as most do".to_owned()
                }
                _ => reason(&step["reason"]),
            };
            self.line("", &format!("{place}{}: {end}", rung.unwrap_or_default()));
        }
    }

    fn dns(&mut self, dns: &Value, remote: &str) {
        let _ = writeln!(self.out);
        match dns["state"].as_str().unwrap_or_default() {
            "answered" => self.line("DNS", &format!("{remote} is served at")),
            "failed" => {
                let why = reason(&dns["reason"]);
                self.line("DNS", &self.paint(Color::Red, &why));
            }
            "late" => self.line("DNS", "did not answer in time, or others were asking: try again"),
            _ => self.line("DNS", "was not asked: the pair is not for ligase to carry"),
        }
        for it in list(&dns["endpoints"]) {
            let transport = if it["transport"] == "direct-tls" { "direct TLS" } else { "STARTTLS" };
            let secure = match it["secure"] == true {
                true => self.paint(Color::Green, "signed"),
                false => self.paint(Color::Yellow, "not signed"),
            };
            let (target, port) = (word(&it["target"]), word(&it["port"]));
            self.line("", &format!("{target}:{port}, {transport}, {secure}"));
            let [first, lowest] =
                ["begins_with", "lowest"].map(|key| rung(it[key].as_str().unwrap_or_default()));
            let known = match it["remembered"]["rung"].as_str() {
                Some(met) => {
                    let failures = word(&it["remembered"]["failures"]);
                    format!("met {} before, failed since: {failures}", rung(met))
                }
                None => "not met lately".to_owned(),
            };
            self.line("", &format!("  {known}; tried from {first} down to {lowest}"));
        }
    }

    fn line(&mut self, label: &str, rest: &str) {
        // Padded before it is painted: colors have no width.
        let label = self.paint(Color::Cyan, &format!("{label:<10}"));
        let _ = writeln!(self.out, "  {label} {rest}");
    }

    fn paint(&self, color: Color, text: &str) -> String {
        paint(color, text, self.colored)
    }
}

fn hosting(told: &Value) -> &'static str {
    match (told["hosted"].as_bool(), told["rule"].as_str()) {
        (Some(true), Some("listed")) => "hosted here (listed in hosts)",
        (Some(true), _) => "hosted here (our server has proven it)",
        (Some(false), _) => "not hosted here (not listed in hosts)",
        (None, _) => "our server is asked whether it is hosted here, and nobody wanted to know yet",
    }
}

/// A rung, in words.
fn rung(rung: &str) -> &'static str {
    match rung {
        "server-name" => "server to server",
        "domain-name" => "domain to domain",
        "sender-certificate" => "domain to domain with the domain's own certificate",
        "dialback" => "dialback over TLS",
        "plain" => "dialback in the clear",
        _ => "(unknown)",
    }
}

/// Why a direction fails, if it does.
fn why(way: &Value) -> Option<&Value> {
    let fails = matches!(way["state"].as_str(), Some("failed" | "backing-off"));
    let known = [&way["back_off"]["reason"], &way["last_search"]["reason"]];
    known.into_iter().find(|it| fails && !it.is_null())
}

fn reason(told: &Value) -> String {
    let (text, label) = (word(&told["text"]), word(&told["label"]));
    // Some say it themselves, some in the words of XMPP.
    let is_told =
        [label.clone(), label.replace('_', "-")].iter().any(|it| text.contains(&format!("({it})")));
    if is_told { text } else { format!("{text} ({label})") }
}

/// A string or a number; nothing where there is none.
fn word(told: &Value) -> String {
    match told {
        Value::String(text) => printable(text, TEXT_MAX),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => "(unknown)".to_owned(),
    }
}

fn list(told: &Value) -> impl Iterator<Item = &Value> {
    told.as_array().into_iter().flatten()
}

/// Longer than any sentence or name that the proxy tells.
const TEXT_MAX: usize = 400;

#[cfg(test)]
mod tests;

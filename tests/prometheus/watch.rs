//! Watch: a real Prometheus, with the rules that are shipped, in a hurry.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use ligase_tests::peer::program;
use ligase_tests::{Host, OrFail, Process};
use serde_json::Value as Json;
use serde_yaml::Value as Yaml;

use crate::files::{EXAMPLE, RULES, read};
use crate::scale::hurried;

/// A Prometheus that runs. It is killed when dropped.
#[derive(Debug)]
pub(crate) struct Watch {
    host: Host,
    #[expect(dead_code, reason = "it runs for as long as it is kept")]
    program: Process,
}

/// One value of what was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
}

/// An alert that fires.
#[derive(Clone, Debug)]
pub(crate) struct Alarm {
    pub(crate) name: String,
    pub(crate) severity: String,
    pub(crate) instance: String,
    pub(crate) description: String,
}

impl Watch {
    /// Starts it on a host, by the example of a configuration that is shipped, with these targets:
    /// what each is called, and where its admin port is.
    pub(crate) fn start(host: &Host, targets: &[(&str, String)]) -> Self {
        let folder = host.folder("prometheus");
        fs::write(folder.join("ligase.rules.yaml"), hurried(&read(RULES))).or_fail("write rules");
        let mut config: Yaml = serde_yaml::from_str(&read(EXAMPLE)).or_fail("read the example");
        for interval in ["scrape_interval", "evaluation_interval"] {
            config["global"][interval] = INTERVAL.into();
        }
        let target = |(name, at): &(&str, String)| {
            let text = format!("{{targets: [\"{at}\"], labels: {{instance: {name}}}}}");
            serde_yaml::from_str::<Yaml>(&text).or_fail("write down a target")
        };
        config["scrape_configs"][0]["static_configs"] = targets.iter().map(target).collect();
        let file = folder.join("prometheus.yaml");
        let config = serde_yaml::to_string(&config).or_fail("write a configuration");
        fs::write(&file, config).or_fail("write a configuration");

        let mut command = host.command("prometheus");
        command.arg(format!("--config.file={}", file.display()));
        command.arg(format!("--storage.tsdb.path={}", folder.join("data").display()));
        command.args([&format!("--web.listen-address={AT}"), "--log.level=warn"]);
        let program = Process::start("prometheus", command);
        host.run(&self::program("ligase-peer"), &["await", AT, "/-/ready", "Ready"]);
        Self { host: host.clone(), program }
    }

    /// Asks something now.
    #[track_caller]
    pub(crate) fn ask(&self, query: &str) -> Vec<Sample> {
        let answer = self.get(&format!("/api/v1/query?query={}", escaped(query)));
        let samples = answer["result"].as_array().or_fail(&format!("ask {query}"));
        samples.iter().map(Sample::of).collect()
    }

    /// Waits until something that is asked for is so, and returns it; or what was so last. Nothing
    /// tells a stranger how a program is but asking.
    pub(crate) fn wait<T>(
        &self,
        patience: Duration,
        mut ask: impl FnMut(&Self) -> Result<T, String>,
    ) -> Result<T, String> {
        let begun = now();
        loop {
            match ask(self) {
                Err(_) if now() - begun < patience => thread::sleep(BREATHER),
                found => return found,
            }
        }
    }

    /// Waits until everything has been scraped again, so that what has been counted by now is seen.
    pub(crate) fn look_again(&self) {
        let seen = self.ask("timestamp(up)");
        let again = self.wait(SOON, |watch| {
            let is_older = |it: &Sample| {
                let before = seen.iter().find(|old| old.labels == it.labels);
                before.is_some_and(|before| it.value < before.value + 1.0)
            };
            let again = watch.ask("timestamp(up)");
            if again.iter().any(is_older) { Err(format!("{again:?}")) } else { Ok(()) }
        });
        again.or_fail("see everything scraped again");
    }

    /// The alerts that fire now.
    pub(crate) fn firing(&self) -> Vec<Alarm> {
        let answer = self.get("/api/v1/alerts");
        let alerts = answer["alerts"].as_array().into_iter().flatten();
        let firing = alerts.filter(|it| it["state"] == "firing");
        let alarm = |it: &Json| {
            let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
            Alarm {
                name: text(&it["labels"]["alertname"]),
                severity: text(&it["labels"]["severity"]),
                instance: text(&it["labels"]["instance"]),
                description: text(&it["annotations"]["description"]),
            }
        };
        firing.map(alarm).collect()
    }

    #[track_caller]
    fn get(&self, path: &str) -> Json {
        let answer = self.host.run(&program("ligase-peer"), &["get", AT, path]);
        let (status, body) = answer.split_once('\n').or_fail("read an answer");
        let mut body: Json = serde_json::from_str(body).or_fail(&format!("read {path}: {body}"));
        assert_eq!((status, &body["status"]), ("200", &"success".into()), "{path}: {body}");
        body["data"].take()
    }
}

impl Sample {
    fn of(json: &Json) -> Self {
        let labels = json["metric"].as_object().into_iter().flatten();
        let labels = labels
            .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()));
        let value = json["value"][1].as_str().and_then(|it| it.parse().ok());
        Self { labels: labels.collect(), value: value.unwrap_or(f64::NAN) }
    }
}

/// Text as it may stand in a query (RFC 3986 §2.1).
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            escaped.push(char::from(byte));
        } else {
            // Writing into a String cannot fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

#[expect(clippy::disallowed_methods, reason = "these tests are about time as it passes")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Where it answers, on its host.
const AT: &str = "127.0.0.1:9090";

/// How often it scrapes and evaluates. Faster would miss scrapes of a busy machine.
const INTERVAL: &str = "1s";

/// How often it is asked, where something is waited for.
const BREATHER: Duration = Duration::from_millis(250);

/// Enough for several scrapes.
pub(crate) const SOON: Duration = Duration::from_secs(15);

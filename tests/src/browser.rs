//! Browser: what somebody sees who looks at the admin port.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::{Host, OrFail, Process};

/// A browser without a window, on a host, and a relay to the admin port there whose `/status` is
/// what the test says. Both end when it is dropped.
#[derive(Debug)]
pub struct Browser {
    line: Mutex<Line>,
}

/// The line to the program that drives both.
#[derive(Debug)]
struct Line {
    program: Process,
    /// Lines of it that were read.
    read: usize,
}

/// What a page is looked at with.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    /// CSS pixels across.
    pub width: u32,
    /// CSS pixels down.
    pub height: u32,
    /// Whether it prefers dark pages.
    pub dark: bool,
}

impl Browser {
    /// Starts a browser on a host, for the admin port at this address of it.
    pub fn start(host: &Host, admin: &str) -> Self {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = tests.join("../.venv/bin/python");
        assert!(python.exists(), "no {}: run tests/install.sh", python.display());
        let mut command = host.command(&python.display().to_string());
        command.arg("-u").arg(tests.join("python/browser.py")).arg(admin);
        command.arg(host.folder("browser"));
        let program = Process::start("browser", command);
        let browser = Self { line: Mutex::new(Line { program, read: 0 }) };
        // Whatever breaks the page's policy, and whatever a hostile name would do, is kept.
        browser.protocol("Page.addScriptToEvaluateOnNewDocument", &json!({"source": WATCH}));
        browser
    }

    /// Opens the relay; where a page finds it.
    pub fn open_relay(&self) -> String {
        text(&self.tell(&json!({"do": "open"})))
    }

    /// Closes the relay: nobody answers any more.
    pub fn close_relay(&self) {
        self.tell(&json!({"do": "close"}));
    }

    /// What the relay answers to `/status` from now on.
    pub fn say(&self, status: &Value) {
        self.tell(&json!({"do": "tell", "status": status}));
    }

    /// How often the relay was asked for `/status`.
    pub fn asked(&self) -> u64 {
        self.tell(&json!({"do": "asked"})).as_u64().unwrap_or_default()
    }

    /// Looks with another screen.
    pub fn look_with(&self, screen: Screen) {
        let Screen { width, height, dark } = screen;
        let mobile = width < PHONE_MAX;
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile});
        self.protocol("Emulation.setDeviceMetricsOverride", &metrics);
        let scheme = if dark { "dark" } else { "light" };
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.protocol("Emulation.setEmulatedMedia", &json!({"features": features}));
    }

    /// Goes to a page.
    pub fn visit(&self, url: &str) {
        self.ask("POST", "/url", &json!({"url": url}));
    }

    /// What the body of a function returns on the page.
    #[track_caller]
    pub fn run(&self, script: &str) -> Value {
        self.ask("POST", "/execute/sync", &json!({"script": script, "args": []}))
    }

    /// Waits until this is true on the page, where `shown()` is all of its text.
    #[track_caller]
    pub fn until(&self, condition: &str) {
        let script = format!(
            "const [done] = [...arguments].slice(-1);
             const shown = () => document.querySelector('main').textContent;
             const look = () => (({condition}) ? done(true) : setTimeout(look, 20));
             look();"
        );
        self.ask("POST", "/execute/async", &json!({"script": script, "args": []}));
    }

    /// All text of the page, whether it can be seen or not.
    pub fn text(&self) -> String {
        text(&self.run("return document.querySelector('main').textContent"))
    }

    /// Presses the element that this selector finds first.
    #[track_caller]
    pub fn press(&self, selector: &str) {
        self.run(&format!("document.querySelector({selector:?}).click()"));
    }

    /// What axe finds in the way of people: a line for each rule that is broken.
    pub fn barriers(&self) -> Vec<String> {
        let script = "const [done] = [...arguments].slice(-1);
            axe.run().then((found) => done(found.violations.map((it) =>
                `${it.id}, ${it.nodes.length} times: ${it.nodes[0].html}`)));";
        texts(&self.tell(&json!({"do": "axe", "script": script})))
    }

    /// What was logged to the console, and what broke the page's policy, since it was loaded.
    pub fn complaints(&self) -> Vec<String> {
        let logged = self.ask("POST", "/se/log", &json!({"type": "browser"}));
        let each = logged.as_array().into_iter().flatten();
        let logged = each.map(|it| format!("{}: {}", it["level"], it["message"]));
        logged.chain(texts(&self.run("return window.broken"))).collect()
    }

    /// Writes a picture of the page to a file: all of it, or as much as the screen shows.
    pub fn picture(&self, file: &PathBuf, whole: bool) {
        let options = if whole {
            let size = self.run(
                "return {x: 0, y: 0, scale: 1, width: document.documentElement.clientWidth,
                         height: document.documentElement.scrollHeight}",
            );
            json!({"captureBeyondViewport": true, "clip": size})
        } else {
            json!({})
        };
        let taken = self.protocol("Page.captureScreenshot", &options);
        let png = BASE64_STANDARD.decode(text(&taken["data"])).or_fail("read a picture");
        fs::write(file, png).or_fail("write a picture");
    }

    /// A command of Chromium's own protocol.
    pub fn protocol(&self, command: &str, parameters: &Value) -> Value {
        self.ask("POST", "/goog/cdp/execute", &json!({"cmd": command, "params": parameters}))
    }

    /// A command of WebDriver.
    #[track_caller]
    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        self.tell(&json!({"do": "ask", "method": method, "path": path, "body": body}))
    }

    #[track_caller]
    fn tell(&self, command: &Value) -> Value {
        let mut line = self.line.lock().or_fail("speak to the browser");
        line.program.tell(&command.to_string());
        let (read, said) = line.program.hear_after(line.read, "{\"", PATIENCE);
        line.read = read;
        let mut answer: Value = serde_json::from_str(&said).or_fail("read what the browser said");
        assert!(answer.get("error").is_none(), "{command:.400}: {}", text(&answer["error"]));
        answer["ok"].take()
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(text).collect()
}

/// Runs before any script of a page.
const WATCH: &str = "
    window.broken = [];
    addEventListener('securitypolicyviolation', (it) =>
        window.broken.push(`${it.violatedDirective} ${it.sourceFile} ${it.sample}`));
    addEventListener('error', (it) => window.broken.push(`error ${it.message}`));
    window.alert = (it) => window.broken.push(`alert ${it}`);";

/// Screens that are narrower are those of phones.
const PHONE_MAX: u32 = 500;

/// How long one command may take: longer than the browser itself waits for a script.
const PATIENCE: Duration = Duration::from_secs(45);

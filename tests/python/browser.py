"""A browser, and the way to an admin port that it goes, driven line by line.

Every line on standard input is one JSON object: {"do": NAME, ...}. Each is answered, in turn, by
{"ok": VALUE} or {"error": TEXT}. The browser is Debian's Chromium, without a window; it is asked
through chromedriver (W3C WebDriver).

The way is a relay: it brings whatever is asked for from the real admin port, headers and all, but
/status, which is what the test says it is.
"""

import http.client
import http.server
import importlib.util
import json
import pathlib
import subprocess
import sys
import threading

# What Chromium needs to run as root, to keep to itself, and to leave nothing behind.
ARGUMENTS = """--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run
    --disable-background-networking --disable-component-update --disable-sync --lang=en-US""".split()

# It asks no DNS either: what it opens is on its own machine.
ARGUMENTS.append("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")

# Longer than anything takes that a test waits for.
PATIENCE = 40


class Browser:
    def __init__(self, folder):
        self.driver = subprocess.Popen(
            ["chromedriver", "--port=0"], stdout=subprocess.PIPE, text=True, cwd=folder
        )
        for line in self.driver.stdout:
            if "successfully on port" in line:
                self.port = int(line.rstrip(".\n").rsplit(" ", 1)[1])
                break
        else:
            raise RuntimeError("chromedriver does not start")
        options = {"args": [*ARGUMENTS, f"--user-data-dir={folder}"]}
        session = self.ask("POST", "/session", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL"},
            "timeouts": {"script": (PATIENCE - 10) * 1000},
        }}})
        self.session = f"/session/{session['sessionId']}"

    def ask(self, method, path, body=None):
        """One command of the WebDriver protocol."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        line.request(method, path, json.dumps(body or {}) if method == "POST" else None)
        value = json.loads(line.getresponse().read())["value"]
        if isinstance(value, dict) and "error" in value:
            raise RuntimeError(f"{value['error']}: {value['message'][:2000]}")
        return value

    def end(self):
        try:
            self.ask("DELETE", self.session)
        finally:
            self.driver.terminate()


class Relay:
    """Goes to the admin port, except for the status."""

    def __init__(self, admin):
        self.status = b""
        self.asked = 0
        self.server = None
        self.port = 0
        relay = self

        class Way(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                if self.path == "/status" and relay.status:
                    relay.asked += 1
                    headers = [("Content-Type", "application/json"), ("Cache-Control", "no-store")]
                    self.answer(200, headers, relay.status)
                    return
                line = http.client.HTTPConnection(admin, timeout=PATIENCE)
                line.request("GET", self.path)
                found = line.getresponse()
                self.answer(found.status, found.getheaders(), found.read())

            def answer(self, status, headers, body):
                self.send_response_only(status)
                for name, value in headers:
                    if name.lower() not in ("content-length", "connection"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                """Nothing is said of a request: standard output belongs to the answers."""

        self.way = Way

    def open(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), self.way)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def axe():
    """The script that looks for barriers. Only its file is wanted of the package around it."""
    package = importlib.util.find_spec("axe_playwright_python")
    return pathlib.Path(package.submodule_search_locations[0], "axe.min.js").read_text()


def do(browser, relay, command):
    match command["do"]:
        case "ask":
            path = browser.session + command["path"]
            return browser.ask(command["method"], path, command.get("body"))
        case "axe":
            # Wrapped: a script of WebDriver is the body of a function.
            script = f"{axe()}; {command['script']}"
            body = {"script": script, "args": []}
            return browser.ask("POST", browser.session + "/execute/async", body)
        case "tell":
            relay.status = json.dumps(command["status"]).encode()
        case "open":
            relay.open()
            return f"http://127.0.0.1:{relay.port}/"
        case "close":
            relay.close()
        case "asked":
            return relay.asked
    return None


def main():
    admin, folder = sys.argv[1:]
    relay = Relay(admin)
    browser = Browser(folder)
    try:
        for line in sys.stdin:
            try:
                answer = {"ok": do(browser, relay, json.loads(line))}
            except Exception as error:  # whatever it is, the test is to hear of it
                answer = {"error": f"{type(error).__name__}: {error}"}
            print(json.dumps(answer), flush=True)
    finally:
        browser.end()


main()

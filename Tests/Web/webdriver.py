# SPDX-License-Identifier: Apache-2.0
"""A real Chromium by the W3C WebDriver protocol, with nothing but Python's own library."""

import base64
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
KEYS = {"Enter": "\ue007", "Escape": "\ue00c", "Left": "\ue012", "Up": "\ue013", "Right": "\ue014", "Down": "\ue015", "Home": "\ue011", "Tab": "\ue004"}


class Browser:
    """One chromedriver and the one browser that it starts; both end with `close`."""

    def __init__(self, width=1280, height=800, dark=False, touch=False, scale=1):
        self.profile = tempfile.mkdtemp(prefix="sonde-browser-")
        self.driver = subprocess.Popen(
            ["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True)
        self.session = None
        try:
            self.base = f"http://127.0.0.1:{self.driver_port()}"
            answer = self.call("POST", "/session", {"capabilities": {"alwaysMatch": capabilities(self.profile, width, height, touch, scale)}})
            self.session = answer["sessionId"]
            self.pid = int(answer["capabilities"].get("goog:processID", 0))
            self.cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
            if touch:
                self.cdp("Emulation.setTouchEmulationEnabled", enabled=True, maxTouchPoints=5)
            self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=touch)
        except BaseException:
            self.close()
            raise

    def driver_port(self):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            line = self.driver.stdout.readline()
            found = re.search(r"successfully on port (\d+)", line)
            if found:
                return int(found[1])
            if line == "":
                break
        raise RuntimeError("cannot start chromedriver: got no port; want one within 30 s")

    def call(self, method, path, body=None, limit=60):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=limit) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            value = json.load(error)["value"]
            raise RuntimeError(f"{value['error']}: {value['message'].splitlines()[0]}") from None

    def command(self, method, path, body=None, limit=60):
        return self.call(method, f"/session/{self.session}{path}", body, limit)

    def cdp(self, name, **parameters):
        return self.command("POST", "/goog/cdp/execute", {"cmd": name, "params": parameters})

    def open(self, url):
        self.command("POST", "/url", {"url": url})

    def run(self, script, *arguments):
        """The value of a function's body, run in the page."""
        return self.command("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def run_async(self, script, *arguments, limit=120):
        """As `run`, for a body that awaits; `done` is called with what it returns."""
        self.command("POST", "/timeouts", {"script": limit * 1000})
        wrapped = "const done = arguments[arguments.length - 1]; (async function () {" + script + "}).apply(null, arguments).then(done, (e) => done({error: String(e && e.stack || e)}));"
        value = self.command("POST", "/execute/async", {"script": wrapped, "args": list(arguments)}, limit + 10)
        if isinstance(value, dict) and set(value) == {"error"}:
            raise RuntimeError(value["error"])
        return value

    def until(self, script, *arguments, what=None, limit=60):
        """Waits until a script's value is true, and returns it."""
        deadline = time.monotonic() + limit
        value = None
        while time.monotonic() < deadline:
            value = self.run(script, *arguments)
            if value:
                return value
            self.run_async("await new Promise((r) => requestAnimationFrame(r)); return 0;")
        raise AssertionError(f"{what or script} was not so within {limit} s; got {value!r}")

    def find(self, selector):
        return self.command("POST", "/element", {"using": "css selector", "value": selector})[ELEMENT]

    def click(self, selector):
        self.command("POST", f"/element/{self.find(selector)}/click", {})

    def fill(self, selector, text):
        element = self.find(selector)
        self.command("POST", f"/element/{element}/clear", {})
        self.command("POST", f"/element/{element}/value", {"text": text})

    def keys(self, *names):
        """Presses keys where the focus is; a name of `KEYS` or the characters themselves."""
        actions = []
        for name in names:
            for value in [KEYS[name]] if name in KEYS else name:
                actions += [{"type": "keyDown", "value": value}, {"type": "keyUp", "value": value}]
        self.command("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def mouse(self, *steps):
        """Steps: ("move", x, y), ("down",), ("up",)."""
        actions = []
        for step in steps:
            if step[0] == "move":
                actions.append({"type": "pointerMove", "x": round(step[1]), "y": round(step[2]), "duration": 30})
            else:
                actions.append({"type": "pointerDown" if step[0] == "down" else "pointerUp", "button": 0})
        self.command("POST", "/actions", {"actions": [{"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": actions}]})

    def click_at(self, x, y):
        self.mouse(("move", x, y), ("down",), ("up",))

    def touch(self, kind, *points):
        """One raw touch event: touchStart, touchMove or touchEnd."""
        self.cdp("Input.dispatchTouchEvent", type=kind, touchPoints=[{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)])

    def screenshot(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.command("GET", "/screenshot")))

    def complaints(self):
        """What the console said at level warning and above since the last call."""
        entries = self.command("POST", "/se/log", {"type": "browser"})
        return [entry["message"] for entry in entries if entry["level"] in ("SEVERE", "WARNING")]

    def close(self):
        try:
            if self.session:
                self.command("DELETE", "")
        except (OSError, RuntimeError):
            pass
        # The driver leads a session of its own: the browser it started ends with that group.
        try:
            os.killpg(self.driver.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.driver.wait(timeout=20)
        shutil.rmtree(self.profile, ignore_errors=True)


def capabilities(profile, width, height, touch, scale):
    arguments = [
        "--headless=new", "--no-first-run", "--disable-gpu", "--hide-scrollbars" if touch else "--disable-extensions",
        f"--user-data-dir={profile}", f"--window-size={width},{height}", "--disable-dev-shm-usage",
        f"--force-device-scale-factor={scale}", "--disable-background-networking",
    ]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")
    options = {"args": arguments}
    binary = shutil.which("chromium")
    if binary:
        options["binary"] = binary
    return {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}

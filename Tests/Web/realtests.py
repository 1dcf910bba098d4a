# SPDX-License-Identifier: Apache-2.0
"""The page against the real programs: the controller, the Bookmaker example with its agent, and load."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import failuretests
import journeytests
import looks
from pagedriver import Page, api
from pagetests import near, same
from webdriver import Browser

KNOWN = "simulateOutcomes"
WHOLE = {"sonde", "bookmaker", "bookmaker-load"}


class System:
    """The started programs; each ends by its own process id."""

    def __init__(self, folder):
        self.folder = Path(folder).resolve()
        self.state = tempfile.mkdtemp(prefix="sonde-web-")
        self.processes = []
        self.pids = {}
        self.url = "http://127.0.0.1:0/"
        self.start_controller()

    def start_controller(self, settings=""):
        """Starts the controller, where it listened before if it did."""
        roots = Path(__file__).resolve().parents[2]
        Path(self.state, "sonde.yaml").write_text(f"{settings}\nsource:\n  roots: [{roots}]\n  link: https://forge.example.com/{{path}}#L{{line}}\n")
        address = self.url.removeprefix("http://").rstrip("/")
        self.url = self.start("controller", r"http://127\.0\.0\.1:\d+", "sonde", "serve", "--listen", address, "--data", f"{self.state}/data",
            "--config", f"{self.state}/sonde.yaml") + "/"

    def token(self, role):
        """A new token; only while the controller is not running."""
        done = subprocess.run([str(self.folder / "sonde"), "token", "create", "--data", f"{self.state}/data", "--role", role, "--name", role],
            capture_output=True, text=True, timeout=60)
        found = re.search(r"sonde_\w+", done.stdout)
        assert found, f"no token: {done.stdout}{done.stderr}"
        return found[0]

    def end(self, name):
        """Ends one of the programs, and waits for that."""
        process = next(one for one in reversed(self.processes) if one.pid == self.pids[name])
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)

    def start(self, name, pattern, program, *arguments, **environment):
        log = Path(self.state, f"{name}.log")
        with log.open("w") as file:
            process = subprocess.Popen(
                [str(self.folder / program), *arguments], stdout=file, stderr=subprocess.STDOUT, start_new_session=True,
                env={**os.environ, **environment})
        self.processes.append(process)
        self.pids[name] = process.pid
        deadline = time.monotonic() + 30
        while pattern and time.monotonic() < deadline and process.poll() is None:
            found = re.search(pattern, log.read_text())
            if found:
                return found[0]
            time.sleep(0.05)
        assert not pattern, f"{name} did not start; its log: {log.read_text()[-600:]}"
        return None

    def start_service(self, token=""):
        address = self.start("bookmaker", r"127\.0\.0\.1:\d+", "bookmaker", "--listen", "127.0.0.1:0", SONDE_URL=self.url.rstrip("/"), SONDE_TOKEN=token)
        # Not 250 a second, in step with the kernel's tick: whoever always runs between two ticks is not sampled.
        self.start("load", None, "bookmaker-load", "--target", f"http://{address}", "--duration", "3600", "--rate", "237")

    def close(self):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(timeout=10)
        shutil.rmtree(self.state, ignore_errors=True)


class Checks:
    """Tests that follow one another on one page, as a person would go on."""

    def __init__(self, page, known, system):
        self.page = page
        self.known = known
        self.system = system

    def the_real_page_waits_for_a_first_service_and_then_shows_it(self):
        page = self.page.open()
        if self.system:
            page.browser.until("return document.querySelector('#message h2')?.textContent === 'No profiles yet'", what="the empty state")
            same(page.complaints(), [])
            self.system.start_service()
        page.wait_for_graph(limit=60)
        page.browser.until("return sonde.flame.graph.frames.strings.some((name) => name.includes(arguments[0]))", self.known, what=f"{self.known} in the graph", limit=60)
        assert page.box(self.known)["width"] > 20, "the known function is wide"

    def the_real_share_of_a_function_is_the_controllers(self):
        page = self.page
        # A range that stands still, so that both answers merge the same profiles.
        now = int(time.time() * 1000)
        page.open(f"?from={now - 600_000}&until={now}").wait_for_graph()
        page.search(self.known)
        page.browser.until("return / in \\d+ function/.test(document.querySelector('#matches').textContent)", what="a share of matches")
        shown = float(re.match(r"[\d.]+", page.text("#matches"))[0])
        stated = page.graph(
            "let sum = 0, covered = 0; for (let n = 1; n < graph.count; n += 1) { if (n < covered || !nameOf(n).includes(arguments[0])) continue; sum += graph.total[n]; covered = graph.end[n]; } return 100 * sum / graph.total[0];",
            self.known)
        near(shown, stated, 0.06)
        top = api(page.url, "top", selector='{service_name="bookmaker"}', limit=1000, **{"from": now - 600_000, "until": now})
        rows = [row for row in top["functions"] if self.known in row["name"]]
        assert rows, f"{self.known} is not in the controller's list"
        if len(rows) == 1:
            near(shown, 100 * rows[0]["total"] / top["total"], 0.06)
        table = page.rows()
        assert table and all(self.known.lower() in row[0].lower() for row in table), table

    def a_real_frame_has_name_place_and_module(self):
        page = self.page
        page.browser.mouse(("move", *page.middle(self.known)))
        page.browser.until("return document.querySelector('#tooltip').checkVisibility()")
        text = page.text("#tooltip")
        assert re.search(r"\.swift:\d+", text) and "bookmaker" in text and "$s" not in text, text

    def a_real_frame_is_zoomed_and_left(self):
        page = self.page
        page.click_frame(self.known)
        assert self.known in page.zoomed(), page.zoomed()
        near(page.box(self.known)["width"] / page.graph("return flame.painter.width;"), 1, 0.001)
        page.browser.keys("Escape")
        page.settle()
        same(page.zoomed(), "bookmaker")

    def the_real_page_goes_on_while_it_is_live(self):
        page = self.page
        page.open("?from=now-15m").wait_for_graph()
        before = page.browser.run("return sonde.profiles.loaded.flame.profiles")
        page.browser.until("return sonde.profiles.loaded.flame.profiles > arguments[0]", before, what="a further profile", limit=60)
        same(page.browser.run("return document.querySelector('#message').checkVisibility()"), False)

    def the_real_agent_is_shown_and_told_another_rate(self):
        page = self.page
        page.browser.until("return /1 agent connected/.test(document.querySelector('#agents-summary').textContent)", what="a connected agent", limit=60)
        page.browser.click("#agents-toggle")
        page.browser.until("return document.querySelector('#agents-list input')", what="the agent's switches")
        assert re.search(r"own cost \d+\.\d\d % of a core", page.text("#agents-summary")), page.text("#agents-summary")
        same(page.complaints(), [])
        page.browser.fill("#agents-list input", "49")
        page.browser.keys("Enter")
        page.browser.until("return /49 Hz · own cost/.test(document.querySelector('#agents-summary').textContent)", what="49 Hz, as the agent reports it", limit=60)
        page.browser.click("#agents-list .rate button:last-child")
        page.browser.until("return /100 Hz · own cost/.test(document.querySelector('#agents-summary').textContent)", what="the agent's own rate again", limit=60)

    def the_real_profile_is_saved_in_every_format(self):
        for name, start in (("folded", None), ("pprof", b"\x1f\x8b"), ("speedscope", b"{"), ("svg", b"<")):
            size, head = self.page.browser.run_async(
                "const blob = await sonde.connection.download('flame', {selector: '{service_name=\"bookmaker\"}', format: arguments[0]});"
                "return [blob.size, [...new Uint8Array(await blob.slice(0, 2).arrayBuffer())]];", name)
            assert size > 500, f"{name} has {size} bytes"
            assert start is None or bytes(head).startswith(start), f"{name} begins with {bytes(head)!r}"

    def the_real_page_passes_its_own_audit(self):
        page = self.page.open("?from=now-15m").wait_for_graph()
        same(page.complaints(), [])


def steps_of(kind, outcome, prefix):
    """The names of a class's steps; they need one another, so all of them or none."""
    names = [name for name in vars(kind) if not name.startswith("_") and name not in STEPS_OF_STEPS]
    return names if any(outcome.wants(f"{prefix}: {name.replace('_', ' ')}") for name in names) else []


STEPS_OF_STEPS = ("line_of", "open_line", "verdict", "banner", "debug_info")


def run(outcome, options):
    checks = [name for name in vars(Checks) if not name.startswith("_")]
    wanted = [name for name in checks if outcome.wants(name.replace("_", " "))]
    journeys = steps_of(journeytests.Journeys, outcome, "journey")
    failures = steps_of(failuretests.Failures, outcome, "failure") if options.bin and not options.url else []
    looked = options.screenshots or outcome.wants("looks")
    if not (wanted or journeys or failures or looked):
        return
    missing = sorted(name for name in WHOLE if not options.bin or not Path(options.bin, name).exists())
    if not options.url and missing:
        where = options.bin or "no folder; --bin names it"
        outcome.skip("the page on real programs", f"no {', '.join(missing)} in {where}")
        return
    system = None if options.url else System(options.bin)
    url = options.url or system.url
    browser = None
    try:
        browser = Browser()
        page = Page(browser, url if url.endswith("/") else url + "/")
        steps = Checks(page, options.function, system)
        # Later steps need what the first one started, wanted or not.
        if checks[0] not in wanted:
            getattr(steps, checks[0])()
        for name in wanted:
            outcome.run(name.replace("_", " "), getattr(steps, name))
        walk(outcome, "journey", journeys, journeytests.Journeys(page, system))
        if outcome.wants("the real console"):
            complaints = browser.complaints()
            outcome.report("the real console stays silent", f"{complaints}" if complaints else None)
        if looked:
            browser.open("about:blank")
            looks.run(outcome, page.url, options.screenshots)
        walk(outcome, "failure", failures, failuretests.Failures(page, system))
    finally:
        if browser:
            browser.close()
        if system:
            system.close()


def walk(outcome, prefix, names, steps):
    for name in names:
        outcome.run(f"{prefix}: {name.replace('_', ' ')}", getattr(steps, name))

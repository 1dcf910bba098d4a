# SPDX-License-Identifier: Apache-2.0
"""All tests of the page: types, pure functions, a browser against made-up data, and against the real programs.

python3 Tests/Web/run.py [--bin .build/release] [--only WORD] [--url URL --function NAME]
One line per test; the last line is "N passed, N failed[, N skipped]".
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
import traceback
from pathlib import Path

import pagetests
import realtests
from pagedriver import Page
from stub import Stub
from webdriver import Browser

HERE = Path(__file__).resolve().parent
WINDOWS = {
    pagetests.DESKTOP: {}, pagetests.DARK: {"dark": True},
    pagetests.PHONE: {"width": 390, "height": 780, "touch": True, "scale": 2},
}


class Outcome:
    def __init__(self, only):
        self.only = only
        self.passed = self.failed = self.skipped = 0

    def wants(self, name):
        return self.only is None or self.only in name

    def report(self, name, problem=None, seconds=None):
        took = "" if seconds is None else f" ({seconds:.1f} s)"
        if problem is None:
            self.passed += 1
            print(f"ok    {name}{took}", flush=True)
        else:
            self.failed += 1
            print(f"FAIL  {name}{took}\n      {problem}", flush=True)

    def skip(self, name, reason):
        self.skipped += 1
        print(f"skip  {name}: {reason}", flush=True)

    def run(self, name, function, *arguments):
        if not self.wants(name):
            return
        began = time.monotonic()
        problem = None
        try:
            function(*arguments)
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)
            line = next((entry.lineno for entry in reversed(place) if entry.filename.endswith("tests.py")), 0)
            problem = f"line {line}: {type(error).__name__}: {error}"
        self.report(name, problem, time.monotonic() - began)


def sentence(function):
    return function.__name__.replace("_", " ")


def run_types(outcome):
    name = "types: tsc --checkJs"
    if not outcome.wants(name):
        return
    if not shutil.which("tsc"):
        return outcome.skip(name, "no tsc; install node-typescript")
    done = subprocess.run(["tsc", "-p", str(HERE / "tsconfig.json")], capture_output=True, text=True, timeout=600)
    outcome.report(name, done.stdout.strip() if done.returncode else None)


def run_units(outcome):
    if not shutil.which("node"):
        return outcome.skip("unit tests", "no node; install nodejs")
    files = sorted(str(path) for path in (HERE / "unit").glob("*.test.mjs"))
    done = subprocess.run(["node", "--test", "--test-reporter=tap", *files], capture_output=True, text=True, timeout=600)
    found = re.findall(r"^ *(not ok|ok) \d+ - (.*)$", done.stdout, re.M)
    for verdict, name in found:
        # A line for each file as a whole adds nothing to those of its tests.
        if name.endswith(".mjs") or not outcome.wants(name):
            continue
        text = re.search(re.escape(name) + r".*?error: (.*?)\n  code", done.stdout, re.S)
        outcome.report(f"unit: {name}", None if verdict == "ok" else (text[1] if text else "see node --test"))
    if not found:
        outcome.report("unit tests", f"node --test said: {(done.stdout + done.stderr)[-400:]}")


def run_page(outcome):
    for window, options in WINDOWS.items():
        chosen = [function for function, of in pagetests.TESTS if of == window and outcome.wants(sentence(function))]
        if not chosen:
            continue
        browser = Browser(**options)
        try:
            for function in chosen:
                outcome.run(f"{sentence(function)}", on_stub, function, browser)
        finally:
            browser.close()


def on_stub(function, browser):
    stub = Stub()
    try:
        browser.complaints()
        function(Page(browser, stub.url), stub)
        unexpected = [text for text in browser.complaints() if "favicon" not in text and not expected(text, stub)]
        assert not unexpected, f"the console complains: {unexpected}"
    finally:
        browser.open("about:blank")
        stub.close()


def expected(text, stub):
    """A browser logs each refused or unanswered request by itself; only tests of such days may have them."""
    # The tests read pixels, which the page never does.
    if "willReadFrequently" in text:
        return True
    return (stub.days.failing or stub.days.token or stub.days.tenants is not None or stub.days.away) and "Failed to load resource" in text


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", help="folder with sonde, bookmaker and bookmaker-load")
    parser.add_argument("--url", help="a running controller with data, instead of --bin")
    parser.add_argument("--function", default=realtests.KNOWN, help="a function that its profile holds")
    parser.add_argument("--only", help="run only tests whose name holds this")
    parser.add_argument("--screenshots", help="folder for pictures of the real page")
    options = parser.parse_args()
    outcome = Outcome(options.only)
    if shutil.which("chromedriver") is None:
        outcome.skip("browser tests", "no chromedriver; install chromium-driver")
    run_types(outcome)
    run_units(outcome)
    if shutil.which("chromedriver"):
        run_page(outcome)
        realtests.run(outcome, options)
    tail = f", {outcome.skipped} skipped" if outcome.skipped else ""
    print(f"{outcome.passed} passed, {outcome.failed} failed{tail}")
    return 1 if outcome.failed else 0


if __name__ == "__main__":
    os.environ.pop("SONDE_TOKEN", None)
    sys.exit(main())

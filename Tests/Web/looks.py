# SPDX-License-Identifier: Apache-2.0
"""Every page as it looks in light, in dark and on a phone: judged by axe-core and by our own audit, and pictured."""

import urllib.parse
from pathlib import Path

from journeytests import HOT, Journeys
from pagedriver import Page
from webdriver import Browser

LOOKS = {
    "light": {"height": 820}, "dark": {"height": 820, "dark": True},
    "phone": {"width": 390, "height": 780, "touch": True, "scale": 2},
}
AXE = "axe_playwright_python/axe.min.js"
JUDGE = """
const found = await axe.run(document, { resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] });
return found.violations.map(({ id, help, nodes }) => `${id} (${help}): ${nodes.slice(0, 3).map((node) => node.html.slice(0, 120)).join(" | ")}${nodes.length > 3 ? ` and ${nodes.length - 3} more` : ""}`);
"""


def axe_source():
    """axe-core as scripts/install-dependencies brings it; None where it is not installed."""
    root = Path(__file__).resolve().parents[2]
    found = sorted((root / ".cache/venv/lib").glob(f"python3*/site-packages/{AXE}"))
    return found[-1].read_text() if found else None


class Looks:
    """Walks over every page of one controller that has profiles, and a service whose lines can be probed."""

    def __init__(self, page, look):
        self.page = page
        self.browser = page.browser
        self.look = look
        self.places = Journeys(page, None)

    def go(self, query, script, *arguments):
        self.page.open(query)
        self.browser.until(script, *arguments, what=f"{query} to be shown", limit=90)

    def graph(self, query):
        self.page.open(query).wait_for_graph(90)
        self.page.settle()

    def to_line(self):
        self.browser.run("document.querySelector('tr.open').scrollIntoView({ block: 'start' }); document.querySelector('#source-scroll').scrollTop -= 90")

    def every(self):
        """Brings up one state after the other, and yields its name."""
        self.graph("?from=now-15m")
        if self.look != "phone":
            self.page.click_frame(HOT)
            self.browser.mouse(("move", *self.page.middle(HOT)))
        yield "page"
        name = self.page.graph("return nameOf(find(arguments[0]));", HOT)
        self.graph(f"?from=now-15m&around={urllib.parse.quote(name)}")
        yield "callers"
        yield from self.comparisons()
        self.go("?page=source&from=now-15m", "return document.querySelector('#source-body a[href]')")
        yield "functions"
        self.go("?page=source&from=now-15m&file=OddsDesk.swift", "return document.querySelector('tr.hot')")
        yield "source"
        yield from self.log_point()
        self.go("?page=agents", "return document.querySelector('.agent')")
        yield "agents"
        self.browser.run("document.activeElement.blur()")
        self.browser.keys("?")
        self.browser.until("return document.querySelector('dialog[open]')", what="the help")
        yield "help"

    def comparisons(self):
        for way, name in (("diff", "difference"), ("side", "sides")):
            self.graph("?from=now-1m")
            self.browser.click("#compare")
            if way == "diff":
                yield "comparemenu"
            self.browser.click(f"#compare-form [data-way={way}]")
            self.browser.until(
                "return location.search.includes('from2=') && (arguments[0] === 'diff' ? sonde.flame.comparison : sonde.profiles.second.graph)", way,
                what="a comparison", limit=90)
            self.page.settle()
            yield name

    def log_point(self):
        self.go("?page=source&from=now-15m&file=SettlementDesk.swift", "return document.querySelector('table.source')")
        line = self.places.line_of('"bet-settled"') + 1
        self.go(f"?page=source&from=now-15m&file=SettlementDesk.swift&line={line}", "return document.querySelector('.names .chip')")
        self.browser.fill("#probe-template", "bet {bet.id.number}: {bet.stake.cents} {state}")
        self.browser.fill("#probe-condition", "bet.stake.cents > 500")
        self.browser.until("return /This works/.test(document.querySelector('.verdict').textContent)", what="a verdict", limit=90)
        self.to_line()
        yield "editor"
        self.browser.fill("#probe-template", "bet {bet.")
        self.browser.until("return [...document.querySelectorAll('#probe-completions:not([hidden]) li')].some((option) => option.textContent === 'stake Money')", what="members behind the dot", limit=90)
        yield "members"
        self.browser.fill("#probe-template", "bet {bet.id.number}: {bet.stake.cents} {state}")
        self.browser.click(".probe-form details.wide summary")
        self.browser.fill("#probe-hits", "1000000")
        self.browser.until("return !document.querySelector('.probe-form [type=submit]').disabled", what="a verdict", limit=90)
        self.browser.run("document.querySelector('.probe-form [type=submit]').click()")
        self.browser.until("return document.querySelectorAll('.probe-card .lines .text').length > 8 && /^active/.test(document.querySelector('.probe-card [role=status]').textContent)", what="lines", limit=90)
        self.to_line()
        yield "logpoint"
        self.go("?page=live&service=bookmaker", "return document.querySelectorAll('#live-body .text').length > 20")
        yield "live"
        self.go("?page=probes&service=bookmaker", "return document.querySelector('[data-open]')")
        self.browser.click("[data-open]")
        self.browser.until("return document.querySelector('.probe-card .lines .text')", what="its lines", limit=90)
        yield "probes"
        self.browser.click(".probe-card .danger")
        self.browser.until("return !document.querySelector('[data-open]')", what="no log point", limit=90)
        yield "noprobes"


def walk(outcome, url, look, folder=None):
    """Reports what each state looks like in one look; with a folder, a picture of each is kept there."""
    axe = axe_source()
    browser = Browser(**LOOKS[look])
    reached = "the first page"
    try:
        walker = Looks(Page(browser, url), look)
        for name in walker.every():
            reached = name
            if folder:
                browser.screenshot(str(Path(folder, f"{name}-{look}.png")))
            judge(outcome, walker.page, axe, f"looks: {name} in {look}")
    except Exception as error:
        outcome.report(f"looks: what follows {reached} in {look}", f"{type(error).__name__}: {error}")
    finally:
        browser.close()


def judge(outcome, page, axe, name):
    problems = page.complaints()
    if axe:
        if not page.browser.run("return typeof axe === 'object'"):
            page.browser.run(axe)
        problems += page.browser.run_async(JUDGE, limit=120)
    outcome.report(name, "\n      ".join(problems) or None)


def run(outcome, url, folder=None):
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
    if not axe_source():
        outcome.skip("looks: axe-core", "no axe.min.js in .cache/venv; run scripts/install-dependencies test")
    for look in LOOKS:
        walk(outcome, url, look, folder)

# SPDX-License-Identifier: Apache-2.0
"""What goes wrong around the page, on the real programs: the service ends, the controller ends, a token is wanted, a role is not enough."""

import time
import urllib.error

from journeytests import Journeys
from pagedriver import api
from pagetests import same

LINE = "?page=source&from=now-15m&file=SettlementDesk.swift&line=93"


class Failures:
    """Steps that follow one another; each leaves the programs as the next one expects them."""

    def __init__(self, page, system):
        self.page = page
        self.browser = page.browser
        self.system = system
        self.tokens = {}

    def banner(self, part, limit=60):
        self.browser.until("return document.querySelector('#banner').textContent.includes(arguments[0])", part, what=f"“{part}” below the page", limit=limit)

    def debug_info(self):
        """Waits until the service's debug info arrived: the page asks for it once."""
        deadline = time.monotonic() + 180
        while True:
            try:
                return api(self.page.url, "where", service="bookmaker", location="SettlementDesk.swift:93")
            except urllib.error.HTTPError:
                assert time.monotonic() < deadline, "no debug info within 180 s"
                time.sleep(0.2)

    def an_agent_that_is_gone_is_told(self):
        page = self.page
        self.debug_info()
        page.open(LINE)
        self.browser.until("return document.querySelector('.verdict')?.textContent.includes('place')", what="what can be read there", limit=120)
        self.system.end("bookmaker")
        self.browser.until("return /No agent connected/.test(document.querySelector('#agents-summary').textContent)", what="no agent", limit=120)
        self.browser.fill("#probe-template", "{bet.id.number}")
        Journeys(page, self.system).verdict("no connected instance", limit=60)
        same(self.browser.run("return document.querySelector('.probe-form [type=submit]').disabled"), True)
        assert page.is_shown("table.source"), "the source stays"
        same(page.complaints(), [])
        page.open("?page=agents")
        self.browser.until("return /away for/.test(document.querySelector('.agent')?.textContent)", what="an agent that is away", limit=60)
        same(page.complaints(), [])

    def a_controller_that_ends_is_told_and_its_return_seen(self):
        page = self.page
        page.open("?from=now-15m").wait_for_graph(60)
        self.system.end("controller")
        self.banner("cannot reach the controller")
        self.banner("shown as of")
        assert page.graph("return graph.count;") > 10, "the last graph stays"
        same(page.complaints(), [])
        # The source is another answer, which nobody can give now.
        self.browser.click("#nav [data-page=source]")
        self.browser.until("return document.querySelector('#view-message').checkVisibility()", what="a message in the place of the source", limit=60)
        assert "controller is away" in page.text("#view-message"), page.text("#view-message")
        same(page.complaints(), [])
        self.system.start_controller()
        self.browser.until("return document.querySelector('#source-body a[href]') && document.querySelector('#banner').textContent === ''", what="recovery by itself", limit=120)
        page.open("?from=now-15m").wait_for_graph(60)

    def a_token_is_wanted_and_a_wrong_one_refused(self):
        page = self.page
        self.system.end("controller")
        self.tokens = {role: self.system.token(role) for role in ("agent", "viewer", "developer")}
        self.system.start_controller("require_token: true")
        page.open("?from=now-15m")
        self.browser.until("return document.querySelector('#token')", what="a token field", limit=60)
        same(page.text("#message h2"), "A token is needed")
        same(page.complaints(), [])
        for wrong in ("sonde_wrong", self.tokens["viewer"][:-1] + ("A" if self.tokens["viewer"][-1] != "A" else "B")):
            self.browser.fill("#token", wrong)
            self.browser.click("#message [type=submit]")
            self.browser.until("return document.querySelector('#message h2').textContent === 'The token was refused' && document.querySelector('#token').value === ''", what="a refusal", limit=60)
        same(page.complaints(), [])
        self.browser.fill("#token", self.tokens["viewer"])
        self.browser.keys("Enter")
        page.wait_for_graph(60)
        same(page.complaints(), [])

    def who_may_only_look_is_told_so(self):
        page = self.page
        self.system.start_service(self.tokens["agent"])
        page.open(LINE)
        self.browser.until("return document.querySelector('.verdict')?.textContent.includes('place')", what="what can be read there", limit=120)
        self.browser.fill("#probe-template", "{bet.id.number}")
        self.browser.until("return /role viewer/.test(document.querySelector('.verdict').textContent)", what="what a viewer may not", limit=60)
        same(self.browser.run("return document.querySelector('.probe-form [type=submit]').disabled"), True)
        assert "developer" in page.text(".verdict"), page.text(".verdict")
        same(page.complaints(), [])
        self.browser.run("localStorage.clear()")
        page.open(LINE)
        self.browser.until("return document.querySelector('#token')", what="a token field", limit=60)
        self.browser.fill("#token", self.tokens["developer"])
        self.browser.keys("Enter")
        self.browser.until("return document.querySelector('.verdict')?.textContent.includes('place')", what="what a developer may", limit=120)
        self.browser.run("localStorage.clear()")

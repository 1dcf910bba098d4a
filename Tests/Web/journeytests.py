# SPDX-License-Identifier: Apache-2.0
"""From a hot frame to an answer, on the real programs: source, log points, lines, and what goes wrong on the way."""

import re
import time

from pagedriver import api
from pagetests import near, same

HOT = "simulateOutcomes"


class Journeys:
    """Steps that follow one another on one page, as a person would go on."""

    def __init__(self, page, system):
        self.page = page
        self.browser = page.browser
        self.system = system

    def line_of(self, text):
        """The number of the first line whose source holds `text`."""
        return self.browser.run(
            "return +([...document.querySelectorAll('table.source tr[data-line]')].find((row) => row.querySelector('td.code').textContent.includes(arguments[0]))?.dataset.line ?? 0)", text)

    def open_line(self, line):
        self.browser.run("document.querySelector(`button[data-line='${arguments[0]}']`).scrollIntoView({ block: 'center' })", line)
        self.browser.click(f"button[data-line='{line}']")
        self.browser.until("return document.querySelector('.verdict')?.textContent.includes('place')", what="what can be read there")

    def verdict(self, part, limit=60):
        self.browser.until("return document.querySelector('.verdict').textContent.includes(arguments[0])", part, what=f"a verdict with “{part}”", limit=limit)
        return self.page.text(".verdict")

    def the_hottest_functions_source_is_opened_from_the_flame_graph(self):
        page = self.page
        page.open("?from=now-15m&view=both").wait_for_graph(limit=60)
        page.browser.until("return sonde.flame.graph.frames.strings.some((name) => name.includes(arguments[0]))", HOT, what=f"{HOT} in the graph", limit=60)
        page.click_frame(HOT)
        page.browser.click("#source-frame")
        page.browser.until("return document.querySelector('table.source tr.hot')", what="source with a hot line", limit=60)
        same(page.text("#source-title"), "OddsDesk.swift")
        assert self.line_of("func simulateOutcomes") > 0, "the text is there"
        hot = page.browser.run("return [...document.querySelectorAll('tr.hot td.code')].map((cell) => cell.textContent)")
        assert hot, "some line is hot"
        assert re.match(r"[\d.]+ % of", page.text("#source-facts")), page.text("#source-facts")
        same(page.complaints(), [])
        self.browser.run("history.back()")
        page.wait_for_graph()
        same(page.is_shown("#page-profiles"), True)
        self.browser.run("history.forward()")
        page.browser.until("return document.querySelector('table.source')")

    def the_costs_of_lines_add_up_to_those_of_the_function(self):
        # A range that ended, and both answers of the same profiles: the last of them may come late.
        now = int(time.time() * 1000)
        span = {"from": now - 900_000, "until": now}
        deadline = time.monotonic() + 120
        while True:
            source = api(self.page.url, "source", service="bookmaker", file="OddsDesk.swift", **span)
            top = api(self.page.url, "top", selector='{service_name="bookmaker"}', limit=100_000, **span)
            if source["profiles"] == top["profiles"] > 0 or time.monotonic() > deadline:
                break
        same(source["total"], top["total"])
        functions = [row for row in top["functions"] if row["file"] == source["file"]]
        by_line = sum(line["self"] for line in source["lines"])
        assert by_line > 0, source["lines"]
        same(source["ofFunctions"], sum(row["self"] for row in functions))
        same(by_line + source["withoutLine"] - source["ofOthers"], source["ofFunctions"])
        assert all(line["self"] <= line["total"] <= source["inFile"] for line in source["lines"]), source["lines"]

    def a_log_point_is_added_on_a_line_and_says_its_first_line(self):
        page = self.page
        page.open("?page=source&from=now-15m&file=SettlementDesk.swift")
        page.browser.until("return document.querySelector('table.source')", what="source", limit=60)
        line = self.line_of('"bet-settled"') + 1
        self.open_line(line)
        chips = page.browser.run("return [...document.querySelectorAll('.names .chip')].map((chip) => chip.textContent)")
        assert any(chip.startswith("bet ") for chip in chips), chips
        page.browser.fill("#probe-template", "settled ")
        # New costs arrive meanwhile, and do not disturb whoever writes.
        page.browser.until("return sonde.source.answer.profiles > arguments[0]", page.browser.run("return sonde.source.answer.profiles"), what="a further profile", limit=120)
        same(page.browser.run("return document.activeElement.id"), "probe-template")
        # Names are completed as one types.
        page.browser.keys("{", "b")
        page.browser.until("return /^bet/.test(document.querySelector('#probe-completions li')?.textContent)", what="completions", limit=60)
        # And so are members behind a dot, with their types.
        page.browser.keys("Enter", ".")
        page.browser.until("return [...document.querySelectorAll('#probe-completions li')].some((option) => option.textContent === 'stake Money')", what="the members of a bet", limit=60)
        page.browser.keys("i")
        page.browser.until("return /^id /.test(document.querySelector('#probe-completions li')?.textContent)", what="those that begin so", limit=60)
        page.browser.keys("Enter", ".")
        page.browser.until("return /^number /.test(document.querySelector('#probe-completions li')?.textContent)", what="the members of its id", limit=60)
        page.browser.keys("Enter", "}")
        same(page.browser.run("return document.querySelector('#probe-template').value"), "settled {bet.id.number}")
        page.browser.click(".probe-form details.wide summary")
        page.browser.fill("#probe-hits", "1000000")
        page.browser.fill("#probe-rate", "20")
        page.browser.fill("#probe-reason", "the journey's test")
        assert "1 instance" in self.verdict("This works")
        same(page.complaints(), [])
        page.browser.click(".probe-form [type=submit]")
        page.browser.until("return /^active/.test(document.querySelector('.probe-card [role=status]')?.textContent)", what="an active log point", limit=60)
        page.browser.until("return document.querySelector('.probe-card .lines .text')", what="its first line", limit=60)
        assert re.fullmatch(r"settled \d+", page.text(".probe-card .lines .text")), page.text(".probe-card .lines .text")
        page.browser.until(f"return document.querySelector(`tr[data-line='{line}']`).classList.contains('probed')", what="a marked line")
        same(page.complaints(), [])
        self.line = line

    def its_lines_are_live_and_lead_back(self):
        page = self.page
        page.open("?page=live&service=bookmaker")
        page.browser.until("return [...document.querySelectorAll('#live-body .text')].some((line) => /^settled \\d+$/.test(line.textContent))", what="lines", limit=60)
        same(page.complaints(), [])
        page.browser.click("#live-pause")
        before = page.text("#live-body")
        page.browser.until("return /held, [1-9]/.test(document.querySelector('#live-facts').textContent)", what="lines that wait", limit=60)
        same(page.text("#live-body"), before, "nothing moves while held")
        page.browser.click("#live-pause")
        page.browser.until("return document.querySelector('#live-body').textContent !== arguments[0]", before, what="the lines that waited")
        page.browser.fill("#live-query", '{service_name="bookmaker"} |= "no such text"')
        page.browser.keys("Enter")
        page.browser.until("return document.querySelector('#live-facts').textContent === 'waiting for lines'", what="a filter that holds")
        page.browser.fill("#live-query", '{service_name="bookmaker"')
        page.browser.keys("Enter")
        page.browser.until("return document.querySelector('#live-problem').textContent !== ''", what="what is wrong with the query")
        page.browser.fill("#live-query", '{service_name="bookmaker"} |~ "settled [0-9]+"')
        page.browser.keys("Enter")
        page.browser.until("return document.querySelector('#live-body .links a')", what="lines again", limit=60)
        same(page.text("#live-problem"), "")
        same(page.text("#live-body .links a"), f"SettlementDesk.swift:{self.line}")
        page.browser.click("#live-body .links a:last-child")
        page.wait_for_graph()
        assert "from=1" in page.query(), page.query()
        self.browser.run("history.back()")
        page.browser.until("return document.querySelector('#live-body .links a')", what="lines", limit=60)
        page.browser.click("#live-body .links a")
        page.browser.until("return document.querySelector('.probe-card')", what="the log point below its line", limit=60)
        page.browser.complaints()

    def the_probe_is_disabled_enabled_and_removed_and_history_tells(self):
        page = self.page
        page.open("?page=probes&service=bookmaker")
        page.browser.until("return document.querySelector('[data-open]')", what="the probe")
        page.browser.click("[data-open]")
        page.browser.until("return document.querySelector('.probe-card')", what="its card")
        same(page.complaints(), [])
        page.browser.click(".probe-card h3 button")
        page.browser.until("return /^disabled/.test(document.querySelector('.probe-card [role=status]').textContent)", what="disabled", limit=60)
        page.browser.click(".probe-card h3 button")
        page.browser.until("return /^active/.test(document.querySelector('.probe-card [role=status]').textContent)", what="active again", limit=60)
        page.browser.click(".probe-card .danger")
        page.browser.until("return document.querySelector('#probes-body').textContent.includes('No log points yet')", what="none left", limit=60)
        history = page.text(".history-box")
        for part in ("added probe", "disabled probe", "enabled probe", "removed probe", "because: the journey's test", "loopback"):
            assert part in history, f"{part} is not in {history}"
        same(api(page.url, "probes")["probes"], [])
        same(page.complaints(), [])

    def what_cannot_work_is_said_while_one_types(self):
        page = self.page
        page.open("?page=source&from=now-15m&file=RiskDesk.swift")
        page.browser.until("return document.querySelector('table.source')", what="source", limit=60)
        self.open_line(self.line_of("position.selection == winner"))
        gone = page.browser.run("return document.querySelector('.names .gone li code')?.textContent ?? ''")
        assert gone, "some name is optimized out there"
        page.browser.fill("#probe-template", "{" + gone + "}")
        assert gone in self.verdict("cannot compile")
        page.browser.fill("#probe-template", "{nosuchname}")
        assert "There are" in self.verdict("nosuchname")
        page.browser.fill("#probe-template", "{steps")
        assert "want a `}`" in self.verdict("column")
        assert "^" in page.text(".verdict pre")
        page.browser.fill("#probe-template", "{steps}")
        page.browser.fill("#probe-condition", "steps >")
        self.verdict("cannot")
        same(page.browser.run("return document.querySelector('.probe-form [type=submit]').disabled"), True)
        page.browser.fill("#probe-condition", "steps > 3")
        self.verdict("This works")
        page.browser.keys("Escape")
        page.browser.until("return !document.querySelector('tr.editor')", what="a closed editor")
        # A browser logs each refused request by itself.
        page.browser.complaints()

    def everything_is_reached_by_keyboard(self):
        page = self.page
        page.open("?from=now-15m").wait_for_graph()
        page.browser.run("document.activeElement.blur()")
        for key, name in (("o", "source"), ("b", "probes"), ("v", "live"), ("a", "agents"), ("p", "profiles"), ("o", "source")):
            page.browser.keys(key)
            page.browser.until("return document.body.dataset.page === arguments[0]", name)
        page.browser.until("return document.querySelector('#source-body a[href]')", what="functions to open")
        page.browser.run("document.querySelector('#source-body a[href]').focus()")
        page.browser.keys("Enter")
        page.browser.until("return document.querySelector('table.source tr.hot')", what="source", limit=60)
        page.browser.run("document.activeElement.blur()")
        page.browser.keys("n")
        same(page.browser.run("return document.activeElement.className"), "ln can")
        page.browser.keys("Enter")
        page.browser.until("return document.activeElement.id === 'probe-template'", what="the editor with the focus")
        page.browser.keys("Escape")
        page.browser.until("return document.activeElement.className === 'ln can'", what="the focus back on the line")

    def libraries_are_hidden_and_a_function_is_looked_around(self):
        page = self.page
        until = int(time.time() * 1000) - 12_000
        page.open(f"?from={until - 900_000}&until={until}&view=both").wait_for_graph()
        total, count = page.browser.run("return [sonde.flame.graph.total[0], sonde.flame.graph.count]")
        page.browser.click("#libraries")
        page.browser.until("return sonde.flame.graph.count < arguments[0]", count, what="fewer frames")
        same(page.browser.run("return sonde.flame.graph.total[0]"), total, "what libraries cost belongs to their callers:")
        modules = page.graph("return [...new Set([...Array(graph.count - 1).keys()].map((n) => graph.frames.strings[graph.frames.module[graph.frame[n + 1]]]))];")
        assert not any(".so" in module for module in modules), modules
        page.click_frame(HOT)
        page.browser.click("#around-frame")
        page.browser.until("return !document.querySelector('#second').hidden && sonde.profiles.second.graph", what="callers and callees")
        assert HOT in page.browser.run("const { graph } = sonde.profiles.second; return graph.frames.strings[graph.frames.name[graph.frame[1]]];")
        near(*page.browser.run("return [sonde.profiles.second.graph.total[0] / 1e9, sonde.flame.graph.total[0] / 1e9];"), 1e-9)
        same(page.complaints(), [])
        self.browser.run("history.back()")
        page.browser.until("return document.querySelector('#second').hidden", what="the whole profile again")
        page.browser.fill("#search", "placeBet")
        page.browser.until("return !document.querySelector('#only').disabled")
        page.browser.click("#only")
        page.browser.until("return sonde.flame.graph.total[0] < arguments[0]", total, what="only the matches' stacks")
        page.browser.run("document.querySelector('#colour').value = 'package'; document.querySelector('#colour').dispatchEvent(new Event('change'))")
        page.browser.until("return sonde.flame.colour === 'package' && location.search.includes('colour=package')")

    def two_selections_are_compared(self):
        page = self.page
        until = int(time.time() * 1000) - 12_000
        page.open(f"?from={until - 60_000}&until={until}&view=both").wait_for_graph()
        page.browser.click("#compare")
        page.browser.run("document.querySelector('#compare-when').value = '0'")
        same(page.complaints(), [])
        page.browser.click("#compare-form [data-way=diff]")
        page.browser.until("return sonde.flame.comparison", what="a comparison")
        shares = page.browser.run("const { before, after } = sonde.flame.comparison; return [...before].map((share, node) => Math.abs(share - after[node]))")
        assert shares and max(shares) < 1e-9, "what is compared with itself is the same"
        assert all(row[-1] == "–" for row in page.rows()), page.rows()[:3]
        page.browser.click("#compare")
        page.browser.run("document.querySelector('#compare-when').value = '-1'")
        page.browser.click("#compare-form [data-way=side]")
        page.browser.until("return !document.querySelector('#second').hidden && sonde.profiles.second.draws > 0 && location.search.includes('from2=')", what="two graphs")
        page.open(page.query()).wait_for_graph()
        page.browser.until("return !document.querySelector('#second').hidden", what="the same by its address")
        same(page.complaints(), [])
        page.browser.click("#compare")
        page.browser.click("#compare-stop")
        page.browser.until("return document.querySelector('#second').hidden && !location.search.includes('from2')")

    def agents_tell_what_they_are_and_cost(self):
        page = self.page
        page.open("?page=agents")
        page.browser.until("return document.querySelector('.agent')", what="an agent")
        text = page.text(".agent")
        for part in ("Build", "Up", "100 Hz", "wanted: at most 0.5 %", "Nothing is wrong"):
            assert part in text, f"{part} is not in {text}"
        same(page.complaints(), [])

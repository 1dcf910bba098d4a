# SPDX-License-Identifier: Apache-2.0
"""What tests do with the page and read from it, in the words of its user."""

import json
import urllib.parse
import urllib.request
from pathlib import Path

AUDIT = Path(__file__).with_name("audit.js").read_text()

NODE = """
const flame = sonde.flame, graph = flame.graph;
const nameOf = (node) => graph.frame[node] < 0 ? flame.rootName : graph.frames.strings[graph.frames.name[graph.frame[node]]];
const kindOf = (node) => graph.frame[node] < 0 ? 0 : graph.frames.kind[graph.frame[node]];
// A function's own frame rather than one that was inlined under the same name.
const find = (part) => {
    let found = -1;
    for (let node = 0; node < graph.count; node += 1) {
        if (nameOf(node).includes(part) && (found < 0 || (kindOf(found) !== 0 && kindOf(node) === 0))) found = node;
    }
    return found;
};
const boxOf = (node) => {
    const box = flame.canvas.getBoundingClientRect(), scale = flame.painter.width / (flame.span.end - flame.span.start);
    const left = Math.max((graph.start[node] - flame.span.start) * scale, 0);
    const right = Math.min((graph.start[node] + graph.total[node] - flame.span.start) * scale, flame.painter.width);
    const top = flame.painter.top(flame.scene(), graph.depth[node]);
    return { x: box.left + left, y: box.top + top, width: right - left, height: 20 };
};
"""


def api(url, path, **query):
    """The controller's own answer to compare the page with."""
    with urllib.request.urlopen(f"{url}api/v1/{path}?{urllib.parse.urlencode(query)}", timeout=20) as answer:
        return json.load(answer)


class Page:
    """A browser that shows the page of one controller."""

    def __init__(self, browser, url):
        self.browser = browser
        self.url = url

    def open(self, query=""):
        self.browser.open(self.url + query)
        return self

    def wait_for_graph(self, limit=60):
        self.browser.until("return window.sonde?.flame.graph && sonde.flame.draws > 0 && !sonde.flame.flight", what="a drawn graph", limit=limit)
        return self

    def settle(self):
        """Waits until nothing glides and the last change is drawn."""
        self.browser.until("return !sonde.flame.flight && !sonde.flame.drawRequested", what="an end of the motion")

    def graph(self, script, *arguments):
        return self.browser.run(NODE + script, *arguments)

    def node(self, part):
        """The number of the first frame whose name holds `part`."""
        return self.graph("return find(arguments[0]);", part)

    def box(self, part):
        return self.graph("return boxOf(find(arguments[0]));", part)

    def middle(self, part):
        box = self.box(part)
        # Whole pixels, as a mouse has them.
        return round(box["x"] + box["width"] / 2), round(box["y"] + 9)

    def click_frame(self, part):
        self.browser.click_at(*self.middle(part))
        self.settle()

    def zoomed(self):
        return self.graph("return nameOf(flame.zoomed);")

    def selected(self):
        return self.graph("return flame.selected < 0 ? null : nameOf(flame.selected);")

    def shown_span(self):
        return self.graph("return [flame.span.start, flame.span.end];")

    def colour_at(self, part):
        """The pixel drawn inside a frame, near its right lower corner where no name stands."""
        return self.graph(
            "const box = boxOf(find(arguments[0])), own = flame.canvas.getBoundingClientRect(), ratio = flame.painter.ratio;"
            "const x = (box.x - own.left + box.width - 4) * ratio, y = (box.y - own.top + 17) * ratio;"
            "return [...flame.painter.context.getImageData(x, y, 1, 1).data];", part)

    def text(self, selector):
        return self.browser.run("return document.querySelector(arguments[0]).textContent;", selector)

    def is_shown(self, selector):
        return self.browser.run("return document.querySelector(arguments[0]).checkVisibility();", selector)

    def rows(self):
        """The table's rows: name, own share, total share."""
        return self.browser.run(
            "return [...document.querySelectorAll('#functions-body tr')].map((row) => [row.dataset.name,"
            "...[...row.querySelectorAll('.share')].map((cell) => cell.textContent)]);")

    def search(self, text):
        self.browser.fill("#search", text)

    def query(self):
        return self.browser.run("return location.search;")

    def layout_shift(self):
        """The sum of all shifts that no person caused."""
        return self.browser.run_async(
            "return await new Promise((done) => { let sum = 0; new PerformanceObserver((list) => {"
            "for (const entry of list.getEntries()) if (!entry.hadRecentInput) sum += entry.value; }).observe({type: 'layout-shift', buffered: true});"
            "requestAnimationFrame(() => setTimeout(() => done(sum), 0)); });")

    def complaints(self):
        return self.browser.run(AUDIT)

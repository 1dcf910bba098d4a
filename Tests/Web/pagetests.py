# SPDX-License-Identifier: Apache-2.0
"""The page in a real browser against made-up data: each test gets a fresh stub and a page of its window."""

import json

import synthetic
from stub import agent

DESKTOP, DARK, PHONE = "desktop", "dark", "phone"
TESTS = []


def test(window=DESKTOP):
    def keep(function):
        TESTS.append((function, window))
        return function
    return keep


def same(got, want, what=""):
    assert got == want, f"{what} got {got!r}; want {want!r}"


def near(got, want, tolerance=0.01):
    assert abs(got - want) <= tolerance, f"got {got}; want {want}"


@test()
def a_profile_is_drawn_with_its_functions_in_their_places(page, stub):
    page.open().wait_for_graph()
    outer, inner = page.box("OddsEngine.recompute"), page.box("poisson")
    width = page.graph("return flame.painter.width;")
    near(outer["width"] / width, 0.45)
    near(inner["width"] / width, 0.31)
    near(inner["y"] - outer["y"], 20)
    assert page.colour_at("OddsEngine.recompute")[:3] != [255, 255, 255], "nothing is drawn there"
    same(page.text("title"), "bookmaker – Sonde")
    assert "1 min in 12 profiles" in page.text("#facts"), page.text("#facts")


@test()
def the_first_load_is_few_requests(page, stub):
    page.open().wait_for_graph()
    paths = [path for _, path, _ in stub.days.requests]
    assert len(paths) < 10, paths
    size = page.browser.run("return performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation')).reduce((s, e) => s + e.transferSize, 0);")
    assert size < 150_000, f"{size} bytes"


@test()
def hovering_tells_name_place_self_total_share_and_module(page, stub):
    page.open().wait_for_graph()
    page.browser.mouse(("move", *page.middle("poisson")))
    page.browser.until("return document.querySelector('#tooltip').checkVisibility()", what="a tooltip")
    text = page.text("#tooltip")
    for part in ("poisson(_: Double, _: Int) -> Double", "OddsEngine.swift:92", "11.4 s (19.0 %)", "18.6 s (31.0 %)", "…/bin/bookmaker", "inlined"):
        assert part in text, f"{part!r} is not in {text!r}"
    page.browser.mouse(("move", 5, 5))
    page.browser.until("return !document.querySelector('#tooltip').checkVisibility()", what="no tooltip")


@test()
def a_click_zooms_and_reset_goes_back(page, stub):
    page.open().wait_for_graph()
    page.click_frame("Settlement.settle")
    same(page.zoomed(), "Settlement.settle(_: Market, winner: Selection)")
    width = page.graph("return flame.painter.width;")
    near(page.box("Settlement.settle")["width"] / width, 1.0, 0.001)
    near(page.box("_int_free")["width"] / width, 4 / 21, 0.005)
    assert "zoom=" in page.query()
    same(page.rows()[0][:2], ["Settlement.settle(_: Market, winner: Selection)", "52.4 %"], "the table below the zoomed frame")
    page.browser.click("#reset")
    page.settle()
    near(page.box("Settlement.settle")["width"] / width, 0.21)
    same(page.query(), "?service=bookmaker")


@test()
def a_drag_pans_and_the_wheel_zooms_around_the_pointer(page, stub):
    page.open().wait_for_graph()
    x, y = page.middle("Settlement.settle")
    before = page.graph("return (arguments[0] - flame.canvas.getBoundingClientRect().left) / flame.painter.width * (flame.span.end - flame.span.start) + flame.span.start;", x)
    page.browser.cdp("Input.dispatchMouseEvent", type="mouseWheel", x=x, y=y, deltaX=0, deltaY=-200, modifiers=2)
    page.browser.until("return sonde.flame.span.end - sonde.flame.span.start < 30e9", what="a narrower span")
    after = page.graph("return (arguments[0] - flame.canvas.getBoundingClientRect().left) / flame.painter.width * (flame.span.end - flame.span.start) + flame.span.start;", x)
    near(after / before, 1, 1e-6)
    start = page.shown_span()[0]
    page.browser.mouse(("move", x, y), ("down",), ("move", x + 60, y), ("move", x + 120, y), ("up",))
    page.settle()
    assert page.shown_span()[0] < start, "a drag to the right shows what is to the left"
    same(page.selected(), None, "a drag selects nothing;")


@test()
def the_search_highlights_and_tells_the_share(page, stub):
    page.open().wait_for_graph()
    plain = page.colour_at("Settlement.settle")
    page.search("settle")
    page.browser.until("return document.querySelector('#matches').textContent === '21.0 % in 1 function'", what="the share of matches")
    page.settle()
    assert page.colour_at("Settlement.settle") != plain
    same(page.colour_at("Settlement.settle")[:3], [255, 178, 36], "matches are amber;")
    same(page.colour_at("OddsEngine.recompute")[:3], [236, 238, 242], "others are dimmed;")
    same([row[0] for row in page.rows()], ["Settlement.settle(_: Market, winner: Selection)"], "the table's rows")
    assert "search=settle" in page.query()
    page.search("^(poisson|malloc)\\b")
    page.browser.click("#regex")
    page.browser.until("return document.querySelector('#matches').textContent === '37.0 % in 2 functions'", what="the share of an expression")
    page.search("(")
    page.browser.until("return document.querySelector('#search').getAttribute('aria-invalid') === 'true' && document.querySelector('#matches').textContent.includes('nvalid')", what="a refusal")
    page.browser.click("#search")
    page.browser.keys("Escape")
    page.browser.until("return document.querySelector('#matches').textContent === '' && document.querySelector('#search').value === ''", what="a cleared search")


@test()
def the_table_sorts_by_its_heads_and_marks_in_the_graph(page, stub):
    page.open().wait_for_graph()
    same(page.rows()[0], ["poisson(_: Double, _: Int) -> Double", "19.0 %", "31.0 %"])
    page.browser.click("#functions [data-sort=total]")
    same([row[0] for row in page.rows()[:2]], ["main", "_start"])
    same(page.browser.run("return document.querySelector('#functions [data-sort=total]').parentElement.ariaSort"), "descending")
    page.browser.click("#functions [data-sort=total]")
    same(page.browser.run("return document.querySelector('#functions [data-sort=total]').parentElement.ariaSort"), "ascending")
    page.browser.click("#functions [data-sort=name]")
    names = [row[0] for row in page.rows()]
    same(names, sorted(names), "rows by name")
    page.browser.click("#functions-body tr[data-name^=AuditTrail] .name")
    page.browser.until("return document.querySelector('#matches').textContent === '10.0 % in 1 function'", what="the share of the marked function")
    page.settle()
    same(page.colour_at("AuditTrail.digest")[:3], [255, 178, 36], "the marked function is amber;")
    page.browser.click("#functions-body tr[data-name^=AuditTrail] .name")
    page.browser.until("return document.querySelector('#matches').textContent === ''", what="an end of the mark")


@test()
def everything_can_be_done_by_keyboard(page, stub):
    page.open().wait_for_graph()
    browser = page.browser
    browser.run("document.querySelector('#canvas').focus()")
    browser.keys("Down", "Down", "Down", "Down")
    same(page.selected(), "start_thread")
    browser.keys("Down", "Right", "Right")
    same(page.selected(), "swift_job_run")
    assert page.text("#spoken").startswith("swift_job_run, depth 4, self 0 s (0 %), total 18.6 s (31.0 %)"), page.text("#spoken")
    browser.keys("Enter")
    page.settle()
    same(page.zoomed(), "swift_job_run")
    browser.keys("Up")
    same(page.selected(), "start_thread")
    browser.keys("Escape")
    page.settle()
    same((page.zoomed(), page.selected()), ("bookmaker", None))
    browser.keys("/")
    same(browser.run("return document.activeElement.id"), "search")
    browser.keys("swift", "Enter")
    page.browser.until("return sonde.flame.selected > 0", what="a first match")
    first = page.selected()
    assert first.startswith("swift_"), first
    browser.keys("n")
    assert page.selected().startswith("swift_") and page.selected() != first, "n goes on to the next match"
    browser.keys("N")
    same(page.selected(), first)
    browser.keys("f")
    browser.until("return sonde.state.order === 'flame'")
    browser.keys("?")
    browser.until("return document.querySelector('#help-dialog').open", what="help")
    assert "next match" in page.text("#help-dialog")
    same(page.complaints(), [], "help")
    browser.keys("Escape")
    browser.until("return !document.querySelector('#help-dialog').open")
    browser.keys("3")
    browser.until("return document.querySelector('#main').dataset.view === 'table'")


@test()
def every_control_is_reached_by_tab_and_shows_its_focus(page, stub):
    page.open().wait_for_graph()
    reached = []
    for _ in range(70):
        page.browser.keys("Tab")
        found = page.browser.run("const a = document.activeElement; return [a.id || (a.dataset.page && 'nav-' + a.dataset.page) || a.dataset.view || a.dataset.sort || a.className, getComputedStyle(a).outlineStyle !== 'none'];")
        if found[0] in reached:
            break
        reached.append(found[0])
        assert found[1] or found[0] == "", f"{found[0]} shows no focus"
    for control in ("nav-source", "nav-agents", "service", "type", "range", "live", "download", "theme", "help", "graph", "search", "order", "reset", "canvas", "self", "agents-toggle"):
        assert control in reached or control in ("agents-toggle",), f"Tab does not reach {control}: {reached}"


@test()
def the_flame_grows_upwards_when_asked(page, stub):
    page.open("?order=flame").wait_for_graph()
    assert page.box("main")["y"] > page.box("Router.handle")["y"]
    bottom = page.browser.run("return sonde.flame.canvas.getBoundingClientRect().bottom;")
    near(page.graph("return boxOf(0).y;") + 20, bottom, 1)
    page.click_frame("Router.handle")
    same(page.zoomed(), "Router.handle(_: Request) -> Response")


@test()
def the_address_brings_back_the_same_view(page, stub):
    page.open().wait_for_graph()
    page.click_frame("Router.handle")
    page.search("poisson")
    page.browser.until("return location.search.includes('search=poisson')", what="the search in the address")
    page.browser.click("[data-view=graph]")
    query = page.query()
    page.open(query).wait_for_graph()
    same(page.zoomed(), "Router.handle(_: Request) -> Response")
    same(page.browser.run("return document.querySelector('#search').value"), "poisson")
    assert not page.is_shown("#table")
    page.browser.run("history.back()")
    page.browser.until("return document.querySelector('#table').checkVisibility()", what="the table again, by Back")


@test()
def a_live_page_takes_new_data_and_keeps_the_zoom(page, stub):
    page.open().wait_for_graph()
    page.click_frame("Settlement.settle")
    page.browser.run("window.blanks = 0; new MutationObserver(() => { if (!document.querySelector('#message').hidden) window.blanks += 1; }).observe(document.body, {subtree: true, attributes: true});")
    stub.days.tree = synthetic.bookmaker(120, extra=[([synthetic.START, synthetic.MAIN, synthetic.frame("AFreshFunction()")], 500)])
    page.browser.until("return [...sonde.flame.graph.frames.strings].includes('AFreshFunction()')", what="new data without a click", limit=60)
    same(page.zoomed(), "Settlement.settle(_: Market, winner: Selection)")
    near(page.box("Settlement.settle")["width"] / page.graph("return flame.painter.width;"), 1, 0.001)
    same(page.browser.run("return window.blanks"), 0, "messages in between")
    page.browser.click("#live")
    same(page.browser.run("return document.querySelector('#live').ariaPressed"), "false")
    asked = stub.days.answered_flames
    page.browser.until("return sonde.poller.timer > 0")
    page.browser.run_async("await sonde.poller.run(); await sonde.poller.run(); return 0;")
    same(stub.days.answered_flames, asked, "questions while held;")


@test()
def an_unchanged_answer_is_not_drawn_again(page, stub):
    page.open().wait_for_graph()
    graph = page.browser.run("window.before = sonde.flame.graph; window.row = document.querySelector('#functions-body tr'); return true;")
    page.browser.run_async("await sonde.poller.run(); return 0;")
    assert graph and page.browser.run("return sonde.flame.graph === window.before && document.querySelector('#functions-body tr') === window.row;")


@test()
def a_drag_on_the_timeline_chooses_a_range(page, stub):
    page.open().wait_for_graph()
    box = page.browser.run("const b = document.querySelector('#timeline-canvas').getBoundingClientRect(); return [b.left, b.top, b.width];")
    page.browser.mouse(("move", box[0] + box[2] * 0.25, box[1] + 20), ("down",), ("move", box[0] + box[2] * 0.4, box[1] + 20), ("move", box[0] + box[2] * 0.5, box[1] + 20), ("up",))
    page.browser.until("return /from=\\d+&until=\\d+/.test(location.search)", what="an absolute range in the address")
    length = page.browser.run("return Number(sonde.state.until) - Number(sonde.state.from);")
    near(length / 3_600_000, 0.25, 0.01)
    page.browser.until("return document.querySelector('#live').ariaPressed === 'false'")
    page.browser.click("#live")
    page.browser.until("return location.search === '?service=bookmaker'", what="live again")


@test()
def ranges_are_chosen_in_the_menu(page, stub):
    page.open().wait_for_graph()
    page.browser.click("#range")
    page.browser.until("return document.querySelector('#range-menu').checkVisibility()")
    same(page.complaints(), [], "the open menu")
    page.browser.click("[data-from='now-15m']")
    page.browser.until("return document.querySelector('#range').textContent === 'Last 15 minutes' && location.search.includes('now-15m')")
    page.browser.until("return sonde.profiles.answered?.includes('now-15m')", what="an answer")
    assert any(query.get("from") == "now-15m" for _, path, query in stub.days.requests if path == "/api/v1/flame")
    page.browser.click("#range")
    page.browser.run("document.querySelector('#range-from').value = '2026-01-02T10:00:00'; document.querySelector('#range-until').value = '2026-01-02T09:00:00';")
    page.browser.click("#range-form button")
    assert "want from before until" in page.text("#range-error")
    page.browser.run("document.querySelector('#range-until').value = '2026-01-02T11:00:00';")
    page.browser.click("#range-form button")
    page.browser.until("return Number(sonde.state.until) - Number(sonde.state.from) === 3600000", what="the absolute range")
    page.browser.click("#earlier")
    page.browser.until("return sonde.state.until === String(new Date('2026-01-02T10:30:00').getTime())", what="an earlier range")


@test()
def labels_narrow_the_question(page, stub):
    page.open().wait_for_graph()
    page.browser.click("#filter-button")
    page.browser.until("return document.querySelectorAll('#filter-labels option').length === 3", what="suggestions")
    page.browser.fill("#filter", 'host="host-a"')
    page.browser.click("#filter-form [type=submit]")
    page.browser.until("return document.querySelector('#filter-button').textContent === 'host=\"host-a\"' && sonde.profiles.answered?.includes('host-a')")
    asked = [query["selector"] for _, path, query in stub.days.requests if path == "/api/v1/flame"]
    same(asked[-1], '{service_name="bookmaker",host="host-a"}')


@test()
def consumers_are_listed_by_label_and_one_is_opened(page, stub):
    page.open("?view=explore&group=host").wait_for_graph()
    page.browser.until("return document.querySelectorAll('.consumer').length === 2", what="two hosts")
    same(page.complaints(), [])
    names = "return [...document.querySelectorAll('.consumer-name')].map((name) => name.textContent)"
    first = page.browser.run(names)[0]
    page.browser.click(".consumer:last-child .star")
    assert page.browser.run(names)[1] == first, "favourites come first"
    page.browser.click(".consumer .star")
    page.browser.click(".consumer .consumer-name")
    page.browser.until("return document.querySelector('#graph').checkVisibility() && /filter=host/.test(location.search)", what="the narrowed profile")


@test()
def no_data_at_all_says_how_to_start_an_agent(page, stub):
    stub.days.services = False
    page.open()
    page.browser.until("return document.querySelector('#message').checkVisibility()", what="a message")
    text = page.text("#message")
    for part in ("No profiles yet", "Sonde.start(.init(service:", f"SONDE_URL={page.url.rstrip('/')}", "sonde run"):
        assert part in text, f"{part} is not in {text}"
    same(page.complaints(), [], "the empty state")
    stub.days.services = True
    page.wait_for_graph(20)
    assert not page.is_shown("#message"), "data that arrives replaces the message"


@test()
def a_range_without_data_says_so_and_offers_a_wider_one(page, stub):
    stub.days.empty = True
    page.open()
    page.browser.until("return document.querySelector('#message').checkVisibility()", what="a message")
    same(page.text("#message h2"), "No samples of cpu from bookmaker: Last hour")
    same(page.text("#timeline-readout"), "no data")
    stub.days.empty = False
    page.browser.click("#message button")
    page.wait_for_graph()
    same(page.text("#range"), "Last 24 hours")


@test()
def a_controller_that_goes_away_and_comes_back(page, stub):
    page.open().wait_for_graph()
    stub.days.away = True
    page.browser.run_async("await sonde.poller.run(); return 0;")
    assert "cannot reach the controller" in page.text("#banner") and "shown as of" in page.text("#banner"), page.text("#banner")
    assert page.graph("return graph.count;") > 10, "the last graph stays"
    stub.days.away = False
    page.browser.until("return document.querySelector('#banner').textContent === ''", what="recovery by itself", limit=60)
    page.browser.complaints()


@test()
def a_controller_that_is_away_from_the_start(page, stub):
    stub.days.away = True
    page.open()
    page.browser.until("return document.querySelector('#message').checkVisibility()", what="a message")
    same(page.text("#message h2"), "The controller is away")
    same(page.complaints(), [])
    stub.days.away = False
    page.browser.click("#message button")
    page.wait_for_graph()
    page.browser.complaints()


@test()
def a_refusal_is_shown_in_the_controllers_words(page, stub):
    stub.days.failing = (400, "invalid_argument", "cannot read the selector: got a bare comma; want matchers")
    page.open("?service=bookmaker&filter=,")
    page.browser.until("return document.querySelector('#message').checkVisibility()", what="a message")
    assert "cannot read the selector: got a bare comma; want matchers" in page.text("#message")
    page.browser.complaints()


@test()
def a_token_is_asked_for_and_kept(page, stub):
    stub.days.token = "sonde_right"
    page.open()
    page.browser.until("return document.querySelector('#token')", what="a token field")
    same(page.text("#message h2"), "A token is needed")
    same(page.complaints(), [])
    page.browser.fill("#token", "sonde_wrong")
    page.browser.click("#message [type=submit]")
    page.browser.until("return document.querySelector('#message h2').textContent === 'The token was refused' && document.querySelector('#message').checkVisibility()", what="a refusal")
    page.browser.fill("#token", "sonde_right")
    page.browser.keys("Enter")
    page.wait_for_graph()
    page.open().wait_for_graph()
    page.browser.run("localStorage.clear()")
    page.browser.complaints()


@test()
def a_tenant_is_asked_for_kept_and_changed(page, stub):
    stub.days.tenants = {"night", "day"}
    page.open()
    page.browser.until("return document.querySelector('#tenant-wanted')", what="a tenant field")
    same(page.text("#message h2"), "A tenant is needed")
    assert "got no X-Scope-OrgID" in page.text("#message")
    same(page.complaints(), [])
    page.browser.fill("#tenant-wanted", "night")
    page.browser.keys("Enter")
    page.wait_for_graph()
    same(page.text("#tenant"), "night")
    page.open().wait_for_graph()
    same(page.text("#tenant"), "night", "the name is kept")
    page.browser.click("#tenant")
    page.browser.fill("#tenant-name", "day")
    page.browser.keys("Enter")
    page.browser.until("return document.querySelector('#tenant').textContent === 'day'", what="the other tenant's name")
    page.wait_for_graph()
    page.browser.click("#tenant")
    page.browser.run("document.querySelector('#tenant-name').value = ''")
    page.browser.click("#tenant-form [type=submit]")
    page.browser.until("return document.querySelector('#tenant-wanted')", what="the question again")
    assert page.browser.run("return document.querySelector('#tenant').hidden")
    page.browser.run("localStorage.clear()")
    page.browser.complaints()


@test()
def a_truncated_answer_says_so_and_offers_more(page, stub):
    stub.days.truncated = True
    stub.days.tree = synthetic.bookmaker(60, extra=[([synthetic.START, synthetic.MAIN, synthetic.frame("other", "", "", 0, synthetic.OTHER)], 80)])
    page.open().wait_for_graph()
    assert page.text("#more-nodes").startswith("Truncated to 2"), page.text("#more-nodes")
    same(page.rows()[0][0], "Hidden.inOther()", "the table is the controller's own list")
    page.browser.click("#more-nodes")
    page.browser.until("return location.search.includes('nodes=262144')")
    page.browser.until("return sonde.profiles.answered?.includes('262144')", what="an answer")
    assert any(query.get("maxNodes") == "262144" for _, _, query in stub.days.requests)


@test()
def frames_without_names_say_why(page, stub):
    stub.days.notes = ["libodds.so (build id 12ab34cd) has no debug info here; push it with sonde debuginfo push libodds.so"]
    page.open().wait_for_graph()
    assert "6.00 % without a name" in page.text("#facts")
    page.browser.click("#notes-button")
    page.browser.until("return document.querySelector('#notes-menu').checkVisibility()")
    assert "12ab34cd" in page.text("#notes")
    same(page.colour_at("libodds.so+0x4f10")[:3], [207, 211, 218], "unresolved frames are grey;")


@test()
def the_agents_strip_tells_and_changes(page, stub):
    stub.days.agents = [agent("host-a", 4711, "a"), agent("host-b", 4712, "b", losses={"ring full": 7}, problems=["SIGPROF is owned by the program"])]
    page.open().wait_for_graph()
    assert "2 agents connected · 100 Hz" in page.text("#agents-summary") and "7 losses" in page.text("#agents-summary")
    page.browser.click("#agents-toggle")
    page.browser.until("return document.querySelectorAll('#agents-list .agent').length === 2", what="the agents")
    text = page.text("#agents-list")
    for part in ("host-a · pid 4711", "SIGPROF is owned by the program", "ring full 7", "0.12 % of a core, 6 MiB"):
        assert part in text, f"{part} is not in {text}"
    same(page.complaints(), [])
    page.browser.fill("#agents-list input", "49")
    page.browser.keys("Enter")
    page.browser.until("return document.querySelector('#agents-outcome').textContent.startsWith('asked')", what="an outcome")
    same(stub.days.patches, [({"service": "bookmaker", "instance": "a"}, {"cpu": {"enabled": True, "hertz": 49}})])
    page.browser.until("return document.querySelector('#agents-summary').textContent.includes('different rates')", what="the new rate", limit=60)
    stub.days.role = "viewer"
    page.browser.click("#agents-list .rate button[type=button]")
    page.browser.until("return document.querySelector('#agents-outcome').textContent.includes('got role viewer; want developer')", what="a refusal")
    page.browser.complaints()


@test()
def the_profile_is_saved_in_every_format(page, stub):
    page.open().wait_for_graph()
    page.browser.run("window.saved = []; HTMLAnchorElement.prototype.click = function () { window.saved.push(this.download); };")
    for number, name in enumerate(("folded", "pprof", "speedscope", "svg")):
        page.browser.click("#download")
        page.browser.click(f"[data-format={name}]")
        page.browser.until("return window.saved.length === arguments[0]", number + 1, what=f"a file of {name}")
    same(page.browser.run("return window.saved"), [f"bookmaker-cpu.{suffix}" for suffix in ("folded.txt", "pb.gz", "speedscope.json", "svg")])


@test()
def a_hundred_thousand_frames_are_drawn_and_searched(page, stub):
    stub.days.flame = json.dumps(synthetic.large(100_000).answer(**{"from": 0, "until": 3_600_000})).encode()
    page.open().wait_for_graph(40)
    same(page.graph("return graph.count;"), 100_000)
    page.search("OddsEngine")
    page.browser.until("return / in \\d+ functions/.test(document.querySelector('#matches').textContent)", what="matches")
    items = page.graph("return flame.painter.visible.count;")
    assert items < 60_000, f"{items} rectangles"
    same(page.browser.run("return document.querySelectorAll('#functions-body tr').length <= 200"), True)


@test()
def an_answer_that_contradicts_itself_is_refused(page, stub):
    stub.days.flame = b'{"type":"cpu","unit":"nanoseconds","from":0,"until":1,"profiles":1,"total":5,"unresolved":0,"truncated":false,"strings":[""],"frames":{"name":[],"file":[],"line":[],"module":[],"kind":[]},"nodes":{"parent":[-1,7],"frame":[-1,0],"self":[0,5],"total":[5,5]},"notes":[]}'
    page.open()
    page.browser.until("return document.querySelector('#message').checkVisibility()", what="a message")
    assert "cannot read the flame graph: got parent 7 of node 1" in page.text("#message"), page.text("#message")


@test()
def names_are_text_and_never_markup(page, stub):
    evil = synthetic.frame("<img src=x onerror=window.pwned=1>", "<b>lib</b>", "<i>f</i>", 1)
    stub.days.tree = synthetic.bookmaker(60, extra=[([synthetic.START, evil], 900)])
    page.open().wait_for_graph()
    page.browser.mouse(("move", *page.middle("<img")))
    page.browser.until("return document.querySelector('#tooltip').checkVisibility()")
    same(page.browser.run("return [window.pwned ?? null, document.querySelectorAll('img').length]"), [None, 0])
    assert "<img src=x" in page.text("#tooltip")


@test()
def the_page_passes_its_own_audit_in_light(page, stub):
    page.open().wait_for_graph()
    page.click_frame("Router.handle")
    same(page.complaints(), [])
    near(page.layout_shift(), 0, 0.01)


@test(DARK)
def the_page_passes_its_own_audit_in_dark_and_switches_to_light(page, stub):
    page.open().wait_for_graph()
    same(page.complaints(), [])
    same(page.browser.run("return sonde.flame.painter.palette.background"), "#12151b")
    page.browser.click("#theme")
    page.settle()
    same(page.browser.run("return [document.documentElement.dataset.theme, sonde.flame.painter.palette.background]"), ["light", "#ffffff"])
    same(page.complaints(), [])
    page.open().wait_for_graph()
    same(page.browser.run("return document.documentElement.dataset.theme"), "light", "the choice is remembered;")
    page.browser.run("localStorage.clear()")


@test(PHONE)
def a_phone_shows_everything_within_its_width(page, stub):
    page.open().wait_for_graph()
    same(page.complaints(), [])
    same(page.browser.run("return [document.documentElement.scrollWidth, innerWidth]"), [390, 390])
    assert page.is_shown("#canvas") and not page.is_shown("#table")
    height = page.browser.run("return sonde.flame.painter.height")
    assert height >= 240, f"the graph has {height} px"
    page.browser.click("[data-view=table]")
    page.browser.until("return document.querySelector('#table').checkVisibility()")
    same(page.complaints(), [])


@test(PHONE)
def fingers_tap_pinch_and_pan(page, stub):
    page.open().wait_for_graph()
    browser = page.browser
    browser.until("return sonde.flame.draws > 0 && !sonde.flame.drawRequested && document.readyState === 'complete'")
    browser.run_async("await new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r))); return 0;")
    x, y = page.middle("Router.handle")
    browser.touch("touchStart", (x, y))
    browser.touch("touchEnd")
    browser.until("return sonde.flame.selected > 0", what="a selection by tap")
    same(page.zoomed(), "bookmaker", "a tap only selects;")
    assert "Router.handle" in page.text("#details-name")
    same(page.complaints(), [])
    browser.click("#zoom-frame")
    page.settle()
    same(page.zoomed(), "Router.handle(_: Request) -> Response")
    browser.click("#reset")
    page.settle()
    browser.touch("touchStart", (150, y), (240, y))
    for step in range(1, 9):
        browser.touch("touchMove", (150 - step * 8, y), (240 + step * 8, y))
    browser.touch("touchEnd")
    browser.until("return sonde.flame.span.end - sonde.flame.span.start < 35e9", what="a pinch that zooms")
    start = page.shown_span()[0]
    browser.touch("touchStart", (200, y))
    for step in range(1, 9):
        browser.touch("touchMove", (200 - step * 8, y))
    browser.touch("touchEnd")
    browser.until("return sonde.flame.span.start > arguments[0]", start, what="a pan")

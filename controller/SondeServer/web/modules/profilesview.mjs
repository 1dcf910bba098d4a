// SPDX-License-Identifier: Apache-2.0
// The page of profiles: timeline, flame graph, table and search over one answer of the controller.
import { mostNodes } from "./address.mjs";
import { paletteOf } from "./colour.mjs";
import { compared } from "./compare.mjs";
import { CompareMenu } from "./comparemenu.mjs";
import { byId, closePopover, inputById, setText } from "./dom.mjs";
import { saveProfile } from "./downloads.mjs";
import { ExploreView } from "./explore.mjs";
import { layOut } from "./flamegraph.mjs";
import { FlameView } from "./flameview.mjs";
import { formatAge } from "./format.mjs";
import { showDetails, showTooltip, speak } from "./frameinfo.mjs";
import { arrangedRows, comparedFunctions, functionsBelow } from "./functions.mjs";
import { loadAgents, loadProfile, queryOf } from "./loading.mjs";
import { hideMessage, showNothingHere, showNothingYet } from "./messages.mjs";
import { matchingFrames } from "./search.mjs";
import { SearchBox } from "./searchbox.mjs";
import { showChangeLegend, showFacts, showLegend } from "./status.mjs";
import { TableView } from "./tableview.mjs";
import { currentTheme } from "./theme.mjs";
import { TimelineView } from "./timelineview.mjs";
import { absoluteRange, describeRange, mayGrow } from "./timerange.mjs";
import { calleesOf, callersOf, isLibrary, onlyThrough, withoutFrames } from "./trees.mjs";

/** @typedef {import("./address.mjs").PageState} PageState */

/** Shows the profiles that the page's state asks for. */
export class ProfilesView {
    /** @param {import("./page.mjs").Page} page */
    constructor(page) {
        this.page = page;
        /** @type {readonly (keyof PageState)[]} */
        this.questions = ["service", "type", "filter", "from", "until", "nodes", "compare", "from2", "until2", "filter2"];
        /** @type {import("./loading.mjs").Loaded | null} */
        this.loaded = null;
        this.loadedAt = 0;
        /** The question that what is shown answers. @type {string | null} */
        this.answered = null;
        /** The functions of the whole shown graph. @type {import("./functions.mjs").FunctionRow[] | null} */
        this.rows = null;
        this.flame = new FlameView({
            onZoom: (zoom) => page.change({ zoom }, { quiet: true }),
            onSelect: (selected) => page.change({ selected }, { quiet: true }),
            onShow: (node, x, y) => this.showFrame(node, x, y),
        });
        this.table = new TableView({
            onSort: (key) => this.sortBy(/** @type {PageState["sort"]} */ (key)),
            onMark: (name) => this.mark(name),
        });
        this.timeline = new TimelineView((range) => page.change(
            { ...absoluteRange(range.from, range.until), zoom: "", selected: "" }));
        this.search = new SearchBox(this.flame, (patch) => page.change(patch, { quiet: true }));
        // Callers, or what is compared with, beside the graph.
        this.second = new FlameView({
            onZoom: () => undefined, onSelect: () => undefined,
            onShow: (node, x, y) => showTooltip(this.second.describe(node), this.second.total(), this.second.graph?.unit ?? "", x, y),
        }, "second-");
        this.explore = new ExploreView(page);
        this.compareMenu = new CompareMenu(page);
        this.listen();
        showDetails(null, 0, "");
    }

    listen() {
        const { page } = this;
        byId("zoom-in").addEventListener("click", () => this.flame.zoomBy(0.5));
        byId("zoom-out").addEventListener("click", () => this.flame.zoomBy(2));
        byId("reset").addEventListener("click", () => this.reset());
        byId("zoom-frame").addEventListener("click", () => this.flame.zoomTo(this.flame.selected));
        byId("find-frame").addEventListener("click", () => this.markSelected());
        byId("copy-frame").addEventListener("click", () => this.copySelected());
        byId("around-frame").addEventListener("click", () => this.lookAround());
        byId("around").addEventListener("click", () => page.change({ around: "", zoom: "", selected: "" }));
        byId("libraries").addEventListener("click", () => page.change({ hide: !page.state.hide, zoom: "", selected: "" }));
        byId("only").addEventListener("click", () => page.change({ only: !page.state.only, zoom: "", selected: "" }));
        byId("colour").addEventListener("change", () => page.change({ colour: /** @type {"module"} */ (/** @type {HTMLSelectElement} */ (byId("colour")).value) }));
        byId("source-frame").addEventListener("click", () => this.openSource());
        byId("more-nodes").addEventListener("click", () => page.change({ nodes: Math.min(page.state.nodes * 4, mostNodes) }));
        for (const button of byId("download-menu").querySelectorAll("button")) {
            button.addEventListener("click", () => this.download(button));
        }
    }

    /**
     * @param {PageState} before
     * @param {PageState} next
     */
    adopt(before, next) {
        if (next.view === "explore" && (before.view !== "explore" || before.group !== next.group)) this.page.poller.run();
        const onlyChanged = next.only && (before.search !== next.search || before.regex !== next.regex);
        if (before.hide !== next.hide || before.only !== next.only || before.around !== next.around || onlyChanged) {
            this.layOutAgain();
            return;
        }
        if (before.zoom !== next.zoom && this.flame.graph) this.flame.goTo(next.zoom);
        const searched = ["search", "regex", "marked"].some((key) =>
            before[/** @type {"search"} */ (key)] !== next[/** @type {"search"} */ (key)]);
        if (searched) this.flame.highlight(this.search.found(next));
        if (searched || before.zoom !== next.zoom || before.sort !== next.sort || before.ascending !== next.ascending) {
            this.showTable();
        }
    }

    /** @param {PageState} state */
    showState(state) {
        this.flame.useOrder(state.order);
        for (const flame of [this.flame, this.second]) flame.useColour(state.colour);
        this.second.useOrder(state.around === "" ? state.order : "flame");
        byId("libraries").setAttribute("aria-pressed", String(state.hide));
        byId("only").setAttribute("aria-pressed", String(state.only));
        // Not hidden: what comes and goes would move the field beside it.
        /** @type {HTMLButtonElement} */ (byId("only")).disabled = state.search === "" && !state.only;
        byId("around").hidden = state.around === "";
        setText(byId("around"), `Callers and callees of ${state.around} ✕`);
        /** @type {HTMLSelectElement} */ (byId("colour")).value = state.colour;
        this.compareMenu.showState(state);
        this.table.markSort(state.sort, state.ascending);
    }

    /** Another question was asked. */
    moved() {
        this.table.rewind();
    }

    /** @returns {string} what the answer depends on */
    question() {
        const { state } = this.page;
        const explores = state.view === "explore";
        return JSON.stringify([...this.questions.map((key) => state[key]), explores, explores ? state.group : ""]);
    }

    /** @returns {boolean} whether what is shown needs no answer */
    isIdle() {
        const { state } = this.page;
        return this.question() === this.answered && (state.paused || !mayGrow(state, this.loadedAt));
    }

    /** @param {AbortSignal} signal */
    async load(signal) {
        const { page } = this;
        if (this.isIdle()) {
            page.showAgents(await loadAgents(page.connection, page.state, signal));
            return;
        }
        const asked = this.question();
        // With a named service nothing has to wait for the list of services.
        const early = page.state.service !== "" ? loadProfile(page.connection, page.state, signal) : null;
        early?.catch(() => undefined);
        const same = await page.chooseService(signal);
        if (signal.aborted) return;
        if (page.services.length === 0) {
            this.answered = this.question();
            this.forget();
            showNothingYet();
            return;
        }
        const loaded = await (early && same ? early : loadProfile(page.connection, page.state, signal));
        if (signal.aborted) return;
        if (page.state.view === "explore") await this.explore.load(signal);
        if (signal.aborted) return;
        this.loadedAt = Date.now();
        const again = asked === this.answered;
        this.answered = same ? asked : this.question();
        this.show(loaded, again);
    }

    /** @returns {string} since when what is shown is old; empty when nothing is shown that is asked for */
    staleness() {
        if (!this.flame.graph || this.question() !== this.answered) return "";
        return `shown as of ${formatAge(Date.now() - this.loadedAt)} ago`;
    }

    /** Takes the old graph away where its question has no answer. */
    forget() {
        this.loaded = null;
        this.flame.clear();
        this.second.clear();
        byId("second").hidden = true;
        this.rows = null;
        this.showTable();
        showDetails(null, 0, "");
        showLegend([], 0);
        setText(byId("facts"), "");
        setText(byId("matches"), "");
    }

    /**
     * @param {import("./loading.mjs").Loaded} loaded
     * @param {boolean} again whether the question is the last one's
     */
    show(loaded, again) {
        const { state } = this.page;
        this.timeline.show(loaded.timeline, loaded.flame.from, loaded.flame.until);
        this.page.showAgents(loaded.agents);
        const { flame } = loaded;
        const unchanged = again && this.loaded && sameProfile(this.loaded.flame, flame);
        if (!(flame.total > 0)) this.forget();
        this.loaded = loaded;
        showFacts(flame, state);
        if (!(flame.total > 0)) {
            const type = flame.type.split(":")[1] ?? state.type;
            showNothingHere(`${type} from ${state.service}`, describeRange(state, Date.now()),
                () => this.page.change({ from: "now-1d", until: "now", paused: false }));
            return;
        }
        hideMessage();
        if (unchanged && this.flame.graph && !loaded.baseline) return;
        this.layOutAgain();
    }

    /** Makes the graphs of the answer that is there, as the state wants them. */
    layOutAgain() {
        const { state } = this.page;
        if (!this.loaded || !(this.loaded.flame.total > 0)) return;
        const matches = this.search.matches(state);
        const prepared = (/** @type {import("./flamegraph.mjs").FlameAnswer} */ answer) => preparedAnswer(answer, state, matches);
        const shown = prepared(this.loaded.flame);
        const baseline = this.loaded.baseline && prepared(this.loaded.baseline);
        const comparison = baseline && state.compare === "diff" ? compared(baseline, shown) : null;
        const isAround = (/** @type {number} */ frame) => shown.strings[shown.frames.name[frame]] === state.around;
        const around = state.around !== "" && !comparison;
        const graph = layOut(comparison?.answer ?? (around ? calleesOf(shown, isAround) : shown));
        const beside = around ? callersOf(shown, isAround) : baseline && !comparison ? baseline : null;
        byId("main").classList.toggle("around", around);
        byId("second").hidden = !beside;
        setText(byId("second-title"), around ? "Callers" : beside && !(beside.total > 0) ? "Before: no samples in that range" : "Before");
        setText(byId("first-title"), !beside ? "" : around ? "Callees" : "Now");
        byId("first-title").hidden = !beside;
        this.rows = comparison ? comparedFunctions(graph, comparison, 0) : functionsBelow(graph, 0);
        this.search.use(graph);
        const rootName = around ? "all calls" : state.service || "all";
        this.flame.show(graph, this.search.found(state), { zoom: state.zoom, selected: state.selected, rootName }, comparison);
        if (beside) {
            const second = layOut(beside);
            this.second.show(second, matches ? matchingFrames(second, matches) : null, { zoom: "", selected: "", rootName });
        } else {
            this.second.clear();
        }
        this.showFrame(this.flame.selected, -1, -1);
        this.showTable();
        this.showColours();
    }

    showTable() {
        const { state } = this.page;
        const { graph } = this.flame;
        if (!graph) {
            this.table.show([], 0, "count", "");
            return;
        }
        const below = this.flame.zoomed;
        // The controller's own list knows also what a truncated graph had to leave out.
        const { comparison } = this.flame;
        const whole = !state.hide && !state.only && state.around === "" && !comparison;
        const exact = below === 0 && whole ? this.loaded?.top : null;
        const found = exact ?? (below === 0 && this.rows ? this.rows
            : comparison ? comparedFunctions(graph, comparison, below) : functionsBelow(graph, below));
        const rows = arrangedRows(found, this.search.matches(state), state.sort, state.ascending);
        this.table.show(rows, comparison ? 1 : graph.total[below], graph.unit, state.marked, comparison !== null);
        this.search.report(state, below);
    }

    /**
     * @param {number} node
     * @param {number} x
     * @param {number} y
     */
    showFrame(node, x, y) {
        const frame = this.flame.describe(node);
        const [total, unit] = [this.flame.total(), this.flame.graph?.unit ?? ""];
        showTooltip(frame, total, unit, x, y);
        const selected = this.flame.describe(this.flame.selected);
        showDetails(selected, total, unit);
        if (selected && x < 0 && node === this.flame.selected) speak(selected, total, unit);
    }

    /** @param {PageState["sort"]} sort */
    sortBy(sort) {
        const { state } = this.page;
        const again = state.sort === sort;
        this.page.change({ sort, ascending: again ? !state.ascending : sort === "name" }, { quiet: true });
    }

    /** @param {string} name */
    mark(name) {
        this.page.change({ marked: this.page.state.marked === name ? "" : name }, { quiet: true });
    }

    markSelected() {
        const frame = this.flame.describe(this.flame.selected);
        if (frame) this.mark(frame.name);
    }

    /** Shows who calls the focused or marked function, and what it calls. */
    lookAround() {
        const name = this.flame.describe(this.flame.selected)?.name ?? this.page.state.marked;
        if (name && this.flame.selected !== 0) this.page.change({ around: name, compare: "", zoom: "", selected: "" });
    }

    /** Opens the source of the focused frame, or else that of the marked function. */
    openSource() {
        const { state } = this.page;
        const place = this.flame.describe(this.flame.selected)?.place
            ?? this.rows?.find((row) => row.name === state.marked)?.place ?? "";
        const found = /^(.*?)(?::(\d+))?$/.exec(place);
        if (place === "" || !found) {
            this.page.showBanner("cannot open the source: got a frame without a file; want one with debug info");
            return;
        }
        this.page.change({ page: "source", file: found[1], line: 0, probe: "" });
    }

    async copySelected() {
        const frame = this.flame.describe(this.flame.selected);
        if (!frame) return;
        try {
            await navigator.clipboard.writeText(frame.name);
            setText(byId("spoken"), "Copied");
        } catch {
            this.page.showBanner("cannot copy the name: the browser refused access to the clipboard");
        }
    }

    /** One Escape takes one thing away: the mark, the search, then the zoom. */
    reset() {
        const { state } = this.page;
        if (state.marked !== "") this.page.change({ marked: "" }, { quiet: true });
        else if (state.around !== "" && this.flame.isReset()) this.page.change({ around: "" });
        this.flame.reset();
    }

    applyTheme() {
        for (const flame of [this.flame, this.second]) flame.useTheme(currentTheme());
        this.timeline.draw();
        this.showColours();
    }

    /** What the graph's colours mean. */
    showColours() {
        const { comparison, graph } = this.flame;
        if (comparison) showChangeLegend(paletteOf(currentTheme()), comparison.samples);
        else showLegend(this.rows ?? [], graph?.total[0] ?? 0);
    }

    /** @param {HTMLElement} button */
    async download(button) {
        closePopover(button);
        const { state, connection } = this.page;
        const format = /** @type {"folded"} */ (button.dataset.format);
        const query = queryOf(state);
        if (this.loaded) Object.assign(query, { from: this.loaded.flame.from, until: this.loaded.flame.until });
        try {
            await saveProfile(connection, format, query, state.service);
        } catch (error) {
            this.page.showBanner(error instanceof Error ? error.message : String(error));
        }
    }

    /** Puts the cursor into the search field. */
    focusSearch() {
        inputById("search").select();
    }
}

/**
 * An answer without what the state leaves out.
 *
 * @param {import("./flamegraph.mjs").FlameAnswer} answer
 * @param {PageState} state
 * @param {((name: string) => boolean) | null} matches
 * @returns {import("./flamegraph.mjs").FlameAnswer}
 */
function preparedAnswer(answer, state, matches) {
    const { frames, strings } = answer;
    let shown = answer;
    if (state.hide) {
        shown = withoutFrames(shown, (frame) => frames.kind[frame] !== 3
            && isLibrary(strings[frames.module[frame]], strings[frames.file[frame]]));
    }
    if (state.only && matches) shown = onlyThrough(shown, (frame) => frames.kind[frame] !== 3 && matches(strings[frames.name[frame]]));
    return shown;
}

/**
 * @param {import("./flamegraph.mjs").FlameAnswer} one
 * @param {import("./flamegraph.mjs").FlameAnswer} other
 * @returns {boolean} whether they merge the same profiles, symbolized alike
 */
function sameProfile(one, other) {
    return one.total === other.total && one.profiles === other.profiles && one.unresolved === other.unresolved
        && one.nodes.parent.length === other.nodes.parent.length && one.strings.length === other.strings.length;
}

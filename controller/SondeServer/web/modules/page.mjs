// SPDX-License-Identifier: Apache-2.0
// The page: one state, the views that show it, and the questions it asks the controller.
import { mostNodes, queryOfState, stateOfQuery } from "./address.mjs";
import { AgentsView } from "./agentsview.mjs";
import { Connection, ControllerError } from "./connection.mjs";
import { listenToControls, placeMenus, showControls, showServices } from "./controls.mjs";
import { byId, closePopover, element, inputById, setText } from "./dom.mjs";
import { saveProfile } from "./downloads.mjs";
import { layOut } from "./flamegraph.mjs";
import { FlameView } from "./flameview.mjs";
import { formatAge } from "./format.mjs";
import { showDetails, showTooltip, speak } from "./frameinfo.mjs";
import { arrangedRows, functionsBelow } from "./functions.mjs";
import { listenToKeys } from "./keyboard.mjs";
import { keyBindings } from "./keys.mjs";
import { chosenProfile, loadAgents, loadMatchers, loadProfile, loadServices, queryOf } from "./loading.mjs";
import { askForToken, hideMessage, showFailure, showNothingHere, showNothingYet } from "./messages.mjs";
import { Poller } from "./poller.mjs";
import { SearchBox } from "./searchbox.mjs";
import { showFacts, showLegend } from "./status.mjs";
import { TableView } from "./tableview.mjs";
import { currentTheme, restoreTheme, switchTheme, watchSystemTheme } from "./theme.mjs";
import { TimelineView } from "./timelineview.mjs";
import { absoluteRange, describeRange, isLive } from "./timerange.mjs";

/** @typedef {import("./address.mjs").PageState} PageState */

/** Changes of these ask the controller again. */
const questions = /** @type {const} */ (["service", "type", "filter", "from", "until", "nodes"]);

/** Holds the state; views tell it what a person did, and it tells them what to show. */
export class Page {
    constructor() {
        restoreTheme();
        this.state = stateOfQuery(location.search);
        this.connection = new Connection();
        /** @type {import("./controls.mjs").Service[]} */
        this.services = [];
        /** @type {import("./loading.mjs").Loaded | null} */
        this.loaded = null;
        this.loadedAt = 0;
        /** The question that what is shown answers. @type {string | null} */
        this.answered = null;
        /** The functions of the whole shown graph. @type {import("./functions.mjs").FunctionRow[] | null} */
        this.rows = null;
        /** Counts questions, so that a late answer to an old one is dropped. */
        this.asking = new AbortController();
        this.flame = new FlameView({
            onZoom: (zoom) => this.change({ zoom }, { quiet: true }),
            onSelect: (selected) => this.change({ selected }, { quiet: true }),
            onShow: (node, x, y) => this.showFrame(node, x, y),
        });
        this.table = new TableView({
            onSort: (key) => this.sortBy(/** @type {PageState["sort"]} */ (key)),
            onMark: (name) => this.mark(name),
        });
        this.timeline = new TimelineView((range) => this.change(
            { ...absoluteRange(range.from, range.until), zoom: "", selected: "" }));
        this.agents = new AgentsView((instance, cpu) => this.changeAgent(instance, cpu));
        this.search = new SearchBox(this.flame, (patch) => this.change(patch, { quiet: true }));
        this.poller = new Poller(() => this.tick());
        this.listen();
        this.applyTheme();
        this.showState();
        showDetails(null, 0, "");
        this.poller.run();
    }

    listen() {
        placeMenus();
        listenToControls(() => this.state, (patch) => this.change(patch));
        listenToKeys(keyBindings(this));
        addEventListener("popstate", () => this.adopt(stateOfQuery(location.search)));
        watchSystemTheme(() => this.applyTheme());
        byId("theme").addEventListener("click", () => this.nextTheme());
        byId("help").addEventListener("click", () => this.openHelp());
        byId("zoom-in").addEventListener("click", () => this.flame.zoomBy(0.5));
        byId("zoom-out").addEventListener("click", () => this.flame.zoomBy(2));
        byId("reset").addEventListener("click", () => this.reset());
        byId("zoom-frame").addEventListener("click", () => this.flame.zoomTo(this.flame.selected));
        byId("find-frame").addEventListener("click", () => this.markSelected());
        byId("copy-frame").addEventListener("click", () => this.copySelected());
        byId("more-nodes").addEventListener("click", () => this.change({ nodes: Math.min(this.state.nodes * 4, mostNodes) }));
        byId("filter-menu").addEventListener("toggle", () => this.suggestMatchers());
        for (const button of byId("download-menu").querySelectorAll("button")) {
            button.addEventListener("click", () => this.download(button));
        }
    }

    /**
     * Takes over a change of state: into the address, onto the page, and to the controller if needed.
     *
     * @param {Partial<PageState>} patch
     * @param {{ quiet?: boolean }} [options] quiet: no new entry in the browser's history
     */
    change(patch, options = {}) {
        const next = { ...this.state, ...patch };
        const query = queryOfState(next);
        if (query !== queryOfState(this.state)) {
            const address = location.pathname + query;
            if (options.quiet) history.replaceState(null, "", address);
            else history.pushState(null, "", address);
        }
        this.adopt(next);
    }

    /** @param {PageState} next */
    adopt(next) {
        const before = this.state;
        this.state = next;
        this.showState();
        const moved = questions.some((key) => before[key] !== next[key]);
        if (moved || (before.paused && !next.paused)) {
            if (moved) this.table.rewind();
            this.asking.abort();
            this.poller.run();
            return;
        }
        if (before.zoom !== next.zoom && this.flame.graph) this.flame.goTo(next.zoom);
        const searched = ["search", "regex", "marked"].some((key) =>
            before[/** @type {"search"} */ (key)] !== next[/** @type {"search"} */ (key)]);
        if (searched) this.flame.highlight(this.search.found(this.state));
        if (searched || before.zoom !== next.zoom || before.sort !== next.sort || before.ascending !== next.ascending) {
            this.showTable();
        }
    }

    showState() {
        showControls(this.state);
        showServices(this.services, this.state);
        this.flame.useOrder(this.state.order);
        this.table.markSort(this.state.sort, this.state.ascending);
        document.title = this.state.service === "" ? "Sonde" : `${this.state.service} – Sonde`;
    }

    /**
     * One run of the poller: all of it while the range is live or was never answered, else agents only.
     *
     * @returns {Promise<boolean>}
     */
    async tick() {
        this.asking.abort();
        this.asking = new AbortController();
        const { signal } = this.asking;
        const asked = this.question();
        const late = setTimeout(() => { byId("progress").hidden = false; }, 400);
        try {
            const idle = asked === this.answered && (!isLive(this.state) || this.state.paused);
            if (idle) {
                this.agents.show(await loadAgents(this.connection, this.state, signal));
                this.showBanner("");
                return true;
            }
            await this.load(signal, asked);
            return true;
        } catch (error) {
            // Another question has been asked meanwhile, and it reports for itself.
            if (signal.aborted) return true;
            this.fail(error);
            return false;
        } finally {
            clearTimeout(late);
            if (!signal.aborted) byId("progress").hidden = true;
        }
    }

    /** @returns {string} what the answer depends on */
    question() {
        return JSON.stringify(questions.map((key) => this.state[key]));
    }

    /**
     * @param {AbortSignal} signal
     * @param {string} asked
     */
    async load(signal, asked) {
        // With a named service nothing has to wait for the list of services.
        const named = this.state.service !== "";
        const services = loadServices(this.connection);
        const early = named ? loadProfile(this.connection, this.state, signal) : null;
        early?.catch(() => undefined);
        this.services = await services;
        if (signal.aborted) return;
        const chosen = chosenProfile(this.services, this.state);
        const same = chosen.service === this.state.service && chosen.type === this.state.type;
        this.state = { ...this.state, ...chosen };
        history.replaceState(null, "", location.pathname + queryOfState(this.state));
        this.showState();
        if (this.services.length === 0) {
            this.answered = this.question();
            this.forget();
            this.showBanner("");
            showNothingYet();
            return;
        }
        const loaded = await (early && same ? early : loadProfile(this.connection, this.state, signal));
        if (signal.aborted) return;
        this.loadedAt = Date.now();
        const again = asked === this.answered;
        this.answered = same ? asked : this.question();
        this.showBanner("");
        this.show(loaded, again);
    }

    /** Takes the old graph away where its question has no answer. */
    forget() {
        this.loaded = null;
        this.flame.clear();
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
        this.timeline.show(loaded.timeline, loaded.flame.from, loaded.flame.until);
        this.agents.show(loaded.agents);
        const { flame } = loaded;
        const unchanged = again && this.loaded && sameProfile(this.loaded.flame, flame);
        if (!(flame.total > 0)) this.forget();
        this.loaded = loaded;
        showFacts(flame, this.state);
        if (!(flame.total > 0)) {
            const type = flame.type.split(":")[1] ?? this.state.type;
            showNothingHere(`${type} from ${this.state.service}`, describeRange(this.state, Date.now()),
                () => this.change({ from: "now-1d", until: "now", paused: false }));
            return;
        }
        hideMessage();
        if (unchanged && this.flame.graph) return;
        const graph = layOut(flame);
        this.rows = functionsBelow(graph, 0);
        this.search.use(graph);
        this.flame.show(graph, this.search.found(this.state), {
            zoom: this.state.zoom, selected: this.state.selected, rootName: this.state.service || "all",
        });
        this.showFrame(this.flame.selected, -1, -1);
        this.showTable();
        showLegend(this.rows, graph.total[0]);
    }

    showTable() {
        const { graph } = this.flame;
        if (!graph) {
            this.table.show([], 0, "count", "");
            return;
        }
        const below = this.flame.zoomed;
        // The controller's own list knows also what a truncated graph had to leave out.
        const exact = below === 0 ? this.loaded?.top : null;
        const found = exact ?? (below === 0 && this.rows ? this.rows : functionsBelow(graph, below));
        const rows = arrangedRows(found, this.search.matches(this.state), this.state.sort, this.state.ascending);
        this.table.show(rows, graph.total[below], graph.unit, this.state.marked);
        this.search.report(this.state, below);
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

    /** @param {unknown} error */
    fail(error) {
        const reason = error instanceof Error ? error.message : String(error);
        const status = error instanceof ControllerError ? error.status : -1;
        if (status === 401 || (status === 403 && !this.flame.graph)) {
            this.forget();
            askForToken(reason, this.connection.token !== "" || status === 403, (token) => {
                this.connection.useToken(token);
                byId("message").hidden = true;
                this.poller.run();
            });
            return;
        }
        if (this.flame.graph && this.question() === this.answered) {
            this.showBanner(`${reason} – shown as of ${formatAge(Date.now() - this.loadedAt)} ago`);
            return;
        }
        this.forget();
        showFailure(status === 0 ? "The controller is away" : "This cannot be shown", reason, () => this.poller.run());
    }

    /** @param {string} text */
    showBanner(text) {
        setText(byId("banner"), text);
    }

    /** @param {PageState["sort"]} sort */
    sortBy(sort) {
        const again = this.state.sort === sort;
        this.change({ sort, ascending: again ? !this.state.ascending : sort === "name" }, { quiet: true });
    }

    /** @param {string} name */
    mark(name) {
        this.change({ marked: this.state.marked === name ? "" : name }, { quiet: true });
    }

    markSelected() {
        const frame = this.flame.describe(this.flame.selected);
        if (frame) this.mark(frame.name);
    }

    async copySelected() {
        const frame = this.flame.describe(this.flame.selected);
        if (!frame) return;
        try {
            await navigator.clipboard.writeText(frame.name);
            setText(byId("spoken"), "Copied");
        } catch {
            this.showBanner("cannot copy the name: the browser refused access to the clipboard");
        }
    }

    /** One Escape takes one thing away: the mark, the search, then the zoom. */
    reset() {
        if (this.state.marked !== "") this.change({ marked: "" }, { quiet: true });
        this.flame.reset();
    }

    nextTheme() {
        switchTheme();
        this.applyTheme();
    }

    applyTheme() {
        this.flame.useTheme(currentTheme());
        this.timeline.draw();
    }

    openHelp() {
        /** @type {HTMLDialogElement} */ (byId("help-dialog")).showModal();
    }

    /** @param {HTMLElement} button */
    async download(button) {
        closePopover(button);
        const format = /** @type {"folded"} */ (button.dataset.format);
        const query = queryOf(this.state);
        if (this.loaded) Object.assign(query, { from: this.loaded.flame.from, until: this.loaded.flame.until });
        try {
            await saveProfile(this.connection, format, query, this.state.service);
        } catch (error) {
            this.showBanner(error instanceof Error ? error.message : String(error));
        }
    }

    async suggestMatchers() {
        try {
            const matchers = await loadMatchers(this.connection, this.state);
            byId("filter-labels").replaceChildren(...matchers.map((value) => element("option", { value })));
        } catch {
            // Suggestions only: the field works without them, and the poller reports a controller that is away.
        }
    }

    /**
     * @param {string} instance
     * @param {{ enabled: boolean, hertz: number } | null} cpu
     * @returns {Promise<string>}
     */
    async changeAgent(instance, cpu) {
        try {
            const { instances } = await this.connection.patch("agents", { service: this.state.service, instance }, { cpu });
            this.poller.run();
            return instances.length > 0 ? "asked; the agent answers within seconds" : "kept; the agent is not connected now";
        } catch (error) {
            return error instanceof Error ? error.message : String(error);
        }
    }

    /** Puts the cursor into the search field. */
    focusSearch() {
        inputById("search").select();
    }
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

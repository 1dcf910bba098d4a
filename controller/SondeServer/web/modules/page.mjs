// SPDX-License-Identifier: Apache-2.0
// The page: one state in the address, the views that show it, and the order in which they ask.
import { queryOfState, stateOfQuery } from "./address.mjs";
import { AgentsView } from "./agentsview.mjs";
import { Connection, ControllerError } from "./connection.mjs";
import { listenToControls, placeMenus, showControls, showServices } from "./controls.mjs";
import { byId, element, setText } from "./dom.mjs";
import { listenToKeys } from "./keyboard.mjs";
import { keyBindings } from "./keys.mjs";
import { LiveView } from "./liveview.mjs";
import { chosenProfile, loadAgents, loadMatchers, loadServices } from "./loading.mjs";
import { askForTenant, askForToken, hideMessage, showFailure } from "./messages.mjs";
import { Poller } from "./poller.mjs";
import { ProbesView } from "./probesview.mjs";
import { ProfilesView } from "./profilesview.mjs";
import { SourceView } from "./sourceview.mjs";
import { listenToTenantMenu, showTenant } from "./tenantmenu.mjs";
import { restoreTheme, switchTheme, watchSystemTheme } from "./theme.mjs";

/** @typedef {import("./address.mjs").PageState} PageState */

/**
 * @typedef {object} View one page of the page
 * @property {readonly (keyof PageState)[]} questions changes of these ask the controller again
 * @property {(signal: AbortSignal) => Promise<void>} load asks, and shows the answer
 * @property {() => string} staleness since when what is shown is old; empty when there is nothing
 * @property {() => void} forget takes away what has no answer any more
 * @property {(state: PageState) => void} [showState]
 * @property {(before: PageState, next: PageState) => void} [adopt] a change that asks nothing
 * @property {() => void} [moved] another question is asked
 * @property {() => void} [leave] another page is opened
 */

/** What tells the pages apart for the title. */
const titles = { profiles: "", source: "Source", probes: "Probes", live: "Live", agents: "Agents" };

/** Holds the state; views tell it what a person did, and it tells them what to show. */
export class Page {
    constructor() {
        restoreTheme();
        this.state = stateOfQuery(location.search);
        document.body.dataset.page = this.state.page;
        this.connection = new Connection();
        showTenant(this.connection.tenant);
        /** @type {import("./controls.mjs").Service[]} */
        this.services = [];
        /** Ends questions, so that a late answer to an old one is dropped. */
        this.asking = new AbortController();
        this.profiles = new ProfilesView(this);
        // What keys, tests and the benchmark reach by these names.
        this.flame = this.profiles.flame;
        this.search = this.profiles.search;
        this.agents = new AgentsView(this);
        this.source = new SourceView(this);
        /** @type {Record<PageState["page"], View>} */
        this.views = {
            profiles: this.profiles, source: this.source, probes: new ProbesView(this),
            live: new LiveView(this), agents: this.agents,
        };
        this.poller = new Poller(() => this.tick());
        this.listen();
        this.profiles.applyTheme();
        this.showState();
        this.poller.run();
    }

    listen() {
        placeMenus();
        listenToControls(() => this.state, (patch) => this.change(patch));
        listenToKeys(keyBindings(this));
        addEventListener("popstate", () => this.adopt(stateOfQuery(location.search)));
        watchSystemTheme(() => this.profiles.applyTheme());
        byId("theme").addEventListener("click", () => this.nextTheme());
        byId("help").addEventListener("click", () => this.openHelp());
        listenToTenantMenu((tenant) => this.useTenant(tenant));
        byId("filter-menu").addEventListener("toggle", () => this.suggestMatchers());
        document.addEventListener("click", (event) => {
            const link = /** @type {HTMLElement} */ (event.target).closest("a[data-page]");
            const plain = !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0;
            if (!(link instanceof HTMLAnchorElement) || !plain) return;
            event.preventDefault();
            this.change(stateOfLink(this.state, link));
        });
    }

    /** @returns {View} the page that is open */
    get view() {
        return this.views[this.state.page];
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
        const turned = before.page !== next.page;
        if (turned) this.views[before.page].leave?.();
        this.state = next;
        if (turned) hideMessage();
        this.showState();
        const moved = turned || this.view.questions.some((key) => before[key] !== next[key]);
        if (moved || (before.paused && !next.paused)) {
            if (moved) this.view.moved?.();
            this.asking.abort();
            this.poller.run();
            return;
        }
        this.view.adopt?.(before, next);
    }

    showState() {
        const { state } = this;
        document.body.dataset.page = state.page;
        for (const page of Object.keys(titles)) byId(`page-${page}`).hidden = page !== state.page;
        for (const link of document.querySelectorAll("a[data-page]")) {
            const target = stateOfLink(state, /** @type {HTMLElement} */ (link));
            /** @type {HTMLAnchorElement} */ (link).href = location.pathname + queryOfState({ ...state, ...target });
            if (link.parentElement?.id !== "nav") continue;
            if (target.page === state.page) link.setAttribute("aria-current", "page");
            else link.removeAttribute("aria-current");
        }
        showControls(state);
        showServices(this.services, state);
        this.view.showState?.(state);
        document.title = [titles[state.page], state.service, "Sonde"].filter((part) => part !== "").join(" – ");
    }

    /**
     * One run of the poller.
     *
     * @returns {Promise<boolean>}
     */
    async tick() {
        this.asking.abort();
        this.asking = new AbortController();
        const { signal } = this.asking;
        const late = setTimeout(() => { byId("progress").hidden = false; }, 400);
        try {
            await this.view.load(signal);
            if (signal.aborted) return true;
            this.showBanner("");
            // The line at the foot of the pages that do not ask for agents themselves.
            if (!["profiles", "agents"].includes(this.state.page)) this.showAgents(await loadAgents(this.connection, this.state, signal));
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

    /**
     * Asks for the services, and chooses one where the address does not say.
     *
     * @param {AbortSignal} signal
     * @returns {Promise<boolean>} whether the address had said
     */
    async chooseService(signal) {
        const services = await loadServices(this.connection);
        if (signal.aborted) return false;
        this.services = services;
        const chosen = chosenProfile(services, this.state);
        const same = chosen.service === this.state.service && chosen.type === this.state.type;
        this.state = { ...this.state, ...chosen };
        history.replaceState(null, "", location.pathname + queryOfState(this.state));
        this.showState();
        return same;
    }

    /** @param {import("./agents.mjs").Agent[]} agents of the chosen service */
    showAgents(agents) {
        this.agents.summarize(agents);
    }

    /** @param {unknown} error */
    fail(error) {
        const reason = error instanceof Error ? error.message : String(error);
        const status = error instanceof ControllerError ? error.status : -1;
        const stale = this.view.staleness();
        if (error instanceof ControllerError && error.details.missing === "tenant") {
            this.view.forget();
            askForTenant(reason, (tenant) => this.useTenant(tenant));
            return;
        }
        if (status === 401 || (status === 403 && stale === "")) {
            this.view.forget();
            askForToken(reason, this.connection.token !== "" || status === 403, (token) => {
                this.connection.useToken(token);
                hideMessage();
                this.poller.run();
            });
            return;
        }
        if (stale !== "") {
            this.showBanner(`${reason} – ${stale}`);
            return;
        }
        this.view.forget();
        showFailure(status === 0 ? "The controller is away" : "This cannot be shown", reason, () => this.poller.run());
    }

    /** @param {string} tenant */
    useTenant(tenant) {
        this.connection.useTenant(tenant);
        showTenant(tenant);
        hideMessage();
        // What another tenant's services are called means nothing here.
        this.asking.abort();
        this.view.forget();
        this.change({ service: "", type: "", filter: "" });
        this.poller.run();
    }

    /** Takes one thing away from the page that is open. */
    escape() {
        if (this.state.page === "source") this.change({ line: 0 });
        else if (this.state.page === "profiles") this.profiles.reset();
    }

    /** @param {string} text */
    showBanner(text) {
        setText(byId("banner"), text);
    }

    nextTheme() {
        switchTheme();
        this.profiles.applyTheme();
    }

    openHelp() {
        const dialog = /** @type {HTMLDialogElement} */ (byId("help-dialog"));
        dialog.showModal();
        // The focus is on the button at its end; reading begins at the top.
        dialog.scrollTop = 0;
    }

    async suggestMatchers() {
        try {
            const matchers = await loadMatchers(this.connection, this.state);
            byId("filter-labels").replaceChildren(...matchers.map((value) => element("option", { value })));
        } catch {
            // Suggestions only: the field works without them, and the poller reports a controller that is away.
        }
    }
}

/**
 * The state that a link of the page leads to: `data-page`, and `data-patch` with more of it as JSON.
 *
 * @param {PageState} state
 * @param {HTMLElement} link
 * @returns {Partial<PageState>}
 */
function stateOfLink(state, link) {
    const page = /** @type {PageState["page"]} */ (link.dataset.page ?? state.page);
    return { page, ...(link.dataset.patch ? JSON.parse(link.dataset.patch) : {}) };
}

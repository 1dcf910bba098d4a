// SPDX-License-Identifier: Apache-2.0
// The controls around the graph: pickers, ranges, switches. They show the state and ask for another.
import { byId, closePopover, element, inputById, setText } from "./dom.mjs";
import { absoluteRange, describeRange, instantOf, isLive, localInputValue, movedRange, quickRanges } from "./timerange.mjs";

/** @typedef {import("./address.mjs").PageState} PageState */
/** @typedef {{ name: string, profileTypes: { id: string, name: string, unit: string }[], agents: number }} Service */

/**
 * @param {() => PageState} state
 * @param {(patch: Partial<PageState>) => void} ask
 */
export function listenToControls(state, ask) {
    const select = (/** @type {string} */ id) => /** @type {HTMLSelectElement} */ (byId(id));
    // Another question: what was zoomed or marked belongs to the old one.
    const anew = { zoom: "", selected: "", marked: "" };
    select("service").addEventListener("change", () => ask({ service: select("service").value, filter: "", ...anew }));
    select("type").addEventListener("change", () => ask({ type: select("type").value, ...anew }));
    byId("live").addEventListener("click", () => ask(isLive(state())
        ? { paused: !state().paused } : { from: "now-1h", until: "now", paused: false }));
    for (const way of /** @type {const} */ (["earlier", "later", "wider"])) {
        byId(way).addEventListener("click", () => ask(movedRange(state(), way, Date.now())));
    }
    for (const button of document.querySelectorAll("[data-view]")) {
        if (button.tagName !== "BUTTON") continue;
        const view = /** @type {PageState["view"]} */ (/** @type {HTMLElement} */ (button).dataset.view);
        button.addEventListener("click", () => ask({ view }));
    }
    byId("order").addEventListener("click", () => ask({ order: state().order === "icicle" ? "flame" : "icicle" }));
    listenToRangeMenu(state, ask);
    whenOpened("filter-menu", () => { inputById("filter").value = state().filter; });
    byId("filter-form").addEventListener("submit", (event) => {
        event.preventDefault();
        closePopover(byId("filter-form"));
        ask({ filter: inputById("filter").value.trim(), ...anew });
    });
    byId("filter-clear").addEventListener("click", () => {
        closePopover(byId("filter-form"));
        ask({ filter: "", ...anew });
    });
}

/**
 * @param {() => PageState} state
 * @param {(patch: Partial<PageState>) => void} ask
 */
function listenToRangeMenu(state, ask) {
    byId("range-quick").replaceChildren(...quickRanges.map((range) => {
        const button = element("button", { type: "button" }, range.label);
        button.dataset.from = range.from;
        button.addEventListener("click", () => {
            closePopover(button);
            ask({ from: range.from, until: "now", paused: false });
        });
        return button;
    }));
    whenOpened("range-menu", () => {
        const now = Date.now();
        inputById("range-from").value = localInputValue(instantOf(state().from, now) ?? now);
        inputById("range-until").value = localInputValue(instantOf(state().until, now) ?? now);
        setText(byId("range-error"), "");
    });
    byId("range-form").addEventListener("submit", (event) => {
        event.preventDefault();
        const from = new Date(inputById("range-from").value).getTime();
        const until = new Date(inputById("range-until").value).getTime();
        if (!(from < until)) {
            setText(byId("range-error"), "cannot use this range: got an end before its beginning; want from before until");
            return;
        }
        closePopover(byId("range-form"));
        ask(absoluteRange(from, until));
    });
}

/**
 * @param {PageState} state
 */
export function showControls(state) {
    const live = isLive(state);
    const button = byId("live");
    button.setAttribute("aria-pressed", String(live && !state.paused));
    button.classList.toggle("on", live && !state.paused);
    setText(byId("range"), describeRange(state, Date.now()));
    setText(byId("filter-button"), state.filter === "" ? "All instances" : state.filter);
    setText(byId("order"), state.order === "icicle" ? "Root at top" : "Root at bottom");
    /** @type {HTMLButtonElement} */ (byId("later")).disabled = live;
    byId("main").dataset.view = state.view;
    for (const choice of document.querySelectorAll("button[data-view]")) {
        choice.setAttribute("aria-pressed", String(/** @type {HTMLElement} */ (choice).dataset.view === state.view));
    }
    byId("regex").setAttribute("aria-pressed", String(state.regex));
    const search = inputById("search");
    if (document.activeElement !== search) search.value = state.search;
    for (const choice of byId("range-quick").children) {
        const from = /** @type {HTMLElement} */ (choice).dataset.from;
        choice.setAttribute("aria-pressed", String(live && from === state.from));
    }
}

/**
 * Fills both pickers; a service or type of the address stays although it has no data.
 *
 * @param {Service[]} services
 * @param {PageState} state
 */
export function showServices(services, state) {
    const names = services.map((service) => service.name);
    if (state.service !== "" && !names.includes(state.service)) names.push(state.service);
    fillSelect("service", names.map((name) => ({ value: name, text: name })), state.service);
    const types = services.find((service) => service.name === state.service)?.profileTypes ?? [];
    const options = types.map((type) => ({ value: type.id, text: type.name }));
    const chosen = types.find((type) => type.id === state.type || type.name === state.type);
    if (!chosen) options.push({ value: state.type, text: state.type });
    fillSelect("type", options, chosen?.id ?? state.type);
}

/**
 * @param {string} id
 * @param {{ value: string, text: string }[]} options
 * @param {string} chosen
 */
function fillSelect(id, options, chosen) {
    const select = /** @type {HTMLSelectElement} */ (byId(id));
    const state = JSON.stringify(options);
    // Filling an open list anew would close it.
    if (select.dataset.state !== state) {
        select.dataset.state = state;
        select.replaceChildren(...options.map((option) => element("option", { value: option.value }, option.text)));
    }
    select.value = chosen;
}

/**
 * @param {string} id of a popover
 * @param {() => void} run before it is seen
 */
function whenOpened(id, run) {
    byId(id).addEventListener("beforetoggle", (event) => {
        if (/** @type {Event & { newState: string }} */ (event).newState === "open") run();
    });
}

/** Puts each menu below its button, inside the window, before it is seen. */
export function placeMenus() {
    for (const menu of document.querySelectorAll("[popover]")) {
        whenOpened(menu.id, () => {
            const opener = document.querySelector(`[popovertarget="${menu.id}"]`);
            if (!opener) return;
            const at = opener.getBoundingClientRect();
            const style = /** @type {HTMLElement} */ (menu).style;
            // As parts.css has it: a menu that is not open yet has no width to measure.
            const width = Math.min(menu.classList.contains("wide") ? 620 : 260, innerWidth - 16);
            style.top = `${at.bottom + 4}px`;
            style.left = `${Math.max(8, Math.min(at.left, innerWidth - width - 8))}px`;
            style.maxHeight = `${innerHeight - at.bottom - 16}px`;
        });
    }
}

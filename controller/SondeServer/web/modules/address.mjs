// SPDX-License-Identifier: Apache-2.0
// The page's whole state in its address, so that a link shows another person the same thing.
import { isRange } from "./timerange.mjs";

/**
 * @typedef {object} PageState
 * @property {"profiles" | "source" | "probes" | "live" | "agents"} page
 * @property {string} service the service's name; empty: the first that the controller lists
 * @property {string} type a profile type's id or short name
 * @property {string} filter further matchers inside the selector's braces
 * @property {string} from
 * @property {string} until
 * @property {boolean} paused whether polling is off although the range is live
 * @property {string} search what is looked for
 * @property {boolean} regex whether it is a regular expression
 * @property {string} marked a function's name, chosen in the table
 * @property {string} zoom the path id of the frame that fills the width
 * @property {string} selected the path id of the focused frame
 * @property {"both" | "graph" | "table" | "explore"} view
 * @property {"icicle" | "flame"} order root at the top, or at the bottom
 * @property {"self" | "total" | "name" | "change"} sort
 * @property {boolean} ascending
 * @property {string} file the source file that is open, as debug info names it
 * @property {number} line the line of it that is open; 0: none
 * @property {string} query LogQL, for the lines that arrive; empty: all of the service
 * @property {string} probe the id of the probe that is open
 * @property {boolean} hide whether frames of libraries are left out
 * @property {boolean} only whether only stacks with a match of the search are shown
 * @property {"module" | "package"} colour
 * @property {string} around a function whose callers and callees are shown; empty: the whole profile
 * @property {string} group the label by whose values consumers are listed
 * @property {"" | "diff" | "side"} compare
 * @property {string} from2 the beginning of what is compared with; empty: the same range
 * @property {string} until2
 * @property {string} filter2 further matchers of what is compared with
 * @property {number} nodes how many stacks the controller sends at most
 */

/** @type {Readonly<PageState>} */
export const initialState = Object.freeze({
    page: "profiles", service: "", type: "cpu", filter: "", from: "now-1h", until: "now", paused: false, search: "",
    regex: false, marked: "", zoom: "", selected: "", view: "both", order: "icicle", sort: "self",
    ascending: false, file: "", line: 0, query: "", probe: "", hide: false, only: false,
    colour: "module", around: "", group: "service_name", compare: "", from2: "", until2: "", filter2: "", nodes: 65536,
});

/** The controller's own limit. */
export const mostNodes = 1048576;

/** @type {Record<string, readonly string[]>} */
const choices = {
    page: ["profiles", "source", "probes", "live", "agents"],
    view: ["both", "graph", "table", "explore"], order: ["icicle", "flame"], sort: ["self", "total", "name", "change"],
    colour: ["module", "package"], compare: ["", "diff", "side"],
};

/**
 * The state that an address asks for. What cannot be read is as if it were absent.
 *
 * @param {string} query `location.search`
 * @returns {PageState}
 */
export function stateOfQuery(query) {
    const given = new URLSearchParams(query);
    /** @type {Record<string, string | number | boolean>} */
    const state = { ...initialState };
    for (const [name, initial] of Object.entries(initialState)) {
        const text = given.get(name);
        if (text === null) continue;
        if (typeof initial === "boolean") state[name] = text === "1";
        else if (typeof initial === "number") state[name] = wholeNumber(text, initial);
        else if (!choices[name] || choices[name].includes(text)) state[name] = text;
    }
    if (!isRange({ from: String(state.from), until: String(state.until) })) {
        state.from = initialState.from;
        state.until = initialState.until;
    }
    return /** @type {PageState} */ (/** @type {unknown} */ (state));
}

/**
 * The address's query for a state; only what differs from the initial state is in it.
 *
 * @param {PageState} state
 * @returns {string} "" or "?..."
 */
export function queryOfState(state) {
    const query = new URLSearchParams();
    for (const [name, initial] of Object.entries(initialState)) {
        const value = /** @type {Record<string, string | number | boolean>} */ (
            /** @type {unknown} */ (state))[name];
        if (value === initial) continue;
        query.set(name, typeof value === "boolean" ? (value ? "1" : "0") : String(value));
    }
    const text = query.toString();
    return text === "" ? "" : `?${text}`;
}

/**
 * The selector of docs/http-api.md for a state.
 *
 * @param {PageState} state
 * @returns {string}
 */
export function selectorOf(state) {
    const matchers = [];
    // JSON's escapes for quotes and backslashes are those of a PromQL string.
    if (state.service !== "") matchers.push(`service_name=${JSON.stringify(state.service)}`);
    if (state.filter.trim() !== "") matchers.push(state.filter.trim());
    return `{${matchers.join(",")}}`;
}

/**
 * @param {string} text
 * @param {number} otherwise
 * @returns {number}
 */
function wholeNumber(text, otherwise) {
    const number = Number(text);
    return Number.isInteger(number) && number >= 1 ? Math.min(number, mostNodes) : otherwise;
}

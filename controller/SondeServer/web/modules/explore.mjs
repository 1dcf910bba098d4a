// SPDX-License-Identifier: Apache-2.0
// Who uses how much: one card for each value of a label, the largest first, favourites before them.
import { selectorOf } from "./address.mjs";
import { byId, element, setText } from "./dom.mjs";
import { formatRate, formatShare, formatValue } from "./format.mjs";
import { queryOf } from "./loading.mjs";
import { remember, remembered } from "./memory.mjs";

/** @typedef {import("./address.mjs").PageState} PageState */
/** @typedef {{ value: string, total: number, points: [number, number][], stepMs: number, unit: string }} Consumer */

/** More values than these are not asked for, each by itself. */
const mostValues = 30;
const favouritesKey = "sonde.favourites";

/** Owns the cards; a click narrows the profile to one. */
export class ExploreView {
    /** @param {import("./page.mjs").Page} page */
    constructor(page) {
        this.page = page;
        this.asked = "";
        this.group = /** @type {HTMLSelectElement} */ (byId("explore-group"));
        this.cards = byId("explore-cards");
        this.group.addEventListener("change", () => page.change({ group: this.group.value }));
        this.cards.addEventListener("click", (event) => {
            const target = /** @type {HTMLElement} */ (event.target);
            const star = /** @type {HTMLElement | null} */ (target.closest("button[data-star]"));
            if (star) this.star(star.dataset.star ?? "");
            const open = /** @type {HTMLElement | null} */ (target.closest("button[data-value]"));
            if (open) this.open(open.dataset.value ?? "");
        });
    }

    /** @returns {string[]} */
    get favourites() {
        const text = remembered(favouritesKey);
        return text === "" ? [] : text.split("\n");
    }

    /** @param {string} key label and value */
    star(key) {
        const known = this.favourites;
        remember(favouritesKey, (known.includes(key) ? known.filter((one) => one !== key) : [...known, key]).join("\n"));
        if (this.consumers) this.draw(this.consumers);
        /** @type {HTMLElement | null} */ (this.cards.querySelector(`[data-star="${CSS.escape(key)}"]`))?.focus();
    }

    /** @param {string} value */
    open(value) {
        const { state } = this.page;
        const matcher = `${state.group}=${JSON.stringify(value)}`;
        const narrowed = state.group === "service_name" ? { service: value, filter: "" }
            : { filter: [state.filter, matcher].filter((part) => part !== "").join(",") };
        this.page.change({ ...narrowed, view: "both", zoom: "", selected: "", marked: "" });
    }

    /** @param {AbortSignal} signal */
    async load(signal) {
        const { state, connection } = this.page;
        const base = state.group === "service_name" ? { ...state, service: "", filter: "" } : state;
        const query = { ...queryOf(base), selector: selectorOf(base) };
        const { series } = await connection.get("series", { selector: query.selector, from: base.from, until: base.until }, signal);
        if (signal.aborted) return;
        const names = new Set(["service_name", state.group]);
        /** @type {Set<string>} */
        const values = new Set();
        for (const { labels, type } of series) {
            for (const name of Object.keys(labels)) names.add(name);
            const known = type === state.type || type.split(":")[1] === state.type || type.split(":")[0] === state.type;
            if (known && labels[state.group] !== undefined) values.add(labels[state.group]);
        }
        const options = [...names].sort().map((name) => element("option", { value: name }, name));
        if (this.group.options.length !== options.length) this.group.replaceChildren(...options);
        this.group.value = state.group;
        /** @type {Consumer[]} */
        const consumers = await Promise.all([...values].sort().slice(0, mostValues).map(async (value) => {
            const matcher = `${state.group}=${JSON.stringify(value)}`;
            const selector = base.service === "" && base.filter === "" ? `{${matcher}}` : `${selectorOf(base).slice(0, -1)},${matcher}}`;
            const { points, stepMs, unit } = await connection.get("timeline", { ...query, selector }, signal);
            return { value, points, stepMs, unit, total: points.reduce((/** @type {number} */ sum, /** @type {[number, number]} */ point) => sum + point[1], 0) };
        }));
        if (signal.aborted) return;
        this.draw(consumers);
        setText(byId("explore-facts"), values.size > mostValues ? `${mostValues} of ${values.size} values` : "");
    }

    /** @param {Consumer[]} consumers */
    draw(consumers) {
        this.consumers = consumers;
        const { state } = this.page;
        const favourites = this.favourites;
        const keyOf = (/** @type {Consumer} */ one) => `${state.group}=${one.value}`;
        const whole = consumers.reduce((sum, one) => sum + one.total, 0);
        const sorted = [...consumers].sort((one, other) => Number(favourites.includes(keyOf(other))) - Number(favourites.includes(keyOf(one)))
            || other.total - one.total || (one.value < other.value ? -1 : 1));
        const peak = Math.max(...consumers.flatMap((one) => one.points.map((point) => point[1] / one.stepMs)), 0);
        this.cards.replaceChildren(...sorted.map((one) => {
            const key = keyOf(one);
            const isFavourite = favourites.includes(key);
            const spark = sparkline(one, peak);
            const length = Math.max(1, one.points.length) * one.stepMs;
            return element("article", { class: "consumer" },
                element("button", { type: "button", class: "star", "data-star": key, "aria-pressed": String(isFavourite), "aria-label": `Favourite ${one.value}` }, isFavourite ? "★" : "☆"),
                element("button", { type: "button", class: "consumer-name", "data-value": one.value }, one.value || "(none)"),
                element("span", { class: "quiet" }, `${formatShare(one.total, whole)} · ${formatValue(one.total, one.unit)} · ${formatRate(one.total, one.unit, length)}`), spark);
        }));
        if (consumers.length === 0) this.cards.append(element("p", { class: "empty" }, "No series of this type has the label in this range."));
    }
}

/**
 * A consumer's course in time, on the scale that all cards share.
 *
 * @param {Consumer} one
 * @param {number} peak value by millisecond
 * @returns {SVGElement}
 */
function sparkline(one, peak) {
    const space = "http://www.w3.org/2000/svg";
    const svg = /** @type {SVGElement} */ (document.createElementNS(space, "svg"));
    svg.setAttribute("viewBox", "0 0 300 40");
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("aria-hidden", "true");
    const from = one.points[0]?.[0] ?? 0;
    const until = (one.points[one.points.length - 1]?.[0] ?? 1) + one.stepMs;
    const bars = one.points.map(([at, value]) => {
        const x = ((at - from) / (until - from)) * 300;
        const height = peak > 0 ? (value / one.stepMs / peak) * 40 : 0;
        return `M${x.toFixed(1)} 40V${(40 - height).toFixed(1)}H${(x + (one.stepMs / (until - from)) * 300).toFixed(1)}V40Z`;
    });
    const path = document.createElementNS(space, "path");
    path.setAttribute("d", bars.join(""));
    svg.append(path);
    return svg;
}

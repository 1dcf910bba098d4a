// SPDX-License-Identifier: Apache-2.0
// The line above the graph: what was merged, what has no name and why, what was cut off; and the legend.
import { mostNodes } from "./address.mjs";
import { changeStyleOf } from "./colour.mjs";
import { byId, element, setText } from "./dom.mjs";
import { formatCount, formatRate, formatShare, formatValue } from "./format.mjs";
import { largestModules } from "./functions.mjs";
import { swatchOf } from "./tableview.mjs";

/**
 * @param {import("./flamegraph.mjs").FlameAnswer} flame
 * @param {import("./address.mjs").PageState} state
 */
export function showFacts(flame, state) {
    const parts = [];
    if (flame.total > 0) {
        parts.push(`${formatValue(flame.total, flame.unit)} in ${formatCount(flame.profiles, "profile")}`);
        parts.push(`${formatRate(flame.total, flame.unit, Math.max(flame.until - flame.from, 1))} on average`);
        if (flame.unresolved > 0) parts.push(`${formatShare(flame.unresolved, flame.total)} without a name`);
    }
    setText(byId("facts"), parts.join(" · "));
    byId("notes-button").hidden = flame.notes.length === 0;
    setText(byId("notes-button"), formatCount(flame.notes.length, "note"));
    const notes = flame.notes.map((note) => element("li", {}, note));
    if (byId("notes").textContent !== flame.notes.join("")) byId("notes").replaceChildren(...notes);
    const more = byId("more-nodes");
    more.hidden = !flame.truncated || !(flame.total > 0);
    const shown = flame.nodes.parent.length.toLocaleString("en-US");
    const atLimit = state.nodes >= mostNodes;
    /** @type {HTMLButtonElement} */ (more).disabled = atLimit;
    setText(more, atLimit ? `Truncated to ${shown} stacks` : `Truncated to ${shown} stacks: show more`);
}

/**
 * @param {import("./functions.mjs").FunctionRow[]} rows
 * @param {number} total
 */
export function showLegend(rows, total) {
    const chips = largestModules(rows, 6).filter((entry) => entry.self > 0).map(({ module, self }) => element("span", {
        class: "chip", title: module,
    }, swatchOf({ module, kind: module === "" ? 2 : 0 }),
    module === "" ? "no module" : module.slice(module.lastIndexOf("/") + 1),
    element("span", { class: "quiet" }, formatShare(self, total))));
    byId("legend").replaceChildren(...chips);
}

/**
 * What the colours of a comparison mean.
 *
 * @param {import("./colour.mjs").Palette} palette
 * @param {[number, number]} samples of both sides; 0 where a value is no sum of samples
 */
export function showChangeLegend(palette, samples) {
    const certain = samples[0] > 0 && samples[1] > 0;
    const chips = /** @type {[number, string][]} */ ([
        [-1, "gone"], [-0.3, "less"], [0, certain ? "no change beyond chance (3 deviations)" : "no change"], [0.3, "more"], [1, "new"],
    ]).map(([change, words]) => {
        const swatch = element("i", { class: "swatch", "aria-hidden": "true" });
        swatch.style.background = palette.fill[changeStyleOf(change)];
        return element("span", { class: "chip" }, swatch, words);
    });
    byId("legend").replaceChildren(...chips);
}

// SPDX-License-Identifier: Apache-2.0
// Which key does what.
import { byId } from "./dom.mjs";

/**
 * @param {import("./page.mjs").Page} page
 * @returns {import("./keyboard.mjs").Binding[]}
 */
export function keyBindings(page) {
    const { flame, profiles } = page;
    const hot = (/** @type {1 | -1} */ way) => (page.state.page === "source" ? page.source.walk(way) : page.search.walk(way));
    const icicle = () => page.state.order === "icicle";
    const vertical = (/** @type {boolean} */ down) => flame.step(down === icicle() ? "callee" : "caller");
    return [
        { keys: ["ArrowDown"], label: "↓", does: "callee with the largest share (root at top)", graph: true, run: () => vertical(true) },
        { keys: ["ArrowUp"], label: "↑", does: "caller (root at top)", graph: true, run: () => vertical(false) },
        { keys: ["ArrowLeft"], label: "←", does: "neighbour to the left", graph: true, run: () => flame.step("left") },
        { keys: ["ArrowRight"], label: "→", does: "neighbour to the right", graph: true, run: () => flame.step("right") },
        { keys: ["Home"], label: "Home", does: "the root", graph: true, run: () => flame.step("first") },
        { keys: ["Enter"], label: "Enter", does: "zoom to the frame", graph: true, run: () => flame.zoomTo(flame.selected) },
        { keys: ["Escape"], label: "Escape", does: "whole profile again; in the search field: clear it", run: () => page.escape() },
        { keys: ["+", "="], label: "+", does: "zoom in", run: () => flame.zoomBy(0.5) },
        { keys: ["-"], label: "−", does: "zoom out", run: () => flame.zoomBy(2) },
        { keys: ["/"], label: "/", does: "search", run: () => profiles.focusSearch() },
        { keys: ["n"], label: "n", does: "next match, or next hot line", run: () => hot(1) },
        { keys: ["N"], label: "N", does: "previous match, or hot line", run: () => hot(-1) },
        { keys: ["m"], label: "m", does: "mark this function everywhere", run: () => profiles.markSelected() },
        { keys: ["c"], label: "c", does: "copy its name", run: () => { void profiles.copySelected(); } },
        { keys: ["s"], label: "s", does: "source of the frame, with the cost of each line", run: () => profiles.openSource() },
        { keys: ["x"], label: "x", does: "callers and callees of the function", run: () => profiles.lookAround() },
        { keys: ["h"], label: "h", does: "hide libraries, or show them", run: () => byId("libraries").click() },
        { keys: ["f"], label: "f", does: "root at the top or at the bottom", run: () => byId("order").click() },
        { keys: ["1"], label: "1", does: "graph", run: () => page.change({ view: "graph" }) },
        { keys: ["2"], label: "2", does: "graph and table", run: () => page.change({ view: "both" }) },
        { keys: ["3"], label: "3", does: "table", run: () => page.change({ view: "table" }) },
        { keys: ["p"], label: "p", does: "profiles", run: () => page.change({ page: "profiles" }) },
        { keys: ["o"], label: "o", does: "source", run: () => page.change({ page: "source" }) },
        { keys: ["b"], label: "b", does: "probes", run: () => page.change({ page: "probes" }) },
        { keys: ["v"], label: "v", does: "live lines", run: () => page.change({ page: "live" }) },
        { keys: ["a"], label: "a", does: "agents", run: () => page.change({ page: "agents" }) },
        { keys: ["4"], label: "4", does: "explore: who uses how much", run: () => page.change({ view: "explore" }) },
        { keys: ["l"], label: "l", does: "live, or hold still", run: () => byId("live").click() },
        { keys: ["t"], label: "t", does: "light or dark", run: () => page.nextTheme() },
        { keys: ["?"], label: "?", does: "this help", run: () => page.openHelp() },
    ];
}

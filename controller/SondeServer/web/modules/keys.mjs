// SPDX-License-Identifier: Apache-2.0
// Which key does what.
import { byId } from "./dom.mjs";

/**
 * @param {import("./page.mjs").Page} page
 * @returns {import("./keyboard.mjs").Binding[]}
 */
export function keyBindings(page) {
    const { flame } = page;
    const icicle = () => page.state.order === "icicle";
    const vertical = (/** @type {boolean} */ down) => flame.step(down === icicle() ? "callee" : "caller");
    return [
        { keys: ["ArrowDown"], label: "↓", does: "callee with the largest share (root at top)", graph: true, run: () => vertical(true) },
        { keys: ["ArrowUp"], label: "↑", does: "caller (root at top)", graph: true, run: () => vertical(false) },
        { keys: ["ArrowLeft"], label: "←", does: "neighbour to the left", graph: true, run: () => flame.step("left") },
        { keys: ["ArrowRight"], label: "→", does: "neighbour to the right", graph: true, run: () => flame.step("right") },
        { keys: ["Home"], label: "Home", does: "the root", graph: true, run: () => flame.step("first") },
        { keys: ["Enter"], label: "Enter", does: "zoom to the frame", graph: true, run: () => flame.zoomTo(flame.selected) },
        { keys: ["Escape"], label: "Escape", does: "whole profile again; in the search field: clear it", run: () => page.reset() },
        { keys: ["+", "="], label: "+", does: "zoom in", run: () => flame.zoomBy(0.5) },
        { keys: ["-"], label: "−", does: "zoom out", run: () => flame.zoomBy(2) },
        { keys: ["/"], label: "/", does: "search", run: () => page.focusSearch() },
        { keys: ["n"], label: "n", does: "next match", run: () => page.search.walk(1) },
        { keys: ["N"], label: "N", does: "previous match", run: () => page.search.walk(-1) },
        { keys: ["m"], label: "m", does: "mark this function everywhere", run: () => page.markSelected() },
        { keys: ["c"], label: "c", does: "copy its name", run: () => { void page.copySelected(); } },
        { keys: ["f"], label: "f", does: "root at the top or at the bottom", run: () => byId("order").click() },
        { keys: ["1"], label: "1", does: "graph", run: () => page.change({ view: "graph" }) },
        { keys: ["2"], label: "2", does: "graph and table", run: () => page.change({ view: "both" }) },
        { keys: ["3"], label: "3", does: "table", run: () => page.change({ view: "table" }) },
        { keys: ["l"], label: "l", does: "live, or hold still", run: () => byId("live").click() },
        { keys: ["t"], label: "t", does: "light or dark", run: () => page.nextTheme() },
        { keys: ["?"], label: "?", does: "this help", run: () => page.openHelp() },
    ];
}

// SPDX-License-Identifier: Apache-2.0
// The search field: what matches, its share, and the way from match to match.
import { byId, inputById, setText } from "./dom.mjs";
import { formatShare } from "./format.mjs";
import { matchedValue, matcherOf, matchingFrames, nextMatch } from "./search.mjs";

/** @typedef {import("./address.mjs").PageState} PageState */

/** Long enough for the next letter, short enough to feel immediate. */
const typingPauseMs = 120;

/** Owns the field and what it finds in the shown graph. */
export class SearchBox {
    /**
     * @param {import("./flameview.mjs").FlameView} flame
     * @param {(patch: Partial<PageState>) => void} change
     */
    constructor(flame, change) {
        this.flame = flame;
        /** @type {import("./flamegraph.mjs").FlameGraph | null} */
        this.graph = null;
        const field = inputById("search");
        let timer = 0;
        const take = () => {
            clearTimeout(timer);
            change({ search: field.value, marked: "" });
        };
        field.addEventListener("input", () => {
            clearTimeout(timer);
            timer = setTimeout(take, typingPauseMs);
        });
        // Who leaves the field within the pause has typed no less.
        field.addEventListener("change", take);
        field.addEventListener("keydown", (event) => {
            if (event.key !== "Escape" && event.key !== "Enter") return;
            event.preventDefault();
            if (event.key === "Escape") field.value = "";
            take();
            if (event.key === "Enter") this.walk(event.shiftKey ? -1 : 1);
            byId("canvas").focus({ preventScroll: true });
        });
        byId("regex").addEventListener("click", () => change({
            regex: byId("regex").getAttribute("aria-pressed") !== "true",
        }));
        byId("next-match").addEventListener("click", () => this.walk(1));
        byId("previous-match").addEventListener("click", () => this.walk(-1));
    }

    /** @param {import("./flamegraph.mjs").FlameGraph} graph */
    use(graph) {
        this.graph = graph;
    }

    /**
     * The table's filter.
     *
     * @param {PageState} state
     * @returns {((name: string) => boolean) | null} null also for an expression that cannot be read
     */
    matches(state) {
        try {
            const matches = matcherOf(state.search, state.regex);
            inputById("search").removeAttribute("aria-invalid");
            return matches;
        } catch (error) {
            inputById("search").setAttribute("aria-invalid", "true");
            this.refusal = error instanceof Error ? error.message : String(error);
            return null;
        }
    }

    /**
     * Which frames the graph highlights: the marked function's, else those that the search finds.
     *
     * @param {PageState} state
     * @returns {Uint8Array | null}
     */
    found(state) {
        if (!this.graph) return null;
        const matches = state.marked !== ""
            ? (/** @type {string} */ name) => name === state.marked : this.matches(state);
        return matches ? matchingFrames(this.graph, matches) : null;
    }

    /**
     * Says what the matches make up of the profile and of the zoomed frame.
     *
     * @param {PageState} state
     * @param {number} zoomed
     */
    report(state, zoomed) {
        const { graph } = this;
        const found = this.flame.found;
        const invalid = inputById("search").hasAttribute("aria-invalid");
        byId("match-walk").hidden = !found;
        if (!graph || (!found && !invalid)) {
            setText(byId("matches"), "");
            return;
        }
        if (!found) {
            setText(byId("matches"), this.refusal ?? "");
            return;
        }
        const whole = matchedValue(graph, found, 0);
        const functions = found.reduce((sum, one) => sum + one, 0);
        const parts = [`${formatShare(whole.value, graph.total[0])} in ${functions} ${functions === 1 ? "function" : "functions"}`];
        if (zoomed > 0) {
            parts.push(`${formatShare(matchedValue(graph, found, zoomed).value, graph.total[zoomed])} of the zoomed frame`);
        }
        setText(byId("matches"), functions === 0 ? "no function matches" : parts.join(", "));
    }

    /** @param {1 | -1} way */
    walk(way) {
        const { graph } = this;
        const found = this.flame.found;
        if (!graph || !found) return;
        this.flame.reveal(nextMatch(graph, found, Math.max(this.flame.selected, 0), way));
    }
}

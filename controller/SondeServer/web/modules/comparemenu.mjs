// SPDX-License-Identifier: Apache-2.0
// The menu that chooses what the shown profile is compared with, and how.
import { byId, closePopover, element, inputById, setText } from "./dom.mjs";
import { absoluteRange, describeRange, instantOf } from "./timerange.mjs";

/** @typedef {import("./address.mjs").PageState} PageState */

/** What can be compared with, in milliseconds before; -1: the range's own length. */
const choicesBefore = /** @type {const} */ ([["the same length before", -1], ["a day before", 86_400_000], ["a week before", 604_800_000], ["the same time", 0]]);

/** Owns the button and its menu. */
export class CompareMenu {
    /** @param {import("./page.mjs").Page} page */
    constructor(page) {
        this.page = page;
        const when = /** @type {HTMLSelectElement} */ (byId("compare-when"));
        when.replaceChildren(...choicesBefore.map(([text, ms]) => element("option", { value: String(ms) }, text)));
        byId("compare-menu").addEventListener("toggle", () => { inputById("compare-filter").value = page.state.filter2 || page.state.filter; });
        byId("compare-form").addEventListener("submit", (event) => {
            event.preventDefault();
            const way = /** @type {SubmitEvent} */ (event).submitter?.dataset.way;
            closePopover(byId("compare-form"));
            this.start(way === "side" ? "side" : "diff", Number(when.value), inputById("compare-filter").value.trim());
        });
        byId("compare-stop").addEventListener("click", () => {
            closePopover(byId("compare-form"));
            page.change({ compare: "", from2: "", until2: "", filter2: "", zoom: "", selected: "", sort: page.state.sort === "change" ? "self" : page.state.sort });
        });
    }

    /**
     * @param {"diff" | "side"} compare
     * @param {number} before
     * @param {string} filter2
     */
    start(compare, before, filter2) {
        const { state } = this.page;
        const now = Date.now();
        const [from, until] = [instantOf(state.from, now) ?? now, instantOf(state.until, now) ?? now];
        const distance = before < 0 ? until - from : before;
        // What is compared stands still.
        const range = absoluteRange(from, until);
        const baseline = absoluteRange(from - distance, until - distance);
        this.page.change({
            compare, ...range, from2: distance === 0 ? "" : baseline.from, until2: distance === 0 ? "" : baseline.until, filter2,
            around: "", zoom: "", selected: "", marked: "", sort: compare === "diff" ? "change" : "self", ascending: false,
        });
    }

    /** @param {PageState} state */
    showState(state) {
        const on = state.compare !== "";
        byId("compare").setAttribute("aria-pressed", String(on));
        byId("compare-stop").hidden = !on;
        const words = on ? `${state.compare === "diff" ? "Compared with" : "Beside"} ${describeRange({ from: state.from2 || state.from, until: state.until2 || state.until }, Date.now())}${state.filter2 === "" ? "" : ` of ${state.filter2}`}` : "Compare";
        setText(byId("compare"), words);
        byId("compare").title = words;
    }
}

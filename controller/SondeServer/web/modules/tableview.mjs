// SPDX-License-Identifier: Apache-2.0
// The table of functions: a real table, sorted by its heads, filtered by the search.
import { byId, element, setText } from "./dom.mjs";
import { formatShare, formatValue } from "./format.mjs";
import { hueStepOf } from "./colour.mjs";

/** @typedef {import("./functions.mjs").FunctionRow} FunctionRow */

/** More rows than anyone reads, few enough to lay out at once. */
const rowsAtOnce = 200;

/** Draws rows and tells which one was chosen. */
export class TableView {
    /** @param {{ onSort: (key: string) => void, onMark: (name: string) => void }} callbacks */
    constructor(callbacks) {
        this.body = byId("functions-body");
        this.more = byId("functions-more");
        this.shown = rowsAtOnce;
        /** @type {{ rows: FunctionRow[], total: number, unit: string, marked: string, compares: boolean } | null} */
        this.content = null;
        for (const head of document.querySelectorAll("#functions th button")) {
            head.addEventListener("click", () => {
                callbacks.onSort(/** @type {HTMLElement} */ (head).dataset.sort ?? "self");
            });
        }
        this.body.addEventListener("click", (event) => {
            const row = /** @type {HTMLElement} */ (event.target).closest("tr");
            const name = row?.dataset.name;
            if (name !== undefined) callbacks.onMark(name);
        });
        this.more.addEventListener("click", () => {
            this.shown += rowsAtOnce;
            this.draw();
        });
    }

    /**
     * @param {FunctionRow[]} rows sorted and filtered
     * @param {number} total what shares are of
     * @param {string} unit
     * @param {string} marked the chosen function's name
     * @param {boolean} [compares] whether the rows are those of a comparison
     */
    show(rows, total, unit, marked, compares = false) {
        this.content = { rows, total, unit, marked, compares };
        byId("functions").classList.toggle("compares", compares);
        const heads = compares ? ["Before", "Now"] : ["Self", "Total"];
        document.querySelectorAll("#functions thead button:not([data-sort='name'], [data-sort='change'])")
            .forEach((head, index) => setText(/** @type {HTMLElement} */ (head), heads[index]));
        this.draw();
    }

    /** Shows the beginning again, after another question. */
    rewind() {
        this.shown = rowsAtOnce;
        byId("table-scroll").scrollTop = 0;
    }

    /**
     * @param {string} key
     * @param {boolean} ascending
     */
    markSort(key, ascending) {
        for (const head of document.querySelectorAll("#functions th")) {
            const button = /** @type {HTMLElement | null} */ (head.querySelector("button"));
            const chosen = button?.dataset.sort === key;
            head.setAttribute("aria-sort", !chosen ? "none" : ascending ? "ascending" : "descending");
        }
    }

    draw() {
        if (!this.content) return;
        const { rows, marked } = this.content;
        const made = rows.slice(0, this.shown).map((row) => this.rowOf(row, row.name === marked));
        if (made.length === 0) {
            made.push(element("tr", { class: "none" }, element("td", { colspan: "4" }, "No function matches.")));
        }
        // The focused row's button keeps the focus when a poll draws the rows anew.
        const focused = /** @type {HTMLElement | null} */ (document.activeElement);
        const name = this.body.contains(focused) ? focused?.closest("tr")?.dataset.name : undefined;
        this.body.replaceChildren(...made);
        if (name !== undefined) {
            const again = made.find((row) => row.dataset.name === name);
            /** @type {HTMLElement | null | undefined} */ (again?.querySelector("button"))?.focus();
        }
        const left = rows.length - this.shown;
        this.more.hidden = left <= 0;
        setText(this.more, `Show ${Math.min(left, rowsAtOnce)} more of ${left}`);
    }

    /**
     * @param {FunctionRow} row
     * @param {boolean} marked
     * @returns {HTMLElement}
     */
    rowOf(row, marked) {
        const { total, unit } = /** @type {NonNullable<TableView["content"]>} */ (this.content);
        const swatch = swatchOf(row);
        const name = element("button", { class: row.kind === 1 ? "name inlined" : "name", title: tooltipOf(row), "aria-pressed": String(marked) },
            row.name);
        const head = element("th", { scope: "row" }, swatch, name);
        if (row.kind === 1) head.append(element("span", { class: "tag" }, "inlined"));
        if (row.kind === 2) head.append(element("span", { class: "tag" }, "no name"));
        const made = element("tr", marked ? { class: "marked" } : {}, head,
            valueCell(row.self, total, unit), valueCell(row.total, total, unit));
        made.dataset.name = row.name;
        if (this.content?.compares) {
            const points = (row.change ?? 0) * 100;
            const words = points === 0 ? "–" : `${points > 0 ? "+" : "−"}${Math.abs(points).toFixed(2)}`;
            const cell = element("td", { class: points > 0 ? "more" : points < 0 ? "less" : "" }, element("span", { class: "share" }, words));
            cell.title = points === 0 ? "No difference that cannot be chance" : "Percentage points";
            made.append(cell);
        }
        return made;
    }
}

/**
 * @param {number} value
 * @param {number} total
 * @param {string} unit
 * @returns {HTMLElement}
 */
function valueCell(value, total, unit) {
    const bar = element("i", { class: "bar", "aria-hidden": "true" });
    // Through the object model: the page's policy forbids style attributes.
    bar.style.width = `${total > 0 ? Math.min((value / total) * 100, 100) : 0}%`;
    return element("td", {}, element("span", { class: "share" }, formatShare(value, total)),
        element("span", { class: "value" }, formatValue(value, unit)), bar);
}

/** @param {FunctionRow} row */
function tooltipOf(row) {
    return [row.name, row.place, row.module].filter((part) => part !== "").join("\n");
}

/**
 * A small square in the colour that the module has in the graph.
 *
 * @param {{ module: string, kind: number }} row
 * @returns {HTMLElement}
 */
export function swatchOf(row) {
    const named = row.kind === 2 ? " unresolved" : row.kind === 3 ? " rest" : "";
    const swatch = element("i", { class: `swatch${named}`, "aria-hidden": "true" });
    swatch.style.setProperty("--hue", String(hueStepOf(row.module) * 6));
    return swatch;
}

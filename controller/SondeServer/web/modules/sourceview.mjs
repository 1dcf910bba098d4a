// SPDX-License-Identifier: Apache-2.0
// A source file with the cost of each line; a line opens the editor of a log point below it.
import { byId, element, setText } from "./dom.mjs";
import { formatAge, formatCount, formatShare, formatValue } from "./format.mjs";
import { queryOf } from "./loading.mjs";
import { showNothingYet } from "./messages.mjs";
import { ProbeEditor } from "./probeeditor.mjs";
import { fileName, hotLines, hottestLine, remainders, rowsOfSource } from "./sourcelines.mjs";
import { mayGrow } from "./timerange.mjs";
import { tokensOf } from "./words.mjs";

/** @typedef {import("./address.mjs").PageState} PageState */
/** @typedef {import("./sourcelines.mjs").SourceAnswer} SourceAnswer */
/** @typedef {import("./probes.mjs").Probe} Probe */

/** Shows source; without a file, the functions whose source is worth opening. */
export class SourceView {
    /** @param {import("./page.mjs").Page} page */
    constructor(page) {
        this.page = page;
        /** @type {readonly (keyof PageState)[]} */
        this.questions = ["service", "type", "filter", "from", "until", "file"];
        /** @type {SourceAnswer | null} */
        this.answer = null;
        this.answered = "";
        this.loadedAt = 0;
        this.drawn = "";
        /** @type {Map<number, HTMLElement>} */
        this.rows = new Map();
        /** @type {Probe[]} */
        this.probes = [];
        this.editor = new ProbeEditor(page, (moved) => this.probesChanged(moved));
        this.body = byId("source-body");
        byId("source-next").addEventListener("click", () => this.walk(1));
        byId("source-previous").addEventListener("click", () => this.walk(-1));
        byId("source-graph").addEventListener("click", () => page.change({ page: "profiles" }));
        this.body.addEventListener("click", (event) => {
            const target = /** @type {HTMLElement} */ (event.target);
            const line = Number(target.closest("button")?.dataset.line ?? target.closest("td.code")?.parentElement?.dataset.line ?? 0);
            if (line > 0 && String(getSelection() ?? "") === "") page.change({ line: page.state.line === line ? 0 : line });
        });
    }

    question() {
        return JSON.stringify(this.questions.map((key) => this.page.state[key]));
    }

    /** @returns {string} */
    staleness() {
        return this.answer && this.answered === this.question() ? `shown as of ${formatAge(Date.now() - this.loadedAt)} ago` : "";
    }

    forget() {
        this.answer = null;
        this.drawn = "";
        this.rows.clear();
        this.editor.close();
        this.body.replaceChildren();
        this.showFacts();
    }

    leave() {
        this.editor.close();
        this.drawn = "";
    }

    /** @param {AbortSignal} signal */
    async load(signal) {
        const { page } = this;
        await page.chooseService(signal);
        if (signal.aborted) return;
        const { state, connection } = page;
        if (page.services.length === 0) {
            this.forget();
            showNothingYet();
            return;
        }
        if (state.file === "") {
            await this.offer(signal);
            return;
        }
        const idle = this.answered === this.question() && (state.paused || !mayGrow(state, this.loadedAt));
        const query = { ...queryOf(state), service: state.service, file: state.file };
        const [answer, { probes }] = await Promise.all([
            idle && this.answer ? this.answer : connection.get("source", query, signal),
            connection.get("probes", { service: state.service }, signal),
        ]);
        if (signal.aborted) return;
        const again = this.answered === this.question();
        this.answered = this.question();
        this.loadedAt = Date.now();
        this.probes = probes;
        this.show(answer, again);
    }

    /**
     * @param {SourceAnswer} answer
     * @param {boolean} again
     */
    show(answer, again) {
        this.answer = answer;
        // Rows that are there stay: somebody may be writing between two of them.
        const lines = answer.lines.filter((cost) => cost.code || answer.text === undefined);
        const drawn = JSON.stringify([answer.file, answer.text?.length, lines.map((cost) => (cost.code ? cost.line : -cost.line))]);
        if (drawn !== this.drawn) {
            this.drawn = drawn;
            this.draw(answer);
        }
        this.showCosts(answer);
        this.showFacts();
        this.markProbes();
        this.openEditor(!again);
    }

    showFacts() {
        const { answer } = this;
        const file = this.page.state.file;
        setText(byId("source-title"), file === "" ? "Source" : fileName(file));
        byId("source-title").title = file;
        setText(byId("source-facts"), !answer || file === "" ? "" : answer.total > 0
            ? `${formatShare(answer.inFile, answer.total)} of ${formatValue(answer.total, answer.unit)} in ${formatCount(answer.profiles, "profile")}`
            : "no samples in this range");
        const notes = answer && file !== "" ? answer.notes : [];
        byId("source-notes").hidden = notes.length === 0;
        byId("source-notes").replaceChildren(...notes.map((note) => element("li", {}, note)));
        const link = /** @type {HTMLAnchorElement} */ (byId("source-link"));
        link.hidden = !answer?.link || file === "";
        if (answer?.link) link.href = answer.link.replace("{line}", String(this.page.state.line || hottestLine(answer) || 1));
        for (const id of ["source-next", "source-previous"]) {
            /** @type {HTMLButtonElement} */ (byId(id)).disabled = !answer || file === "" || hotLines(answer).length === 0;
        }
    }

    /** @param {SourceAnswer} answer */
    draw(answer) {
        const top = byId("source-scroll").scrollTop;
        this.editor.detach();
        const rows = rowsOfSource(answer);
        const tokens = tokensOf(rows.map((row) => row.text ?? ""));
        const body = element("tbody", {});
        this.rows.clear();
        rows.forEach((row, index) => {
            if (row.gap) body.append(element("tr", { class: "skip" }, element("td", { colspan: "4" }, "⋯")));
            const can = row.cost?.code === true;
            const button = element("button", { type: "button", class: can ? "ln can" : "ln", "data-line": String(row.line) }, String(row.line));
            button.title = can ? "A log point can be set here" : "No code begins on this line";
            const code = element("td", { class: "code" });
            if (row.text === null) code.append(element("span", { class: "quiet" }, `${fileName(answer.file)}:${row.line}`));
            for (const token of tokens[index]) {
                code.append(token.kind === "" ? token.text : element("span", { class: `w-${token.kind}` }, token.text));
            }
            const made = element("tr", { "data-line": String(row.line) }, element("td", {}), element("td", {}), element("td", { class: "lns" }, button), code);
            this.rows.set(row.line, made);
            body.append(made);
        });
        const head = element("thead", {}, element("tr", {}, ...["Self", "Total", "Line", "Source"].map((name) => element("th", { scope: "col" }, name))));
        this.body.replaceChildren(element("table", { class: "source" }, head, body, element("tfoot", {})));
        byId("source-scroll").scrollTop = top;
    }

    /**
     * Writes the costs into the rows.
     *
     * @param {SourceAnswer} answer
     */
    showCosts(answer) {
        const costs = new Map(answer.lines.map((cost) => [cost.line, cost]));
        const most = answer.lines.reduce((top, cost) => Math.max(top, cost.self), 1);
        for (const [line, row] of this.rows) {
            const cost = costs.get(line);
            const [self, total] = [cost?.self ?? 0, cost?.total ?? 0];
            row.children[0].replaceWith(costCell(self, answer, most, "self"));
            row.children[1].replaceWith(costCell(total, answer, answer.total, "total"));
            row.classList.toggle("hot", self >= most / 5 && self > 0);
            row.querySelector("button")?.setAttribute("aria-label", `Line ${line}${total > 0 ? `, self ${formatShare(self, answer.total)}, total ${formatShare(total, answer.total)}` : ""}`
                + `${cost?.code ? ": add a log point" : ": no code"}`);
        }
        this.body.querySelector("tfoot")?.replaceChildren(...remainders(answer).map(({ value, words }) =>
            element("tr", {}, costCell(value, answer, most, "self"), element("td", { colspan: "3" }, element("div", {}, words)))));
    }

    /** Marks lines with log points by their state. */
    markProbes() {
        const name = this.answer?.file ?? "";
        for (const row of this.rows.values()) row.classList.remove("probed", "probing");
        for (const probe of this.probes) {
            const found = /^(.*):(\d+)$/.exec(probe.location);
            if (!found || !`/${name}`.endsWith(`/${found[1]}`)) continue;
            this.rows.get(Number(found[2]))?.classList.add(probe.state === "active" ? "probed" : "probing");
        }
    }

    /** @param {boolean} scroll whether to bring the line into view */
    openEditor(scroll) {
        const { answer } = this;
        if (!answer || this.page.state.file === "") return;
        const { line } = this.page.state;
        const row = this.rows.get(line);
        for (const other of this.body.querySelectorAll("tr.open")) if (other !== row) other.classList.remove("open");
        if (!row) {
            this.editor.close();
            if (scroll) this.rows.get(hottestLine(answer))?.scrollIntoView({ block: "center" });
            return;
        }
        row.classList.add("open");
        const cost = answer.lines.find((entry) => entry.line === line) ?? null;
        this.editor.open(row, { file: answer.file, line, cost }, this.probes, !scroll);
        if (scroll) row.scrollIntoView({ block: "center" });
    }

    /**
     * @param {PageState} before
     * @param {PageState} next
     */
    adopt(before, next) {
        if (before.line === next.line && before.probe === next.probe) return;
        this.openEditor(false);
        this.showFacts();
        if (next.line > 0) this.rows.get(next.line)?.scrollIntoView({ block: "nearest" });
        else this.rows.get(before.line)?.querySelector("button")?.focus();
    }

    /** @param {Probe[]} probes */
    probesChanged(probes) {
        this.probes = probes;
        this.markProbes();
    }

    /** @param {1 | -1} way to the next hot line */
    walk(way) {
        if (!this.answer) return;
        const lines = hotLines(this.answer);
        const focused = Number(/** @type {HTMLElement | null} */ (document.activeElement)?.dataset?.line ?? 0);
        const from = focused || this.page.state.line || (way > 0 ? 0 : Infinity);
        const next = way > 0 ? lines.find((line) => line > from) ?? lines[0] : [...lines].reverse().find((line) => line < from) ?? lines[lines.length - 1];
        const button = this.rows.get(next)?.querySelector("button");
        button?.focus({ preventScroll: true });
        button?.scrollIntoView({ block: "center" });
    }

    /** @param {AbortSignal} signal */
    async offer(signal) {
        const { state, connection } = this.page;
        const { functions, total, unit } = await connection.get("top", { ...queryOf(state), limit: 200 }, signal);
        if (signal.aborted) return;
        this.answer = null;
        this.answered = this.question();
        this.drawn = "";
        this.showFacts();
        const known = functions.filter((/** @type {{ file: string }} */ row) => row.file !== "").slice(0, 60);
        if (known.length === 0) {
            this.body.replaceChildren(element("p", { class: "empty" }, total > 0
                ? "None of the functions in this range has a source file: there is no debug info of them here. `sonde debuginfo push` brings some."
                : "There are no samples in this range. Choose a wider one, or name a line on the page of probes."));
            return;
        }
        const rows = known.map((/** @type {any} */ row) => {
            const link = element("a", { "data-page": "source", "data-patch": JSON.stringify({ file: row.file, line: 0 }) }, row.name);
            return element("tr", {}, element("td", {}, link), element("td", { class: "quiet" }, `${fileName(row.file)}:${row.line}`),
                element("td", { class: "number" }, formatShare(row.self, total)), element("td", { class: "number" }, formatValue(row.self, unit)));
        });
        const head = element("tr", {}, ...["Hottest functions with source", "File", "Self", "Value"].map((name, index) => element("th", { scope: "col", class: index > 1 ? "number" : "" }, name)));
        this.body.replaceChildren(element("table", { class: "plain functions" }, element("thead", {}, head), element("tbody", {}, ...rows)));
        this.page.showState();
    }
}

/**
 * @param {number} value
 * @param {SourceAnswer} answer
 * @param {number} most what a full bar stands for
 * @param {string} kind
 * @returns {HTMLElement}
 */
function costCell(value, answer, most, kind) {
    const cell = element("td", { class: `cost ${kind}` });
    if (value <= 0) return cell;
    const bar = element("i", { class: "bar", "aria-hidden": "true" });
    bar.style.width = `${Math.min((value / Math.max(most, 1)) * 100, 100)}%`;
    cell.append(bar, element("span", {}, formatShare(value, answer.total)));
    cell.title = `${kind} ${formatValue(value, answer.unit)}`;
    return cell;
}

// SPDX-License-Identifier: Apache-2.0
// All probes of a service: state, hits, cost, who and why; one is opened with its lines.
import { byId, element, inputById, setText } from "./dom.mjs";
import { formatAge, formatCount, formatTime } from "./format.mjs";
import { showNothingYet } from "./messages.mjs";
import { historyList, ProbeCard } from "./probecard.mjs";
import { expiryWords, levelOfState, meaningOf, ownCost, placeOfLocation } from "./probes.mjs";
import { fileName } from "./sourcelines.mjs";

/** @typedef {import("./address.mjs").PageState} PageState */
/** @typedef {import("./probes.mjs").Probe} Probe */

/** Shows probes and changes them. */
export class ProbesView {
    /** @param {import("./page.mjs").Page} page */
    constructor(page) {
        this.page = page;
        /** @type {readonly (keyof PageState)[]} */
        this.questions = ["service", "probe"];
        this.loadedAt = 0;
        this.body = byId("probes-body");
        this.drawn = "";
        /** @type {ProbeCard | null} */
        this.card = null;
        byId("probes-form").addEventListener("submit", (event) => {
            event.preventDefault();
            const place = placeOfLocation(inputById("probes-location").value);
            if (!place) return page.showBanner("cannot open the line: want FILE:LINE, such as Cart.swift:42");
            page.change({ page: "source", file: place.file, line: place.line });
        });
        this.body.addEventListener("click", (event) => {
            const button = /** @type {HTMLElement} */ (event.target).closest("button[data-open]");
            const id = /** @type {HTMLElement | null} */ (button)?.dataset.open;
            if (id) page.change({ probe: page.state.probe === id ? "" : id });
        });
    }

    /** @returns {string} */
    staleness() {
        return this.drawn === "" ? "" : `shown as of ${formatAge(Date.now() - this.loadedAt)} ago`;
    }

    forget() {
        this.leave();
        this.body.replaceChildren();
    }

    leave() {
        this.drawn = "";
        this.card?.close();
        this.card = null;
    }

    /** @param {AbortSignal} signal */
    async load(signal) {
        const { page } = this;
        await page.chooseService(signal);
        if (signal.aborted) return;
        if (page.services.length === 0) return showNothingYet();
        const { service } = page.state;
        const [{ probes }, { entries }] = await Promise.all([
            page.connection.get("probes", { service }, signal), page.connection.get("history", { service, limit: 50 }, signal),
        ]);
        if (signal.aborted) return;
        this.loadedAt = Date.now();
        this.show(probes, entries);
    }

    /**
     * @param {Probe[]} probes
     * @param {{ timeMs: number, who: string, what: string }[]} entries
     */
    show(probes, entries) {
        const active = probes.filter((probe) => probe.state === "active").length;
        setText(byId("probes-facts"), probes.length === 0 ? "" : `${formatCount(probes.length, "log point")}, ${active} active`);
        const drawn = JSON.stringify([probes, entries, this.page.state.probe, Math.round(Date.now() / 30_000)]);
        if (drawn === this.drawn) return;
        this.drawn = drawn;
        const focused = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset?.open;
        const rows = [...probes].reverse().flatMap((probe) => this.rowsOf(probe));
        if (this.card && !probes.some((probe) => probe.id === this.card?.id && probe.id === this.page.state.probe)) {
            this.card.close();
            this.card = null;
        }
        const head = element("tr", {}, ...["State", "Where", "Message", "Hits", "Lines", "Dropped", "Own cost", "By", "Ends"].map((name, index) =>
            element("th", { scope: "col", class: index > 2 && index < 7 ? "number" : "" }, name)));
        const table = element("table", { class: "plain probes" }, element("caption", { class: "unseen" }, "Probes"), element("thead", {}, head), element("tbody", {}, ...rows));
        const empty = element("div", { class: "empty" }, element("h3", {}, "No log points yet"),
            element("p", {}, "Open the source of a function, and click the number of a line: every instance says your message from then on, without a restart."),
            element("a", { class: "button primary", "data-page": "source" }, "Open source"));
        this.body.replaceChildren(probes.length > 0 ? table : empty,
            element("section", { class: "history-box", "aria-label": "History" }, element("h3", {}, "Who changed what, and why"), historyList(entries)));
        this.page.showState();
        if (focused) /** @type {HTMLElement | null} */ (this.body.querySelector(`[data-open="${focused}"]`))?.focus();
    }

    /**
     * @param {Probe} probe
     * @returns {HTMLElement[]}
     */
    rowsOf(probe) {
        const open = this.page.state.probe === probe.id;
        const toggle = element("button", { type: "button", class: "link", "data-open": probe.id, "aria-expanded": String(open), title: meaningOf(probe.state) },
            element("i", { class: `dot ${levelOfState(probe.state)}`, "aria-hidden": "true" }), probe.state);
        const place = placeOfLocation(probe.location);
        const where = place
            ? element("a", { "data-page": "source", "data-patch": JSON.stringify({ file: place.file, line: place.line }), title: probe.location }, `${fileName(place.file)}:${place.line}`)
            : element("code", {}, probe.location);
        const message = element("td", { class: "message" }, element("code", {}, probe.template));
        if (probe.condition !== "") message.append(element("div", { class: "quiet" }, "if ", element("code", {}, probe.condition)));
        if (probe.reason !== "") message.append(element("div", { class: "quiet" }, `because: ${probe.reason}`));
        const number = (/** @type {number} */ value) => element("td", { class: "number" }, value.toLocaleString("en-US"));
        const row = element("tr", open ? { class: "open" } : {}, element("td", {}, toggle), element("td", {}, where), message, number(probe.hits), number(probe.lines),
            number(probe.dropped), element("td", { class: "number" }, ownCost(probe.ownCPUNanos)),
            element("td", {}, probe.createdBy, element("div", { class: "quiet" }, formatTime(probe.createdMs, Date.now()))), element("td", {}, expiryWords(probe, Date.now())));
        if (!open) return [row];
        if (!this.card) this.card = new ProbeCard(this.page, probe, async () => { this.drawn = ""; });
        this.card.show(probe);
        return [row, element("tr", { class: "editor" }, element("td", { colspan: "9" }, this.card.box))];
    }
}

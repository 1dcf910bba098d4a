// SPDX-License-Identifier: Apache-2.0
// Lines as they arrive, filtered by LogQL, held when somebody reads.
import { byId, element, inputById, setText } from "./dom.mjs";
import { formatCount } from "./format.mjs";
import { LogList } from "./loglist.mjs";
import { queryOfService } from "./loglines.mjs";
import { showNothingYet } from "./messages.mjs";
import { Tail } from "./tail.mjs";

/** @typedef {import("./address.mjs").PageState} PageState */

/** Lines that are kept on the page. */
const mostLines = 2_000;

/** Follows one question at a time. */
export class LiveView {
    /** @param {import("./page.mjs").Page} page */
    constructor(page) {
        this.page = page;
        /** @type {readonly (keyof PageState)[]} */
        this.questions = ["service", "query"];
        /** @type {Tail | null} */
        this.tail = null;
        this.asked = "";
        this.held = false;
        // Lines that came while the page was held.
        /** @type {import("./loglines.mjs").TailEvent[]} */
        this.kept = [];
        this.lost = 0;
        const list = element("ol", { class: "lines", "aria-label": "Lines" });
        byId("live-body").append(list);
        this.log = new LogList(list, byId("live-scroll"), { most: mostLines, links: true });
        byId("live-form").addEventListener("submit", (event) => {
            event.preventDefault();
            const query = inputById("live-query").value.trim();
            page.change({ query: query === queryOfService(page.state.service) ? "" : query });
        });
        byId("live-pause").addEventListener("click", () => this.hold(!this.held));
        byId("live-clear").addEventListener("click", () => {
            this.log.clear();
            this.showFacts();
        });
    }

    /** @returns {string} */
    staleness() {
        return this.tail ? "the lines so far stay" : "";
    }

    forget() {
        this.leave();
        this.showFacts();
    }

    leave() {
        this.tail?.close();
        this.tail = null;
        this.asked = "";
        this.log.clear();
    }

    moved() {
        this.leave();
    }

    /** @param {AbortSignal} signal */
    async load(signal) {
        const { page } = this;
        await page.chooseService(signal);
        if (signal.aborted) return;
        if (page.services.length === 0) return showNothingYet();
        const question = page.state.query || queryOfService(page.state.service);
        if (this.tail && this.asked === question) return;
        this.leave();
        this.asked = question;
        this.kept = [];
        const field = inputById("live-query");
        if (document.activeElement !== field || field.value === "") field.value = question;
        setText(byId("live-problem"), "");
        field.removeAttribute("aria-invalid");
        this.tail = new Tail(page.connection, { query: question, since: "15m", limit: 200 }, {
            event: (event) => this.take(event),
            state: (problem) => {
                setText(byId("live-problem"), problem);
                if (problem !== "") field.setAttribute("aria-invalid", "true");
                this.showFacts();
            },
        });
        this.showFacts();
    }

    /** @param {import("./loglines.mjs").TailEvent} event */
    take(event) {
        if (this.held) {
            this.kept.push(event);
            if (this.kept.length > mostLines) {
                this.kept.shift();
                this.lost += 1;
            }
        } else if (event.line) {
            this.log.add(event.line);
        } else if (event.dropped) {
            this.log.remark(`${formatCount(event.dropped, "line")} left out, because this browser was too slow`);
        }
        this.showFacts();
    }

    /** @param {boolean} held */
    hold(held) {
        this.held = held;
        const button = byId("live-pause");
        button.setAttribute("aria-pressed", String(held));
        setText(button, held ? "Resume" : "Pause");
        if (!held) {
            const kept = this.kept;
            this.kept = [];
            if (this.lost > 0) this.log.remark(`${formatCount(this.lost, "line")} came while held and are no longer here; sonde logs has them`);
            this.lost = 0;
            for (const event of kept) this.take(event);
        }
        this.showFacts();
    }

    showFacts() {
        const count = this.log.count;
        const words = this.held ? `held, ${formatCount(this.kept.length + this.lost, "new line")}` : count === 0 ? "waiting for lines" : `${formatCount(count, "line")} so far`;
        setText(byId("live-facts"), words);
    }
}

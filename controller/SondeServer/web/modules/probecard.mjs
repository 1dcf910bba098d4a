// SPDX-License-Identifier: Apache-2.0
// One probe with its state in each instance, its switches, its history, and its lines as they come.
import { element, setText } from "./dom.mjs";
import { formatCount, formatTime } from "./format.mjs";
import { LogList } from "./loglist.mjs";
import { queryOfProbe } from "./loglines.mjs";
import { dropWords, expiryWords, hitWords, levelOfState, meaningOf, ownCost } from "./probes.mjs";
import { Tail } from "./tail.mjs";

/** @typedef {import("./probes.mjs").Probe} Probe */

/** While a probe is on its way somebody waits for it. */
const soonMs = 400;
const soonTimes = 40;

/** Owns its box; the owner puts it somewhere. */
export class ProbeCard {
    /**
     * @param {import("./page.mjs").Page} page
     * @param {Probe} probe
     * @param {() => Promise<void>} changed after the probe was changed or removed
     * @param {(probe: Probe) => void} [seen] gets what a look of the card's own found
     */
    constructor(page, probe, changed, seen) {
        this.seen = seen;
        this.page = page;
        this.id = probe.id;
        this.changed = changed;
        this.looks = 0;
        this.timer = 0;
        this.dot = element("i", { class: "dot none", "aria-hidden": "true" });
        this.title = element("span", {});
        this.state = element("span", { class: "quiet", role: "status" });
        this.facts = element("p", { class: "quiet facts-line" });
        this.rows = element("tbody", {});
        this.outcome = element("p", { class: "problem", role: "alert" });
        this.toggle = element("button", { type: "button" }, "Disable");
        const remove = element("button", { type: "button", class: "danger" }, "Remove");
        this.toggle.addEventListener("click", () => void this.act(() => page.connection.post(`probes/${this.id}/${this.probe?.enabled ? "disable" : "enable"}`, {}, null)));
        remove.addEventListener("click", () => void this.act(() => page.connection.remove(`probes/${this.id}`)));
        const head = element("tr", {}, ...["Instance", "State", "Hits", "Own cost"].map((name) => element("th", { scope: "col", class: name === "Own cost" ? "number" : "" }, name)));
        this.lines = element("ol", { class: "lines", "aria-label": "Lines of this log point" });
        this.waitsFor = element("p", { class: "quiet waits" }, "No line yet.");
        this.scroller = element("div", { class: "lines-box", tabindex: "0", role: "region", "aria-label": "Lines of this log point" }, this.lines);
        this.log = new LogList(this.lines, this.scroller, { most: 200, links: false });
        const history = element("details", {}, element("summary", {}, "Who and why"));
        history.addEventListener("toggle", () => void this.showHistory(history));
        this.box = element("article", { class: "probe-card", "data-probe": this.id },
            element("h3", {}, this.dot, this.title, this.state, element("span", { class: "acts" }, this.toggle, remove)),
            this.facts, this.outcome, this.waitsFor, this.scroller,
            element("details", {}, element("summary", {}, "In each instance"), element("table", { class: "plain" }, element("thead", {}, head), this.rows)), history);
        this.tail = new Tail(page.connection, { query: queryOfProbe(probe.service, probe.id), since: "30m", limit: 50 }, {
            event: (event) => {
                if (event.line) this.log.add(event.line);
                if (event.dropped) this.log.remark(`${formatCount(event.dropped, "line")} left out, because the browser was too slow`);
                if (this.log.count > 0) this.waitsFor.hidden = true;
                if (this.probe?.hits === 0) this.showCounts(this.probe);
            },
            state: (problem) => {
                if (problem === "") return;
                this.waitsFor.hidden = false;
                setText(this.waitsFor, problem);
            },
        });
    }

    close() {
        clearTimeout(this.timer);
        this.tail.close();
        this.box.remove();
    }

    /** @param {Probe} probe */
    show(probe) {
        this.probe = probe;
        setText(this.title, `“${probe.template}”${probe.condition === "" ? "" : ` if ${probe.condition}`}`);
        this.dot.className = `dot ${levelOfState(probe.state)}`;
        setText(this.state, `${probe.state}: ${meaningOf(probe.state)}`);
        this.showCounts(probe);
        setText(this.toggle, probe.enabled ? "Disable" : "Enable");
        if (probe.state === "active" && this.log.count === 0 && probe.lines === 0) {
            setText(this.waitsFor, "It is in the running code. Nothing has passed the line since.");
        }
        this.rows.replaceChildren(...probe.instances.map((instance) => {
            const dropped = dropWords(instance.dropped);
            const sites = instance.jumpSites + instance.trapSites;
            const where = sites > 0 ? ` at ${formatCount(sites, "place")}${instance.trapSites > 0 ? `, ${instance.trapSites} by trap` : ""}` : "";
            return element("tr", {}, element("td", {}, `${instance.host} · ${instance.pid}`),
                element("td", {}, `${instance.state}${where}`, ...(instance.reason ? [element("div", { class: "problem" }, instance.reason)] : []),
                    ...(instance.connected ? [] : [element("div", { class: "problem" }, "its agent is away")])),
                element("td", {}, hitWords(instance, 0), ...(dropped === "" ? [] : [element("div", { class: "quiet" }, `dropped: ${dropped}`)])),
                element("td", { class: "number" }, ownCost(instance.ownCPUNanos)));
        }));
        if (!this.tail.ending.signal.aborted) this.hurry(probe);
    }

    /** @param {Probe} probe */
    showCounts(probe) {
        // Agents count every few seconds; lines come at once.
        const early = probe.hits === 0 && this.log.count > 0;
        const counts = early ? [`${formatCount(this.log.count, "line")} so far`] : [hitWords(probe, probe.dropped), `own cost ${ownCost(probe.ownCPUNanos)}`];
        setText(this.facts, [...counts, expiryWords(probe, Date.now())].join(" · "));
    }

    /**
     * Looks again soon, while a probe is not yet where it should be or has not said anything.
     *
     * @param {Probe} probe
     */
    hurry(probe) {
        const waits = probe.enabled && (["waiting", "pending"].includes(probe.state) || (probe.state === "active" && probe.hits === 0));
        clearTimeout(this.timer);
        if (!waits || this.looks >= soonTimes) return;
        this.looks += 1;
        this.timer = setTimeout(async () => {
            try {
                const probe = await this.page.connection.get(`probes/${this.id}`, {});
                this.show(probe);
                this.seen?.(probe);
            } catch {
                // The page's own poll tells what is wrong.
            }
        }, soonMs);
    }

    /** @param {() => Promise<unknown>} ask */
    async act(ask) {
        try {
            await ask();
            setText(this.outcome, "");
            this.looks = 0;
            await this.changed();
            this.page.poller.run();
        } catch (error) {
            setText(this.outcome, error instanceof Error ? error.message : String(error));
        }
    }

    /** @param {HTMLElement} box */
    async showHistory(box) {
        if (!box.hasAttribute("open")) return;
        try {
            const { entries } = await this.page.connection.get("history", { probe: this.id });
            box.querySelector("ul")?.remove();
            box.append(historyList(entries));
        } catch (error) {
            setText(this.outcome, error instanceof Error ? error.message : String(error));
        }
    }
}

/**
 * @param {{ timeMs: number, who: string, what: string }[]} entries
 * @returns {HTMLElement}
 */
export function historyList(entries) {
    const rows = entries.map((entry) => element("li", {}, element("time", { datetime: new Date(entry.timeMs).toISOString() }, formatTime(entry.timeMs, Date.now())),
        " ", element("b", {}, entry.who), element("span", { title: entry.what }, ` ${entry.what.replace(/ at \S*\//, " at ")}`)));
    return element("ul", { class: "history" }, ...(rows.length > 0 ? rows : [element("li", { class: "quiet" }, "Nothing is known.")]));
}

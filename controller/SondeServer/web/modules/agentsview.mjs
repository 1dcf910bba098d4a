// SPDX-License-Identifier: Apache-2.0
// The strip of agents: who is connected and at what cost, and the switch for their sampling.
import { concernsOf, costText, hertzText, pendingText, rateText, summaryOf } from "./agents.mjs";
import { byId, element, setText } from "./dom.mjs";
import { formatAge } from "./format.mjs";

/** @typedef {import("./agents.mjs").Agent} Agent */

/** Shows agents and asks for changes. */
export class AgentsView {
    /**
     * @param {(instance: string, cpu: { enabled: boolean, hertz: number } | null) =>
     *   Promise<string>} change answers what became of it, in words
     */
    constructor(change) {
        this.change = change;
        this.summary = byId("agents-summary");
        this.list = byId("agents-list");
        this.outcome = byId("agents-outcome");
        this.dot = byId("agents-dot");
        this.toggle = byId("agents-toggle");
        /** @type {string} */
        this.drawn = "";
        this.toggle.addEventListener("click", () => this.open(byId("agents-panel").hidden));
    }

    /** @param {boolean} open */
    open(open) {
        byId("agents-panel").hidden = !open;
        this.toggle.setAttribute("aria-expanded", String(open));
    }

    /** @param {Agent[]} agents */
    show(agents) {
        const summary = summaryOf(agents);
        setText(this.summary, summary.text);
        this.dot.className = `dot ${summary.level}`;
        // What a person is typing into is not replaced under their hands.
        const busy = this.list.contains(document.activeElement);
        const state = JSON.stringify(agents.map((agent) => [agent, Math.round((Date.now() - agent.lastSeenMs) / 5000)]));
        if (busy || state === this.drawn) return;
        this.drawn = state;
        this.list.replaceChildren(...agents.map((agent) => this.card(agent)));
        if (agents.length === 0) {
            this.list.append(element("p", { class: "quiet" }, "No agent has registered for this service."));
        }
    }

    /**
     * @param {Agent} agent
     * @returns {HTMLElement}
     */
    card(agent) {
        const away = agent.state === "away";
        const age = formatAge(Date.now() - agent.lastSeenMs);
        const title = element("h3", {},
            element("i", { class: `dot ${away ? "none" : concernsOf(agent).length > 0 ? "warn" : "good"}`, "aria-hidden": "true" }),
            `${agent.host} · pid ${agent.pid}`,
            element("span", { class: "quiet" }, away ? `away for ${age}` : `seen ${age} ago`));
        const facts = element("dl", {});
        const pending = pendingText(agent);
        for (const [name, text] of [
            ["Sampling", rateText(agent) + (pending === "" ? "" : ` (${pending})`)],
            ["Own cost", costText(agent)], ["Process", `${agent.processCPUPercent.toFixed(1)} % CPU, ${agent.threads} threads`],
            ["Sent", `${agent.profilesSent.toLocaleString("en-US")} profiles, ${agent.cpu.samples.toLocaleString("en-US")} samples`],
            ["Version", [agent.version, `agent ${agent.agentVersion}`].filter((part) => part !== "").join(", ")],
            ["Instance", agent.instance],
        ]) {
            facts.append(element("div", {}, element("dt", {}, name), element("dd", {}, text)));
        }
        const concerns = concernsOf(agent);
        const card = element("article", { class: "agent" }, title, facts);
        if (concerns.length > 0) card.append(lines("concerns", concerns));
        if (agent.notes.length > 0) card.append(lines("remarks", agent.notes));
        if (!away) card.append(this.controls(agent));
        return card;
    }

    /**
     * @param {Agent} agent
     * @returns {HTMLElement}
     */
    controls(agent) {
        const rate = /** @type {HTMLInputElement} */ (element("input", {
            type: "number", min: "1", max: "1000", step: "any", required: true, value: hertzText(agent.cpu.hertz),
            "aria-label": `Samples per second of ${agent.instance}`,
        }));
        const set = element("button", { type: "submit" }, "Set rate");
        const power = element("button", { type: "button" }, agent.cpu.enabled ? "Turn off" : "Turn on");
        const form = element("form", { class: "rate" }, rate, element("span", { class: "quiet" }, "Hz"), set, power);
        form.addEventListener("submit", (event) => {
            event.preventDefault();
            this.ask(agent, { enabled: true, hertz: rate.valueAsNumber });
        });
        power.addEventListener("click", () => this.ask(agent, { enabled: !agent.cpu.enabled, hertz: rate.valueAsNumber || 100 }));
        if (agent.cpu.desired) {
            const back = element("button", { type: "button" }, "As configured there");
            back.addEventListener("click", () => this.ask(agent, null));
            form.append(back);
        }
        return form;
    }

    /**
     * @param {Agent} agent
     * @param {{ enabled: boolean, hertz: number } | null} cpu
     */
    async ask(agent, cpu) {
        setText(this.outcome, "asking …");
        const outcome = await this.change(agent.instance, cpu);
        setText(this.outcome, outcome);
        // The next poll may draw the list again.
        /** @type {HTMLElement | null} */ (document.activeElement)?.blur();
    }
}

/**
 * @param {string} kind
 * @param {string[]} texts
 * @returns {HTMLElement}
 */
function lines(kind, texts) {
    return element("ul", { class: kind }, ...texts.map((text) => element("li", {}, text)));
}

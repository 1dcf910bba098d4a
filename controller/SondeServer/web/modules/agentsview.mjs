// SPDX-License-Identifier: Apache-2.0
// The strip of agents: who is connected and at what cost, and the switch for their sampling.
import { budgetText, buildText, concernsOf, costText, hertzText, pendingText, rateText, summaryOf, uptimeText } from "./agents.mjs";
import { byId, element, setText } from "./dom.mjs";
import { formatAge, formatCount } from "./format.mjs";

/** @typedef {import("./agents.mjs").Agent} Agent */

/** Shows agents and asks for changes. */
export class AgentsView {
    /** @param {import("./page.mjs").Page} page */
    constructor(page) {
        this.page = page;
        /** @type {readonly (keyof import("./address.mjs").PageState)[]} */
        this.questions = ["service"];
        this.summary = byId("agents-summary");
        this.list = byId("agents-list");
        this.outcome = byId("agents-outcome");
        this.dot = byId("agents-dot");
        this.drawn = "";
        this.loadedAt = 0;
    }

    /** @returns {string} */
    staleness() {
        return this.drawn === "" ? "" : `shown as of ${formatAge(Date.now() - this.loadedAt)} ago`;
    }

    forget() {
        this.drawn = "";
        this.list.replaceChildren();
        setText(byId("agents-facts"), "");
    }

    /** @param {AbortSignal} signal */
    async load(signal) {
        const { page } = this;
        await page.chooseService(signal);
        if (signal.aborted) return;
        const { agents } = await page.connection.get("agents", {}, signal);
        if (signal.aborted) return;
        this.loadedAt = Date.now();
        this.summarize(agents.filter((/** @type {Agent} */ agent) => agent.service === page.state.service));
        this.show(agents);
    }

    /** @param {Agent[]} agents of the chosen service, for the line at the foot of every page */
    summarize(agents) {
        const summary = summaryOf(agents);
        setText(this.summary, summary.text);
        this.dot.className = `dot ${summary.level}`;
    }

    /** @param {Agent[]} agents of all services */
    show(agents) {
        // What a person is typing into is not replaced under their hands.
        const busy = this.list.contains(document.activeElement);
        const state = JSON.stringify(agents.map((agent) => [agent, Math.round((Date.now() - agent.lastSeenMs) / 5000)]));
        const connected = agents.filter((agent) => agent.state === "connected").length;
        setText(byId("agents-facts"), agents.length === 0 ? "" : `${connected} of ${formatCount(agents.length, "agent")} connected`);
        if (busy || state === this.drawn) return;
        this.drawn = state;
        const chosen = this.page.state.service;
        const services = [...new Set(agents.map((agent) => agent.service))].sort((one, other) =>
            Number(other === chosen) - Number(one === chosen) || (one < other ? -1 : 1));
        this.list.replaceChildren(...services.map((service) => {
            const own = agents.filter((agent) => agent.service === service);
            return element("section", { class: "agent-group", "aria-label": service }, element("h3", {}, service, element("span", { class: "quiet" }, ` ${summaryOf(own).text}`)),
                element("div", { class: "agent-cards" }, ...own.map((agent) => this.card(agent))));
        }));
        if (agents.length === 0) {
            this.list.append(element("div", { class: "empty" }, element("h3", {}, "No agent has registered"),
                element("p", {}, "An agent registers when a service starts that is linked with SondeAgent, or that `sonde run` started.")));
        }
    }

    /**
     * @param {Agent} agent
     * @returns {HTMLElement}
     */
    card(agent) {
        const away = agent.state === "away";
        const age = formatAge(Date.now() - agent.lastSeenMs);
        const title = element("h4", {},
            element("i", { class: `dot ${away ? "none" : concernsOf(agent).length > 0 ? "warn" : "good"}`, "aria-hidden": "true" }),
            `${agent.host} · pid ${agent.pid}`,
            element("span", { class: "quiet" }, away ? `away for ${age}` : `seen ${age} ago`));
        const facts = element("dl", {});
        const pending = pendingText(agent);
        for (const [name, text] of [
            ["Build", buildText(agent)], ["Up", uptimeText(agent, Date.now())],
            ["CPU time", rateText(agent) + (pending === "" ? "" : ` (${pending})`)],
            ["Own cost", costText(agent)], ["Budget", budgetText(agent)], ["Process", `${agent.processCPUPercent.toFixed(1)} % CPU, ${agent.threads} threads`],
            ["Sent", `${agent.profilesSent.toLocaleString("en-US")} profiles, ${agent.cpu.samples.toLocaleString("en-US")} samples`],
            ["Version", [agent.version, `agent ${agent.agentVersion}`].filter((part) => part !== "").join(", ")],
            ["Instance", agent.instance],
        ]) {
            facts.append(element("div", {}, element("dt", {}, name), element("dd", {}, text)));
        }
        const concerns = concernsOf(agent);
        const card = element("article", { class: "agent" }, title, facts);
        if (!away && concerns.length === 0) card.append(element("p", { class: "fine" }, "Nothing is wrong, nothing was lost."));
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
     * @returns {Promise<string>} what became of it, in words
     */
    async change(agent, cpu) {
        try {
            const { service, instance } = agent;
            const { instances } = await this.page.connection.patch("agents", { service, instance }, { cpu });
            this.page.poller.run();
            return instances.length > 0 ? "asked; the agent answers within seconds" : "kept; the agent is not connected now";
        } catch (error) {
            return error instanceof Error ? error.message : String(error);
        }
    }

    /**
     * @param {Agent} agent
     * @param {{ enabled: boolean, hertz: number } | null} cpu
     */
    async ask(agent, cpu) {
        setText(this.outcome, "asking …");
        setText(this.outcome, await this.change(agent, cpu));
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

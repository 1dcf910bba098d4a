// SPDX-License-Identifier: Apache-2.0
// The editor of a log point, below its line: names that can be read there, what the compiler says, the lines.
import { ControllerError } from "./connection.mjs";
import { byId, element, setText } from "./dom.mjs";
import { inserted } from "./completion.mjs";
import { formatCount } from "./format.mjs";
import { ProbeCard } from "./probecard.mjs";
import { placeOfLocation } from "./probes.mjs";
import { forecastWords } from "./sourcelines.mjs";
import { Suggestions } from "./suggestions.mjs";

/** @typedef {import("./probes.mjs").Probe} Probe */
/** @typedef {import("./completion.mjs").PlaceName} PlaceName */
/** @typedef {{ file: string, line: number, cost: import("./sourcelines.mjs").LineCost | null }} Place */

/** Long enough for the next letter. */
const checkPauseMs = 250;

/** One editor, moved from line to line. */
export class ProbeEditor {
    /**
     * @param {import("./page.mjs").Page} page
     * @param {(probes: Probe[]) => void} changed gets all probes of the service
     */
    constructor(page, changed) {
        this.page = page;
        this.changed = changed;
        /** @type {Place | null} */
        this.place = null;
        /** @type {PlaceName[]} */
        this.names = [];
        this.asking = new AbortController();
        this.timer = 0;
        /** @type {ProbeCard[]} */
        this.cards = [];
        this.cell = element("td", { colspan: "4" });
        this.row = element("tr", { class: "editor" }, this.cell);
    }

    close() {
        this.detach();
        this.asking.abort();
        clearTimeout(this.timer);
        for (const card of this.cards) card.close();
        this.cards = [];
        this.place = null;
    }

    /** Takes the row out of a table that is drawn anew; it comes back as it was. */
    detach() {
        this.row.remove();
    }

    /**
     * @param {HTMLElement} below
     * @param {Place} place
     * @param {Probe[]} probes
     * @param {boolean} focus whether a person opened it just now
     */
    open(below, place, probes, focus) {
        const same = this.place !== null && this.place.file === place.file && this.place.line === place.line;
        if (!same) {
            this.close();
            this.place = place;
            this.names = [];
            this.draw(place);
            void this.look();
        }
        if (below.nextSibling !== this.row) below.after(this.row);
        if (!same && focus) this.template?.focus({ preventScroll: true });
        this.showProbes(probes);
    }

    /** @param {Place} place */
    draw(place) {
        const { service } = this.page.state;
        this.template = field("probe-template", "text", "order {order.id}: {total}");
        this.condition = field("probe-condition", "text", "total > 100");
        this.reason = field("probe-reason", "text", "why, for the history");
        this.tag = field("probe-tag", "text", "");
        this.minutes = field("probe-minutes", "number", "", { value: "30", min: "1", max: "1440" });
        this.hits = field("probe-hits", "number", "", { value: "1000", min: "1", max: "1000000" });
        this.rate = field("probe-rate", "number", "", { value: "100", min: "1", max: "5000" });
        this.level = /** @type {HTMLSelectElement} */ (element("select", { id: "probe-level" },
            ...["trace", "debug", "info", "warn", "error"].map((level) => element("option", level === "info" ? { selected: true } : {}, level))));
        this.instance = /** @type {HTMLSelectElement} */ (element("select", { id: "probe-instance" },
            element("option", { value: "" }, "all instances")));
        this.verdict = element("output", { class: "verdict", "aria-live": "polite" }, "Names are being looked up …");
        this.suggestions = new Suggestions({
            names: () => this.names,
            membersOf: async (owner, signal) => {
                const where = await this.page.connection.get("where", { service, location: this.location, of: owner }, signal);
                return where.builds.find((/** @type {{ of?: unknown }} */ build) => build.of)?.of ?? null;
            },
            typed: () => this.typed(),
        });
        this.chips = element("div", { class: "names", role: "group", "aria-label": "Names that can be read here" });
        this.add = /** @type {HTMLButtonElement} */ (element("button", { type: "submit", class: "primary", disabled: true }, "Add log point"));
        const cancel = element("button", { type: "button" }, "Close");
        cancel.addEventListener("click", () => this.page.change({ line: 0 }));
        this.forecast = element("p", { class: "quiet forecast" }, `Forecast from the samples: ${forecastWords(place.cost, 100)}.`);
        const form = /** @type {HTMLFormElement} */ (element("form", { class: "probe-form", "aria-label": `Log point at line ${place.line}`, autocomplete: "off" },
            element("div", { class: "wide combo" }, labelled("Message", this.template), this.suggestions.list),
            element("div", { class: "wide" }, labelled("Only if", this.condition)),
            this.chips, this.verdict, this.forecast,
            element("details", { class: "wide" }, element("summary", {}, "Instances and limits"),
                element("div", { class: "limits" }, labelled("Instances", this.instance), labelled("Level", this.level), labelled("Minutes", this.minutes),
                    labelled("Hits", this.hits), labelled("Lines a second", this.rate), labelled("Tag", this.tag))),
            element("div", { class: "wide" }, labelled("Reason", this.reason)),
            element("div", { class: "row" }, this.add, cancel, element("span", { class: "quiet" }, `in ${service}, until it ends by itself`))));
        form.addEventListener("submit", (event) => {
            event.preventDefault();
            void this.submit();
        });
        form.addEventListener("keydown", (event) => {
            if (event.key !== "Escape" || event.defaultPrevented) return;
            event.preventDefault();
            this.page.change({ line: 0 });
        });
        form.addEventListener("input", () => this.typed());
        this.suggestions.serve(this.template, "template");
        this.suggestions.serve(this.condition, "condition");
        this.panel = element("div", { class: "probe-cards" });
        this.another = element("details", { class: "another", open: true }, element("summary", {}, "Another log point on this line"), form);
        this.cell.replaceChildren(element("div", { class: "editor-box" }, this.panel, this.another));
    }

    get location() {
        return this.place ? `${this.place.file}:${this.place.line}` : "";
    }

    /** Asks which names can be read at the line, and which instances there are. */
    async look() {
        this.asking.abort();
        this.asking = new AbortController();
        const { signal } = this.asking;
        const { connection, state } = this.page;
        try {
            const [where, { agents }] = await Promise.all([
                connection.get("where", { service: state.service, location: this.location }, signal),
                connection.get("agents", { selector: `{service_name=${JSON.stringify(state.service)}}` }, signal),
            ]);
            if (signal.aborted) return;
            const build = where.builds.find((/** @type {{ names?: PlaceName[] }} */ entry) => entry.names);
            this.names = build?.names ?? [];
            this.showNames();
            this.instance?.append(...agents.filter((/** @type {{ state: string }} */ agent) => agent.state === "connected")
                .map((/** @type {{ instance: string, host: string, pid: number }} */ agent) => element("option", { value: agent.instance }, `${agent.host} · ${agent.pid}`)));
            const places = build?.places.length ?? 0;
            this.say("", `This line has ${formatCount(places, "place")} in the code${places > 1 ? " (copies that the compiler made)" : ""}. Write a message; {name} stands for a value.`);
        } catch (error) {
            if (!signal.aborted) this.refuse(error);
        }
    }

    showNames() {
        const readable = this.names.filter((name) => name.availability !== "none");
        const chips = readable.map((name) => {
            const chip = element("button", { type: "button", class: name.availability === "full" ? "chip" : "chip part" }, name.name, element("span", { class: "quiet" }, ` ${name.type}`));
            chip.title = name.availability === "full" ? `${name.kind} ${name.name}: ${name.type}` : `${name.name}: not at every copy of the line. ${name.reason}`;
            chip.addEventListener("click", () => this.insert(name.name));
            return chip;
        });
        const gone = this.names.filter((name) => name.availability === "none");
        if (gone.length > 0) {
            const list = element("ul", {}, ...gone.map((name) => {
                const item = element("li", {}, element("code", {}, name.name), `: ${name.reason || "not readable here"}`);
                for (const line of name.nearestLines.slice(0, 3)) {
                    const go = element("button", { type: "button", class: "link" }, `line ${line}`);
                    go.addEventListener("click", () => this.page.change({ line }));
                    item.append(" ", go);
                }
                return item;
            }));
            chips.push(element("details", { class: "gone" }, element("summary", {}, `${formatCount(gone.length, "name")} not readable here`), list));
        }
        this.chips?.replaceChildren(...chips);
    }

    /** @param {string} name */
    insert(name) {
        const { template } = this;
        if (!template) return;
        const made = inserted(template.value, template.selectionStart ?? template.value.length, name);
        template.value = made.text;
        template.focus();
        template.setSelectionRange(made.caret, made.caret);
        this.typed();
    }

    typed() {
        clearTimeout(this.timer);
        if (this.add) this.add.disabled = true;
        this.timer = setTimeout(() => void this.check(), checkPauseMs);
    }

    /** @returns {Record<string, unknown>} what the controller is asked for */
    wish() {
        const { template, condition, level, instance, tag, reason, minutes, hits, rate } = this;
        return {
            kind: "log", location: this.location, service: this.page.state.service, template: template?.value ?? "", condition: condition?.value.trim() ?? "",
            level: level?.value ?? "info", instance: instance?.value ?? "", tag: tag?.value.trim() ?? "", reason: reason?.value.trim() ?? "",
            seconds: Math.round((minutes?.valueAsNumber || 30) * 60), hits: Math.round(hits?.valueAsNumber || 1000), rate: Math.round(rate?.valueAsNumber || 100),
        };
    }

    /** Asks the real compiler, without adding anything. */
    async check() {
        const { connection } = this.page;
        if ((this.template?.value ?? "") === "") return this.say("", "Write a message; {name} stands for a value.");
        this.asking.abort();
        this.asking = new AbortController();
        const { signal } = this.asking;
        try {
            const { builds } = await connection.post("probes", { dryRun: "true" }, this.wish(), signal);
            if (signal.aborted) return;
            const good = builds.filter((/** @type {{ problem?: string }} */ build) => build.problem === undefined);
            const instances = good.reduce((/** @type {number} */ sum, /** @type {{ instances: number }} */ build) => sum + build.instances, 0);
            const sites = good.reduce((/** @type {number} */ most, /** @type {{ sites: number }} */ build) => Math.max(most, build.sites), 0);
            const others = builds.filter((/** @type {{ problem?: string }} */ build) => build.problem !== undefined);
            this.say("good", `This works: ${formatCount(sites, "place")} in the code of ${formatCount(instances, "instance")}.`
                + others.map((/** @type {{ problem: string, image: string }} */ build) => ` Not in ${build.image}: ${build.problem}`).join(""));
            if (this.add) this.add.disabled = false;
        } catch (error) {
            if (!signal.aborted) this.refuse(error);
        }
    }

    /**
     * @param {"" | "good" | "bad"} kind
     * @param {string} text
     * @param {...Node} more
     */
    say(kind, text, ...more) {
        if (!this.verdict) return;
        this.verdict.className = `verdict ${kind}`;
        this.verdict.replaceChildren(element("p", {}, text), ...more);
    }

    /** @param {unknown} error */
    refuse(error) {
        const details = error instanceof ControllerError ? error.details : {};
        /** @type {Node[]} */
        const more = [];
        if (typeof details.caret === "string" && details.caret !== "") more.push(element("pre", {}, details.caret));
        const suggestions = [...(details.suggestions ?? []), ...(details.names ?? []).map((/** @type {{ name: string, type: string }} */ entry) => `${entry.name}: ${entry.type}`)];
        if (suggestions.length > 0) more.push(element("p", { class: "quiet" }, `There are ${suggestions.slice(0, 12).join(", ")}`));
        if (details.nearestLines?.length > 0) {
            const lines = element("p", {}, "It can be read on ");
            for (const line of details.nearestLines) {
                const go = element("button", { type: "button", class: "link" }, `line ${line}`);
                go.addEventListener("click", () => this.page.change({ line }));
                lines.append(go, " ");
            }
            more.push(lines);
        }
        this.say("bad", error instanceof Error ? error.message : String(error), ...more);
        if (this.add) this.add.disabled = true;
    }

    async submit() {
        if (!this.add || this.add.disabled) return;
        this.add.disabled = true;
        const { connection, state } = this.page;
        try {
            const probe = await connection.post("probes", {}, this.wish());
            setText(byId("spoken"), "The log point was added");
            this.say("good", "Added. Its lines come below.");
            const { probes } = await connection.get("probes", { service: state.service });
            this.changed(probes);
            this.showProbes(probes.length > 0 ? probes : [probe]);
        } catch (error) {
            this.refuse(error);
        }
    }

    /** @param {Probe[]} probes */
    showProbes(probes) {
        const { place, panel } = this;
        if (!place || !panel) return;
        const here = probes.filter((probe) => {
            const at = placeOfLocation(probe.location);
            return at && at.line === place.line && `/${place.file}`.endsWith(`/${at.file}`);
        });
        // The lines are what is waited for: the form makes room for them.
        if (this.cards.length === 0 && here.length > 0) this.another?.removeAttribute("open");
        if (here.length === 0) this.another?.setAttribute("open", "");
        for (const card of this.cards.filter((known) => !here.some((probe) => probe.id === known.id))) card.close();
        this.probes = probes;
        this.cards = here.map((probe) => {
            const card = this.cards.find((known) => known.id === probe.id)
                ?? new ProbeCard(this.page, probe, async () => this.changed((await this.page.connection.get("probes", { service: this.page.state.service })).probes),
                    (seen) => this.changed((this.probes ?? []).map((known) => (known.id === seen.id ? seen : known))));
            card.show(probe);
            if (card.box.parentElement !== panel) panel.prepend(card.box);
            return card;
        });
    }
}

/**
 * @param {string} id
 * @param {string} type
 * @param {string} placeholder
 * @param {Record<string, string>} [more]
 * @returns {HTMLInputElement}
 */
function field(id, type, placeholder, more = {}) {
    return /** @type {HTMLInputElement} */ (element("input", { id, type, placeholder, spellcheck: "false", autocomplete: "off", ...more }));
}

/**
 * @param {string} text
 * @param {HTMLElement} control
 * @returns {HTMLElement}
 */
function labelled(text, control) {
    return element("label", { class: "field" }, element("span", {}, text), control);
}

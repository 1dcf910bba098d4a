// SPDX-License-Identifier: Apache-2.0
// The list of completions below a template or a condition: names of the line, and members behind a dot.
import { completed, completionsOf, contextNames, memberAt, memberCompletions, wordAt } from "./completion.mjs";
import { element } from "./dom.mjs";

/** @typedef {import("./completion.mjs").PlaceName} PlaceName */
/** @typedef {import("./completion.mjs").MemberAnswer} MemberAnswer */

/**
 * @typedef {object} SuggestionSource
 * @property {() => PlaceName[]} names what can be read at the line
 * @property {(owner: string, signal: AbortSignal) => Promise<MemberAnswer | null>} membersOf
 * @property {() => void} typed after a completion was taken
 */

/** One list that serves several fields. */
export class Suggestions {
    /** @param {SuggestionSource} source */
    constructor(source) {
        this.source = source;
        this.list = element("ul", { class: "completions", role: "listbox", id: "probe-completions", "aria-label": "Completions", hidden: true });
        /** What a choice replaces. @type {{ start: number, prefix: string } | null} */
        this.word = null;
        /** By the expression before the dot. @type {Map<string, MemberAnswer | null>} */
        this.members = new Map();
        this.asking = new AbortController();
        /** @type {HTMLInputElement[]} */
        this.inputs = [];
    }

    /**
     * @param {HTMLInputElement} input
     * @param {"template" | "condition"} role
     */
    serve(input, role) {
        this.inputs.push(input);
        input.addEventListener("input", () => this.suggest(input, role));
        input.addEventListener("keydown", (event) => this.choose(event, input));
        input.addEventListener("blur", () => this.hide());
        for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-controls", "probe-completions"], ["aria-expanded", "false"]]) {
            input.setAttribute(name, value);
        }
    }

    /**
     * @param {HTMLInputElement} input
     * @param {"template" | "condition"} role
     */
    suggest(input, role) {
        this.asking.abort();
        const member = memberAt(input.value, input.selectionStart ?? 0, role);
        if (member) {
            void this.suggestMembers(input, member);
            return;
        }
        const word = wordAt(input.value, input.selectionStart ?? 0, role);
        if (!word) return this.hide();
        const context = contextNames.map((name) => ({ name, type: "", kind: "context", availability: /** @type {"full"} */ ("full"), reason: "", nearestLines: [] }));
        const found = word.prefix !== "" ? completionsOf([...this.source.names(), ...context], word.prefix) : [];
        this.offer(input, word, found.map(({ name, type, availability, reason }) => ({ name, type, missing: availability === "none" ? reason : null })));
    }

    /**
     * Asks what can follow the dot, once for each expression before one.
     *
     * @param {HTMLInputElement} input
     * @param {{ owner: string, mark: string, dot: number, prefix: string }} member
     */
    async suggestMembers(input, member) {
        this.asking = new AbortController();
        const { signal } = this.asking;
        if (!this.members.has(member.owner)) {
            // What was offered for the name before the dot fits no longer.
            this.hide();
            try {
                const answer = await this.source.membersOf(member.owner, signal);
                this.members.set(member.owner, answer);
            } catch {
                // The verdict on the whole text says what is wrong.
                return;
            }
        }
        if (signal.aborted || document.activeElement !== input) return;
        const answer = this.members.get(member.owner);
        if (!answer) return this.hide();
        const { word, names } = memberCompletions(member, answer);
        this.offer(input, word, names.map((name) => ({ ...name, missing: null })));
    }

    /**
     * @param {HTMLInputElement} input
     * @param {{ start: number, prefix: string }} word
     * @param {{ name: string, type: string, missing: string | null }[]} found `missing`: why it cannot be read here
     */
    offer(input, word, found) {
        this.word = word;
        if (found.length === 0) return this.hide();
        const options = found.map((name, index) => {
            const option = element("li", { role: "option", id: `probe-option-${index}`, "aria-selected": String(index === 0), "data-name": name.name, ...(name.missing === null ? {} : { class: "none" }) },
                element("b", {}, name.name), element("span", { class: "quiet" }, ` ${name.missing === null ? name.type : `not here: ${name.missing}`}`));
            // Before the field loses the focus, which would close the list.
            option.addEventListener("pointerdown", (event) => {
                event.preventDefault();
                this.complete(input, name.name);
            });
            return option;
        });
        input.parentElement?.after(this.list);
        this.list.replaceChildren(...options);
        this.list.hidden = false;
        input.setAttribute("aria-expanded", "true");
        input.setAttribute("aria-activedescendant", "probe-option-0");
    }

    hide() {
        this.list.hidden = true;
        for (const input of this.inputs) {
            input.setAttribute("aria-expanded", "false");
            input.removeAttribute("aria-activedescendant");
        }
    }

    /**
     * @param {KeyboardEvent} event
     * @param {HTMLInputElement} input
     */
    choose(event, input) {
        if (this.list.hidden) return;
        const options = [...this.list.children];
        const at = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
        if (event.key === "ArrowDown" || event.key === "ArrowUp") {
            event.preventDefault();
            const next = (at + (event.key === "ArrowDown" ? 1 : options.length - 1)) % options.length;
            options.forEach((option, index) => option.setAttribute("aria-selected", String(index === next)));
            options[next].scrollIntoView({ block: "nearest" });
            input.setAttribute("aria-activedescendant", `probe-option-${next}`);
        } else if (event.key === "Enter" || event.key === "Tab") {
            if (at < 0) return;
            event.preventDefault();
            this.complete(input, /** @type {HTMLElement} */ (options[at]).dataset.name ?? "");
        } else if (event.key === "Escape") {
            event.preventDefault();
            this.hide();
        }
    }

    /**
     * @param {HTMLInputElement} input
     * @param {string} name
     */
    complete(input, name) {
        if (!this.word) return;
        const made = completed(input.value, this.word, name);
        input.value = made.text;
        input.setSelectionRange(made.caret, made.caret);
        this.hide();
        this.source.typed();
    }
}

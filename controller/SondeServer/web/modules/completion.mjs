// SPDX-License-Identifier: Apache-2.0
// Which names fit where the caret stands in a template or a condition.

/**
 * @typedef {object} PlaceName a name as `GET /api/v1/where` tells it
 * @property {string} name
 * @property {string} type
 * @property {string} kind
 * @property {"full" | "some" | "part" | "none"} availability
 * @property {string} reason
 * @property {number[]} nearestLines
 */

/** Values that can be asked for everywhere. */
export const contextNames = ["#thread", "#function", "#trace", "#span"];

/**
 * @param {string} text
 * @param {number} caret
 * @param {"template" | "condition"} role in a template only what stands in braces is an expression
 * @returns {{ start: number, prefix: string } | null} the word before the caret; null where none is wanted
 */
export function wordAt(text, caret, role) {
    const before = text.slice(0, caret);
    if (role === "template") {
        // Doubled braces are braces of the text.
        const open = before.replace(/\{\{|\}\}/g, "  ");
        if (open.lastIndexOf("{") <= open.lastIndexOf("}")) return null;
    }
    const found = /[#A-Za-z_][\w.]*$|$/.exec(before);
    const prefix = found?.[0] ?? "";
    return { start: caret - prefix.length, prefix };
}

/**
 * @typedef {object} MemberAnswer what `GET /api/v1/where?of=` says can follow a dot
 * @property {string} type
 * @property {boolean} optional
 * @property {{ name: string, type: string }[]} members
 */

/**
 * The expression before the dot at the caret, and what of a member's name is there already.
 *
 * @param {string} text
 * @param {number} caret
 * @param {"template" | "condition"} role
 * @returns {{ owner: string, mark: string, dot: number, prefix: string } | null} null where no member is wanted
 */
export function memberAt(text, caret, role) {
    if (wordAt(text, caret, role) === null) return null;
    const found = /(?<![\w.\])?!])([A-Za-z_]\w*(?:[?!]?\.\w+|[?!]?\[[^[\]{}]*\])*)([?!]?)\.(\w*)$/.exec(text.slice(0, caret));
    if (!found) return null;
    const [, owner, mark, prefix] = found;
    return { owner, mark, dot: caret - prefix.length - 1, prefix };
}

/**
 * @param {{ mark: string, dot: number, prefix: string }} place
 * @param {MemberAnswer} answer
 * @returns {{ word: { start: number, prefix: string }, names: { name: string, type: string }[] }} what replaces the word:
 *   behind a value that may be nil, the dot becomes `?.`
 */
export function memberCompletions({ mark, dot, prefix }, answer) {
    const wanted = prefix.toLowerCase();
    const names = answer.members.filter(({ name }) => name.toLowerCase().startsWith(wanted) && name !== prefix).slice(0, 24);
    if (!answer.optional || mark !== "") return { word: { start: dot + 1, prefix }, names };
    return { word: { start: dot, prefix: `.${prefix}` }, names: names.map(({ name, type }) => ({ name: `?.${name}`, type })) };
}

/**
 * @param {PlaceName[]} names
 * @param {string} prefix
 * @returns {PlaceName[]} those that begin so, the readable first
 */
export function completionsOf(names, prefix) {
    const wanted = prefix.toLowerCase();
    const rank = (/** @type {PlaceName} */ name) => (name.availability === "none" ? 1 : 0);
    return names.filter((name) => name.name.toLowerCase().startsWith(wanted) && name.name !== prefix)
        .sort((one, other) => rank(one) - rank(other) || (one.name < other.name ? -1 : 1)).slice(0, 12);
}

/**
 * @param {string} text
 * @param {{ start: number, prefix: string }} word
 * @param {string} name
 * @returns {{ text: string, caret: number }}
 */
export function completed(text, word, name) {
    const made = text.slice(0, word.start) + name + text.slice(word.start + word.prefix.length);
    return { text: made, caret: word.start + name.length };
}

/**
 * Puts a name into a template, in braces unless the caret is inside some already.
 *
 * @param {string} text
 * @param {number} caret
 * @param {string} name
 * @returns {{ text: string, caret: number }}
 */
export function inserted(text, caret, name) {
    const word = wordAt(text, caret, "template");
    if (word) return completed(text, word, name);
    const space = caret > 0 && !/[\s(=:"'[]$/.test(text.slice(0, caret)) ? " " : "";
    const made = `${space}{${name}}`;
    return { text: text.slice(0, caret) + made + text.slice(caret), caret: caret + made.length };
}

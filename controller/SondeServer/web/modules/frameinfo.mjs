// SPDX-License-Identifier: Apache-2.0
// One frame in words: in the tooltip, in the line below the graph, and for a screen reader.
import { byId, element, setText } from "./dom.mjs";
import { formatShare, formatValue } from "./format.mjs";

/** @typedef {NonNullable<ReturnType<import("./flameview.mjs").FlameView["describe"]>>} FrameFacts */

const kindWords = ["", "inlined", "no name", "many small functions"];

/**
 * The end of a path, which tells files apart; the whole one is in the title of the line below the graph.
 *
 * @param {string} path
 * @returns {string}
 */
export function pathEnd(path) {
    const parts = path.split("/");
    return parts.length <= 3 ? path : `…/${parts.slice(-2).join("/")}`;
}

/**
 * @param {FrameFacts} frame
 * @param {number} total of the profile
 * @param {string} unit
 * @returns {[string, string][]} what it is, and in words
 */
function factsOf(frame, total, unit) {
    /** @type {[string, string][]} */
    const facts = frame.shares ? changeFacts(frame.shares) : [
        ["self", `${formatValue(frame.self, unit)} (${formatShare(frame.self, total)})`],
        ["total", `${formatValue(frame.total, unit)} (${formatShare(frame.total, total)})`],
    ];
    if (frame.place !== "") facts.push(["at", pathEnd(frame.place)]);
    if (frame.module !== "") facts.push(["in", pathEnd(frame.module)]);
    if (kindWords[frame.kind]) facts.push(["kind", kindWords[frame.kind]]);
    return facts;
}

/**
 * @param {{ before: number, after: number, deviations: number }} shares
 * @returns {[string, string][]}
 */
function changeFacts({ before, after, deviations }) {
    const points = (after - before) * 100;
    const certainty = deviations === 0 ? "" : Math.abs(deviations) < 3 ? ", which may be chance" : `, ${Math.abs(deviations).toFixed(1)} standard deviations`;
    return [
        ["before", formatShare(before, 1)], ["now", formatShare(after, 1)],
        ["change", `${points > 0 ? "+" : ""}${points.toFixed(2)} points${certainty}`],
    ];
}

/**
 * @param {FrameFacts | null} frame
 * @param {number} total
 * @param {string} unit
 * @param {number} x on the screen
 * @param {number} y
 */
export function showTooltip(frame, total, unit, x, y) {
    const tooltip = byId("tooltip");
    tooltip.hidden = !frame || x < 0;
    if (!frame || x < 0) return;
    const list = element("dl", {});
    for (const [name, text] of factsOf(frame, total, unit)) {
        list.append(element("dt", {}, name), element("dd", {}, text));
    }
    tooltip.replaceChildren(element("strong", {}, frame.name), list);
    const { offsetWidth, offsetHeight } = tooltip;
    const left = Math.max(4, Math.min(x + 14, innerWidth - offsetWidth - 8));
    const below = y + 18 + offsetHeight < innerHeight;
    const top = below ? y + 18 : Math.max(4, y - offsetHeight - 12);
    tooltip.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
}

/**
 * @param {FrameFacts | null} frame
 * @param {number} total
 * @param {string} unit
 */
export function showDetails(frame, total, unit) {
    setText(byId("details-name"), frame ? frame.name : "No frame selected");
    setText(byId("details-facts"), frame
        ? factsOf(frame, total, unit).map(([name, text]) => `${name} ${text}`).join(" · ")
        : "Select one to see where it is and what it costs.");
    byId("details-facts").title = frame ? [frame.place, frame.module].filter((part) => part !== "").join("\n") : "";
    byId("details").classList.toggle("off", !frame);
    for (const button of byId("details-actions").querySelectorAll("button")) button.disabled = !frame;
}

/**
 * @param {FrameFacts} frame
 * @param {number} total
 * @param {string} unit
 */
export function speak(frame, total, unit) {
    const facts = factsOf(frame, total, unit).map(([name, text]) => `${name} ${text}`).join(", ");
    setText(byId("spoken"), `${frame.name}, depth ${frame.depth}, ${facts}`);
}

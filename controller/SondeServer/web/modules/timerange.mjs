// SPDX-License-Identifier: Apache-2.0
// Time ranges as the address and the controller write them: now, now-1h, Unix milliseconds.
import { formatTime, twoDigits } from "./format.mjs";

/** @typedef {{ from: string, until: string }} TimeRange as docs/http-api.md writes both ends */

const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** What the range menu offers. */
export const quickRanges = [
    { from: "now-5m", label: "Last 5 minutes" },
    { from: "now-15m", label: "Last 15 minutes" },
    { from: "now-1h", label: "Last hour" },
    { from: "now-6h", label: "Last 6 hours" },
    { from: "now-1d", label: "Last 24 hours" },
    { from: "now-7d", label: "Last 7 days" },
    { from: "now-30d", label: "Last 30 days" },
];

/**
 * One end of a range in Unix milliseconds.
 *
 * @param {string} text
 * @param {number} nowMs
 * @returns {number | null} null when the text is none of the forms
 */
export function instantOf(text, nowMs) {
    if (text === "now") return nowMs;
    const relative = /^now-(\d{1,9})([smhdw])$/.exec(text);
    if (relative) {
        const unit = /** @type {keyof typeof unitMs} */ (relative[2]);
        return nowMs - Number(relative[1]) * unitMs[unit];
    }
    return /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/**
 * @param {TimeRange} range
 * @returns {boolean} whether the range moves with the clock
 */
export function isLive(range) {
    return range.until === "now";
}

/** A profile comes when its ten seconds are over, and later where the way is long. */
const lateMs = 60_000;

/**
 * @param {TimeRange} range
 * @param {number} askedMs when it was asked for
 * @returns {boolean} whether more of the range may have come since: it moves, or its end is recent or to come
 */
export function mayGrow(range, askedMs) {
    return (instantOf(range.until, askedMs) ?? 0) + lateMs > askedMs;
}

/**
 * @param {TimeRange} range
 * @returns {boolean} whether both ends can be read and are in order
 */
export function isRange(range) {
    const from = instantOf(range.from, 1e12);
    const until = instantOf(range.until, 1e12);
    if (from === null || until === null) return false;
    const comparable = range.from.startsWith("now") === range.until.startsWith("now");
    return !comparable || from < until;
}

/**
 * A range in words, for the button that opens the menu.
 *
 * @param {TimeRange} range
 * @param {number} nowMs
 * @returns {string}
 */
export function describeRange(range, nowMs) {
    const quick = quickRanges.find((entry) => entry.from === range.from);
    if (quick && range.until === "now") return quick.label;
    const from = instantOf(range.from, nowMs) ?? nowMs;
    const until = instantOf(range.until, nowMs) ?? nowMs;
    if (range.until === "now") {
        return range.from.startsWith("now-")
            ? `Last ${range.from.slice(4)}` : `Since ${formatTime(from, nowMs)}`;
    }
    return `${formatTime(from, nowMs)} – ${formatTime(until, nowMs)}`;
}

/**
 * The range of the same length before or after, or the wider one around it; always absolute.
 *
 * @param {TimeRange} range
 * @param {"earlier" | "later" | "wider"} way
 * @param {number} nowMs nothing after it is asked for
 * @returns {TimeRange}
 */
export function movedRange(range, way, nowMs) {
    const from = instantOf(range.from, nowMs) ?? nowMs - unitMs.h;
    const until = instantOf(range.until, nowMs) ?? nowMs;
    const length = Math.max(1000, until - from);
    if (way === "earlier") return absoluteRange(from - length / 2, until - length / 2);
    const limit = Math.max(until, nowMs);
    if (way === "later") {
        const shift = Math.min(length / 2, limit - until);
        return absoluteRange(from + shift, until + shift);
    }
    return absoluteRange(from - length / 2, Math.min(until + length / 2, limit));
}

/**
 * @param {number} fromMs
 * @param {number} untilMs
 * @returns {TimeRange}
 */
export function absoluteRange(fromMs, untilMs) {
    return { from: String(Math.max(0, Math.round(fromMs))), until: String(Math.round(untilMs)) };
}

/**
 * What an `<input type="datetime-local">` wants, in local time.
 *
 * @param {number} ms
 * @returns {string}
 */
export function localInputValue(ms) {
    const time = new Date(ms);
    const date = [time.getFullYear(), time.getMonth() + 1, time.getDate()].map(twoDigits).join("-");
    const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map(twoDigits).join(":");
    return `${date}T${clock}`;
}

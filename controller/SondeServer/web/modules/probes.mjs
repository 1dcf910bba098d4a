// SPDX-License-Identifier: Apache-2.0
// What the controller says about probes, in words.
import { formatAge, formatCount, threeDigits } from "./format.mjs";

/**
 * @typedef {object} ProbeInstance
 * @property {string} instance
 * @property {string} host
 * @property {number} pid
 * @property {boolean} connected
 * @property {string} state
 * @property {string} reason
 * @property {number} jumpSites
 * @property {number} trapSites
 * @property {number} hits
 * @property {number} lines
 * @property {number} conditionFalse
 * @property {number} conditionErrors
 * @property {Record<string, number>} dropped
 * @property {number} ownCPUNanos
 */

/**
 * @typedef {object} Probe one entry of `GET /api/v1/probes`
 * @property {string} id
 * @property {string} kind
 * @property {string} location
 * @property {string} template
 * @property {string} condition
 * @property {string} service
 * @property {string} instance
 * @property {string} level
 * @property {string} tag
 * @property {string} reason
 * @property {string} createdBy
 * @property {number} createdMs
 * @property {number} expiresMs
 * @property {number} hitLimit
 * @property {number} rateLimit
 * @property {boolean} enabled
 * @property {string} state
 * @property {number} hits
 * @property {number} lines
 * @property {number} conditionFalse
 * @property {number} conditionErrors
 * @property {number} dropped
 * @property {number} ownCPUNanos
 * @property {ProbeInstance[]} instances
 */

/** What each state means, for people. */
const meanings = {
    active: "in the running code", waiting: "the agents have not answered yet", disabled: "switched off", expired: "its time is over, or its hits are used up",
    tripped: "stopped itself at a limit", failed: "could not be set", refused: "cannot work there", pending: "is being set",
    installed: "in the running code",
};

/**
 * @param {string} state
 * @returns {"good" | "warn" | "none"}
 */
export function levelOfState(state) {
    if (state === "active" || state === "installed") return "good";
    return state === "tripped" || state === "failed" || state === "refused" ? "warn" : "none";
}

/**
 * @param {string} state
 * @returns {string}
 */
export function meaningOf(state) {
    return /** @type {Record<string, string>} */ (meanings)[state] ?? state;
}

/**
 * What became of the hits.
 *
 * @param {{ hits: number, lines: number, conditionFalse: number, conditionErrors: number }} counts
 * @param {number} dropped
 * @returns {string}
 */
export function hitWords(counts, dropped) {
    const parts = [formatCount(counts.hits, "hit"), formatCount(counts.lines, "line")];
    if (counts.conditionFalse > 0) parts.push(`condition false ${counts.conditionFalse.toLocaleString("en-US")} times`);
    if (counts.conditionErrors > 0) parts.push(`condition not computable ${counts.conditionErrors.toLocaleString("en-US")} times`);
    if (dropped > 0) parts.push(`${dropped.toLocaleString("en-US")} dropped`);
    return parts.join(", ");
}

/**
 * @param {Record<string, number>} dropped
 * @returns {string} empty when nothing was
 */
export function dropWords(dropped) {
    return Object.entries(dropped).filter(([, count]) => count > 0)
        .map(([reason, count]) => `${reason} ${count.toLocaleString("en-US")}`).join(", ");
}

/**
 * @param {number} nanoseconds of CPU time
 * @returns {string}
 */
export function ownCost(nanoseconds) {
    return nanoseconds < 1e6 ? `${threeDigits(nanoseconds / 1e3)} µs` : nanoseconds < 1e9 ? `${threeDigits(nanoseconds / 1e6)} ms` : `${threeDigits(nanoseconds / 1e9)} s`;
}

/**
 * When a probe ends, or ended.
 *
 * @param {Probe} probe
 * @param {number} nowMs
 * @returns {string}
 */
export function expiryWords(probe, nowMs) {
    const left = probe.expiresMs - nowMs;
    return left > 0 ? `ends in ${formatAge(left)}` : `ended ${formatAge(-left)} ago`;
}

/**
 * The file and line of a probe's location.
 *
 * @param {string} location
 * @returns {{ file: string, line: number } | null} null for functions and addresses
 */
export function placeOfLocation(location) {
    const found = /^(.+):(\d+)$/.exec(location.trim());
    return found && Number(found[2]) > 0 ? { file: found[1], line: Number(found[2]) } : null;
}

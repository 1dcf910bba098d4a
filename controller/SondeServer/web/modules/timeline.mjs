// SPDX-License-Identifier: Apache-2.0
// The timeline's arithmetic: bars, time ticks, and which range a drag chooses.

/**
 * @typedef {object} Timeline the JSON of `GET /api/v1/timeline`
 * @property {string} unit
 * @property {number} stepMs
 * @property {[number, number][]} points start of a step and its value
 */

/** Distances between ticks that a person reads easily, in seconds. */
const tickSteps = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800,
    604800, 1209600, 2592000,
];

/**
 * Times to label, at whole local steps.
 *
 * @param {number} from in Unix milliseconds
 * @param {number} until
 * @param {number} most
 * @returns {{ at: number, text: string }[]}
 */
export function timeTicks(from, until, most) {
    const length = Math.max(until - from, 1);
    const seconds = tickSteps.find((step) => length / (step * 1000) <= most) ?? length / 1000 / most;
    const step = seconds * 1000;
    // Days begin at local midnight, not at that of Greenwich.
    const shift = new Date(from).getTimezoneOffset() * 60_000;
    /** @type {{ at: number, text: string }[]} */
    const ticks = [];
    for (let at = Math.ceil((from - shift) / step) * step + shift; at <= until; at += step) {
        ticks.push({ at, text: tickText(new Date(at), seconds) });
    }
    return ticks;
}

/**
 * @param {Date} time
 * @param {number} seconds between two ticks
 * @returns {string}
 */
function tickText(time, seconds) {
    const two = (/** @type {number} */ number) => String(number).padStart(2, "0");
    if (seconds >= 86400) return `${two(time.getMonth() + 1)}-${two(time.getDate())}`;
    const clock = `${two(time.getHours())}:${two(time.getMinutes())}`;
    if (seconds < 60) return `${clock}:${two(time.getSeconds())}`;
    return time.getHours() === 0 && time.getMinutes() === 0
        ? `${two(time.getMonth() + 1)}-${two(time.getDate())}` : clock;
}

/**
 * The range between two places of a drag, in order and at least one step long.
 *
 * @param {number} one 0...1 of the width
 * @param {number} other
 * @param {{ from: number, until: number, stepMs: number }} shown
 * @returns {{ from: number, until: number }}
 */
export function draggedRange(one, other, shown) {
    const length = shown.until - shown.from;
    const clamp = (/** @type {number} */ place) => Math.min(Math.max(place, 0), 1);
    const from = shown.from + clamp(Math.min(one, other)) * length;
    const until = shown.from + clamp(Math.max(one, other)) * length;
    const least = Math.min(Math.max(shown.stepMs, 1000), length);
    if (until - from >= least) return { from: Math.round(from), until: Math.round(until) };
    const middle = Math.min(Math.max((from + until) / 2, shown.from + least / 2), shown.until - least / 2);
    return { from: Math.round(middle - least / 2), until: Math.round(middle + least / 2) };
}

/**
 * The step at a time.
 *
 * @param {Timeline} timeline
 * @param {number} at
 * @returns {[number, number] | null}
 */
export function pointAt(timeline, at) {
    let low = 0;
    let high = timeline.points.length;
    while (low < high) {
        const middle = (low + high) >> 1;
        if (timeline.points[middle][0] + timeline.stepMs > at) high = middle;
        else low = middle + 1;
    }
    const point = timeline.points[low];
    return point && point[0] <= at ? point : null;
}

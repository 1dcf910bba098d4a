// SPDX-License-Identifier: Apache-2.0
// How values, shares, times and sizes are written for a person.

/** The units that profile types carry, as prefixes of the base unit's next larger forms. */
const timeSteps = [
    { below: 1e3, divide: 1, unit: "ns" },
    { below: 1e6, divide: 1e3, unit: "µs" },
    { below: 1e9, divide: 1e6, unit: "ms" },
    { below: 60e9, divide: 1e9, unit: "s" },
    { below: 3600e9, divide: 60e9, unit: "min" },
    { below: Infinity, divide: 3600e9, unit: "h" },
];

const nanosPerUnit = { nanoseconds: 1, microseconds: 1e3, milliseconds: 1e6, seconds: 1e9 };

/**
 * A number with three significant digits and no exponent.
 *
 * @param {number} value
 * @returns {string}
 */
export function threeDigits(value) {
    const size = Math.abs(value);
    if (size >= 100 || Number.isInteger(value)) return Math.round(value).toLocaleString("en-US");
    return value.toFixed(size >= 10 ? 1 : 2);
}

/**
 * A byte count in binary units.
 *
 * @param {number} bytes
 * @returns {string}
 */
export function formatBytes(bytes) {
    let value = bytes;
    for (const unit of ["B", "KiB", "MiB", "GiB"]) {
        if (Math.abs(value) < 1024) return `${threeDigits(value)} ${unit}`;
        value /= 1024;
    }
    return `${threeDigits(value)} TiB`;
}

/**
 * A profile's value in words: "1.24 s", "512 KiB", "12,034".
 *
 * @param {number} value in the unit of the profile type
 * @param {string} unit as the controller names it: nanoseconds, bytes, count, ...
 * @returns {string}
 */
export function formatValue(value, unit) {
    const nanos = /** @type {Record<string, number>} */ (nanosPerUnit)[unit];
    if (nanos !== undefined) {
        const inNanos = value * nanos;
        if (inNanos === 0) return "0 s";
        for (const step of timeSteps) {
            if (Math.abs(inNanos) < step.below) {
                return `${threeDigits(inNanos / step.divide)} ${step.unit}`;
            }
        }
    }
    if (unit === "bytes") return formatBytes(value);
    return threeDigits(value);
}

/**
 * A value per second of wall time; CPU time becomes a number of cores.
 *
 * @param {number} value
 * @param {string} unit
 * @param {number} stepMs over which the value was summed
 * @returns {string}
 */
export function formatRate(value, unit, stepMs) {
    const perSecond = value / (stepMs / 1000);
    const nanos = /** @type {Record<string, number>} */ (nanosPerUnit)[unit];
    if (nanos !== undefined) {
        const cores = (perSecond * nanos) / 1e9;
        return `${cores < 10 ? cores.toFixed(2) : threeDigits(cores)} cores`;
    }
    return `${formatValue(perSecond, unit)}/s`;
}

/**
 * A share as per cent; never "0 %" for something that is there.
 *
 * @param {number} part
 * @param {number} whole
 * @returns {string}
 */
export function formatShare(part, whole) {
    if (!(whole > 0)) return "0 %";
    const share = (part / whole) * 100;
    if (share === 0) return "0 %";
    if (share < 0.01) return "<0.01 %";
    if (share >= 99.95) return "100 %";
    return `${share.toFixed(share < 10 ? 2 : 1)} %`;
}

/**
 * A point in local time, with the date only when it is not today's.
 *
 * @param {number} ms
 * @param {number} nowMs
 * @returns {string}
 */
export function formatTime(ms, nowMs) {
    const time = new Date(ms);
    const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map(twoDigits).join(":");
    if (time.toDateString() === new Date(nowMs).toDateString()) return clock;
    return `${time.getFullYear()}-${twoDigits(time.getMonth() + 1)}-${twoDigits(time.getDate())} ${clock}`;
}

/**
 * @param {number} number
 * @returns {string}
 */
export function twoDigits(number) {
    return String(number).padStart(2, "0");
}

/**
 * How long ago something was, in one unit.
 *
 * @param {number} elapsedMs
 * @returns {string}
 */
export function formatAge(elapsedMs) {
    const seconds = Math.max(0, Math.round(elapsedMs / 1000));
    if (seconds < 60) return `${seconds} s`;
    if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
    if (seconds < 86400) return `${Math.round(seconds / 3600)} h`;
    return `${Math.round(seconds / 86400)} d`;
}

/**
 * "1 agent", "2 agents", "12,034 stacks".
 *
 * @param {number} count
 * @param {string} noun in the singular
 * @returns {string}
 */
export function formatCount(count, noun) {
    return `${count.toLocaleString("en-US")} ${noun}${count === 1 ? "" : "s"}`;
}

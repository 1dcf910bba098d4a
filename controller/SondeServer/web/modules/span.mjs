// SPDX-License-Identifier: Apache-2.0
// The part of the value axis that fills the width: zooming, panning, and the way between two of them.

/** @typedef {{ start: number, end: number }} Span */

/**
 * @param {Span} span
 * @param {number} total the root's value
 * @returns {Span} inside 0...total, and wide enough to divide by
 */
export function clampSpan(span, total) {
    // Below this, neighbouring doubles would be pixels apart.
    const least = Math.max(total * 1e-9, Number.MIN_VALUE);
    const length = Math.min(Math.max(span.end - span.start, least), total);
    const start = Math.min(Math.max(span.start, 0), total - length);
    return { start, end: start + length };
}

/**
 * @param {Span} span
 * @param {number} factor below 1 zooms in
 * @param {number} at 0...1, the place that stays where it is
 * @param {number} total
 * @returns {Span}
 */
export function zoomSpan(span, factor, at, total) {
    const length = span.end - span.start;
    const fixed = span.start + length * at;
    const wanted = Math.min(length * factor, total);
    return clampSpan({ start: fixed - wanted * at, end: fixed + wanted * (1 - at) }, total);
}

/**
 * @param {Span} span
 * @param {number} share of the width, positive to the right
 * @param {number} total
 * @returns {Span}
 */
export function panSpan(span, share, total) {
    const shift = (span.end - span.start) * share;
    return clampSpan({ start: span.start + shift, end: span.end + shift }, total);
}

/**
 * A point on the way from one span to another, fast at first.
 *
 * @param {Span} from
 * @param {Span} to
 * @param {number} progress 0...1
 * @returns {Span}
 */
export function spanBetween(from, to, progress) {
    const eased = 1 - (1 - progress) ** 3;
    return {
        start: from.start + (to.start - from.start) * eased,
        end: from.end + (to.end - from.end) * eased,
    };
}

/**
 * The span that shows the same part of `to` as `span` shows of `from`; for a new answer of a poll.
 *
 * @param {Span} span
 * @param {Span} from
 * @param {Span} to
 * @returns {Span}
 */
export function carriedSpan(span, from, to) {
    const scale = (to.end - to.start) / (from.end - from.start || 1);
    return {
        start: to.start + (span.start - from.start) * scale,
        end: to.start + (span.end - from.start) * scale,
    };
}

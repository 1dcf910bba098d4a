// SPDX-License-Identifier: Apache-2.0
// Which frames a viewport shows: work is bounded by its pixels, not by the size of the graph.

/** @typedef {import("./flamegraph.mjs").FlameGraph} FlameGraph */

/**
 * @typedef {object} Viewport
 * @property {number} start left edge on the value axis
 * @property {number} end right edge
 * @property {number} width in CSS pixels
 * @property {number} firstLevel
 * @property {number} lastLevel inclusive
 */

/** Narrower than this, in CSS pixels, a frame is only part of a smear. */
export const narrowest = 0.5;

/** A growing list of rectangles, reused from one drawing to the next. */
export class VisibleFrames {
    constructor() {
        this.count = 0;
        /** The node, or -1 for a run of frames that are too narrow to draw. */
        this.node = new Int32Array(1024);
        this.level = new Int32Array(1024);
        /** Left edge in CSS pixels, cut at the viewport. */
        this.x = new Float32Array(1024);
        this.width = new Float32Array(1024);
    }

    /**
     * @param {number} node
     * @param {number} level
     * @param {number} x
     * @param {number} width
     */
    push(node, level, x, width) {
        if (this.count === this.node.length) this.grow();
        this.node[this.count] = node;
        this.level[this.count] = level;
        this.x[this.count] = x;
        this.width[this.count] = width;
        this.count += 1;
    }

    grow() {
        const size = this.node.length * 2;
        for (const key of /** @type {const} */ (["node", "level"])) {
            const wider = new Int32Array(size);
            wider.set(this[key]);
            this[key] = wider;
        }
        for (const key of /** @type {const} */ (["x", "width"])) {
            const wider = new Float32Array(size);
            wider.set(this[key]);
            this[key] = wider;
        }
    }
}

/**
 * Fills `into` with what the viewport shows, level by level from left to right.
 *
 * @param {FlameGraph} graph
 * @param {Viewport} viewport
 * @param {VisibleFrames} into
 */
export function collectVisible(graph, viewport, into) {
    into.count = 0;
    const scale = viewport.width / (viewport.end - viewport.start);
    const last = Math.min(viewport.lastLevel, graph.depths - 1);
    for (let level = Math.max(0, viewport.firstLevel); level <= last; level += 1) {
        collectLevel(graph, viewport, level, scale, into);
    }
}

/**
 * @param {FlameGraph} graph
 * @param {Viewport} viewport
 * @param {number} level
 * @param {number} scale pixels per value
 * @param {VisibleFrames} into
 */
function collectLevel(graph, viewport, level, scale, into) {
    const { start, total, levelNodes } = graph;
    const high = graph.levelOffset[level + 1];
    let place = firstEndingAfter(graph, graph.levelOffset[level], high, viewport.start);
    let smearStart = -1;
    let smearEnd = -1;
    while (place < high) {
        const node = levelNodes[place];
        if (start[node] >= viewport.end) break;
        const x = (start[node] - viewport.start) * scale;
        const width = total[node] * scale;
        if (width >= narrowest) {
            const left = Math.max(x, 0);
            into.push(node, level, left, Math.min(x + width, viewport.width) - left);
            place += 1;
            continue;
        }
        // Everything that ends within the next half pixel is narrow too: skip it in one step.
        if (x > smearEnd + 1) {
            if (smearEnd > smearStart) into.push(-1, level, smearStart, smearEnd - smearStart);
            smearStart = Math.max(x, 0);
        }
        smearEnd = Math.min(x + narrowest, viewport.width);
        place = firstEndingAfter(graph, place + 1, high, start[node] + narrowest / scale);
    }
    if (smearEnd > smearStart) into.push(-1, level, smearStart, smearEnd - smearStart);
}

/**
 * The first place in `low ..< high` whose node ends after a value; gallops, because it is near.
 *
 * @param {FlameGraph} graph
 * @param {number} low
 * @param {number} high
 * @param {number} value
 * @returns {number} `high` when there is none
 */
export function firstEndingAfter(graph, low, high, value) {
    const { start, total, levelNodes } = graph;
    let left = low;
    let step = 1;
    while (left + step < high) {
        const node = levelNodes[left + step];
        if (start[node] + total[node] > value) break;
        left += step;
        step *= 2;
    }
    let right = Math.min(left + step, high);
    while (left < right) {
        const middle = (left + right) >> 1;
        const node = levelNodes[middle];
        if (start[node] + total[node] > value) right = middle;
        else left = middle + 1;
    }
    return left;
}

/**
 * The node at a point, found by arithmetic.
 *
 * @param {FlameGraph} graph
 * @param {number} level
 * @param {number} value on the value axis
 * @returns {number} -1 when nothing is there
 */
export function nodeAt(graph, level, value) {
    if (level < 0 || level >= graph.depths) return -1;
    const high = graph.levelOffset[level + 1];
    const place = firstEndingAfter(graph, graph.levelOffset[level], high, value);
    if (place >= high) return -1;
    const node = graph.levelNodes[place];
    return graph.start[node] <= value ? node : -1;
}

// SPDX-License-Identifier: Apache-2.0
// The table's rows: each function's own and total value, sorted and filtered.
import { changeOf } from "./compare.mjs";
import { describeFrame } from "./flamegraph.mjs";

/** @typedef {import("./flamegraph.mjs").FlameGraph} FlameGraph */

/**
 * @typedef {object} FunctionRow
 * @property {string} name
 * @property {string} module
 * @property {string} place file and line, or empty
 * @property {number} kind
 * @property {number} self
 * @property {number} total a stack counts once even where the function recurs
 * @property {number} [change] of the total's share, in a comparison; 0 where it may be chance
 */

/**
 * The functions below (and at) a node. Linear in the nodes below it.
 *
 * @param {FlameGraph} graph
 * @param {number} top
 * @returns {FunctionRow[]} in no order
 */
export function functionsBelow(graph, top) {
    const { frames, frame, end } = graph;
    const self = new Float64Array(frames.count);
    const total = new Float64Array(frames.count);
    const seen = new Uint8Array(frames.count);
    // Until which node, in pre-order, a function is already on the stack.
    const coveredUntil = new Int32Array(frames.count);
    for (let node = Math.max(top, 1); node < end[top]; node += 1) {
        const index = frame[node];
        seen[index] = 1;
        self[index] += graph.self[node];
        if (node < coveredUntil[index]) continue;
        total[index] += graph.total[node];
        coveredUntil[index] = end[node];
    }
    /** @type {FunctionRow[]} */
    const rows = [];
    for (let index = 0; index < frames.count; index += 1) {
        if (seen[index] === 0) continue;
        const { name, module, place, kind } = describeFrame(frames, index);
        rows.push({ name, module, place, kind, self: self[index], total: total[index] });
    }
    return rows;
}

/**
 * The functions of a comparison: `self` is the share before, `total` the share now, of whole stacks.
 *
 * @param {FlameGraph} graph
 * @param {import("./compare.mjs").Comparison} comparison
 * @param {number} top
 * @returns {FunctionRow[]}
 */
export function comparedFunctions(graph, comparison, top) {
    const before = functionsBelow({ ...graph, self: comparison.beforeSelf, total: comparison.before }, top);
    const after = functionsBelow({ ...graph, self: comparison.afterSelf, total: comparison.after }, top);
    return before.map((row, index) => {
        const now = after[index].total;
        const changed = changeOf(row.total, now, comparison.samples) !== 0;
        return { ...row, self: row.total, total: now, change: changed ? now - row.total : 0 };
    });
}

/**
 * The rows of `GET /api/v1/top`, which counts also what a truncated graph leaves out.
 *
 * @param {{ functions: { name: string, file: string, line: number, module: string, kind: number,
 *   self: number, total: number }[] }} answer
 * @returns {FunctionRow[]}
 */
export function functionsOfTop(answer) {
    return answer.functions.map((row) => ({
        name: row.name, module: row.module, kind: row.kind, self: row.self, total: row.total,
        place: row.file === "" ? "" : row.line > 0 ? `${row.file}:${row.line}` : row.file,
    }));
}

/**
 * @param {FunctionRow[]} rows
 * @param {((name: string) => boolean) | null} matches
 * @param {"self" | "total" | "name" | "change"} key
 * @param {boolean} ascending
 * @returns {FunctionRow[]} a new list; equal rows stay in order of self, then total, then name
 */
export function arrangedRows(rows, matches, key, ascending) {
    const kept = matches ? rows.filter((row) => matches(row.name)) : rows.slice();
    const sign = ascending ? 1 : -1;
    return kept.sort((left, right) => {
        const first = key === "name" ? compareNames(left, right)
            : key === "change" ? Math.abs(left.change ?? 0) - Math.abs(right.change ?? 0) : left[key] - right[key];
        return sign * first || right.self - left.self || right.total - left.total
            || compareNames(left, right);
    });
}

/**
 * @param {FunctionRow} left
 * @param {FunctionRow} right
 * @returns {number}
 */
function compareNames(left, right) {
    return left.name < right.name ? -1 : left.name > right.name ? 1 : 0;
}

/**
 * The modules with the largest own value, for the legend.
 *
 * @param {FunctionRow[]} rows
 * @param {number} most
 * @returns {{ module: string, self: number }[]}
 */
export function largestModules(rows, most) {
    /** @type {Map<string, number>} */
    const sums = new Map();
    for (const row of rows) {
        if (row.kind === 3) continue;
        sums.set(row.module, (sums.get(row.module) ?? 0) + row.self);
    }
    return [...sums].map(([module, self]) => ({ module, self }))
        .sort((left, right) => right.self - left.self).slice(0, most);
}

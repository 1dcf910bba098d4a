// SPDX-License-Identifier: Apache-2.0
// Walking the frames by keyboard: to the caller, the heaviest callee, the neighbours.

/** @typedef {import("./flamegraph.mjs").FlameGraph} FlameGraph */
/** @typedef {"caller" | "callee" | "left" | "right" | "first"} Step */

/**
 * The node that one step leads to; the same node where there is nothing.
 *
 * @param {FlameGraph} graph
 * @param {number} node
 * @param {Step} step
 * @returns {number}
 */
export function walk(graph, node, step) {
    switch (step) {
        case "first": return 0;
        case "caller": return Math.max(graph.parent[node], 0);
        case "callee": return heaviestChild(graph, node);
        default: return neighbour(graph, node, step === "right" ? 1 : -1);
    }
}

/**
 * @param {FlameGraph} graph
 * @param {number} node
 * @returns {number}
 */
function heaviestChild(graph, node) {
    let heaviest = node;
    for (let child = node + 1; child < graph.end[node]; child = graph.end[child]) {
        if (heaviest === node || graph.total[child] > graph.total[heaviest]) heaviest = child;
    }
    return heaviest;
}

/**
 * The next node on the same level, which may have another caller.
 *
 * @param {FlameGraph} graph
 * @param {number} node
 * @param {1 | -1} way
 * @returns {number}
 */
function neighbour(graph, node, way) {
    const low = graph.levelOffset[graph.depth[node]];
    const high = graph.levelOffset[graph.depth[node] + 1];
    // Nodes of a level stand in pre-order, so that a node's place can be searched by its number.
    let left = low;
    let right = high;
    while (left < right) {
        const middle = (left + right) >> 1;
        if (graph.levelNodes[middle] < node) left = middle + 1;
        else right = middle;
    }
    const place = left + way;
    return place >= low && place < high ? graph.levelNodes[place] : node;
}

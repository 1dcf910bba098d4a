// SPDX-License-Identifier: Apache-2.0
// A frame's identity across answers: a hash of the names from the root, for the address and for polling.

/** @typedef {import("./flamegraph.mjs").FlameGraph} FlameGraph */

/**
 * Every node's path id; siblings with one name but another kind or module differ.
 *
 * @param {FlameGraph} graph
 * @returns {Float64Array} integers below 2^53
 */
function pathIds(graph) {
    if (graph.pathIds) return graph.pathIds;
    const { frames } = graph;
    const low = new Int32Array(frames.count);
    const high = new Int32Array(frames.count);
    for (let index = 0; index < frames.count; index += 1) {
        const key = [frames.name[index], frames.module[index], frames.file[index]]
            .map((text) => frames.strings[text]).join("\0") + frames.kind[index];
        low[index] = hashText(key, 0x811c9dc5);
        high[index] = hashText(key, 0x1b873593);
    }
    const ids = new Float64Array(graph.count);
    const lows = new Int32Array(graph.count);
    const highs = new Int32Array(graph.count);
    for (let node = 1; node < graph.count; node += 1) {
        const above = graph.parent[node];
        lows[node] = mix(lows[above], low[graph.frame[node]]);
        highs[node] = mix(highs[above], high[graph.frame[node]]);
        ids[node] = (highs[node] & 0x1fffff) * 0x100000000 + (lows[node] >>> 0);
    }
    graph.pathIds = ids;
    return ids;
}

/**
 * @param {FlameGraph} graph
 * @param {number} node
 * @returns {string} empty for the root
 */
export function pathIdOf(graph, node) {
    return node <= 0 ? "" : pathIds(graph)[node].toString(36);
}

/**
 * The node with a path id.
 *
 * @param {FlameGraph} graph
 * @param {string} id
 * @returns {number} 0, the root, when the id is empty; -1 when no node has it
 */
export function nodeOfPathId(graph, id) {
    if (id === "") return 0;
    const wanted = parseInt(id, 36);
    return Number.isSafeInteger(wanted) ? pathIds(graph).indexOf(wanted) : -1;
}

/**
 * FNV-1a over UTF-16 units; also what a module's hue is made from.
 *
 * @param {string} text
 * @param {number} seed
 * @returns {number} 32 bits, signed
 */
export function hashText(text, seed) {
    let hash = seed | 0;
    for (let index = 0; index < text.length; index += 1) {
        hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
    }
    return mix(hash, text.length);
}

/**
 * @param {number} left
 * @param {number} right
 * @returns {number}
 */
function mix(left, right) {
    let hash = Math.imul(left ^ (left >>> 15), 0x2c1b3c6d) + right;
    hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39);
    return hash ^ (hash >>> 15);
}

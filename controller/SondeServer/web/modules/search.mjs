// SPDX-License-Identifier: Apache-2.0
// Finding functions by name, and the share of the profile that they make up.

/** @typedef {import("./flamegraph.mjs").FlameGraph} FlameGraph */

/**
 * A test for names.
 *
 * @param {string} text plain text, or a regular expression; case does not matter
 * @param {boolean} regex
 * @returns {((name: string) => boolean) | null} null when there is nothing to look for
 * @throws {SyntaxError} when the expression cannot be read
 */
export function matcherOf(text, regex) {
    if (text === "") return null;
    if (regex) {
        const expression = new RegExp(text, "iu");
        return (name) => expression.test(name);
    }
    const wanted = text.toLowerCase();
    return (name) => name.toLowerCase().includes(wanted);
}

/**
 * Which frames match; each distinct function is tested once, not once per node.
 *
 * @param {FlameGraph} graph
 * @param {(name: string) => boolean} matches
 * @returns {Uint8Array} one per frame of the table
 */
export function matchingFrames(graph, matches) {
    const { frames } = graph;
    const found = new Uint8Array(frames.count);
    for (let index = 0; index < frames.count; index += 1) {
        // `other` stands for many functions, so that its name says nothing.
        if (frames.kind[index] !== 3 && matches(frames.strings[frames.name[index]])) found[index] = 1;
    }
    return found;
}

/**
 * The value of all stacks with a matching frame below (and at) a node, each counted once.
 *
 * @param {FlameGraph} graph
 * @param {Uint8Array} found
 * @param {number} top
 * @returns {{ value: number, nodes: number }} `nodes`: matching nodes, nested ones too
 */
export function matchedValue(graph, found, top) {
    let value = 0;
    let nodes = 0;
    let covered = -1;
    for (let node = Math.max(top, 0); node < graph.end[top]; node += 1) {
        if (node === 0 || found[graph.frame[node]] === 0) continue;
        nodes += 1;
        if (node < covered) continue;
        value += graph.total[node];
        covered = graph.end[node];
    }
    return { value, nodes };
}

/**
 * The next or previous matching node in pre-order, around the ends.
 *
 * @param {FlameGraph} graph
 * @param {Uint8Array} found
 * @param {number} from
 * @param {1 | -1} way
 * @returns {number} -1 when nothing matches
 */
export function nextMatch(graph, found, from, way) {
    for (let step = 1; step <= graph.count; step += 1) {
        const node = (((from + way * step) % graph.count) + graph.count) % graph.count;
        if (node > 0 && found[graph.frame[node]] === 1) return node;
    }
    return -1;
}

// SPDX-License-Identifier: Apache-2.0
// A merged profile laid out once: the controller's columns as typed arrays, with every frame's place.

/** What `kind` means in docs/http-api.md. */
export const frameKind = Object.freeze({ function: 0, inlined: 1, unresolved: 2, other: 3 });

/**
 * @typedef {object} FlameAnswer the JSON of `GET /api/v1/flame`
 * @property {string} type
 * @property {string} unit
 * @property {number} from
 * @property {number} until
 * @property {number} profiles
 * @property {number} total
 * @property {number} unresolved
 * @property {boolean} truncated
 * @property {string[]} strings
 * @property {{ name: number[], file: number[], line: number[], module: number[], kind: number[] }} frames
 * @property {{ parent: number[], frame: number[], self: number[], total: number[] }} nodes
 * @property {string[]} notes
 */

/**
 * @typedef {object} FlameGraph
 * @property {number} count number of nodes; node 0 is the root
 * @property {Int32Array} parent
 * @property {Int32Array} frame -1 for the root
 * @property {Float64Array} self
 * @property {Float64Array} total
 * @property {Float64Array} start where the node begins on the value axis, the root at 0
 * @property {Int32Array} depth the root at 0
 * @property {Int32Array} end one past the node's last descendant, in pre-order
 * @property {Int32Array} levelOffset where each depth begins in levelNodes; one more than depths
 * @property {Int32Array} levelNodes nodes by depth, within one depth from left to right
 * @property {number} depths
 * @property {FrameTable} frames
 * @property {string} unit
 * @property {Float64Array | null} pathIds computed when first asked for
 */

/**
 * @typedef {object} FrameTable
 * @property {number} count
 * @property {string[]} strings
 * @property {Int32Array} name index into strings, as are file and module
 * @property {Int32Array} file
 * @property {Int32Array} line 0 when unknown
 * @property {Int32Array} module
 * @property {Uint8Array} kind
 */

/**
 * Lays out one answer of the controller. Linear in the number of nodes.
 *
 * @param {FlameAnswer} answer
 * @returns {FlameGraph}
 * @throws {Error} when the columns contradict each other
 */
export function layOut(answer) {
    const { nodes } = answer;
    const count = nodes.parent.length;
    const frames = frameTable(answer);
    for (const column of [nodes.frame, nodes.self, nodes.total]) {
        if (column.length !== count) throw refusal(`columns of ${count} and ${column.length} nodes`, "the same length");
    }
    if (count === 0) throw refusal("no nodes", "at least the root");
    const parent = Int32Array.from(nodes.parent);
    const frame = Int32Array.from(nodes.frame);
    const total = Float64Array.from(nodes.total);
    const start = new Float64Array(count);
    const depth = new Int32Array(count);
    const end = new Int32Array(count);
    // Where the next child of a node begins.
    const next = new Float64Array(count);
    let depths = 1;
    for (let node = 1; node < count; node += 1) {
        const above = parent[node];
        // In pre-order a parent comes before its child, and every frame index has to exist.
        if (above < 0 || above >= node) throw refusal(`parent ${above} of node ${node}`, "an earlier node");
        if (frame[node] < 0 || frame[node] >= frames.count) {
            throw refusal(`frame ${frame[node]} of node ${node}`, `less than ${frames.count}`);
        }
        start[node] = next[above];
        next[above] += total[node];
        next[node] = start[node];
        depth[node] = depth[above] + 1;
        if (depth[node] >= depths) depths = depth[node] + 1;
    }
    for (let node = count - 1; node >= 0; node -= 1) {
        if (end[node] <= node) end[node] = node + 1;
        const above = parent[node];
        if (node > 0 && end[above] < end[node]) end[above] = end[node];
    }
    return {
        count, parent, frame, self: Float64Array.from(nodes.self), total, start, depth, end, depths,
        ...levels(depth, depths), frames, unit: answer.unit, pathIds: null,
    };
}

/**
 * Nodes by depth: a counting sort, which keeps the order from left to right that pre-order has.
 *
 * @param {Int32Array} depth
 * @param {number} depths
 */
function levels(depth, depths) {
    const levelOffset = new Int32Array(depths + 1);
    for (let node = 0; node < depth.length; node += 1) levelOffset[depth[node] + 1] += 1;
    for (let level = 0; level < depths; level += 1) levelOffset[level + 1] += levelOffset[level];
    const place = levelOffset.slice();
    const levelNodes = new Int32Array(depth.length);
    for (let node = 0; node < depth.length; node += 1) {
        levelNodes[place[depth[node]]] = node;
        place[depth[node]] += 1;
    }
    return { levelOffset, levelNodes };
}

/**
 * @param {FlameAnswer} answer
 * @returns {FrameTable}
 */
function frameTable(answer) {
    const { frames, strings } = answer;
    const count = frames.name.length;
    const columns = [frames.name, frames.file, frames.module];
    for (const column of columns) {
        for (const index of column) {
            if (!(index >= 0 && index < strings.length)) throw refusal(`string ${index}`, `less than ${strings.length}`);
        }
    }
    for (const column of [...columns, frames.line, frames.kind]) {
        if (column.length !== count) throw refusal(`columns of ${count} and ${column.length} frames`, "the same length");
    }
    return {
        count, strings, name: Int32Array.from(frames.name), file: Int32Array.from(frames.file),
        line: Int32Array.from(frames.line), module: Int32Array.from(frames.module),
        kind: Uint8Array.from(frames.kind),
    };
}

/**
 * @param {string} found
 * @param {string} wanted
 */
function refusal(found, wanted) {
    return new Error(`cannot read the flame graph: got ${found}; want ${wanted}`);
}

/**
 * Everything a person wants to read about one node.
 *
 * @param {FlameGraph} graph
 * @param {number} node
 * @param {string} rootName what to call node 0
 * @returns {{ name: string, file: string, module: string, place: string, kind: number,
 *   self: number, total: number, depth: number }}
 */
export function describeNode(graph, node, rootName) {
    const index = graph.frame[node];
    const sums = { self: graph.self[node], total: graph.total[node], depth: graph.depth[node] };
    if (index < 0) return { name: rootName, file: "", module: "", place: "", kind: 0, ...sums };
    return { ...describeFrame(graph.frames, index), ...sums };
}

/**
 * @param {FrameTable} frames
 * @param {number} index
 */
export function describeFrame(frames, index) {
    const { strings } = frames;
    const file = strings[frames.file[index]];
    const line = frames.line[index];
    return {
        name: strings[frames.name[index]], file, module: strings[frames.module[index]],
        place: file === "" ? "" : line > 0 ? `${file}:${line}` : file, kind: frames.kind[index],
    };
}

/**
 * The deepest level below a node, as a depth.
 *
 * @param {FlameGraph} graph
 * @param {number} node
 * @returns {number}
 */
export function deepestBelow(graph, node) {
    if (node === 0) return graph.depths - 1;
    let deepest = graph.depth[node];
    for (let below = node + 1; below < graph.end[node]; below += 1) {
        if (graph.depth[below] > deepest) deepest = graph.depth[below];
    }
    return deepest;
}

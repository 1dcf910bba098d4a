// SPDX-License-Identifier: Apache-2.0
// Makes other graphs of an answer: without libraries, around one function, or of two answers.

/** @typedef {import("./flamegraph.mjs").FlameAnswer} FlameAnswer */

/** Collects stacks of frames and writes them in the answer's columns. */
export class TreeBuilder {
    constructor() {
        this.parent = [-1];
        this.frame = [-1];
        this.self = [0];
        /** A second value beside each, for comparisons. */
        this.other = [0];
        /** @type {Map<number, number>[]} */
        this.children = [new Map()];
    }

    /**
     * @param {number} parent
     * @param {number} frame
     * @returns {number} the node below `parent`, which is made when there is none
     */
    child(parent, frame) {
        const known = this.children[parent].get(frame);
        if (known !== undefined) return known;
        const node = this.parent.push(parent) - 1;
        this.frame.push(frame);
        this.self.push(0);
        this.other.push(0);
        this.children.push(new Map());
        this.children[parent].set(frame, node);
        return node;
    }

    /**
     * The columns in pre-order, siblings by name, what was cut off last; and the second value's.
     *
     * @param {FlameAnswer} source whose frames and strings they are
     */
    columns(source) {
        const { frames, strings } = source;
        const nameOf = (/** @type {number} */ node) => strings[frames.name[this.frame[node]]];
        const isOther = (/** @type {number} */ node) => (frames.kind[this.frame[node]] === 3 ? 1 : 0);
        const order = [0];
        const place = new Int32Array(this.parent.length);
        const waiting = this.sorted(0, nameOf, isOther);
        while (waiting.length > 0) {
            const node = /** @type {number} */ (waiting.pop());
            place[node] = order.push(node) - 1;
            for (const child of this.sorted(node, nameOf, isOther)) waiting.push(child);
        }
        const parent = order.map((node) => (node === 0 ? -1 : place[this.parent[node]]));
        const frame = order.map((node) => this.frame[node]);
        const self = order.map((node) => this.self[node]);
        const otherSelf = order.map((node) => this.other[node]);
        return { parent, frame, self, total: totalsOf(parent, self), otherSelf, otherTotal: totalsOf(parent, otherSelf) };
    }

    /**
     * @param {number} node
     * @param {(node: number) => string} nameOf
     * @param {(node: number) => number} isOther
     * @returns {number[]} its children, the last one first
     */
    sorted(node, nameOf, isOther) {
        return [...this.children[node].values()].sort((one, other) => isOther(other) - isOther(one)
            || (nameOf(one) < nameOf(other) ? 1 : nameOf(one) > nameOf(other) ? -1 : other - one));
    }
}

/**
 * @param {number[]} parent in pre-order
 * @param {number[]} self
 * @returns {number[]}
 */
function totalsOf(parent, self) {
    const total = self.slice();
    for (let node = total.length - 1; node > 0; node -= 1) total[parent[node]] += total[node];
    return total;
}

/**
 * @param {FlameAnswer} source
 * @param {TreeBuilder} builder
 * @returns {FlameAnswer}
 */
function answerFrom(source, builder) {
    const { parent, frame, self, total } = builder.columns(source);
    return { ...source, total: total[0], nodes: { parent, frame, self, total } };
}

/**
 * The same without some frames: what they cost belongs to their callers.
 *
 * @param {FlameAnswer} source
 * @param {(frame: number) => boolean} isHidden
 * @returns {FlameAnswer}
 */
export function withoutFrames(source, isHidden) {
    const builder = new TreeBuilder();
    const { parent, frame, self } = source.nodes;
    const hidden = source.frames.name.map((_, index) => isHidden(index));
    const place = new Int32Array(parent.length);
    builder.self[0] += self[0];
    for (let node = 1; node < parent.length; node += 1) {
        place[node] = hidden[frame[node]] ? place[parent[node]] : builder.child(place[parent[node]], frame[node]);
        builder.self[place[node]] += self[node];
    }
    return answerFrom(source, builder);
}

/**
 * Only the stacks that hold one of some frames.
 *
 * @param {FlameAnswer} source
 * @param {(frame: number) => boolean} isWanted
 * @returns {FlameAnswer}
 */
export function onlyThrough(source, isWanted) {
    const builder = new TreeBuilder();
    const { parent, frame, self } = source.nodes;
    const wanted = source.frames.name.map((_, index) => isWanted(index));
    const inside = new Uint8Array(parent.length);
    for (let node = 1; node < parent.length; node += 1) {
        inside[node] = inside[parent[node]] || wanted[frame[node]] ? 1 : 0;
        if (inside[node] === 0 || self[node] === 0) continue;
        let at = 0;
        for (const step of pathTo(source, node)) at = builder.child(at, frame[step]);
        builder.self[at] += self[node];
    }
    return answerFrom(source, builder);
}

/**
 * What some frames call, all their calls as one; a call within a call counts once.
 *
 * @param {FlameAnswer} source
 * @param {(frame: number) => boolean} isWanted
 * @returns {FlameAnswer}
 */
export function calleesOf(source, isWanted) {
    const builder = new TreeBuilder();
    const { parent, frame, self } = source.nodes;
    const wanted = source.frames.name.map((_, index) => isWanted(index));
    // -1: not below a wanted frame.
    const place = new Int32Array(parent.length).fill(-1);
    for (let node = 1; node < parent.length; node += 1) {
        const above = place[parent[node]];
        if (above >= 0) place[node] = builder.child(above, frame[node]);
        else if (wanted[frame[node]]) place[node] = builder.child(0, frame[node]);
        if (place[node] >= 0) builder.self[place[node]] += self[node];
    }
    return answerFrom(source, builder);
}

/**
 * Who calls some frames: each caller below what it calls, so that the tree grows towards the roots.
 *
 * @param {FlameAnswer} source
 * @param {(frame: number) => boolean} isWanted
 * @returns {FlameAnswer}
 */
export function callersOf(source, isWanted) {
    const builder = new TreeBuilder();
    const { parent, frame, total } = source.nodes;
    const wanted = source.frames.name.map((_, index) => isWanted(index));
    const inside = new Uint8Array(parent.length);
    for (let node = 1; node < parent.length; node += 1) {
        const covered = inside[parent[node]] === 1;
        inside[node] = covered || wanted[frame[node]] ? 1 : 0;
        if (covered || !wanted[frame[node]]) continue;
        let at = 0;
        for (let step = node; step > 0; step = parent[step]) at = builder.child(at, frame[step]);
        builder.self[at] += total[node];
    }
    return answerFrom(source, builder);
}

/**
 * @param {FlameAnswer} source
 * @param {number} node
 * @returns {number[]} from below the root to the node
 */
function pathTo(source, node) {
    const path = [];
    for (let step = node; step > 0; step = source.nodes.parent[step]) path.push(step);
    return path.reverse();
}

/**
 * Whether a frame is not the program's own: of a shared library, the kernel, or made up by the compiler.
 *
 * @param {string} module
 * @param {string} file
 * @returns {boolean}
 */
export function isLibrary(module, file) {
    return file === "" || /\.so(\.|$)|\.dylib$|^\[/.test(module) || file.startsWith("<");
}

// SPDX-License-Identifier: Apache-2.0
// Makes an answer of the controller from folded stacks, so that a test's input can be read.

/**
 * @param {string} text lines of "main;serve;parse 12"; "~name" is an inlined frame, "?name" one
 *   without a name, "other" stands for what was cut off
 */
export function answerOf(text) {
    const root = { children: new Map(), self: 0 };
    for (const line of text.trim().split("\n")) {
        const [, stack, value] = /^\s*(.*) (\d+)$/.exec(line);
        let node = root;
        for (const name of stack.split(";").filter((part) => part !== "")) {
            if (!node.children.has(name)) node.children.set(name, { children: new Map(), self: 0 });
            node = node.children.get(name);
        }
        node.self += Number(value);
    }
    const strings = ["", "app", "lib.so", "App.swift"];
    const frames = { name: [], file: [], line: [], module: [], kind: [] };
    const known = new Map();
    const frameOf = (marked) => {
        if (known.has(marked)) return known.get(marked);
        const kind = marked === "other" ? 3 : marked[0] === "~" ? 1 : marked[0] === "?" ? 2 : 0;
        const name = kind === 1 || kind === 2 ? marked.slice(1) : marked;
        strings.push(name);
        frames.name.push(strings.length - 1);
        frames.file.push(kind === 2 ? 0 : 3);
        frames.line.push(kind === 2 ? 0 : name.length);
        frames.module.push(name.startsWith("lib") ? 2 : 1);
        frames.kind.push(kind);
        known.set(marked, frames.name.length - 1);
        return frames.name.length - 1;
    };
    const nodes = { parent: [], frame: [], self: [], total: [] };
    const add = (node, parent, frame) => {
        const index = nodes.parent.push(parent) - 1;
        nodes.frame.push(frame);
        nodes.self.push(node.self);
        nodes.total.push(node.self);
        for (const name of [...node.children.keys()].sort()) {
            nodes.total[index] += nodes.total[add(node.children.get(name), index, frameOf(name))];
        }
        return index;
    };
    add(root, -1, -1);
    return {
        type: "process_cpu:cpu:nanoseconds:cpu:nanoseconds", unit: "nanoseconds", from: 0, until: 1000,
        profiles: 1, total: nodes.total[0], unresolved: 0, truncated: false, strings, frames, nodes, notes: [],
    };
}

/** The node with a path such as "main;serve". */
export function nodeAtPath(graph, path) {
    let node = 0;
    for (const name of path.split(";")) {
        let child = node + 1;
        while (child < graph.end[node] && nameOf(graph, child) !== name) child = graph.end[child];
        if (child >= graph.end[node]) throw new Error(`no ${name} in ${path}`);
        node = child;
    }
    return node;
}

/** The name of a node's function. */
export function nameOf(graph, node) {
    const index = graph.frame[node];
    return index < 0 ? "" : graph.frames.strings[graph.frames.name[index]];
}

/** Random numbers that are the same in every run. */
export function seeded(seed) {
    let state = seed >>> 0;
    return () => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return state / 2 ** 32;
    };
}

/** A random graph's answer with about `count` nodes. */
export function randomAnswer(count, seed) {
    const random = seeded(seed);
    const lines = [];
    for (let line = 0; line < count / 4; line += 1) {
        const stack = ["main"];
        const depth = 1 + Math.floor(random() * 12);
        for (let level = 0; level < depth; level += 1) stack.push(`f${Math.floor(random() ** 3 * 30)}`);
        lines.push(`${stack.join(";")} ${1 + Math.floor(random() ** 6 * 10000)}`);
    }
    return answerOf(lines.join("\n"));
}

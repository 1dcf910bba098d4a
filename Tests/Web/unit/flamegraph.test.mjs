// SPDX-License-Identifier: Apache-2.0
// Laying out a graph, finding frames in it, walking it, and keeping places over polls.
import assert from "node:assert/strict";
import { test } from "node:test";
import { deepestBelow, describeNode, layOut } from "../../../controller/SondeServer/web/modules/flamegraph.mjs";
import { nodeOfPathId, pathIdOf } from "../../../controller/SondeServer/web/modules/pathid.mjs";
import { walk } from "../../../controller/SondeServer/web/modules/walk.mjs";
import { answerOf, nameOf, nodeAtPath, randomAnswer } from "./folded.mjs";

const stacks = `
main 5
main;parse 10
main;parse;scan 20
main;serve 0
main;serve;~inline 30
main;serve;~inline;libread 35
`;

test("a graph is laid out: children inside their parents, side by side from the left", () => {
    const graph = layOut(answerOf(stacks));
    const at = (path) => {
        const node = nodeAtPath(graph, path);
        return [graph.start[node], graph.total[node], graph.depth[node]];
    };
    assert.deepEqual(at("main"), [0, 100, 1]);
    assert.deepEqual(at("main;parse"), [0, 30, 2]);
    assert.deepEqual(at("main;serve"), [30, 65, 2]);
    assert.deepEqual(at("main;serve;inline;libread"), [30, 35, 4]);
    assert.equal(graph.depths, 5);
});

test("children of random graphs stay inside their parents, and levels hold them from left to right", () => {
    const graph = layOut(randomAnswer(4000, 3));
    for (let node = 1; node < graph.count; node += 1) {
        const above = graph.parent[node];
        assert.ok(graph.start[node] >= graph.start[above]);
        assert.ok(graph.start[node] + graph.total[node] <= graph.start[above] + graph.total[above]);
        assert.ok(graph.end[node] <= graph.end[above]);
    }
    for (let level = 0; level < graph.depths; level += 1) {
        const nodes = [...graph.levelNodes.slice(graph.levelOffset[level], graph.levelOffset[level + 1])];
        assert.ok(nodes.every((node) => graph.depth[node] === level));
        for (let place = 1; place < nodes.length; place += 1) {
            assert.ok(graph.start[nodes[place]] >= graph.start[nodes[place - 1]] + graph.total[nodes[place - 1]]);
        }
    }
});

test("columns that contradict each other are refused with what was found", () => {
    const spoiled = (change) => {
        const answer = answerOf(stacks);
        change(answer);
        return () => layOut(answer);
    };
    assert.throws(spoiled((a) => { a.nodes.parent[2] = 4; }), /got parent 4 of node 2; want an earlier node/);
    assert.throws(spoiled((a) => { a.nodes.frame[3] = 99; }), /got frame 99 of node 3/);
    assert.throws(spoiled((a) => { a.nodes.self.pop(); }), /columns of 7 and 6 nodes/);
    assert.throws(spoiled((a) => { a.frames.name[0] = 1000; }), /got string 1000/);
    assert.throws(spoiled((a) => { a.frames.kind.pop(); }), /frames/);
    assert.throws(spoiled((a) => { a.nodes = { parent: [], frame: [], self: [], total: [] }; }), /got no nodes/);
});

test("a node is described by name, place, module and kind", () => {
    const graph = layOut(answerOf(stacks));
    const facts = describeNode(graph, nodeAtPath(graph, "main;serve;inline"), "all");
    assert.deepEqual(
        [facts.name, facts.place, facts.module, facts.kind, facts.self, facts.total],
        ["inline", "App.swift:6", "app", 1, 30, 65]);
    assert.equal(describeNode(graph, 0, "bookmaker").name, "bookmaker");
});

test("the deepest level below a node is found", () => {
    const graph = layOut(answerOf(stacks));
    assert.equal(deepestBelow(graph, 0), 4);
    assert.equal(deepestBelow(graph, nodeAtPath(graph, "main;parse")), 3);
});

test("a path id finds the same frame in the next answer, where its number is another", () => {
    const before = layOut(answerOf(stacks));
    const id = pathIdOf(before, nodeAtPath(before, "main;serve;inline"));
    const after = layOut(answerOf(`${stacks}main;another;deep 9\nabove 3`));
    assert.equal(nodeOfPathId(after, id), nodeAtPath(after, "main;serve;inline"));
    assert.equal(nodeOfPathId(layOut(answerOf("main 3")), id), -1);
    assert.equal(nodeOfPathId(after, ""), 0);
    assert.equal(nodeOfPathId(after, "no id!"), -1);
});

test("path ids of a large graph are distinct", () => {
    const graph = layOut(randomAnswer(20000, 5));
    const ids = new Set();
    for (let node = 0; node < graph.count; node += 1) ids.add(pathIdOf(graph, node));
    assert.equal(ids.size, graph.count);
});

test("walking leads to the caller, the heaviest callee and the neighbours of a level", () => {
    const graph = layOut(answerOf(stacks));
    const after = (path, ...steps) => nameOf(graph, steps.reduce((node, step) => walk(graph, node, step), nodeAtPath(graph, path)));
    assert.equal(after("main", "callee"), "serve");
    assert.equal(after("main", "callee", "left"), "parse");
    assert.equal(after("main;parse", "left"), "parse");
    assert.equal(after("main;parse;scan", "right"), "inline");
    assert.equal(after("main;parse;scan", "caller", "caller"), "main");
    assert.equal(after("main;parse;scan", "callee"), "scan");
    assert.equal(walk(graph, nodeAtPath(graph, "main;parse;scan"), "first"), 0);
    assert.equal(walk(graph, 0, "caller"), 0);
});

// SPDX-License-Identifier: Apache-2.0
// Other graphs of an answer, and two answers as one.
import assert from "node:assert/strict";
import { test } from "node:test";
import { answerOf } from "./folded.mjs";

const modules = "../../../controller/SondeServer/web/modules/";
const { layOut } = await import(`${modules}flamegraph.mjs`);
const { calleesOf, callersOf, onlyThrough, withoutFrames } = await import(`${modules}trees.mjs`);
const { answersOfDiff, changeOf, compared, deviationsApart } = await import(`${modules}compare.mjs`);

/** An answer as folded stacks again, in the order of its columns. */
function folded(answer) {
    const { parent, frame, self } = answer.nodes;
    layOut(answer);
    const name = (node) => answer.strings[answer.frames.name[frame[node]]];
    const path = (node) => (node === 0 ? [] : [...path(parent[node]), name(node)]);
    return self.flatMap((value, node) => (value > 0 ? [`${path(node).join(";")} ${value}`] : []));
}

const answer = answerOf("main;a;libx;b 5\nmain;a;b 3\nmain;libx 2\nmain;c;a;b 7\nother 1");
const named = (...names) => (frame) => names.includes(answer.strings[answer.frames.name[frame]]);

test("hidden frames give what they cost to their callers", () => {
    const found = withoutFrames(answer, named("libx"));
    assert.deepEqual(folded(found), ["main 2", "main;a;b 8", "main;c;a;b 7", "other 1"]);
    assert.equal(found.total, 18);
    assert.deepEqual(folded(withoutFrames(answer, () => true)), [" 18"]);
    assert.deepEqual(folded(withoutFrames(answer, () => false)), folded(answer));
});

test("a focus keeps the stacks through a function, with their callers", () => {
    const found = onlyThrough(answer, named("libx"));
    assert.deepEqual(folded(found), ["main;a;libx;b 5", "main;libx 2"]);
    assert.equal(found.total, 7);
    assert.equal(onlyThrough(answer, () => false).total, 0);
});

test("callees of a function are all its calls as one", () => {
    assert.deepEqual(folded(calleesOf(answer, named("a"))), ["a;b 10", "a;libx;b 5"]);
    const recursive = answerOf("f;g;f;h 4\nf;h 1");
    const wanted = (frame) => recursive.strings[recursive.frames.name[frame]] === "f";
    assert.deepEqual(folded(calleesOf(recursive, wanted)), ["f;g;f;h 4", "f;h 1"]);
    assert.equal(calleesOf(recursive, wanted).total, 5);
});

test("callers of a function stand below it", () => {
    assert.deepEqual(folded(callersOf(answer, named("b"))), ["b;a;c;main 7", "b;a;main 3", "b;libx;a;main 5"]);
    const recursive = answerOf("f;g;f;h 4\nf;h 1");
    const wanted = (frame) => recursive.strings[recursive.frames.name[frame]] === "f";
    assert.deepEqual(folded(callersOf(recursive, wanted)), ["f 5"]);
});

test("callers and callees of a function have its total", () => {
    for (const name of ["main", "a", "b", "c", "libx"]) {
        assert.equal(callersOf(answer, named(name)).total, calleesOf(answer, named(name)).total, name);
    }
});

test("two answers become one of shares", () => {
    const { answer: both, before, after, beforeSelf } = compared(answerOf("m;a 30\nm;b 70"), answerOf("m;a 5\nm;c 5"));
    const graph = layOut(both);
    assert.equal(graph.total[0], 2e9);
    const name = (node) => both.strings[both.frames.name[both.nodes.frame[node]]];
    assert.deepEqual([1, 2, 3, 4].map((node) => [name(node), before[node], after[node]]), [["m", 1, 1], ["a", 0.3, 0.5], ["b", 0.7, 0], ["c", 0, 0.5]]);
    assert.equal(beforeSelf[2], 0.3);
});

test("a diff is two answers with the same nodes", () => {
    const diff = {
        type: "cpu", unit: "count", truncated: true, strings: ["", "m", "a", "0x1"], notes: ["one"],
        left: { from: 1, until: 2, profiles: 3, total: 100 }, right: { from: 4, until: 5, profiles: 6, total: 10 },
        frames: { name: [1, 2, 3], file: [0, 0, 0], module: [0, 0, 0], line: [0, 0, 0], kind: [0, 0, 2] },
        nodes: { parent: [-1, 0, 1, 1], frame: [-1, 0, 1, 2], leftSelf: [0, 0, 100, 0], leftTotal: [100, 100, 100, 0], rightSelf: [0, 1, 5, 4], rightTotal: [10, 10, 5, 4] },
    };
    const { flame, baseline } = answersOfDiff(diff);
    assert.deepEqual([flame.total, flame.profiles, flame.from, flame.unresolved, flame.truncated], [10, 6, 4, 4, true]);
    assert.deepEqual([baseline.total, baseline.profiles, baseline.until, baseline.unresolved], [100, 3, 2, 0]);
    const { before, after } = compared(baseline, flame);
    assert.deepEqual([[...before], [...after]].map((side) => side.map((share) => Number(share.toFixed(3)))), [[1, 1, 0, 1], [1, 1, 0.4, 0.5]]);
});

test("an empty side is no division by nothing", () => {
    const empty = { ...answerOf("m 1"), total: 0, nodes: { parent: [-1], frame: [-1], self: [0], total: [0] } };
    const { after, before } = compared(empty, answerOf("m 1"));
    assert.deepEqual([...before], [0, 0]);
    assert.deepEqual([...after], [1, 1]);
});

test("what may be chance is no change", () => {
    assert.equal(changeOf(0.1, 0.12, [100, 100]), 0);
    assert.ok(changeOf(0.1, 0.12, [100_000, 100_000]) > 0.1);
    assert.ok(changeOf(0.5, 0.25, [10_000, 10_000]) === -0.5);
    assert.equal(changeOf(0, 0.5, [1000, 1000]), 1);
    assert.equal(changeOf(0.5, 0, [1000, 1000]), -1);
    assert.equal(changeOf(0, 0, [1000, 1000]), 0);
    // Without known samples every difference counts.
    assert.equal(changeOf(0.1, 0.2, [0, 0]), 0.5);
    assert.ok(Math.abs(deviationsApart(0.5, 0.6, [100, 100]) - 1.421) < 0.01);
    assert.equal(deviationsApart(1, 1, [10, 10]), 0);
});

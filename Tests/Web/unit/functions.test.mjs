// SPDX-License-Identifier: Apache-2.0
// Search and the table: shares counted once, recursion, order, filter.
import assert from "node:assert/strict";
import { test } from "node:test";
import { layOut } from "../../../controller/SondeServer/web/modules/flamegraph.mjs";
import { arrangedRows, functionsBelow, functionsOfTop, largestModules } from "../../../controller/SondeServer/web/modules/functions.mjs";
import { matchedValue, matcherOf, matchingFrames, nextMatch } from "../../../controller/SondeServer/web/modules/search.mjs";
import { answerOf, nameOf, nodeAtPath } from "./folded.mjs";

const stacks = `
main;walk;walk;leaf 10
main;walk;leaf 20
main;libread 30
main;other 40
`;

const byName = (rows) => Object.fromEntries(rows.map((row) => [row.name, [row.self, row.total]]));

test("a function's total counts a stack once, although it recurs", () => {
    const rows = byName(functionsBelow(layOut(answerOf(stacks)), 0));
    assert.deepEqual(rows.walk, [0, 30]);
    assert.deepEqual(rows.leaf, [30, 30]);
    assert.deepEqual(rows.main, [0, 100]);
});

test("below a zoomed frame only its own stacks count", () => {
    const graph = layOut(answerOf(stacks));
    const rows = byName(functionsBelow(graph, nodeAtPath(graph, "main;walk;walk")));
    assert.deepEqual(rows, { walk: [0, 10], leaf: [10, 10] });
});

test("own values add up to the profile", () => {
    const rows = functionsBelow(layOut(answerOf(stacks)), 0);
    assert.equal(rows.reduce((sum, row) => sum + row.self, 0), 100);
});

test("rows are sorted by every head, both ways, and filtered by name", () => {
    const rows = functionsBelow(layOut(answerOf(stacks)), 0);
    const names = (...how) => arrangedRows(rows, ...how).map((row) => row.name);
    assert.deepEqual(names(null, "self", false), ["other", "leaf", "libread", "main", "walk"]);
    assert.deepEqual(names(null, "total", false).slice(0, 2), ["main", "other"]);
    assert.deepEqual(names(null, "total", true).at(-1), "main");
    assert.deepEqual(names(null, "name", true), ["leaf", "libread", "main", "other", "walk"]);
    assert.deepEqual(names((name) => name.startsWith("l"), "name", false), ["libread", "leaf"]);
});

test("the rows of the controller's own list keep file and line", () => {
    const [row] = functionsOfTop({ functions: [{ name: "f", file: "A.swift", line: 7, module: "m", kind: 1, self: 1, total: 2 }] });
    assert.deepEqual(row, { name: "f", place: "A.swift:7", module: "m", kind: 1, self: 1, total: 2 });
});

test("the legend holds the modules with the largest own value", () => {
    const rows = functionsBelow(layOut(answerOf(stacks)), 0);
    assert.deepEqual(largestModules(rows, 5), [{ module: "app", self: 30 }, { module: "lib.so", self: 30 }]);
    assert.equal(largestModules(rows, 1).length, 1);
});

test("the share of matches counts nested ones once", () => {
    const graph = layOut(answerOf(stacks));
    const share = (text, regex = false, top = 0) =>
        matchedValue(graph, matchingFrames(graph, matcherOf(text, regex)), top);
    assert.deepEqual(share("walk"), { value: 30, nodes: 2 });
    assert.deepEqual(share("WALK"), { value: 30, nodes: 2 });
    assert.deepEqual(share("^l", true), { value: 60, nodes: 3 });
    assert.deepEqual(share("nothing"), { value: 0, nodes: 0 });
    assert.deepEqual(share("leaf", false, nodeAtPath(graph, "main;walk;walk")), { value: 10, nodes: 1 });
    // What was cut off has no name that could match.
    assert.deepEqual(share("other"), { value: 0, nodes: 0 });
});

test("plain text is no expression, and an expression that cannot be read is an error", () => {
    assert.ok(matcherOf("f(_:)", false)("f(_:)"));
    assert.throws(() => matcherOf("f(", true), SyntaxError);
    assert.equal(matcherOf("", true), null);
});

test("matches are walked in both ways around the ends", () => {
    const graph = layOut(answerOf(stacks));
    const found = matchingFrames(graph, matcherOf("leaf", false));
    const first = nextMatch(graph, found, 0, 1);
    assert.equal(nameOf(graph, first), "leaf");
    const second = nextMatch(graph, found, first, 1);
    assert.notEqual(second, first);
    assert.equal(nextMatch(graph, found, second, 1), first);
    assert.equal(nextMatch(graph, found, first, -1), second);
    assert.equal(nextMatch(graph, new Uint8Array(graph.frames.count), 0, 1), -1);
});

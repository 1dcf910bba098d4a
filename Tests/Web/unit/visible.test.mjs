// SPDX-License-Identifier: Apache-2.0
// What a viewport shows, against a plain search through all nodes; hits by arithmetic; spans.
import assert from "node:assert/strict";
import { test } from "node:test";
import { layOut } from "../../../controller/SondeServer/web/modules/flamegraph.mjs";
import { carriedSpan, clampSpan, panSpan, spanBetween, zoomSpan } from "../../../controller/SondeServer/web/modules/span.mjs";
import { collectVisible, narrowest, nodeAt, VisibleFrames } from "../../../controller/SondeServer/web/modules/visible.mjs";
import { answerOf, nameOf, randomAnswer, seeded } from "./folded.mjs";

function shown(graph, viewport) {
    const into = new VisibleFrames();
    collectVisible(graph, viewport, into);
    const items = [];
    for (let item = 0; item < into.count; item += 1) {
        items.push({ node: into.node[item], level: into.level[item], x: into.x[item], width: into.width[item] });
    }
    return items;
}

test("every frame of half a pixel and more is shown, and nothing else by name", () => {
    const graph = layOut(randomAnswer(8000, 11));
    const random = seeded(1);
    for (let round = 0; round < 60; round += 1) {
        const total = graph.total[0];
        const start = random() * total * 0.9;
        const viewport = { start, end: start + Math.max(random() ** 4 * (total - start), 1), width: 400, firstLevel: 1, lastLevel: 9 };
        const scale = viewport.width / (viewport.end - viewport.start);
        const wanted = new Set();
        for (let node = 0; node < graph.count; node += 1) {
            const inside = graph.start[node] < viewport.end && graph.start[node] + graph.total[node] > viewport.start;
            const level = graph.depth[node];
            if (inside && level >= 1 && level <= 9 && graph.total[node] * scale >= narrowest) wanted.add(node);
        }
        const found = shown(graph, viewport).filter((item) => item.node >= 0);
        assert.deepEqual(new Set(found.map((item) => item.node)), wanted);
        for (const item of found) assert.ok(item.x >= 0 && item.x + item.width <= 400.01);
    }
});

test("frames too narrow to draw become smears: the work is bounded by pixels", () => {
    const lines = [];
    for (let number = 0; number < 50_000; number += 1) lines.push(`main;f${number} 1`);
    const graph = layOut(answerOf(lines.join("\n")));
    const items = shown(graph, { start: 0, end: 50_000, width: 300, firstLevel: 0, lastLevel: 9 });
    assert.ok(items.length < 2 * 300 + 10, `${items.length} rectangles on 300 pixels`);
    const smear = items.filter((item) => item.level === 2 && item.node < 0);
    const covered = smear.reduce((sum, item) => sum + item.width, 0);
    assert.ok(covered > 295, `the smear covers ${covered} of 300 pixels`);
});

test("the frame under a point is the one that was laid out there", () => {
    const graph = layOut(answerOf("main;a 10\nmain;b 30\nmain 60"));
    const at = (level, value) => {
        const node = nodeAt(graph, level, value);
        return node < 0 ? null : nameOf(graph, node);
    };
    assert.equal(at(1, 99), "main");
    assert.equal(at(2, 0), "a");
    assert.equal(at(2, 9.9), "a");
    assert.equal(at(2, 10), "b");
    assert.equal(at(2, 41), null);
    assert.equal(at(7, 5), null);
    assert.equal(at(-1, 5), null);
});

test("hits agree with the layout at random points of a random graph", () => {
    const graph = layOut(randomAnswer(6000, 23));
    const random = seeded(9);
    for (let round = 0; round < 500; round += 1) {
        const value = random() * graph.total[0];
        const level = Math.floor(random() * graph.depths);
        let wanted = -1;
        for (let node = 0; node < graph.count; node += 1) {
            if (graph.depth[node] === level && graph.start[node] <= value && value < graph.start[node] + graph.total[node]) wanted = node;
        }
        assert.equal(nodeAt(graph, level, value), wanted);
    }
});

test("zooming keeps the place under the pointer, and no span leaves the profile", () => {
    const span = zoomSpan({ start: 0, end: 100 }, 0.5, 0.25, 100);
    assert.deepEqual(span, { start: 12.5, end: 62.5 });
    assert.deepEqual(zoomSpan(span, 100, 0.1, 100), { start: 0, end: 100 });
    assert.deepEqual(panSpan({ start: 10, end: 30 }, 9, 100), { start: 80, end: 100 });
    assert.deepEqual(panSpan({ start: 10, end: 30 }, -9, 100), { start: 0, end: 20 });
    const least = clampSpan({ start: 5, end: 5 }, 100);
    assert.ok(least.end > least.start);
});

test("a glide begins and ends at its two spans", () => {
    const [from, to] = [{ start: 0, end: 100 }, { start: 40, end: 50 }];
    assert.deepEqual(spanBetween(from, to, 0), from);
    assert.deepEqual(spanBetween(from, to, 1), to);
});

test("a span carried into the next answer shows the same part of the zoomed frame", () => {
    const carried = carriedSpan({ start: 20, end: 30 }, { start: 10, end: 50 }, { start: 100, end: 180 });
    assert.deepEqual(carried, { start: 120, end: 140 });
});

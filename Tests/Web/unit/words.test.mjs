// SPDX-License-Identifier: Apache-2.0
// Everything that turns numbers into words, ranges into times, state into an address, and names into colours.
import assert from "node:assert/strict";
import { test } from "node:test";
import { initialState, queryOfState, selectorOf, stateOfQuery } from "../../../controller/SondeServer/web/modules/address.mjs";
import { budgetText, concernsOf, pendingText, summaryOf } from "../../../controller/SondeServer/web/modules/agents.mjs";
import { contrast, hueStepOf, paletteOf, style, styleOf } from "../../../controller/SondeServer/web/modules/colour.mjs";
import { formatBytes, formatRate, formatShare, formatValue } from "../../../controller/SondeServer/web/modules/format.mjs";
import { TextFitter } from "../../../controller/SondeServer/web/modules/textfit.mjs";
import { draggedRange, pointAt, timeTicks } from "../../../controller/SondeServer/web/modules/timeline.mjs";
import { describeRange, instantOf, isLive, isRange, mayGrow, movedRange } from "../../../controller/SondeServer/web/modules/timerange.mjs";

test("values carry their unit", () => {
    assert.equal(formatValue(1.5e9, "nanoseconds"), "1.50 s");
    assert.equal(formatValue(12_000, "nanoseconds"), "12 µs");
    assert.equal(formatValue(90e9, "nanoseconds"), "1.50 min");
    assert.equal(formatValue(2, "seconds"), "2 s");
    assert.equal(formatValue(524_288, "bytes"), "512 KiB");
    assert.equal(formatValue(12_034, "count"), "12,034");
    assert.equal(formatValue(0, "nanoseconds"), "0 s");
    assert.equal(formatBytes(1023), "1,023 B");
    assert.equal(formatRate(5e9, "nanoseconds", 10_000), "0.50 cores");
    assert.equal(formatRate(10_240, "bytes", 10_000), "1 KiB/s");
});

test("a share is never nothing for something", () => {
    assert.equal(formatShare(1, 1e9), "<0.01 %");
    assert.equal(formatShare(0, 10), "0 %");
    assert.equal(formatShare(1, 3), "33.3 %");
    assert.equal(formatShare(5, 0), "0 %");
    assert.equal(formatShare(9999, 10_000), "100 %");
});

test("the address holds the whole state, and comes back from any address", () => {
    const state = {
        page: "source", file: "src/a b.swift", line: 42, query: '{a="b"} |= "c"', probe: "p-1", hide: true, only: true, colour: "package",
        around: "f()", group: "host", compare: "diff", from2: "1600000000000", until2: "1600000600000", filter2: 'a="b"', service: "bookmaker", type: "memory:alloc:bytes:space:bytes", filter: 'host=~"a|b"', from: "1700000000000",
        until: "1700000600000", paused: true, search: "a+b & c", regex: true, marked: "f(_:) -> [Int]", zoom: "1x", selected: "2y",
        view: "table", order: "flame", sort: "name", ascending: true, nodes: 1000,
    };
    assert.deepEqual(stateOfQuery(queryOfState(state)), state);
    assert.equal(queryOfState(initialState), "");
    assert.deepEqual(stateOfQuery("?view=upside-down&nodes=-3&from=yesterday&sort=__proto__&nothing=1"), { ...initialState });
    assert.equal(stateOfQuery("?nodes=99999999").nodes, 1048576);
});

test("a selector quotes the service's name", () => {
    assert.equal(selectorOf({ ...initialState, service: 'a"b', filter: 'x="y"' }), '{service_name="a\\"b",x="y"}');
    assert.equal(selectorOf(initialState), "{}");
});

test("ranges are read, described and moved", () => {
    const now = 1_700_000_000_000;
    assert.equal(instantOf("now-90m", now), now - 5_400_000);
    assert.equal(instantOf("1234", now), 1234);
    assert.equal(instantOf("soon", now), null);
    assert.ok(isLive({ from: "now-1h", until: "now" }));
    assert.ok(mayGrow({ from: "now-1h", until: "now" }, now));
    assert.ok(mayGrow({ from: "1000", until: String(now - 5000) }, now), "the last profile of it may be on its way");
    assert.ok(!mayGrow({ from: "1000", until: String(now - 100_000) }, now));
    assert.ok(!isRange({ from: "now", until: "now-1h" }));
    assert.ok(!isRange({ from: "2000", until: "1000" }));
    assert.equal(describeRange({ from: "now-1h", until: "now" }, now), "Last hour");
    assert.equal(describeRange({ from: "now-90m", until: "now" }, now), "Last 90m");
    assert.deepEqual(movedRange({ from: "1000000", until: "2000000" }, "earlier", now), { from: "500000", until: "1500000" });
    assert.deepEqual(movedRange({ from: "1000000", until: "2000000" }, "wider", now), { from: "500000", until: "2500000" });
    const later = movedRange({ from: String(now - 2000), until: String(now - 500) }, "later", now);
    assert.equal(later.until, String(now));
});

test("ticks stand at whole steps inside the range", () => {
    const from = Date.UTC(2026, 0, 5, 10, 3, 20);
    const ticks = timeTicks(from, from + 3_600_000, 8);
    assert.ok(ticks.length >= 4 && ticks.length <= 8);
    for (const tick of ticks) assert.equal(tick.at % 600_000, 0);
    assert.ok(timeTicks(0, 30 * 86_400_000, 10).length <= 10);
});

test("a drag chooses a range in order, at least one step long", () => {
    const shown = { from: 1000, until: 101_000, stepMs: 10_000 };
    assert.deepEqual(draggedRange(0.8, 0.2, shown), { from: 21_000, until: 81_000 });
    const least = draggedRange(0.999, 1.2, shown);
    assert.equal(least.until - least.from, 10_000);
    assert.equal(least.until, 101_000);
});

test("the step under a time is found, and a gap is a gap", () => {
    const timeline = { unit: "count", stepMs: 10, points: [[100, 1], [110, 2], [140, 3]] };
    assert.deepEqual(pointAt(timeline, 109), [100, 1]);
    assert.deepEqual(pointAt(timeline, 110), [110, 2]);
    assert.equal(pointAt(timeline, 125), null);
    assert.equal(pointAt(timeline, 155), null);
    assert.equal(pointAt(timeline, 5), null);
});

test("text can be read on every colour of both themes", () => {
    for (const theme of ["light", "dark"]) {
        const palette = paletteOf(theme);
        for (let index = 0; index < style.count; index += 1) {
            if (index === style.smear || index === style.smearDimmed) continue;
            const ratio = contrast(palette.fill[index], palette.text[index]);
            assert.ok(ratio >= 4.5, `style ${index} in ${theme}: ${palette.text[index]} on ${palette.fill[index]} is ${ratio.toFixed(2)}`);
        }
    }
});

test("contrast is that of WCAG", () => {
    assert.equal(contrast("#ffffff", "#000000"), 21);
    assert.ok(Math.abs(contrast("#767676", "#ffffff") - 4.54) < 0.01);
});

test("a module's hue does not depend on its folder, and kinds are told apart", () => {
    assert.equal(hueStepOf("/usr/lib/libc.so.6"), hueStepOf("/lib/libc.so.6"));
    assert.equal(styleOf("f", "m", 0), styleOf("f", "m", 0));
    assert.notEqual(styleOf("f", "m", 0), styleOf("f", "m", 1));
    assert.equal(styleOf("f", "m", 2), style.unresolved);
    assert.equal(styleOf("f", "m", 3), style.other);
});

test("names are cut to what fits, or left out", () => {
    let measured = 0;
    const fitter = new TextFitter((text) => {
        measured += 1;
        return [...text].length * 7;
    });
    assert.equal(fitter.fit("recompute", 63), "recompute");
    assert.equal(fitter.fit("recompute", 62), "recompu…");
    assert.equal(fitter.fit("recompute", 15), "");
    const before = measured;
    fitter.fit("recompute", 40);
    assert.equal(measured, before, "a known name is measured again");
});

const agent = {
    service: "s", instance: "i", version: "", host: "h", pid: 1, state: "connected", startedMs: 0, lastSeenMs: 0,
    agentVersion: "0.1.0", notes: [], problems: [], cpu: { enabled: true, hertz: 100, desired: null, samples: 1 }, ownCPUPercent: 0.123,
    processCPUPercent: 5, ownMemoryBytes: 1, threads: 1, profilesSent: 1, losses: {}, missingDebugInfo: [],
};

test("the agents' line says who is there, at what rate and cost, and what is lost", () => {
    assert.deepEqual(summaryOf([]), { text: "No agent connected", level: "none" });
    assert.equal(summaryOf([{ ...agent, state: "away" }]).text, "No agent connected; 1 agent away");
    assert.deepEqual(summaryOf([agent]),
        { text: "1 agent connected · 100 Hz · own cost 0.12 % of a core · nothing lost", level: "good" });
    const two = summaryOf([agent, { ...agent, losses: { full: 2 }, problems: ["x"], cpu: { ...agent.cpu, hertz: 49 } }]);
    assert.equal(two.text, "2 agents connected · different rates · own cost up to 0.12 % of a core · 2 losses · 1 problem");
    assert.equal(two.level, "warn");
});

test("what an agent was asked for and does not do yet is pending", () => {
    const asked = (desired) => pendingText({ ...agent, cpu: { ...agent.cpu, desired } });
    assert.equal(asked(null), "");
    assert.equal(asked({ enabled: true, hertz: 100 }), "");
    assert.equal(asked({ enabled: true, hertz: 49 }), "asked for 49 Hz");
    assert.equal(asked({ enabled: false, hertz: 100 }), "asked to stop");
    assert.deepEqual(concernsOf({ ...agent, losses: { full: 3, none: 0 }, missingDebugInfo: ["l (ab)"] }),
        ["lost: full 3", "no debug info: l (ab)"]);
});

test("an agent's cost stands beside its budget, which an idle process may pass", () => {
    const cost = (own, all) => budgetText({ ...agent, ownCPUPercent: own, processCPUPercent: all });
    assert.equal(cost(0.2, 0), "the process uses no CPU time");
    assert.equal(cost(0.2, 100), "0.20 % of the process's CPU time; wanted: at most 0.5 %");
    assert.equal(cost(2, 100), "2.00 % of the process's CPU time; wanted: at most 0.5 % – over");
    assert.equal(cost(0.2, 10), "2.00 % of the process's CPU time; wanted: at most 0.5 % of one that is busy; this one mostly idles");
});

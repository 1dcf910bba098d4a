// SPDX-License-Identifier: Apache-2.0
// Source lines, names that complete, and lines of a log as they come.
import assert from "node:assert/strict";
import { test } from "node:test";

const modules = "../../../controller/SondeServer/web/modules/";
const { tokensOf } = await import(`${modules}words.mjs`);
const { fileName, forecastWords, hotLines, hottestLine, remainders, roughly, rowsOfSource } = await import(`${modules}sourcelines.mjs`);
const { completed, completionsOf, inserted, memberAt, memberCompletions, wordAt } = await import(`${modules}completion.mjs`);
const { LineReader, levelOf, millisecondsOf, placeOf, queryOfProbe, queryOfService } = await import(`${modules}loglines.mjs`);
const { dropWords, expiryWords, hitWords, levelOfState, ownCost, placeOfLocation } = await import(`${modules}probes.mjs`);

const kinds = (line) => tokensOf([line])[0].map((token) => `${token.kind}:${token.text}`);

test("the texts of a line's tokens are the line, whatever is in it", () => {
    const lines = ["let x = 1 // one", "  \"a\\\"b\" + 'c' /* open", "still */ func f<T>() -> T? {", '"""', "text {", '"""; end', "\t#if DEBUG", "unended \"text", "", "ünïcode = 0x1F"];
    assert.deepEqual(tokensOf(lines).map((tokens) => tokens.map((token) => token.text).join("")), lines);
});

test("words, types, texts, numbers and comments are told apart", () => {
    assert.deepEqual(kinds('let name: String = "a // b" // c'), ["word:let", ": name: ", "type:String", ": = ", 'text:"a // b"', ": ", "note:// c"]);
    assert.deepEqual(kinds("x1 + 0x1F"), [":x1 + ", "number:0x1F"]);
    const open = tokensOf(["a /* b", "c", "d */ e"]);
    assert.deepEqual(open.map((tokens) => tokens.map((token) => token.kind)), [["", "note"], ["note"], ["note", ""]]);
});

const answer = {
    service: "shop", file: "/build/shop/Cart.swift", unit: "nanoseconds", profiles: 6, total: 1000, inFile: 500, ofFunctions: 0, withoutLine: 0, ofOthers: 0, builds: [], notes: [],
    text: "one\r\ntwo\nthree\n",
    lines: [{ line: 2, self: 100, total: 300, code: true }, { line: 3, self: 2, total: 2, code: true }, { line: 9, self: 0, total: 400, code: false }],
};

test("a file's text is shown whole, and without one the line table alone", () => {
    assert.deepEqual(rowsOfSource(answer).map((row) => [row.line, row.text, row.cost?.self ?? null]), [[1, "one", null], [2, "two", 100], [3, "three", 2]]);
    const bare = rowsOfSource({ ...answer, text: undefined });
    assert.deepEqual(bare.map((row) => [row.line, row.text, row.gap]), [[2, null, false], [3, null, false], [9, null, true]]);
    assert.deepEqual(rowsOfSource({ ...answer, text: "" }), []);
});

test("hot lines are those with a twentieth of the hottest", () => {
    assert.deepEqual(hotLines(answer), [2]);
    assert.equal(hottestLine(answer), 2);
    assert.equal(hottestLine({ ...answer, lines: [] }), 0);
    assert.equal(hottestLine({ ...answer, lines: [{ line: 4, self: 0, total: 9, code: true }] }), 4);
});

test("the expression before a dot is found, and what follows it is completed", () => {
    const at = (text, role = "condition") => {
        const found = memberAt(text, text.length, role);
        return found && [found.owner, found.mark, found.dot, found.prefix];
    };
    assert.deepEqual(at("bet."), ["bet", "", 3, ""]);
    assert.deepEqual(at("1 < bet.stake.ce"), ["bet.stake", "", 13, "ce"]);
    assert.deepEqual(at("user?.na"), ["user", "?", 5, "na"]);
    assert.deepEqual(at("bet.legs[0].o"), ["bet.legs[0]", "", 11, "o"]);
    assert.deepEqual(at("a!.b?.c[i].d"), ["a!.b?.c[i]", "", 10, "d"]);
    assert.deepEqual(at("sum {bet.", "template"), ["bet", "", 8, ""]);
    for (const none of ["bet", "state == .w", "3.", "), .x", ""]) assert.equal(at(none), null, none);
    assert.equal(at("end of a sentence.", "template"), null);
    const members = { type: "User", optional: true, members: [{ name: "name", type: "String" }, { name: "age", type: "Int" }] };
    const complete = (text, answer) => {
        const { word, names } = memberCompletions(memberAt(text, text.length, "condition"), answer);
        return names.map(({ name }) => completed(text, word, name).text);
    };
    assert.deepEqual(complete("user.", members), ["user?.name", "user?.age"]);
    assert.deepEqual(complete("user?.a", members), ["user?.age"]);
    assert.deepEqual(complete("x + user!.", members), ["x + user!.name", "x + user!.age"]);
    assert.deepEqual(complete("user.na", { ...members, optional: false }), ["user.name"]);
    assert.deepEqual(complete("user.name", { ...members, optional: false }), []);
});

test("what is on no line is told, with its value", () => {
    assert.deepEqual(remainders(answer), []);
    assert.deepEqual(remainders({ ...answer, withoutLine: 7, ofOthers: 3 }).map((rest) => rest.value), [7, 3]);
    assert.match(remainders({ ...answer, withoutLine: 7 })[0].words, /^on no line/);
});

test("a forecast says orders of magnitude and warns of what stops itself", () => {
    assert.equal(roughly(0.2), "1");
    assert.equal(roughly(1), "1");
    assert.equal(roughly(11), "20");
    assert.equal(roughly(4_321), "5,000");
    assert.match(forecastWords(null, 100), /too few samples/);
    assert.match(forecastWords({ line: 1, self: 1, total: 1, code: true, hitsPerSecond: 4000, probeShare: 0.0004 }, 100), /about 4,000 hits .*, of which 100 become lines; about 0\.04 % of a core/);
    assert.match(forecastWords({ line: 1, self: 1, total: 1, code: true, hitsPerSecond: 20, probeShare: 0.00005 }, 100), /^about 20 hits a second in each instance; about/);
    assert.match(forecastWords({ line: 1, self: 1, total: 1, code: true, hitsPerSecond: 1e7, probeShare: 0.4 }, 100), /too many for a log point/);
    assert.equal(fileName("/a/b.swift"), "b.swift");
});

const name = (text, availability = "full") => ({ name: text, type: "Int", kind: "local", availability, reason: "", nearestLines: [] });

test("in a template only what stands in braces is completed", () => {
    assert.equal(wordAt("order ", 6, "template"), null);
    assert.deepEqual(wordAt("order {or", 9, "template"), { start: 7, prefix: "or" });
    assert.deepEqual(wordAt("{a} {b.c", 8, "template"), { start: 5, prefix: "b.c" });
    assert.equal(wordAt("{{ or", 5, "template"), null);
    assert.equal(wordAt("{a} b", 5, "template"), null);
    assert.deepEqual(wordAt("{", 1, "template"), { start: 1, prefix: "" });
    assert.deepEqual(wordAt("tot", 3, "condition"), { start: 0, prefix: "tot" });
    assert.deepEqual(wordAt("a > #th", 7, "condition"), { start: 4, prefix: "#th" });
});

test("readable names come before those that are gone", () => {
    const names = [name("total", "none"), name("tax"), name("Title"), name("user")];
    assert.deepEqual(completionsOf(names, "t").map((entry) => entry.name), ["Title", "tax", "total"]);
    assert.deepEqual(completionsOf(names, "tax"), []);
    assert.deepEqual(completed("{to} x", { start: 1, prefix: "to" }, "total"), { text: "{total} x", caret: 6 });
});

test("a clicked name is put into braces, once", () => {
    assert.deepEqual(inserted("", 0, "bet"), { text: "{bet}", caret: 5 });
    assert.deepEqual(inserted("order", 5, "bet"), { text: "order {bet}", caret: 11 });
    assert.deepEqual(inserted("order {", 7, "bet"), { text: "order {bet", caret: 10 });
    assert.deepEqual(inserted("id=", 3, "bet"), { text: "id={bet}", caret: 8 });
});

test("lines are read however the pieces are cut", () => {
    const text = '{"time":"1700000000123456789","labels":{},"metadata":{},"line":"a\\nb"}\n\n{"dropped":3}\n{"error":"gone"}\n';
    for (const size of [1, 7, 1000]) {
        const events = [];
        const reader = new LineReader((event) => events.push(event));
        for (let at = 0; at < text.length; at += size) reader.add(text.slice(at, at + size));
        assert.equal(events.length, 3);
        assert.equal(events[0].line.line, "a\nb");
        assert.equal(millisecondsOf(events[0].line), 1700000000123);
        assert.deepEqual(events.slice(1), [{ dropped: 3 }, { error: "gone" }]);
    }
});

test("a line tells its level and its place in the code", () => {
    const line = { time: "0", labels: { detected_level: "WARN" }, metadata: { file: "a.swift", line: "4" }, line: "" };
    assert.equal(levelOf(line), "warn");
    assert.equal(levelOf({ ...line, labels: {} }), "info");
    assert.deepEqual(placeOf(line), { file: "a.swift", line: 4 });
    assert.equal(placeOf({ ...line, metadata: { line: "x", file: "a" } }), null);
    assert.equal(queryOfService('a"b'), '{service_name="a\\"b"}');
    assert.equal(queryOfProbe("shop", "p-1"), '{service_name="shop"} | probe_id="p-1"');
});

test("probes are told in words", () => {
    assert.equal(hitWords({ hits: 1, lines: 2, conditionFalse: 0, conditionErrors: 0 }, 0), "1 hit, 2 lines");
    assert.match(hitWords({ hits: 9, lines: 2, conditionFalse: 3, conditionErrors: 1 }, 4), /condition false 3 times, condition not computable 1 times, 4 dropped/);
    assert.equal(dropWords({ rate: 2, ring: 0 }), "rate 2");
    assert.equal(ownCost(1500), "1.50 µs");
    assert.equal(ownCost(2.5e9), "2.50 s");
    assert.match(expiryWords({ expiresMs: 60_000 }, 0), /^ends in/);
    assert.match(expiryWords({ expiresMs: 0 }, 60_000), /^ended .* ago$/);
    assert.deepEqual(placeOfLocation(" src/Cart.swift:42 "), { file: "src/Cart.swift", line: 42 });
    assert.equal(placeOfLocation("Cart.add"), null);
    assert.equal(placeOfLocation("Cart.swift:0"), null);
    assert.deepEqual(["active", "tripped", "waiting"].map(levelOfState), ["good", "warn", "none"]);
});

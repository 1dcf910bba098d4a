// SPDX-License-Identifier: Apache-2.0
// page.js is all modules in one: the rules that make that work, and that it can be read.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync, mkdtempSync, rmSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

const web = new URL("../../../controller/SondeServer/web/", import.meta.url);
const read = (name) => readFileSync(new URL(name, web), "utf8");
const order = [...read("assets.c").matchAll(/#embed "modules\/([\w]+\.mjs)" JOINED/g)].map((hit) => hit[1]);

test("every module is embedded, once", () => {
    assert.deepEqual([...order].sort(), readdirSync(new URL("modules/", web)).sort());
});

test("imports stand before a module's first block comment, so that joining takes them away", () => {
    for (const name of order) {
        const text = read(`modules/${name}`);
        const lastImport = Math.max(...[...text.matchAll(/^import /gm)].map((hit) => hit.index), -1);
        const comment = text.indexOf("*/");
        assert.ok(comment > lastImport, `${name} imports after its first block comment`);
        // Nothing but imports, blank lines and line comments may be swallowed.
        const head = text.slice(0, text.indexOf("/*")).replace(/^import [^;]*;$/gm, "").replace(/^\/\/.*$/gm, "");
        assert.equal(head.trim(), "", `${name} has code before its first block comment`);
    }
});

test("no module imports under another name, which joining would lose", () => {
    for (const name of order) {
        assert.doesNotMatch(read(`modules/${name}`), /^import .*( as |\* )/m, name);
    }
});

test("the joined page is one valid module without imports", () => {
    const joined = order.map((name) => `/*${read(`modules/${name}`)}`).join("");
    const folder = mkdtempSync(join(tmpdir(), "sonde-bundle-"));
    try {
        const file = join(folder, "page.mjs");
        writeFileSync(file, joined);
        const checked = spawnSync(process.execPath, ["--check", file], { encoding: "utf8" });
        assert.equal(checked.status, 0, checked.stderr);
    } finally {
        rmSync(folder, { recursive: true });
    }
});

test("the first load is small: under 150 kB and four files, as they are sent", () => {
    const styles = [...read("assets.c").matchAll(/#embed "styles\/(\w+\.css)"/g)].map((hit) => read(`styles/${hit[1]}`));
    const files = [read("index.html"), read("icon.svg"), styles.join(""), order.map((name) => `/*${read(`modules/${name}`)}`).join("")];
    const bytes = files.reduce((sum, text) => sum + gzipSync(text, { level: 9 }).length, 0);
    assert.ok(bytes < 150_000, `the page's files have ${bytes} bytes`);
});

test("the page keeps to its policy: no inline script or style", () => {
    const page = read("index.html");
    assert.doesNotMatch(page, /\son\w+=|\sstyle=|<style|<script(?![^>]*src=)/);
    for (const name of order) {
        assert.doesNotMatch(read(`modules/${name}`), /innerHTML|insertAdjacentHTML|document\.write|\beval\(/, name);
    }
});

// SPDX-License-Identifier: Apache-2.0
// A list of log lines, newest at the end: each with its time, its place in the code and its trace.
import { element } from "./dom.mjs";
import { formatTime } from "./format.mjs";
import { levelOf, millisecondsOf, placeOf } from "./loglines.mjs";
import { fileName } from "./sourcelines.mjs";

/** @typedef {import("./loglines.mjs").LogLine} LogLine */

/** What is shown beside a moment when its flame graph is opened. */
const aroundMs = 15_000;

/** Holds the last lines; old ones go. */
export class LogList {
    /**
     * @param {HTMLElement} box
     * @param {HTMLElement} scroller
     * @param {{ most: number, links: boolean }} options
     */
    constructor(box, scroller, options) {
        this.box = box;
        this.scroller = scroller;
        this.options = options;
        this.count = 0;
        /** @type {HTMLElement[]} */
        this.waiting = [];
        this.planned = false;
        // Keys of the last lines, because a tail that comes back may repeat some.
        /** @type {Set<string>} */
        this.seen = new Set();
    }

    clear() {
        this.box.replaceChildren();
        this.waiting = [];
        this.count = 0;
        this.seen.clear();
    }

    /** @param {LogLine} line */
    add(line) {
        const key = `${line.time} ${line.metadata.probe_id ?? ""} ${line.metadata.sequence ?? ""} ${line.labels.instance ?? ""} ${line.line}`;
        if (this.seen.has(key)) return;
        this.seen.add(key);
        if (this.seen.size > this.options.most * 2) this.seen = new Set([...this.seen].slice(-this.options.most));
        this.count += 1;
        this.push(this.rowOf(line));
    }

    /** @param {string} text what is said between the lines */
    remark(text) {
        this.push(element("li", { class: "remark" }, text));
    }

    /** @param {HTMLElement} row */
    push(row) {
        this.waiting.push(row);
        if (this.waiting.length > this.options.most) this.waiting.shift();
        if (this.planned) return;
        this.planned = true;
        requestAnimationFrame(() => this.flush());
    }

    flush() {
        this.planned = false;
        const { box, scroller } = this;
        const atEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 40;
        box.append(...this.waiting);
        this.waiting = [];
        while (box.childElementCount > this.options.most) box.firstElementChild?.remove();
        if (atEnd) scroller.scrollTop = scroller.scrollHeight;
    }

    /**
     * @param {LogLine} line
     * @returns {HTMLElement}
     */
    rowOf(line) {
        const at = millisecondsOf(line);
        const level = levelOf(line);
        const time = element("time", { datetime: new Date(at).toISOString(), title: new Date(at).toString() },
            `${formatTime(at, Date.now())}.${String(at % 1000).padStart(3, "0")}`);
        const row = element("li", { class: `line ${level}` }, time, element("b", { class: "level" }, level), element("span", { class: "text" }, line.line));
        if (!this.options.links) return row;
        const links = element("span", { class: "links" });
        const service = line.labels.service_name ?? "";
        const place = placeOf(line);
        if (place) {
            links.append(link(`${fileName(place.file)}:${place.line}`, "The line of code that said this", "source", { service, file: place.file, line: place.line }));
        }
        const trace = line.metadata.trace_id;
        if (trace) links.append(link(`trace ${trace.slice(0, 8)}`, `All lines of the trace ${trace}`, "live", { query: `{service_name=~".+"} | trace_id=${JSON.stringify(trace)}` }));
        if (service !== "") {
            links.append(link("flame graph", "The flame graph of that moment", "profiles", {
                service, from: String(at - aroundMs), until: String(at + aroundMs), zoom: "", selected: "", marked: "", paused: false,
            }));
        }
        row.append(links);
        return row;
    }
}

/**
 * @param {string} text
 * @param {string} title
 * @param {string} page
 * @param {object} patch
 * @returns {HTMLElement}
 */
function link(text, title, page, patch) {
    return element("a", { href: "?", title, "data-page": page, "data-patch": JSON.stringify(patch) }, text);
}

// SPDX-License-Identifier: Apache-2.0
// The timeline on the page: bars over time, and a drag that chooses a range.
import { byId, setText } from "./dom.mjs";
import { formatRate, formatTime } from "./format.mjs";
import { draggedRange, pointAt, timeTicks } from "./timeline.mjs";

/** @typedef {import("./timeline.mjs").Timeline} Timeline */

const labelHeight = 16;
const readoutHeight = 20;
const tickFont = "11px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";

/** Owns the timeline's canvas. */
export class TimelineView {
    /** @param {(range: { from: number, until: number }) => void} onRange */
    constructor(onRange) {
        this.onRange = onRange;
        this.canvas = /** @type {HTMLCanvasElement} */ (byId("timeline-canvas"));
        this.box = byId("timeline");
        this.readout = byId("timeline-readout");
        /** @type {Timeline} */
        this.timeline = { unit: "count", stepMs: 10_000, points: [] };
        this.from = 0;
        this.until = 1;
        /** Both ends of a drag, 0...1. @type {[number, number] | null} */
        this.drag = null;
        new ResizeObserver(() => this.draw()).observe(this.box);
        this.listen();
    }

    listen() {
        const place = (/** @type {PointerEvent} */ event) => {
            const box = this.canvas.getBoundingClientRect();
            return (event.clientX - box.left) / (box.width || 1);
        };
        this.canvas.addEventListener("pointerdown", (event) => {
            if (event.button !== 0) return;
            this.canvas.setPointerCapture(event.pointerId);
            this.drag = [place(event), place(event)];
        });
        this.canvas.addEventListener("pointermove", (event) => {
            if (this.drag) {
                this.drag[1] = place(event);
                this.draw();
            }
            this.describe(place(event));
        });
        this.canvas.addEventListener("pointerup", (event) => {
            const { drag } = this;
            this.drag = null;
            this.draw();
            if (!drag) return;
            const width = this.canvas.getBoundingClientRect().width;
            // A click is not a drag: it would choose a range nobody meant.
            if (Math.abs(place(event) - drag[0]) * width < 4) return;
            this.onRange(draggedRange(drag[0], place(event), { ...this, stepMs: this.timeline.stepMs }));
        });
        this.canvas.addEventListener("pointercancel", () => {
            this.drag = null;
            this.draw();
        });
        this.canvas.addEventListener("pointerleave", () => this.describe(-1));
    }

    /**
     * @param {Timeline} timeline
     * @param {number} from in Unix milliseconds
     * @param {number} until
     */
    show(timeline, from, until) {
        this.timeline = timeline;
        this.from = from;
        this.until = Math.max(until, from + 1);
        this.draw();
        this.describe(-1);
        const peak = this.peak();
        this.canvas.setAttribute("aria-label", timeline.points.length === 0
            ? "Timeline: no data in this range"
            : `Timeline: at most ${formatRate(peak, timeline.unit, timeline.stepMs)}; drag to choose a range`);
    }

    peak() {
        return this.timeline.points.reduce((most, point) => Math.max(most, point[1]), 0);
    }

    /** @param {number} place 0...1 of the width; the peak is described when it is outside */
    describe(place) {
        const { timeline } = this;
        const rate = (/** @type {number} */ value) => formatRate(value, timeline.unit, timeline.stepMs);
        if (place < 0 || place > 1) {
            setText(this.readout, timeline.points.length === 0 ? "no data" : `peak ${rate(this.peak())}`);
            return;
        }
        if (this.drag) {
            const range = draggedRange(this.drag[0], this.drag[1], { ...this, stepMs: timeline.stepMs });
            const now = Date.now();
            setText(this.readout, `${formatTime(range.from, now)} – ${formatTime(range.until, now)}`);
            return;
        }
        const at = this.from + place * (this.until - this.from);
        const point = pointAt(timeline, at);
        setText(this.readout, `${formatTime(at, Date.now())}  ${point ? rate(point[1]) : "no data"}`);
    }

    draw() {
        const width = this.box.clientWidth;
        const height = this.box.clientHeight;
        const ratio = devicePixelRatio || 1;
        const context = this.canvas.getContext("2d");
        if (!context || width === 0) return;
        this.canvas.width = Math.round(width * ratio);
        this.canvas.height = Math.round(height * ratio);
        context.setTransform(ratio, 0, 0, ratio, 0, 0);
        const colours = getComputedStyle(this.box);
        const colour = (/** @type {string} */ name) => colours.getPropertyValue(name).trim();
        const scale = width / (this.until - this.from);
        this.drawTicks(context, scale, height, colour);
        this.drawBars(context, scale, height, colour("--bars"));
        context.fillStyle = colour("--line");
        context.fillRect(0, height - labelHeight, width, 1);
        if (!this.drag) return;
        const [left, right] = [Math.min(...this.drag), Math.max(...this.drag)];
        context.fillStyle = colour("--select");
        context.fillRect(left * width, 0, (right - left) * width, height - labelHeight);
    }

    /**
     * @param {CanvasRenderingContext2D} context
     * @param {number} scale pixels per millisecond
     * @param {number} height
     * @param {(name: string) => string} colour
     */
    drawTicks(context, scale, height, colour) {
        const width = this.box.clientWidth;
        context.font = tickFont;
        context.textAlign = "center";
        for (const tick of timeTicks(this.from, this.until, Math.max(2, Math.floor(width / 90)))) {
            const x = Math.round((tick.at - this.from) * scale);
            context.fillStyle = colour("--line");
            context.fillRect(x, 0, 1, height - labelHeight);
            if (x < 24 || x > width - 24) continue;
            context.fillStyle = colour("--quiet");
            context.fillText(tick.text, x, height - 4);
        }
    }

    /**
     * @param {CanvasRenderingContext2D} context
     * @param {number} scale
     * @param {number} height
     * @param {string} colour
     */
    drawBars(context, scale, height, colour) {
        const { timeline } = this;
        const room = height - labelHeight - readoutHeight;
        const peak = this.peak();
        if (peak <= 0) return;
        const wide = timeline.stepMs * scale;
        context.fillStyle = colour;
        for (const [at, value] of timeline.points) {
            const tall = Math.max((value / peak) * room, value > 0 ? 1 : 0);
            const left = (at - this.from) * scale;
            context.fillRect(left, height - labelHeight - tall, Math.max(wide - (wide > 3 ? 1 : 0), 0.75), tall);
        }
    }
}

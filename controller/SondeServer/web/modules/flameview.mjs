// SPDX-License-Identifier: Apache-2.0
// The flame graph on the page: what is shown of it, hovered, focused, zoomed, and kept over polls.
import { paletteOf } from "./colour.mjs";
import { byId } from "./dom.mjs";
import { changeOf, deviationsApart } from "./compare.mjs";
import { deepestBelow, describeNode } from "./flamegraph.mjs";
import { listenToGestures } from "./gestures.mjs";
import { Painter, rowHeight } from "./painter.mjs";
import { nodeOfPathId, pathIdOf } from "./pathid.mjs";
import { carriedSpan, clampSpan, panSpan, spanBetween, zoomSpan } from "./span.mjs";
import { nodeAt } from "./visible.mjs";
import { walk } from "./walk.mjs";

/** @typedef {import("./flamegraph.mjs").FlameGraph} FlameGraph */
/** @typedef {import("./span.mjs").Span} Span */

/** How long a zoom takes on the screen. */
const zoomMs = 180;

/** Owns the canvas; the page is told through the callbacks. */
export class FlameView {
    /**
     * @param {{ onZoom: (pathId: string) => void, onSelect: (pathId: string) => void,
     *   onShow: (node: number, x: number, y: number) => void }} callbacks `onShow`: what to
     *   describe, -1 for nothing, with the pointer's place on the screen or -1
     * @param {string} [prefix] of the elements' ids, for a second graph
     */
    constructor(callbacks, prefix = "") {
        this.callbacks = callbacks;
        this.canvas = /** @type {HTMLCanvasElement} */ (byId(`${prefix}canvas`));
        this.scroller = byId(`${prefix}flame-scroll`);
        this.spacer = byId(`${prefix}flame-spacer`);
        this.painter = new Painter(this.canvas);
        /** @type {FlameGraph | null} */
        this.graph = null;
        /** @type {Uint8Array | null} */
        this.found = null;
        /** @type {Span} */
        this.span = { start: 0, end: 1 };
        this.zoomed = 0;
        this.selected = -1;
        this.hovered = -1;
        this.depths = 1;
        /** @type {"icicle" | "flame"} */
        this.order = "icicle";
        this.rootName = "all";
        /** @type {import("./compare.mjs").Comparison | null} */
        this.comparison = null;
        /** @type {"module" | "package"} */
        this.colour = "module";
        this.drawRequested = false;
        /** @type {{ from: Span, to: Span, began: number } | null} */
        this.flight = null;
        /** When the graph was last drawn, for tests and benchmarks. */
        this.draws = 0;
        this.listen();
    }

    listen() {
        const { scroller } = this;
        scroller.addEventListener("scroll", () => this.requestDraw(), { passive: true });
        new ResizeObserver(() => this.fitCanvas()).observe(scroller);
        const at = (/** @type {number} */ x, /** @type {number} */ y) => this.nodeUnder(x, y);
        listenToGestures(this.canvas, {
            pan: (share) => this.moveTo(panSpan(this.span, share, this.total())),
            scroll: (pixels) => { scroller.scrollTop += pixels; },
            zoom: (factor, place) => this.moveTo(zoomSpan(this.span, factor, place, this.total())),
            tap: (x, y, touch) => this.tapped(at(x, y), touch),
            twice: (x, y) => this.zoomTo(at(x, y)),
            hover: (x, y) => this.hover(at(x, y), x, y),
            leave: () => this.hover(-1, 0, 0),
        });
    }

    total() {
        return this.graph ? Math.max(this.graph.total[0], 1) : 1;
    }

    /**
     * Shows an answer. Zoom and focus stay on the same frames where they still exist.
     *
     * @param {FlameGraph} graph
     * @param {Uint8Array | null} found
     * @param {{ zoom: string, selected: string, rootName: string }} wanted path ids
     * @param {import("./compare.mjs").Comparison | null} [comparison] what the graph compares
     */
    show(graph, found, wanted, comparison = null) {
        this.comparison = comparison;
        const before = this.graph;
        const old = before ? this.spanOf(before, this.zoomed) : { start: 0, end: 1 };
        const kept = before !== null && pathIdOf(before, this.zoomed) === wanted.zoom;
        this.graph = graph;
        this.found = found;
        this.rootName = wanted.rootName;
        this.zoomed = Math.max(nodeOfPathId(graph, wanted.zoom), 0);
        this.selected = wanted.selected === "" ? -1 : nodeOfPathId(graph, wanted.selected);
        this.hovered = -1;
        const frame = this.spanOf(graph, this.zoomed);
        this.span = clampSpan(kept ? carriedSpan(this.span, old, frame) : frame, this.total());
        this.flight = null;
        this.restyle();
        this.layOutHeight(!kept);
        this.requestDraw();
    }

    /** @param {Uint8Array | null} found */
    highlight(found) {
        this.found = found;
        this.restyle();
        this.requestDraw();
    }

    /** @param {"module" | "package"} colour */
    useColour(colour) {
        if (colour === this.colour) return;
        this.colour = colour;
        this.restyle();
        this.requestDraw();
    }

    restyle() {
        const { graph, comparison } = this;
        if (!graph) return;
        const changes = comparison && Float64Array.from(comparison.before, (before, node) => changeOf(before, comparison.after[node], comparison.samples));
        this.painter.restyle(graph, this.found, { by: this.colour, changes });
    }

    /** @param {"light" | "dark"} theme */
    useTheme(theme) {
        this.painter.palette = paletteOf(theme);
        this.requestDraw();
    }

    /** @param {"icicle" | "flame"} order */
    useOrder(order) {
        if (order === this.order) return;
        this.order = order;
        this.layOutHeight(true);
        this.requestDraw();
    }

    /**
     * @param {FlameGraph} graph
     * @param {number} node
     * @returns {Span}
     */
    spanOf(graph, node) {
        return { start: graph.start[node], end: graph.start[node] + graph.total[node] };
    }

    /** @param {boolean} toRoot whether to scroll so that the root, or the zoomed frame, is in view */
    layOutHeight(toRoot) {
        if (!this.graph) return;
        this.depths = deepestBelow(this.graph, this.zoomed) + 1;
        const height = Math.max(this.depths * rowHeight, this.scroller.clientHeight);
        this.spacer.style.height = `${height}px`;
        if (toRoot) {
            const level = Math.max(0, this.graph.depth[this.zoomed] - 3) * rowHeight;
            const top = height - this.scroller.clientHeight;
            this.scroller.scrollTop = this.order === "icicle" ? level : top - level;
        }
    }

    fitCanvas() {
        const { scroller, canvas } = this;
        canvas.style.width = `${scroller.clientWidth}px`;
        canvas.style.height = `${scroller.clientHeight}px`;
        this.painter.resize(scroller.clientWidth, scroller.clientHeight, devicePixelRatio || 1);
        this.layOutHeight(this.draws === 0);
        // At once: a resized canvas is blank, and the next frame would show that.
        if (this.draws > 0) this.draw(performance.now());
        else this.requestDraw();
    }

    requestDraw() {
        if (this.drawRequested) return;
        this.drawRequested = true;
        requestAnimationFrame((now) => {
            this.drawRequested = false;
            this.draw(now);
        });
    }

    /** @returns {import("./painter.mjs").Scene | null} */
    scene() {
        if (!this.graph) return null;
        return {
            graph: this.graph, span: this.span, scrollTop: this.scroller.scrollTop,
            contentHeight: Math.max(this.depths * rowHeight, this.scroller.clientHeight),
            depths: this.depths, order: this.order, selected: this.selected, hovered: this.hovered,
            rootName: this.rootName,
        };
    }

    /** @param {number} now */
    draw(now) {
        if (this.flight) {
            const progress = Math.min(Math.max((now - this.flight.began) / zoomMs, 0), 1);
            this.span = spanBetween(this.flight.from, this.flight.to, progress);
            if (progress < 1) this.requestDraw();
            else this.flight = null;
        }
        const scene = this.scene();
        if (!scene) return;
        this.painter.draw(scene);
        this.draws += 1;
    }

    /**
     * @param {number} x on the canvas
     * @param {number} y
     * @returns {number} -1 when nothing is there
     */
    nodeUnder(x, y) {
        const scene = this.scene();
        if (!scene || x < 0 || x > this.painter.width) return -1;
        const level = this.painter.levelAt(scene, y);
        if (level >= this.depths) return -1;
        const value = this.span.start + (x / this.painter.width) * (this.span.end - this.span.start);
        return nodeAt(scene.graph, level, value);
    }

    /**
     * @param {number} node
     * @param {number} x
     * @param {number} y
     */
    hover(node, x, y) {
        if (node !== this.hovered) {
            this.hovered = node;
            this.requestDraw();
        }
        const box = this.canvas.getBoundingClientRect();
        this.callbacks.onShow(node, node < 0 ? -1 : box.left + x, node < 0 ? -1 : box.top + y);
    }

    /**
     * @param {number} node
     * @param {boolean} touch a finger covers what it taps, so that its tap only selects
     */
    tapped(node, touch) {
        if (node < 0) return;
        this.select(node);
        if (!touch) this.zoomTo(node);
    }

    /** @param {number} node */
    select(node) {
        if (!this.graph) return;
        this.selected = node;
        this.requestDraw();
        this.callbacks.onSelect(node < 0 ? "" : pathIdOf(this.graph, node));
        this.callbacks.onShow(node, -1, -1);
    }

    /** @param {number} node fills the width */
    zoomTo(node) {
        if (!this.graph || node < 0) return;
        this.zoomed = node;
        this.layOutHeight(true);
        this.moveTo(this.spanOf(this.graph, node), true);
        this.callbacks.onZoom(pathIdOf(this.graph, node));
    }

    /**
     * @param {Span} span
     * @param {boolean} [inFlight] whether to glide there
     */
    moveTo(span, inFlight = false) {
        const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
        this.flight = inFlight && !calm
            ? { from: this.span, to: clampSpan(span, this.total()), began: performance.now() } : null;
        if (!this.flight) this.span = clampSpan(span, this.total());
        this.requestDraw();
    }

    /** @param {number} factor below 1 zooms in, around the middle */
    zoomBy(factor) {
        this.moveTo(zoomSpan(this.span, factor, 0.5, this.total()), true);
    }

    /** @param {import("./walk.mjs").Step} step */
    step(step) {
        if (!this.graph) return;
        const from = this.selected;
        this.reveal(from < 0 ? this.zoomed : walk(this.graph, from, step));
    }

    /**
     * Focuses a node and brings it into view.
     *
     * @param {number} node
     */
    reveal(node) {
        const { graph } = this;
        if (!graph || node < 0) return;
        const span = this.spanOf(graph, node);
        const width = this.span.end - this.span.start;
        const outside = span.end <= this.span.start || span.start >= this.span.end;
        if (outside || span.end - span.start < width * 1e-4) {
            const length = Math.max(Math.min(width, this.total()), (span.end - span.start) * 4);
            const shown = span.end - span.start < width * 1e-4 ? (span.end - span.start) * 20 : length;
            const middle = (span.start + span.end) / 2;
            this.moveTo({ start: middle - shown / 2, end: middle + shown / 2 });
        }
        if (graph.depth[node] >= this.depths) {
            this.zoomed = 0;
            this.layOutHeight(false);
        }
        this.select(node);
        this.scrollToLevel(graph.depth[node]);
    }

    /** @param {number} level */
    scrollToLevel(level) {
        const { scroller } = this;
        const height = Math.max(this.depths * rowHeight, scroller.clientHeight);
        const fromTop = level * rowHeight;
        const top = this.order === "icicle" ? fromTop : height - fromTop - rowHeight;
        if (top < scroller.scrollTop) scroller.scrollTop = top;
        const bottom = top + rowHeight - scroller.clientHeight;
        if (bottom > scroller.scrollTop) scroller.scrollTop = bottom;
    }

    /** @param {number} node */
    describe(node) {
        if (!this.graph || node < 0 || node >= this.graph.count) return null;
        const { comparison } = this;
        const shares = comparison && {
            before: comparison.before[node], after: comparison.after[node],
            deviations: deviationsApart(comparison.before[node], comparison.after[node], comparison.samples),
        };
        return { ...describeNode(this.graph, node, this.rootName), shares };
    }

    /** @returns {boolean} whether the whole width is shown and nothing is focused */
    isReset() {
        return this.zoomed === 0 && this.selected < 0
            && this.span.end - this.span.start >= this.total() * 0.999;
    }

    /** @param {string} pathId of the frame that the address zooms to */
    goTo(pathId) {
        if (!this.graph || pathIdOf(this.graph, this.zoomed) === pathId) return;
        this.zoomTo(Math.max(nodeOfPathId(this.graph, pathId), 0));
    }

    /** Shows nothing, for as long as there is no answer. */
    clear() {
        this.graph = null;
        this.zoomed = 0;
        this.selected = -1;
        this.hovered = -1;
    }

    reset() {
        if (!this.graph) return;
        this.selected = -1;
        this.callbacks.onSelect("");
        this.callbacks.onShow(-1, -1, -1);
        this.zoomTo(0);
    }
}

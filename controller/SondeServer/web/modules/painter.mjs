// SPDX-License-Identifier: Apache-2.0
// Draws the visible frames on a canvas: rectangles grouped by colour, then names, then outlines.
import { collectVisible, VisibleFrames } from "./visible.mjs";
import { changeStyleOf, packageOf, style, styleOf } from "./colour.mjs";
import { TextFitter } from "./textfit.mjs";

/** @typedef {import("./flamegraph.mjs").FlameGraph} FlameGraph */
/** @typedef {import("./span.mjs").Span} Span */
/** @typedef {import("./colour.mjs").Palette} Palette */

/** A frame's height in CSS pixels, with the line below it. */
export const rowHeight = 20;

const font = "12px system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif";
const leastForText = 26;

/**
 * @typedef {object} Scene what one drawing shows
 * @property {FlameGraph} graph
 * @property {Span} span
 * @property {number} scrollTop in CSS pixels
 * @property {number} contentHeight
 * @property {number} depths levels that are laid out, from the root
 * @property {"icicle" | "flame"} order
 * @property {number} selected -1: none
 * @property {number} hovered -1: none
 * @property {string} rootName
 */

/** One canvas and what is kept between two drawings of it. */
export class Painter {
    /** @param {HTMLCanvasElement} canvas */
    constructor(canvas) {
        this.canvas = canvas;
        const context = canvas.getContext("2d", { alpha: false });
        if (!context) throw new Error("cannot draw the flame graph: got no 2d context; want one");
        this.context = context;
        this.context.font = font;
        this.fitter = new TextFitter((text) => this.context.measureText(text).width);
        this.visible = new VisibleFrames();
        this.sorted = new Int32Array(1024);
        this.styleOfItem = new Uint16Array(1024);
        this.places = new Int32Array(style.count + 1);
        /** Style by frame. @type {Uint16Array} */
        this.styles = new Uint16Array(0);
        /** Style by node, for comparisons; 0 where the frame's counts. @type {Uint16Array | null} */
        this.nodeStyles = null;
        /** The style of what is too narrow to draw. @type {number} */
        this.smear = style.smear;
        /** @type {Palette | null} */
        this.palette = null;
        this.width = 0;
        this.height = 0;
        this.ratio = 1;
    }

    /**
     * @param {number} width in CSS pixels
     * @param {number} height
     * @param {number} ratio device pixels per CSS pixel
     */
    resize(width, height, ratio) {
        if (width === this.width && height === this.height && ratio === this.ratio) return;
        this.width = width;
        this.height = height;
        this.ratio = ratio;
        this.canvas.width = Math.max(1, Math.round(width * ratio));
        this.canvas.height = Math.max(1, Math.round(height * ratio));
    }

    /**
     * Chooses every frame's style; once per answer, search or mark, never per drawing.
     *
     * @param {FlameGraph} graph
     * @param {Uint8Array | null} found matching frames, or null without a search
     * @param {{ by: "module" | "package", changes: Float64Array | null }} colouring `changes`: by node, -1...1
     */
    restyle(graph, found, colouring) {
        const { frames } = graph;
        this.styles = new Uint16Array(frames.count);
        this.smear = found ? style.smearDimmed : style.smear;
        const { changes } = colouring;
        this.nodeStyles = changes && !found ? Uint16Array.from(changes, changeStyleOf) : null;
        for (let index = 0; index < frames.count; index += 1) {
            const kind = frames.kind[index];
            if (found) {
                this.styles[index] = found[index] === 0 ? style.dimmed
                    : kind === 1 ? style.matchedInlined : style.matched;
            } else {
                const { file, module, name } = frames;
                const group = colouring.by === "package" ? packageOf(frames.strings[file[index]]) : "";
                this.styles[index] = styleOf(frames.strings[name[index]], group || frames.strings[module[index]], kind);
            }
        }
    }

    /**
     * @param {number} node
     * @param {number} frame
     * @returns {number}
     */
    styleOfNode(node, frame) {
        const chosen = this.styles[frame];
        return this.nodeStyles && chosen !== style.dimmed && chosen < style.matched ? this.nodeStyles[node] : chosen;
    }

    /**
     * Draws a scene; the work is bounded by the canvas's pixels.
     *
     * @param {Scene} scene
     */
    draw(scene) {
        const { context, palette } = this;
        if (!palette || this.width === 0) return;
        context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
        context.fillStyle = palette.background;
        context.fillRect(0, 0, this.width, this.height);
        const rows = this.rowsInView(scene);
        collectVisible(scene.graph, {
            start: scene.span.start, end: scene.span.end, width: this.width,
            firstLevel: rows.first, lastLevel: rows.last,
        }, this.visible);
        this.sortByStyle(scene.graph);
        this.fillFrames(scene, palette);
        this.writeNames(scene, palette);
        this.outline(scene, scene.hovered, palette.hover, 1);
        this.outline(scene, scene.selected, palette.outline, 2);
    }

    /**
     * @param {Scene} scene
     * @param {number} level
     * @returns {number} the level's upper edge on the canvas
     */
    top(scene, level) {
        const fromTop = level * rowHeight;
        const place = scene.order === "icicle" ? fromTop : scene.contentHeight - fromTop - rowHeight;
        return place - scene.scrollTop;
    }

    /**
     * @param {Scene} scene
     * @param {number} y on the canvas
     * @returns {number} the level there, which may not exist
     */
    levelAt(scene, y) {
        const place = y + scene.scrollTop;
        return Math.floor((scene.order === "icicle" ? place : scene.contentHeight - place) / rowHeight);
    }

    /** @param {Scene} scene */
    rowsInView(scene) {
        const ends = [this.levelAt(scene, 0), this.levelAt(scene, this.height)];
        return { first: Math.max(0, Math.min(...ends)), last: Math.min(scene.depths - 1, Math.max(...ends)) };
    }

    /** @param {FlameGraph} graph */
    sortByStyle(graph) {
        const { visible, places } = this;
        if (this.sorted.length < visible.count) {
            this.sorted = new Int32Array(visible.node.length);
            this.styleOfItem = new Uint16Array(visible.node.length);
        }
        places.fill(0);
        for (let item = 0; item < visible.count; item += 1) {
            const node = visible.node[item];
            const chosen = node < 0 ? this.smear : node === 0 ? style.root : this.styleOfNode(node, graph.frame[node]);
            this.styleOfItem[item] = chosen;
            places[chosen + 1] += 1;
        }
        for (let index = 0; index < style.count; index += 1) places[index + 1] += places[index];
        for (let item = 0; item < visible.count; item += 1) {
            this.sorted[places[this.styleOfItem[item]]] = item;
            places[this.styleOfItem[item]] += 1;
        }
    }

    /**
     * @param {Scene} scene
     * @param {Palette} palette
     */
    fillFrames(scene, palette) {
        const { context, visible, ratio } = this;
        let current = -1;
        for (let place = 0; place < visible.count; place += 1) {
            const item = this.sorted[place];
            if (this.styleOfItem[item] !== current) {
                current = this.styleOfItem[item];
                context.fillStyle = palette.fill[current];
            }
            // Whole device pixels: sharp edges, and no blending to pay for.
            const left = Math.round(visible.x[item] * ratio) / ratio;
            const right = Math.round((visible.x[item] + visible.width[item]) * ratio) / ratio;
            const width = Math.max(right - left - (visible.width[item] >= 3 ? 1 : 0), 1 / ratio);
            context.fillRect(left, this.top(scene, visible.level[item]), width, rowHeight - 1);
        }
    }

    /**
     * @param {Scene} scene
     * @param {Palette} palette
     */
    writeNames(scene, palette) {
        const { context, visible } = this;
        const { graph } = scene;
        const { frames } = graph;
        context.font = font;
        context.textBaseline = "alphabetic";
        for (let place = 0; place < visible.count; place += 1) {
            const item = this.sorted[place];
            const width = visible.width[item];
            const node = visible.node[item];
            if (width < leastForText || node < 0) continue;
            const index = graph.frame[node];
            const inlined = index >= 0 && frames.kind[index] === 1;
            const indent = inlined ? 13 : 5;
            const name = index < 0 ? scene.rootName : frames.strings[frames.name[index]];
            const label = this.fitter.fit(name, width - indent - 5);
            const y = this.top(scene, visible.level[item]);
            if (inlined) this.markInlined(visible.x[item], y, palette);
            if (label === "") continue;
            context.fillStyle = palette.text[this.styleOfItem[item]];
            context.fillText(label, visible.x[item] + indent, y + 14);
        }
    }

    /**
     * The mark of a frame that has no call of its own: a corner that leads into it.
     *
     * @param {number} x
     * @param {number} y
     * @param {Palette} palette
     */
    markInlined(x, y, palette) {
        const { context } = this;
        context.fillStyle = palette.inlineMark;
        context.fillRect(x + 4, y + 5, 1.5, 6);
        context.fillRect(x + 4, y + 9.5, 5.5, 1.5);
    }

    /**
     * @param {Scene} scene
     * @param {number} node
     * @param {string} colour
     * @param {number} line
     */
    outline(scene, node, colour, line) {
        if (node < 0) return;
        const { graph, span } = scene;
        const scale = this.width / (span.end - span.start);
        const left = Math.max((graph.start[node] - span.start) * scale, 0);
        const right = Math.min((graph.start[node] + graph.total[node] - span.start) * scale, this.width);
        if (right < left || graph.depth[node] >= scene.depths) return;
        this.context.strokeStyle = colour;
        this.context.lineWidth = line;
        const y = this.top(scene, graph.depth[node]);
        const inset = line / 2;
        this.context.strokeRect(
            left + inset, y + inset, Math.max(right - left - line - 1, 1), rowHeight - 1 - line);
    }
}

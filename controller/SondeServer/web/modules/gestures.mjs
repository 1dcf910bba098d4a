// SPDX-License-Identifier: Apache-2.0
// What fingers, mice and wheels mean on the graph: pan, zoom around a point, tap, hover.

/**
 * @typedef {object} GestureTarget
 * @property {(share: number) => void} pan by a share of the width
 * @property {(pixels: number) => void} scroll vertically
 * @property {(factor: number, at: number) => void} zoom around a place, 0...1 of the width
 * @property {(x: number, y: number, touch: boolean) => void} tap
 * @property {(x: number, y: number) => void} twice a second tap of a finger at once after the first
 * @property {(x: number, y: number) => void} hover
 * @property {() => void} leave
 */

/** Less movement than this, in pixels, is still a tap. */
const tapSlop = 5;
const doubleTapMs = 350;

/**
 * @param {HTMLElement} surface
 * @param {GestureTarget} target
 */
export function listenToGestures(surface, target) {
    /** @type {Map<number, { x: number, y: number }>} */
    const pointers = new Map();
    let moved = 0;
    let lastTap = -Infinity;
    /** @typedef {{ gap: number, x: number }} Pinch distance and middle of two fingers */
    let pinch = /** @type {Pinch | null} */ (null);
    const place = (/** @type {MouseEvent} */ event) => {
        const box = surface.getBoundingClientRect();
        return { x: event.clientX - box.left, y: event.clientY - box.top, width: box.width || 1 };
    };
    const pinchNow = () => {
        const [one, two] = [...pointers.values()];
        return { gap: Math.max(Math.hypot(one.x - two.x, one.y - two.y), 1), x: (one.x + two.x) / 2 };
    };

    surface.addEventListener("pointerdown", (event) => {
        if (event.button !== 0) return;
        const { x, y } = place(event);
        pointers.set(event.pointerId, { x, y });
        surface.setPointerCapture(event.pointerId);
        if (pointers.size === 1) moved = 0;
        pinch = pointers.size === 2 ? pinchNow() : null;
    });
    surface.addEventListener("pointermove", (event) => {
        const { x, y, width } = place(event);
        const before = pointers.get(event.pointerId);
        if (!before) {
            if (event.pointerType === "mouse") target.hover(x, y);
            return;
        }
        pointers.set(event.pointerId, { x, y });
        moved += Math.abs(x - before.x) + Math.abs(y - before.y);
        if (moved < tapSlop) return;
        if (pinch && pointers.size === 2) {
            const now = pinchNow();
            target.zoom(pinch.gap / now.gap, now.x / width);
            target.pan((pinch.x - now.x) / width);
            pinch = now;
        } else if (pointers.size === 1) {
            target.leave();
            target.pan((before.x - x) / width);
            // A finger's vertical drag is the browser's own scrolling (touch-action: pan-y).
            if (event.pointerType === "mouse") target.scroll(before.y - y);
        }
    });
    const release = (/** @type {PointerEvent} */ event) => {
        if (!pointers.delete(event.pointerId)) return;
        pinch = null;
        if (event.type === "pointercancel" || moved >= tapSlop || pointers.size > 0) return;
        const { x, y } = place(event);
        const touch = event.pointerType !== "mouse";
        if (touch && event.timeStamp - lastTap < doubleTapMs) target.twice(x, y);
        else target.tap(x, y, touch);
        lastTap = event.timeStamp;
    };
    surface.addEventListener("pointerup", release);
    surface.addEventListener("pointercancel", release);
    surface.addEventListener("pointerleave", () => target.leave());
    surface.addEventListener("wheel", (event) => {
        const { x, width } = place(event);
        const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
        if (event.ctrlKey || event.metaKey) {
            target.zoom(Math.exp(Math.max(-1, Math.min(1, event.deltaY * 0.005))), x / width);
        } else if (Math.abs(sideways) > Math.abs(event.deltaY) || event.shiftKey) {
            target.pan(sideways / width);
        } else {
            return;
        }
        event.preventDefault();
    }, { passive: false });
}

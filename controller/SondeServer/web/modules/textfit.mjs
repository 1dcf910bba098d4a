// SPDX-License-Identifier: Apache-2.0
// How much of a name fits into a frame, without measuring text in every drawing.

/** Fits names into widths; glyphs are measured once and added up. */
export class TextFitter {
    /** @param {(text: string) => number} measure width in CSS pixels */
    constructor(measure) {
        this.measure = measure;
        this.ascii = new Float32Array(128);
        for (let code = 32; code < 127; code += 1) {
            this.ascii[code] = measure(String.fromCharCode(code));
        }
        this.ellipsis = measure("…");
        /** @type {Map<string, number>} */
        this.whole = new Map();
    }

    /**
     * The text, or its beginning with an ellipsis, or nothing when less than two letters fit.
     *
     * @param {string} text
     * @param {number} width
     * @returns {string}
     */
    fit(text, width) {
        let whole = this.whole.get(text);
        if (whole === undefined) {
            whole = this.measure(text);
            // Bounded, because a page may live for weeks.
            if (this.whole.size > 50_000) this.whole.clear();
            this.whole.set(text, whole);
        }
        if (whole <= width) return text;
        let used = this.ellipsis;
        let length = 0;
        while (length < text.length) {
            const code = text.charCodeAt(length);
            // A glyph outside ASCII is taken as wide as a capital M; close enough to cut a name.
            used += code < 128 ? this.ascii[code] : this.ascii[77];
            if (used > width) break;
            length += 1;
        }
        return length < 2 ? "" : `${text.slice(0, length)}…`;
    }
}

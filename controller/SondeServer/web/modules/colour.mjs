// SPDX-License-Identifier: Apache-2.0
// Colours of frames: a stable hue per module, text that can be read on every one of them.
import { hashText } from "./pathid.mjs";

/** @typedef {[red: number, green: number, blue: number]} RGB each 0...1, gamma-encoded */

/**
 * OKLCH to sRGB; a colour outside sRGB is cut at its edge.
 * Source of the matrices: Björn Ottosson, "A perceptual color space for image processing".
 *
 * @param {number} lightness 0...1
 * @param {number} chroma
 * @param {number} hue in degrees
 * @returns {RGB}
 */
export function rgbOfOklch(lightness, chroma, hue) {
    const a = chroma * Math.cos((hue * Math.PI) / 180);
    const b = chroma * Math.sin((hue * Math.PI) / 180);
    const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
    const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
    const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
    return [
        gammaEncoded(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
        gammaEncoded(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
        gammaEncoded(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
    ];
}

/**
 * @param {number} linear
 * @returns {number}
 */
function gammaEncoded(linear) {
    const value = Math.min(Math.max(linear, 0), 1);
    return value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055;
}

/**
 * @param {RGB} rgb
 * @returns {string} #rrggbb
 */
export function hexOf(rgb) {
    return `#${rgb.map((part) => Math.round(part * 255).toString(16).padStart(2, "0")).join("")}`;
}

/**
 * The contrast ratio of WCAG 2, 1...21.
 *
 * @param {string} one #rrggbb
 * @param {string} other
 * @returns {number}
 */
export function contrast(one, other) {
    const bright = [luminance(one), luminance(other)].sort((left, right) => right - left);
    return (bright[0] + 0.05) / (bright[1] + 0.05);
}

/**
 * @param {string} hex
 * @returns {number}
 */
function luminance(hex) {
    const parts = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255)
        .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
}

const hueSteps = 60;
const shades = 3;

/** Styles after those of the modules, two per hue and shade: function and inlined. */
const firstSpecial = hueSteps * shades * 2;

/** Indices into a palette's fills. */
export const style = Object.freeze({
    root: firstSpecial, unresolved: firstSpecial + 1, other: firstSpecial + 2,
    matched: firstSpecial + 3, matchedInlined: firstSpecial + 4, dimmed: firstSpecial + 5,
    smear: firstSpecial + 6, smearDimmed: firstSpecial + 7, change: firstSpecial + 8,
    count: firstSpecial + 17,
});

/**
 * @typedef {object} Palette
 * @property {string[]} fill by style
 * @property {string[]} text by style
 * @property {string} outline of the focused frame
 * @property {string} hover
 * @property {string} background
 * @property {string} inlineMark
 */

/** Lightness and chroma per theme; the tests check the contrast of all of them. */
const recipes = {
    light: {
        functions: [[0.84, 0.085], [0.81, 0.095], [0.78, 0.1]], inlined: [[0.91, 0.045], [0.89, 0.05], [0.87, 0.055]],
        text: "#171b26", quietText: "#596071", special: {
            root: "#dfe3ea", unresolved: "#cfd3da", other: "#e9ebef", matched: "#ffb224", matchedInlined: "#ffd27a",
            dimmed: "#eceef2", smear: "#c9ced8", smearDimmed: "#e2e5ea",
        },
        outline: "#1d3fd8", hover: "#171b26", background: "#ffffff", inlineMark: "#171b2659", matchedText: "#1f1600",
    },
    dark: {
        functions: [[0.49, 0.085], [0.46, 0.09], [0.43, 0.095]], inlined: [[0.38, 0.05], [0.36, 0.055], [0.34, 0.055]],
        text: "#f1f3f8", quietText: "#9aa3b5", special: {
            root: "#323844", unresolved: "#474d59", other: "#262b35", matched: "#f0a020", matchedInlined: "#c98a2c",
            dimmed: "#232832", smear: "#3a414e", smearDimmed: "#2b313c",
        },
        outline: "#9db2ff", hover: "#ffffff", background: "#12151b", inlineMark: "#ffffff59", matchedText: "#171000",
    },
};

/**
 * @param {"light" | "dark"} theme
 * @returns {Palette}
 */
export function paletteOf(theme) {
    const recipe = recipes[theme];
    const fill = new Array(style.count).fill("#000000");
    const text = new Array(style.count).fill(recipe.text);
    for (let hue = 0; hue < hueSteps; hue += 1) {
        for (let shade = 0; shade < shades; shade += 1) {
            const at = (hue * shades + shade) * 2;
            const [plain, inlined] = [recipe.functions[shade], recipe.inlined[shade]];
            fill[at] = hexOf(rgbOfOklch(plain[0], plain[1], (hue * 360) / hueSteps));
            fill[at + 1] = hexOf(rgbOfOklch(inlined[0], inlined[1], (hue * 360) / hueSteps));
        }
    }
    for (const [name, colour] of Object.entries(recipe.special)) {
        const at = /** @type {Record<string, number>} */ (style)[name];
        fill[at] = colour;
        if (name.startsWith("matched")) text[at] = recipe.matchedText;
        if (name === "dimmed") text[at] = recipe.quietText;
    }
    for (let step = 0; step < 9; step += 1) {
        // Blue for less, orange for more: told apart by all kinds of eyes.
        const [lightness, chroma] = theme === "light" ? [0.95 - 0.045 * Math.abs(step - 4), 0.028 * Math.abs(step - 4)]
            : [0.33 + 0.04 * Math.abs(step - 4), 0.026 * Math.abs(step - 4)];
        fill[style.change + step] = hexOf(rgbOfOklch(lightness, chroma, step < 4 ? 250 : 55));
    }
    const { outline, hover, background, inlineMark } = recipe;
    return { fill, text, outline, hover, background, inlineMark };
}

/**
 * A module's hue step, the same on every machine and in every session.
 *
 * @param {string} module its path or name
 * @returns {number} 0 ..< 60
 */
export function hueStepOf(module) {
    const name = module.slice(module.lastIndexOf("/") + 1);
    return (hashText(name, 0x51ed270b) >>> 0) % hueSteps;
}

/**
 * What stands for a file's package: its folder, and the one that it is in.
 *
 * @param {string} file
 * @returns {string} empty without a file
 */
export function packageOf(file) {
    return file.split("/").slice(0, -1).slice(-2).join("/");
}

/**
 * The style of a change.
 *
 * @param {number} change -1 (gone) ... 1 (new)
 * @returns {number}
 */
export function changeStyleOf(change) {
    return style.change + 4 + (change === 0 ? 0 : Math.sign(change) * Math.min(4, Math.ceil(Math.abs(change) * 4)));
}

/**
 * The style of a function without search: near its module's hue, varied by its name so that
 * neighbours can be told apart.
 *
 * @param {string} name
 * @param {string} module
 * @param {number} kind
 * @returns {number}
 */
export function styleOf(name, module, kind) {
    if (kind === 2) return style.unresolved;
    if (kind === 3) return style.other;
    const hash = hashText(name, 0x2545f491) >>> 0;
    const hue = (hueStepOf(module) + (hash % 7) + hueSteps - 3) % hueSteps;
    return (hue * shades + ((hash >>> 8) % shades)) * 2 + (kind === 1 ? 1 : 0);
}

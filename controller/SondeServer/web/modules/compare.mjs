// SPDX-License-Identifier: Apache-2.0
// Two answers as one graph: widths are what both spend together, colours who spends more, if that is certain.
import { TreeBuilder } from "./trees.mjs";

/** @typedef {import("./flamegraph.mjs").FlameAnswer} FlameAnswer */

/**
 * @typedef {object} Comparison
 * @property {FlameAnswer} answer both together, each scaled to shares of itself: a total of 2e9
 * @property {Float64Array} before share of the first answer by node, 0...1
 * @property {Float64Array} after share of the second
 * @property {Float64Array} beforeSelf
 * @property {Float64Array} afterSelf
 * @property {[number, number]} samples how many samples each answer is made of, roughly
 */

/**
 * @typedef {object} DiffSide
 * @property {number} from
 * @property {number} until
 * @property {number} profiles
 * @property {number} total
 */

/**
 * @typedef {object} DiffAnswer the JSON of `GET /api/v1/diff`
 * @property {string} type
 * @property {string} unit
 * @property {DiffSide} left
 * @property {DiffSide} right
 * @property {boolean} truncated
 * @property {string[]} strings
 * @property {FlameAnswer["frames"]} frames
 * @property {{ parent: number[], frame: number[], leftSelf: number[], leftTotal: number[], rightSelf: number[], rightTotal: number[] }} nodes
 * @property {string[]} notes
 */

/** `kind` of a frame without a name. */
const unresolvedKind = 2;

/**
 * Both sides of a diff, each as an answer of its own with the same nodes and frames.
 *
 * @param {DiffAnswer} diff
 * @returns {{ flame: FlameAnswer, baseline: FlameAnswer }} the right side, and the left
 */
export function answersOfDiff(diff) {
    const { type, unit, truncated, strings, frames, notes } = diff;
    const { parent, frame } = diff.nodes;
    const side = (/** @type {DiffSide} */ from, /** @type {number[]} */ self, /** @type {number[]} */ total) => ({
        type, unit, truncated, strings, frames, notes, ...from, nodes: { parent, frame, self, total },
        unresolved: self.reduce((sum, value, node) => (frames.kind[frame[node]] === unresolvedKind ? sum + value : sum), 0),
    });
    return {
        flame: side(diff.right, diff.nodes.rightSelf, diff.nodes.rightTotal),
        baseline: side(diff.left, diff.nodes.leftSelf, diff.nodes.leftTotal),
    };
}

/** A whole answer in units of the joined graph. */
const whole = 1e9;

/** How many standard deviations apart two shares have to be, for a difference that is no chance: 99.7 %. */
const certain = 3;

/** Nanoseconds of CPU time that one sample stands for, at the agents' usual 100 Hz. */
const samplePeriod = 1e7;

/**
 * @param {FlameAnswer} before
 * @param {FlameAnswer} after
 * @returns {Comparison}
 */
export function compared(before, after) {
    /** @type {Map<string, number>} */
    const known = new Map();
    /** @type {string[]} */
    const strings = [];
    /** @type {FlameAnswer["frames"]} */
    const frames = { name: [], file: [], line: [], module: [], kind: [] };
    const builder = new TreeBuilder();
    for (const [answer, column] of /** @type {[FlameAnswer, number[]][]} */ ([[before, builder.self], [after, builder.other]])) {
        const base = strings.length;
        for (const text of answer.strings) strings.push(text);
        const frameOf = answer.frames.name.map((_, index) => {
            const { name, file, module, kind, line } = answer.frames;
            // Not the line: it moves from build to build.
            const key = [answer.strings[name[index]], answer.strings[file[index]], answer.strings[module[index]], kind[index]].join("\u0000");
            const found = known.get(key);
            if (found !== undefined) return found;
            frames.name.push(base + name[index]);
            frames.file.push(base + file[index]);
            frames.module.push(base + module[index]);
            frames.line.push(line[index]);
            const made = frames.kind.push(kind[index]) - 1;
            known.set(key, made);
            return made;
        });
        const { parent, frame, self } = answer.nodes;
        const scale = answer.total > 0 ? whole / answer.total : 0;
        const place = new Int32Array(parent.length);
        column[0] += self[0] * scale;
        for (let node = 1; node < parent.length; node += 1) {
            place[node] = builder.child(place[parent[node]], frameOf[frame[node]]);
            column[place[node]] += self[node] * scale;
        }
    }
    const made = builder.columns({ ...after, strings, frames });
    const sum = (/** @type {number[]} */ one, /** @type {number[]} */ other) => one.map((value, index) => value + other[index]);
    const share = (/** @type {number[]} */ values) => Float64Array.from(values, (value) => value / whole);
    return {
        answer: {
            ...after, strings, frames, unit: "share", total: made.total[0] + made.otherTotal[0], unresolved: 0,
            truncated: before.truncated || after.truncated, notes: [...new Set([...before.notes, ...after.notes])],
            nodes: { parent: made.parent, frame: made.frame, self: sum(made.self, made.otherSelf), total: sum(made.total, made.otherTotal) },
        },
        before: share(made.total), after: share(made.otherTotal), beforeSelf: share(made.self), afterSelf: share(made.otherSelf),
        samples: [samplesOf(before), samplesOf(after)],
    };
}

/**
 * @param {FlameAnswer} answer
 * @returns {number} 0 where a value is no sum of samples
 */
function samplesOf(answer) {
    if (answer.unit === "nanoseconds") return answer.total / samplePeriod;
    return answer.unit === "count" || answer.unit === "samples" ? answer.total : 0;
}

/**
 * How certain it is that two shares differ, in standard deviations: a test of two proportions.
 *
 * @param {number} before 0...1
 * @param {number} after
 * @param {[number, number]} samples
 * @returns {number} below 0 where the second is less; 0 where nothing can be said
 */
export function deviationsApart(before, after, samples) {
    const [one, other] = samples;
    if (one <= 0 || other <= 0) return 0;
    const both = (before * one + after * other) / (one + other);
    const spread = Math.sqrt(both * (1 - both) * (1 / one + 1 / other));
    return spread > 0 ? (after - before) / spread : 0;
}

/**
 * @param {number} before 0...1
 * @param {number} after
 * @param {[number, number]} samples of both; without, every difference counts
 * @returns {number} -1 (gone) ... 1 (new); 0 also where the difference may be chance
 */
export function changeOf(before, after, samples) {
    if (before + after <= 0) return 0;
    const known = samples[0] > 0 && samples[1] > 0;
    if (known && Math.abs(deviationsApart(before, after, samples)) < certain) return 0;
    return (after - before) / Math.max(before, after);
}

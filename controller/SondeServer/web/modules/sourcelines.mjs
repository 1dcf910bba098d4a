// SPDX-License-Identifier: Apache-2.0
// What `GET /api/v1/source` says, line by line, and its forecasts in words.
import { threeDigits } from "./format.mjs";

/**
 * @typedef {object} LineCost
 * @property {number} line from 1
 * @property {number} self
 * @property {number} total
 * @property {boolean} code whether a probe can be set
 * @property {number} [hitsPerSecond] by order of magnitude, in one instance
 * @property {number} [probeShare] of one core, that a log point would cost
 */

/**
 * @typedef {object} SourceAnswer
 * @property {string} service
 * @property {string} file
 * @property {string} unit
 * @property {number} profiles
 * @property {number} total
 * @property {number} inFile
 * @property {number} ofFunctions the own value of the file's functions
 * @property {number} withoutLine the part of it that is on no line of the file
 * @property {number} ofOthers the part of the lines' own value that counts for functions of other files
 * @property {{ buildID: string, image: string }[]} builds
 * @property {string} [text]
 * @property {string} [link] with `{line}` in it
 * @property {LineCost[]} lines
 * @property {string[]} notes
 */

/**
 * @typedef {object} SourceRow one line as it is shown
 * @property {number} line
 * @property {string | null} text null where only the line table is known
 * @property {LineCost | null} cost
 * @property {boolean} gap whether lines are left out before it
 */

/** More lines than this are not shown at once. */
const mostRows = 20_000;

/**
 * All lines of a file's text; without a text, those that the line table knows.
 *
 * @param {SourceAnswer} answer
 * @returns {SourceRow[]}
 */
export function rowsOfSource(answer) {
    const costs = new Map(answer.lines.map((cost) => [cost.line, cost]));
    if (answer.text === undefined) {
        return answer.lines.slice(0, mostRows).map((cost, index) => ({
            line: cost.line, text: null, cost,
            gap: index > 0 && cost.line > answer.lines[index - 1].line + 1,
        }));
    }
    const texts = answer.text.replace(/\r\n?/g, "\n").split("\n");
    if (texts[texts.length - 1] === "") texts.pop();
    return texts.slice(0, mostRows).map((text, index) => ({
        line: index + 1, text, cost: costs.get(index + 1) ?? null, gap: false,
    }));
}

/**
 * What the lines' own values and those of the file's functions differ by, in words.
 *
 * @param {SourceAnswer} answer
 * @returns {{ value: number, words: string }[]}
 */
export function remainders(answer) {
    return [
        { value: answer.withoutLine, words: "on no line: what the compiler made of the file's functions without naming one" },
        { value: answer.ofOthers, words: "of the lines above counts for functions of other files" },
    ].filter(({ value }) => value > 0);
}

/**
 * The lines worth a look, in the order of the file.
 *
 * @param {SourceAnswer} answer
 * @returns {number[]}
 */
export function hotLines(answer) {
    const most = answer.lines.reduce((top, cost) => Math.max(top, cost.self), 0);
    return answer.lines.filter((cost) => cost.self > 0 && cost.self >= most / 20).map((cost) => cost.line);
}

/**
 * The line to look at first: of all with the largest own cost.
 *
 * @param {SourceAnswer} answer
 * @returns {number} 0 when no line costs anything
 */
export function hottestLine(answer) {
    let best = { line: 0, self: 0, total: 0 };
    for (const cost of answer.lines) {
        if (cost.self > best.self || (cost.self === best.self && cost.total > best.total)) best = cost;
    }
    return best.line;
}

/**
 * A forecast of a log point, in words.
 *
 * @param {LineCost | null} cost
 * @param {number} linesPerSecond the probe's limit
 * @returns {string}
 */
export function forecastWords(cost, linesPerSecond) {
    if (!cost || cost.hitsPerSecond === undefined || cost.probeShare === undefined) {
        return "too few samples for a forecast: the line is passed seldom, or quickly";
    }
    const often = `about ${roughly(cost.hitsPerSecond)} hits a second in each instance`;
    if (cost.probeShare > 0.01) {
        return `${often}, too many for a log point: it would use up its 1 % of a core and stop itself; choose a line that is passed less often`;
    }
    const kept = cost.hitsPerSecond > linesPerSecond ? `, of which ${linesPerSecond} become lines` : "";
    return `${often}${kept}; about ${threeDigits(Math.max(cost.probeShare * 100, 0.001))} % of a core`;
}

/**
 * A number that is known by its order of magnitude only: one digit.
 *
 * @param {number} value
 * @returns {string}
 */
export function roughly(value) {
    if (value < 1) return "1";
    const digits = 10 ** Math.floor(Math.log10(value));
    return (Math.ceil(value / digits) * digits).toLocaleString("en-US");
}

/**
 * The name of a file without its folders.
 *
 * @param {string} path
 * @returns {string}
 */
export function fileName(path) {
    return path.slice(path.lastIndexOf("/") + 1);
}

// SPDX-License-Identifier: Apache-2.0
// Lines of `GET /api/v1/tail` as they come: cut at line ends, read, and the questions for them.

/**
 * @typedef {object} LogLine
 * @property {string} time Unix nanoseconds
 * @property {Record<string, string>} labels
 * @property {Record<string, string>} metadata
 * @property {string} line
 */

/** @typedef {{ line?: LogLine, dropped?: number, error?: string }} TailEvent */

/** Joins pieces of text and hands over what they say, object by object. */
export class LineReader {
    /** @param {(event: TailEvent) => void} take */
    constructor(take) {
        this.take = take;
        this.rest = "";
    }

    /** @param {string} text */
    add(text) {
        const parts = (this.rest + text).split("\n");
        this.rest = parts.pop() ?? "";
        for (const part of parts) {
            // Empty lines keep the connection alive.
            if (part.trim() === "") continue;
            const value = JSON.parse(part);
            if (typeof value.error === "string") this.take({ error: value.error });
            else if (typeof value.dropped === "number") this.take({ dropped: value.dropped });
            else this.take({ line: value });
        }
    }
}

/**
 * @param {string} service
 * @returns {string} LogQL for all lines of a service
 */
export function queryOfService(service) {
    return service === "" ? "" : `{service_name=${JSON.stringify(service)}}`;
}

/**
 * @param {string} service
 * @param {string} probe
 * @returns {string} LogQL for the lines of one probe
 */
export function queryOfProbe(service, probe) {
    return `${queryOfService(service)} | probe_id=${JSON.stringify(probe)}`;
}

/**
 * @param {LogLine} line
 * @returns {number} Unix milliseconds
 */
export function millisecondsOf(line) {
    return Number(BigInt(line.time) / 1_000_000n);
}

/**
 * @param {LogLine} line
 * @returns {string} the level in lower case, "info" unless it says
 */
export function levelOf(line) {
    return (line.labels.detected_level ?? line.labels.level ?? line.metadata.level ?? "info").toLowerCase();
}

/**
 * @param {LogLine} line
 * @returns {{ file: string, line: number } | null} where in the code it was said
 */
export function placeOf(line) {
    const { file } = line.metadata;
    const number = Number(line.metadata.line);
    return file && Number.isInteger(number) && number > 0 ? { file, line: number } : null;
}

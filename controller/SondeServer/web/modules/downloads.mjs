// SPDX-License-Identifier: Apache-2.0
// Saving the shown profile as a file, with the token that a plain link would not carry.
import { element } from "./dom.mjs";

/** What the menu offers, by the controller's name of the format. */
const suffixes = { folded: "folded.txt", pprof: "pb.gz", speedscope: "speedscope.json", svg: "svg" };

/**
 * @param {import("./connection.mjs").Connection} connection
 * @param {keyof typeof suffixes} format
 * @param {Record<string, string | number>} query as the graph was asked for
 * @param {string} service
 */
export async function saveProfile(connection, format, query, service) {
    const body = await connection.download("flame", { ...query, format });
    const url = URL.createObjectURL(body);
    const name = `${service || "sonde"}-${query.type}`.replace(/[^\w.-]+/g, "_");
    const link = /** @type {HTMLAnchorElement} */ (element("a", {
        href: url, download: `${name}.${suffixes[format]}`,
    }));
    link.click();
    // The browser reads the object after the click returns.
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

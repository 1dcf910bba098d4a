// SPDX-License-Identifier: Apache-2.0
// Splits source lines into words, strings, numbers and comments, for colours that help reading.

/** @typedef {{ kind: "" | "word" | "text" | "number" | "note" | "type", text: string }} Token */

const keywords = new Set(("actor as async await auto break case catch class const constexpr continue crate default defer deinit do dyn else enum "
    + "explicit extension extern fallthrough false fileprivate final fn for foreach func goto guard if impl import in indirect init inline "
    + "inout internal is isolated lazy let loop match mod move mut mutating namespace new nil noexcept nonisolated nonmutating nullptr "
    + "operator open override package private protected protocol pub public ref repeat required rethrows return self Self set some any "
    + "static struct subscript super switch template this throw throws true try type typealias typedef typename unowned unsafe use "
    + "using var virtual void volatile weak where while willSet didSet get yield").split(" "));

/** A piece that stands by itself; the order decides. */
const pieces = /\/\/.*|\/\*|"""|"(?:\\.|[^"\\])*"?|'(?:\\.|[^'\\])'|\b\d[\w.]*|[A-Za-z_]\w*|#\w+|@\w+/y;

/**
 * The tokens of each line of a file. Comments and texts may go over several lines.
 *
 * @param {string[]} lines
 * @returns {Token[][]} in order; the texts of a line's tokens are the line
 */
export function tokensOf(lines) {
    let open = "";
    return lines.map((line) => {
        /** @type {Token[]} */
        const tokens = [];
        const add = (/** @type {Token["kind"]} */ kind, /** @type {string} */ text) => {
            const last = tokens[tokens.length - 1];
            if (text === "") return;
            if (last && last.kind === kind) last.text += text;
            else tokens.push({ kind, text });
        };
        let at = 0;
        while (at < line.length) {
            if (open !== "") {
                const end = line.indexOf(open, at);
                const stop = end < 0 ? line.length : end + open.length;
                add(open === "*/" ? "note" : "text", line.slice(at, stop));
                if (end >= 0) open = "";
                at = stop;
                continue;
            }
            pieces.lastIndex = at;
            const found = pieces.exec(line)?.[0];
            if (found === undefined) {
                add("", line[at]);
                at += 1;
                continue;
            }
            at += found.length;
            if (found === "/*" || found === '"""') open = found === "/*" ? "*/" : found;
            add(kindOfPiece(found), found);
        }
        return tokens;
    });
}

/**
 * @param {string} piece
 * @returns {Token["kind"]}
 */
function kindOfPiece(piece) {
    if (piece.startsWith("//") || piece === "/*") return "note";
    if (piece.startsWith('"') || piece.startsWith("'")) return "text";
    if (/^\d/.test(piece)) return "number";
    if (piece.startsWith("#") || piece.startsWith("@") || keywords.has(piece)) return "word";
    return /^[A-Z]/.test(piece) ? "type" : "";
}

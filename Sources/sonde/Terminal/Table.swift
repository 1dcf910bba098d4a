// SPDX-License-Identifier: Apache-2.0
// Tables: fitted to a terminal's width, plain and whole everywhere else.

/// Rows under headings.
package struct Table: Sendable {
    /// One column.
    package struct Column: Sendable {
        /// Its heading.
        package var heading: String
        /// Numbers stand at the right.
        package var isNumber: Bool
        /// Where a line is too long, it may be cut.
        package var isCuttable: Bool
        /// Where cutting is not enough, the column of the highest number is left out first, and
        /// those of 0 stay as long as any other does.
        package var dispensability: Int
        package init(
            _ heading: String, isNumber: Bool = false, isCuttable: Bool = false,
            dispensability: Int = 0
        ) {
            self.heading = heading
            self.isNumber = isNumber
            self.isCuttable = isCuttable
            self.dispensability = dispensability
        }
    }

    /// One place in a row.
    package struct Cell: Sendable, ExpressibleByStringLiteral, ExpressibleByStringInterpolation {
        package var text: String
        package var style: Style?
        package init(_ text: String, _ style: Style? = nil) {
            self.text = text.forTerminal
            self.style = style
        }
        package init(stringLiteral text: String) { self.init(text) }
    }

    package var columns: [Column]
    package var rows: [[Cell]] = []

    package init(_ columns: [Column]) { self.columns = columns }

    /// What a cut column keeps at least; one that is not wider is never cut.
    private static let narrowest = 10

    /// The table as lines.
    ///
    /// - Parameter outlet: Where it goes; a line is not longer than its width. Columns are cut with
    ///   an ellipsis, and where even that is too wide, the most dispensable ones are left out.
    /// - Returns: Headings and rows, each with a newline; nothing when there are no rows.
    package func text(for outlet: Outlet) -> String {
        guard !rows.isEmpty else { return "" }
        let widths = fittedWidths(outlet.width)
        var lines = [line(columns.map { Cell($0.heading, .bold) }, widths, outlet)]
        lines += rows.map { line($0, widths, outlet) }
        return lines.joined()
    }

    /// Each column's width; 0 for one that is left out.
    private func fittedWidths(_ limit: Int?) -> [Int] {
        let natural = columns.indices.map { index in
            rows.reduce(DisplayWidth.of(columns[index].heading)) { widest, row in
                index < row.count ? max(widest, DisplayWidth.of(row[index].text)) : widest
            }
        }
        guard let limit else { return natural }
        var widths = natural
        // Of equal ones the rightmost goes first. The first column says what a row is about.
        var dispensable = columns.indices.dropFirst().sorted { left, right in
            (columns[left].dispensability, left) < (columns[right].dispensability, right)
        }
        while true {
            let excess = narrow(&widths, to: limit)
            guard excess > 0 else { return widths }
            guard let dropped = dispensable.popLast() else {
                widths[0] = max(1, widths[0] - excess)
                return widths
            }
            widths = columns.indices.map { widths[$0] == 0 || $0 == dropped ? 0 : natural[$0] }
        }
    }

    /// Takes columns from the widest one that may be cut, again and again, until a line fits.
    ///
    /// - Parameters:
    ///   - widths: Each column's width; 0 for one that is left out.
    ///   - limit: The most columns of a line.
    /// - Returns: By how much a line is still too long.
    private func narrow(_ widths: inout [Int], to limit: Int) -> Int {
        let shown = widths.filter { $0 > 0 }
        var excess = shown.reduce(0, +) + 2 * max(0, shown.count - 1) - limit
        while excess > 0 {
            let cuttable = columns.indices.filter {
                columns[$0].isCuttable && widths[$0] > Self.narrowest
            }
            guard let widest = cuttable.max(by: { widths[$0] < widths[$1] }) else { break }
            widths[widest] -= 1
            excess -= 1
        }
        return excess
    }

    private func line(_ cells: [Cell], _ widths: [Int], _ outlet: Outlet) -> String {
        let last = widths.lastIndex { $0 > 0 } ?? 0
        var parts: [String] = []
        for (index, cell) in cells.enumerated() where index < widths.count && widths[index] > 0 {
            let ellipsis = outlet.hasUnicode ? "…" : "~"
            let cut = DisplayWidth.cut(cell.text, to: widths[index], ellipsis: ellipsis)
            let padding = String(
                repeating: " ", count: max(0, widths[index] - DisplayWidth.of(cut)))
            let shown = cell.style?.apply(cut, in: outlet) ?? cut
            if columns[index].isNumber {
                parts.append(padding + shown)
            } else {
                parts.append(index == last ? shown : shown + padding)
            }
        }
        return parts.joined(separator: "  ") + "\n"
    }
}

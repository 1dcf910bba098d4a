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
        /// Where a line is too long, columns of higher numbers are narrowed first; 0 never is.
        package var flexibility: Int
        package init(_ heading: String, isNumber: Bool = false, flexibility: Int = 0) {
            self.heading = heading
            self.isNumber = isNumber
            self.flexibility = flexibility
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

    /// The least columns that a narrowed column keeps.
    private static let narrowest = 6

    /// The table as lines.
    ///
    /// - Parameter outlet: Where it goes; a line is not longer than its width. A column is narrowed
    ///   with an ellipsis, and where even that is too wide, the most flexible columns are left out.
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
        var widths = columns.indices.map { index in
            rows.reduce(DisplayWidth.of(columns[index].heading)) { widest, row in
                index < row.count ? max(widest, DisplayWidth.of(row[index].text)) : widest
            }
        }
        guard let limit else { return widths }
        func excess() -> Int {
            let shown = widths.filter { $0 > 0 }
            return shown.reduce(0, +) + 2 * max(0, shown.count - 1) - limit
        }
        let flexible = columns.indices.filter { columns[$0].flexibility > 0 }
            .sorted { columns[$0].flexibility > columns[$1].flexibility }
        for index in flexible where excess() > 0 {
            widths[index] = max(min(widths[index], Self.narrowest), widths[index] - excess())
        }
        for index in flexible where excess() > 0 && index != 0 { widths[index] = 0 }
        if excess() > 0, let first = widths.first { widths[0] = max(1, first - excess()) }
        for index in columns.indices.reversed() where excess() > 0 && index != 0 {
            widths[index] = 0
        }
        // What a dropped column gave free goes back to those that were narrowed for nothing.
        for index in flexible.reversed() where widths[index] > 0 && excess() < 0 {
            let natural = rows.reduce(DisplayWidth.of(columns[index].heading)) { widest, row in
                index < row.count ? max(widest, DisplayWidth.of(row[index].text)) : widest
            }
            widths[index] = min(natural, widths[index] - excess())
        }
        return widths
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

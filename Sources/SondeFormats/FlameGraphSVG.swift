// SPDX-License-Identifier: Apache-2.0
// Draws merged stacks as a flame graph that any browser opens, in one file without scripts.

package import SondeModel

/// A flame graph as SVG: the root at the top, widths by total, a tooltip on every frame.
///
/// The file needs nothing else: colors follow the reader's light or dark scheme by a style of its
/// own. Frames narrower than a fifth of a pixel are left out.
package struct FlameGraphSVG: Sendable {
    /// What stands above the graph, such as the service and the range of time.
    package var title: String
    /// The unit of the values.
    package var unit: String
    /// The width in pixels at which the graph is drawn; browsers scale it to theirs.
    package var width = 1200

    private static let rowHeight = 17
    private static let top = 34
    /// Of the 12 px monospaced font; text is cut to fit, since SVG does not clip it by itself.
    private static let characterWidth = 7.25

    /// A drawing of values of a unit under a title.
    package init(title: String, unit: String) {
        self.title = title
        self.unit = unit
    }

    /// The document.
    package func document(_ tree: FrameTree) -> String {
        let totals = tree.totals
        let children = tree.childrenByName()
        let scale = totals[0] > 0 ? Double(width) / Double(totals[0]) : 0
        var body = ""
        var depth = 0
        var pending: [(node: Int, x: Double, row: Int)] = totals[0] > 0 ? [(0, 0, 0)] : []
        while let (node, x, row) = pending.popLast() {
            depth = max(depth, row)
            body += rectangle(tree, node, totals, x: x, row: row, scale: scale)
            var childX = x
            for child in children[node] {
                let childWidth = Double(totals[Int(child)]) * scale
                if childWidth >= 0.2 { pending.append((Int(child), childX, row + 1)) }
                childX += childWidth
            }
        }
        let height = Self.top + (depth + 1) * Self.rowHeight + 8
        return head(height: height, total: totals[0]) + body + "</svg>\n"
    }

    private func head(height: Int, total: Int64) -> String {
        """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(width) \(height)" \
        font-family="ui-monospace,Menlo,Consolas,monospace" font-size="12">
        <title>\(Self.escaped(title))</title>
        \(Self.style)
        <rect class="page" width="\(width)" height="\(height)"/>
        <text class="head" x="4" y="20">\(Self.escaped(title)) \
        · \(ValueFormat(unit: unit).string(total))</text>

        """
    }

    private func rectangle(
        _ tree: FrameTree, _ node: Int, _ totals: [Int64], x: Double, row: Int, scale: Double
    ) -> String {
        let frame = tree.frame(node)
        let name = frame?.name ?? "total"
        let boxWidth = Double(totals[node]) * scale
        let y = Self.top + row * Self.rowHeight
        var tip = Self.escaped(name)
        if let frame, !frame.file.isEmpty {
            tip += "\n" + Self.escaped(frame.file)
            if frame.startLine > 0 { tip += ":\(frame.startLine)" }
        }
        if let frame, !frame.module.isEmpty { tip += "\n" + Self.escaped(frame.module) }
        let format = ValueFormat(unit: unit)
        tip += "\n\(format.string(totals[node])), \(ValueFormat.share(totals[node], of: totals[0]))"
        if tree.selfValues[node] > 0 { tip += "; self \(format.string(tree.selfValues[node]))" }
        let box =
            "x=\"\(ValueFormat.decimal(x, places: 2))\" y=\"\(y)\""
            + " width=\"\(ValueFormat.decimal(max(boxWidth - 0.4, 0.2), places: 2))\""
            + " height=\"\(Self.rowHeight - 1)\" rx=\"1\""
        var text = "<g><title>\(tip)</title><rect class=\"\(Self.color(of: frame))\" \(box)/>"
        let room = Int((boxWidth - 6) / Self.characterWidth)
        if room >= 3 {
            let label = name.count > room ? name.prefix(room - 1) + "…" : name[...]
            text +=
                "<text x=\"\(ValueFormat.decimal(x + 3, places: 2))\" y=\"\(y + 12)\">"
                + Self.escaped(String(label)) + "</text>"
        }
        return text + "</g>\n"
    }

    /// One class for each module, so that libraries can be told apart; the same in every run.
    private static func color(of frame: Frame?) -> String {
        guard let frame else { return "root" }
        if frame.kind == .other || frame.kind == .unresolved { return "grey" }
        var hash: UInt32 = 2_166_136_261
        for byte in (frame.module.isEmpty ? frame.name : frame.module).utf8 {
            hash = (hash ^ UInt32(byte)) &* 16_777_619
        }
        return "c\(hash % 8)"
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            // XML has no way to write these.
            case "\u{0}"..."\u{8}", "\u{B}"..."\u{1F}", "\u{FFFE}"..."\u{FFFF}": result += " "
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static let style: String = {
        let hues = [18, 36, 52, 150, 190, 215, 262, 330]
        func rules(saturation: Int, lightness: Int) -> String {
            hues.enumerated().map { index, hue in
                ".c\(index){fill:hsl(\(hue) \(saturation)% \(lightness)%)}"
            }.joined()
        }
        return """
            <style>.page{fill:#fff}text{fill:#1b1b1b;pointer-events:none}.head{font-weight:600}\
            .root{fill:#d9d9de}.grey{fill:#c9c9ce}g:hover rect{stroke:#000;stroke-width:1}\
            \(rules(saturation: 72, lightness: 74))
            @media (prefers-color-scheme:dark){.page{fill:#16171a}text{fill:#ececee}\
            .root{fill:#3a3b41}.grey{fill:#4a4b52}g:hover rect{stroke:#fff}\
            \(rules(saturation: 38, lightness: 34))}</style>
            """
    }()
}
